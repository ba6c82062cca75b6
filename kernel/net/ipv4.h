/*
 * IPv4 (RFC 791, RFC 1122): between the transport protocols and the links.
 *
 *     UDP, ICMP, TCP, raw --ipv4_output--> route, header, fragments --> link_ops.send
 *     link --packet_handler--> ipv4_input: checks, reassembly --> raw sockets, struct ipv4_protocol
 *
 * ICMP is part of it: icmp_input() answers echoes and passes errors to the protocol that they are about.
 */
#pragma once

#include "lib/types.h"
#include "net/route.h"

struct icmp_error;
struct netdev;
struct packet;

struct ipv4_header {
    uint8_t version_ihl; /* 4, and the header's length in 32-bit words */
    uint8_t tos;
    uint16_t length; /* all of it; network order, as all below */
    uint16_t id;
    uint16_t fragment; /* IPV4_DF, IPV4_MF, offset in units of 8 */
    uint8_t ttl;
    uint8_t protocol;
    uint16_t checksum;
    uint32_t source, destination;
};
#define IPV4_DF 0x4000
#define IPV4_MF 0x2000
#define IPV4_OFFSET 0x1fff
#define IPV4_HEADER 20u
#define IPV4_HEADER_MAX 60u
#define IPV4_MAX 65535u
#define IPV4_TTL 64 /* RFC 1700 */

/* What a sender wants of a packet. */
struct ipv4_send {
    uint32_t source, destination; /* network order */
    uint8_t protocol, tos, ttl;
    bool dont_fragment;     /* set DF: -EMSGSIZE if it is too long for the way */
    bool prefer_whole;      /* set DF if it is not */
    bool loop;              /* of multicast: this machine's members hear it too */
    struct route_path path; /* as route_lookup() has it */
};

/*
 * Send P, what comes behind the header; it is taken over. 0 or -errno: -EMSGSIZE, -ENOBUFS, -ENETDOWN. Any
 * context; see backlog_run() in net/netdev.h.
 */
int ipv4_output(struct packet *p, const struct ipv4_send *s);
/* The same for P whose header its sender has made (IP_HDRINCL): checked, id and checksum filled in. -EINVAL. */
int ipv4_output_raw(struct packet *p, const struct route_path *path, uint32_t source);

/* The sum of a pseudo header for LEN bytes of a transport protocol: not yet finished. */
uint32_t ipv4_pseudo_sum(uint32_t source, uint32_t destination, uint8_t protocol, uint32_t len);
/* Is the transport checksum of a received P right? P begins with the transport's header. */
bool ipv4_checksum_ok(struct packet *p);

/* A protocol above. */
struct ipv4_protocol {
    uint8_t protocol;                /* const */
    void (*input)(struct packet *p); /* const: takes P over; p->ip says what the header did */
    /*
     * ICMP has said ERROR (errno > 0) of a packet of ours, which P quotes from its transport's header on; p->ip is
     * its header's. HARD: it won't get better. INFO: the MTU of -EMSGSIZE. P stays the caller's.
     */
    void (*error)(struct packet *p, int error, bool hard, uint32_t info,
                  const struct icmp_error *e);
    struct ipv4_protocol *next; /* const after boot */
};
void ipv4_protocol_register(struct ipv4_protocol *p);
const struct ipv4_protocol *ipv4_protocol_find(uint8_t protocol);

/* Raw sockets get a copy first: true if somebody wanted it (raw.c). */
extern bool (*ipv4_raw_input)(struct packet *p);
/* The same for errors about what raw sockets have sent: P begins with the header that is quoted. Const after boot. */
extern void (*ipv4_raw_error)(struct packet *p, int error, bool hard, uint32_t info,
                              const struct icmp_error *e);

void ipv4_input(struct packet *p);

/* A piece of a packet: the whole, once the last has come, or NULL. Takes P over (ipv4_reassembly.c). */
struct packet *ipv4_reassemble(struct packet *p, const struct ipv4_header *h);
/* DEV has gone down: forget the pieces that came by it. */
void reassembly_flush(struct netdev *dev);
void reassembly_init(void);

/* --- ICMP (RFC 792) --- */

struct icmp_header {
    uint8_t type, code;
    uint16_t checksum;
    uint32_t
        rest; /* echo: id and sequence; unreachable: the MTU in the low 16 bits; network order */
};
enum icmp_type {
    ICMP_ECHO_REPLY = 0,
    ICMP_UNREACHABLE = 3,
    ICMP_SOURCE_QUENCH = 4,
    ICMP_REDIRECT = 5,
    ICMP_ECHO = 8,
    ICMP_TIME_EXCEEDED = 11,
    ICMP_PARAMETER_PROBLEM = 12,
    ICMP_TIMESTAMP = 13,
    ICMP_TIMESTAMP_REPLY = 14,
};
enum icmp_unreachable_code {
    ICMP_UNREACHABLE_NET = 0,
    ICMP_UNREACHABLE_HOST = 1,
    ICMP_UNREACHABLE_PROTOCOL = 2,
    ICMP_UNREACHABLE_PORT = 3,
    ICMP_UNREACHABLE_NEEDS_FRAGMENTS = 4,
};
#define ICMP_REASSEMBLY_TIME 1

/* What it said, and who. */
struct icmp_error {
    uint8_t type, code;
    uint32_t from; /* network order */
};

/*
 * Tell the sender of P, which begins with its transport's header behind its IP header, of an error about it; P
 * stays the caller's. Silent where RFC 1122, section 3.2.2, wants it, and when there were too many.
 */
void icmp_send_error(struct packet *p, uint8_t type, uint8_t code, uint32_t info);

void ipv4_init(void);
void icmp_init(void);

/* --- groups (igmp.c): who has joined what --- */

bool igmp_is_member(const struct netdev *dev, uint32_t group);
/* One more, or one fewer, member of GROUP on DEV. -ENOMEM; -EADDRNOTAVAIL. */
int igmp_join(struct netdev *dev, uint32_t group);
int igmp_leave(struct netdev *dev, uint32_t group);
void igmp_for_each(void (*emit)(void *ctx, const struct netdev *dev, uint32_t group,
                                unsigned users),
                   void *ctx);
void igmp_init(void);

/* --- numbers for /proc/net/snmp: each CPU counts for itself --- */

enum net_counter {
    IP_IN_RECEIVES,
    IP_IN_HDR_ERRORS,
    IP_IN_ADDR_ERRORS,
    IP_IN_UNKNOWN_PROTOS,
    IP_IN_DISCARDS,
    IP_IN_DELIVERS,
    IP_OUT_REQUESTS,
    IP_OUT_DISCARDS,
    IP_OUT_NO_ROUTES,
    IP_REASM_TIMEOUT,
    IP_REASM_REQDS,
    IP_REASM_OKS,
    IP_REASM_FAILS,
    IP_FRAG_OKS,
    IP_FRAG_FAILS,
    IP_FRAG_CREATES,
    ICMP_IN_MSGS,
    ICMP_IN_ERRORS,
    ICMP_IN_CSUM_ERRORS,
    ICMP_OUT_MSGS,
    ICMP_OUT_ERRORS,
    UDP_IN_DATAGRAMS,
    UDP_NO_PORTS,
    UDP_IN_ERRORS,
    UDP_OUT_DATAGRAMS,
    UDP_RCVBUF_ERRORS,
    UDP_SNDBUF_ERRORS,
    UDP_IN_CSUM_ERRORS,
    NET_COUNTERS
};
void net_count(enum net_counter which);
uint64_t net_counter(enum net_counter which);
