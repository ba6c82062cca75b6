/*
 * Sockets of the Internet family (AF_INET): what UDP and raw sockets have in common. TCP's have their own
 * structure (net/tcp_socket.c), and of this only the addresses' rules.
 *
 * A table holds the sockets of one protocol by port (raw: by protocol number). Its lock guards who is bound
 * where and connected to whom; who finds a socket in it takes a reference.
 */
#pragma once

#include <abi/in.h>

#include "lib/atomic.h"
#include "lib/list.h"
#include "net/datagram.h"
#include "net/ipv4.h"
#include "sched/lock.h"

#define INET_BUCKETS 256u

struct inet_table {
    struct spinlock lock;             /* RANK_INET */
    struct list bucket[INET_BUCKETS]; /* lock: struct inet_socket, the youngest first */
};

struct inet_group {
    struct list link;   /* the socket's rx.lock */
    struct netdev *dev; /* const */
    uint32_t group;     /* const */
};

struct inet_socket {
    struct datagram_socket d;
    struct refcount ref;              /* atomic */
    struct inet_table *table;         /* const */
    struct list link;                 /* table->lock: in its bucket; on no list: unbound */
    uint32_t bound;                   /* table->lock: receives what is for this address; 0: any */
    uint32_t source, remote;          /* table->lock: sends from, to; 0: not said */
    uint16_t local_port, remote_port; /* table->lock: host order; 0: none */
    bool bound_address, bound_port;   /* table->lock: by the program: they survive a disconnect */
    uint32_t uid;                     /* const: who made it, for SO_REUSEPORT */
    uint32_t receive_flags;           /* atomic: INET_*: what control messages are wanted */
    uint8_t tos;                      /* atomic, as all options below */
    int16_t ttl;                      /* -1: the usual */
    int16_t multicast_ttl;
    bool multicast_loop, multicast_all, header_included, free_bind;
    uint8_t mtu_discover;     /* IP_PMTUDISC_* */
    struct netdev *group_dev; /* IP_MULTICAST_IF; NULL: by route */
    uint32_t group_source;    /* the same; 0: the device's */
    struct list groups;       /* d.s.rx.lock: struct inet_group */
    struct list errors;       /* d.s.rx.lock: struct inet_error, the oldest first */
    struct corked *corked;    /* d.s.rx.lock: of UDP: what MSG_MORE holds back */
    bool cork;                /* atomic: UDP_CORK */
    uint32_t icmp_filter;     /* atomic: of raw ICMP: types not wanted */
};
#define INET_PKTINFO 1u
#define INET_TTL 2u
#define INET_TOS 4u
#define INET_ORIGDST 8u
#define INET_RECVERR 16u /* errors are kept for it */

static inline struct inet_socket *inet_of(struct socket *s)
{
    return container_of(s, struct inet_socket, d.s);
}

/* A kind of socket of this family. */
struct inet_kind {
    int type, protocol; /* const; protocol 0: any but 0 */
    int (*create)(int protocol, struct socket **out);
    struct inet_kind *next; /* const after boot */
};
void inet_register(struct inet_kind *k);

/* A fresh one, not yet in its table. NULL: no memory. */
struct inet_socket *inet_alloc(const struct proto_ops *ops, int type, int protocol,
                               struct inet_table *table);
static inline void inet_get(struct inet_socket *i)
{
    ref_get(&i->ref);
}
void inet_put(struct inet_socket *i);
/* Its description is gone: out of the table and its groups, and its last reference is taken. */
void inet_release(struct socket *s);
void inet_table_init(struct inet_table *t);
static inline struct list *inet_bucket(struct inet_table *t, unsigned key)
{
    return &t->bucket[key % INET_BUCKETS];
}

/* The address in ADDR, as sockaddr_in: -EINVAL, -EAFNOSUPPORT. */
int inet_address_get(const struct sockaddr_storage *addr, unsigned len, struct sockaddr_in *out);
/* May a socket be bound to this address and port: -EADDRNOTAVAIL, -EACCES. */
int inet_may_bind(uint32_t address, uint16_t port, bool free_bind);
int inet_name(struct sockaddr_storage *addr, uint32_t address, uint16_t port);
/* A port to begin the search for a free one at. */
uint16_t inet_random_port(void);
#define INET_PORT_FIRST 49152u
#define INET_PORT_LAST 65535u

/*
 * What a message from I to DESTINATION needs, by I's options and M's control data, and its route: -EINVAL,
 * -EACCES (a broadcast without leave), -ENETUNREACH ...
 */
int inet_prepare(struct inet_socket *i, const struct message *m, uint32_t destination,
                 struct ipv4_send *out);
/* The control messages that I wants about P: 0 or -EFAULT. */
int inet_give_control(struct inet_socket *i, struct message *m, const struct packet *p);
/* Does I want P, which is for all or for a group? */
bool inet_wants_group(struct inet_socket *i, const struct packet *p);

/* --- errors that come back (inet_error.c) --- */

/* What ICMP says of a packet. */
struct inet_failure {
    int error; /* an errno */
    bool hard; /* it won't get better */
    uint16_t port;
    uint32_t info; /* of EMSGSIZE: the bytes that would pass */
    const struct icmp_error *icmp;
};
/*
 * I is told of F about P, which it has sent, and which has its data behind HEADER bytes. CONNECTED: I speaks with that
 * destination alone. Any context, without I's locks.
 */
void inet_error_input(struct inet_socket *i, const struct packet *p, uint32_t header,
                      const struct inet_failure *f, bool connected);
/* What I was to send is longer than the MTU bytes that may pass. No lock held. */
void inet_error_local(struct inet_socket *i, uint32_t destination, uint16_t port, uint32_t mtu);
/* MSG_ERRQUEUE: the bytes that were sent, or -EAGAIN, -EFAULT. */
ssize_t inet_error_receive(struct inet_socket *i, struct message *m);
/* Forget all that is kept. No lock held. */
void inet_error_flush(struct inet_socket *i);

/* --- what UDP and raw sockets share (inet_datagram.c) --- */

/* The address that M names: -EINVAL (too short), -EAFNOSUPPORT. */
int inet_message_address(const struct message *m, struct sockaddr_in *out);
/* proto_ops: see there. */
ssize_t inet_receive(struct socket *s, struct message *m);
/* Linux says ENOTCONN to who isn't connected, but does it. */
int inet_shutdown(struct socket *s, unsigned how);
unsigned inet_poll(struct socket *s, struct poll_table *pt);
long inet_queue_ioctl(struct socket *s, unsigned cmd, unsigned long arg);

int inet_set_option(struct socket *s, int level, int name, const void *value, unsigned len);
int inet_get_option(struct socket *s, int level, int name, void *value, unsigned *len);
/* Interfaces, routes, the address cache (inet_ioctl.c): by a socket of whatever family. -ENOTTY. */
long inet_ioctl(unsigned cmd, unsigned long arg);

/* For /proc/net: EMIT is called with the table's lock held. */
void inet_table_for_each(struct inet_table *t, void (*emit)(void *ctx, const struct inet_socket *i),
                         void *ctx);

void inet_init(void);
void udp_init(void);
void raw_init(void);
void stream_init(void);
