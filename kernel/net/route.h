/*
 * Where an IPv4 packet goes, and which addresses this machine has: one table answers both. An address makes a
 * route "to myself", one to the network it is on, and two for that network's broadcasts; so looking up a packet's
 * destination also tells whether it is for us.
 */
#pragma once

#include "lib/list.h"
#include "lib/types.h"

struct netdev;

/* What kind of destination it is. The numbers are rtnetlink's RTN_. */
enum route_type {
    ROUTE_UNICAST = 1,
    ROUTE_LOCAL = 2, /* this machine */
    ROUTE_BROADCAST = 3,
    ROUTE_MULTICAST = 5,
    ROUTE_BLACKHOLE = 6,   /* the next three are refusals: -EINVAL, */
    ROUTE_UNREACHABLE = 7, /* -EHOSTUNREACH */
    ROUTE_PROHIBIT = 8,    /* and -EACCES */
};
static inline bool route_type_refuses(enum route_type t)
{
    return t == ROUTE_BLACKHOLE || t == ROUTE_UNREACHABLE || t == ROUTE_PROHIBIT;
}

/* All addresses in network order. */
struct route {
    struct list link;     /* the table's lock */
    uint32_t destination; /* const, as all below */
    uint32_t gateway;     /* 0: the destination is on the link itself */
    uint32_t source;      /* to send from; 0: the device's address nearest to the next hop */
    struct netdev *dev;
    unsigned prefix; /* bits of destination that count: 0 for the default route */
    unsigned metric; /* the smaller wins */
    enum route_type type;
    uint8_t protocol; /* who made it: rtnetlink's RTPROT_ */
};
#define ROUTE_BY_KERNEL 2 /* it came with an address, and goes with it */
#define ROUTE_BY_BOOT 3   /* ioctl */
#define ROUTE_STATIC 4

/* How to get to a destination. */
struct route_path {
    enum route_type type;
    struct netdev *dev; /* to send on; the loopback for ourselves */
    uint32_t next_hop;
    uint32_t source;
    uint32_t mtu;
};

static inline uint32_t prefix_mask(unsigned prefix) /* network order */
{
    return prefix ? __builtin_bswap32(~0u << (32 - prefix)) : 0;
}
/* The number of leading ones of MASK (network order), or -1: it is no mask. */
int prefix_of_mask(uint32_t mask);

/*
 * The way to DESTINATION; DEV, if not NULL, is the device to leave by. 0, -ENETUNREACH, -ENETDOWN, or what a
 * route that refuses says. Any context.
 */
int route_lookup(uint32_t destination, struct netdev *dev, struct route_path *out);
/* What DESTINATION is for packets that DEV received: LOCAL, BROADCAST, MULTICAST, or UNICAST: somebody else's. */
enum route_type route_kind(uint32_t destination, struct netdev *dev);

/* What to do when there is a route already to the same destination and of the same metric. */
enum route_mode {
    ROUTE_BESIDE,  /* -EEXIST only if it goes the same way */
    ROUTE_ALONE,   /* -EEXIST */
    ROUTE_REPLACE, /* it goes */
    ROUTE_CHANGE,  /* it goes; -ENOENT if there is none */
};
/* Enter a copy of R: 0, -EEXIST, -ENOENT, -ENOMEM. Take out the first that fits (0 and NULL fit all): -ESRCH. */
int route_add(const struct route *r, enum route_mode mode);
/*
 * What a program wants entered: checked, its device found by its gateway if it has none. Besides the above -EINVAL,
 * -ENODEV, -ENETDOWN, and -ENETUNREACH: nobody on a link has the gateway's address.
 */
int route_configure(struct route *r, enum route_mode mode);
int route_remove(const struct route *r);
/* DEV has gone down or has no address left: remove all routes over it but those to its own addresses. */
void route_flush(struct netdev *dev);
/* Call EMIT with each; the table's lock is held. */
void route_for_each(void (*emit)(void *ctx, const struct route *r), void *ctx);

/*
 * ICMP says that packets to DESTINATION may have MTU bytes, about one that a socket may have sent: the caller has
 * looked (RFC 5927, section 4.1). It is believed for ten minutes; less than 68 is not.
 */
void route_note_mtu(uint32_t destination, uint32_t mtu);

/* --- addresses (inet_address.c) --- */

struct inet_address {
    struct list link; /* the list's lock, as all below */
    struct netdev *dev;
    uint32_t address;   /* network order, as all here */
    uint32_t broadcast; /* 0: none */
    unsigned prefix;
    char label[16]; /* the device's name, or with :NUMBER */
    bool secondary; /* another is in its network, and came before it; address_add() finds out */
};

/*
 * One change of addresses, interfaces and routes at a time, from looking at what is there to the last route that
 * follows from it: around what a program asked for. May sleep.
 */
void net_change_begin(void);
void net_change_end(void);
/* Enter, with its routes; the broadcast is computed if it is 0 and there may be one. -EEXIST, -ENOMEM, -EINVAL. */
int address_add(const struct inet_address *a);
/*
 * Remove ADDRESS/PREFIX of DEV (PREFIX over 32: any) and its routes, with a primary address all that are secondary to
 * it, with DEV's last address all routes over DEV: -EADDRNOTAVAIL.
 */
int address_remove(struct netdev *dev, uint32_t address, unsigned prefix);
/* The one with this label: false: there is none. */
bool address_by_label(const char *label, struct inet_address *out);
/* DEV's address in the network that NEAR is on, or its first; 0: it has none. */
uint32_t address_near(struct netdev *dev, uint32_t near);
/* The device that has ADDRESS; NULL: none. */
struct netdev *address_device(uint32_t address);
/* Is it ours, or a broadcast of ours (then *TYPE says so), or a group? UNICAST: somebody else's. */
enum route_type address_kind(uint32_t address);
void address_for_each(void (*emit)(void *ctx, const struct inet_address *a), void *ctx);
/* DEV came up or went down: its routes come and go. */
void address_device_changed(struct netdev *dev);
/* Tell DEV's neighbours of each of its addresses. Any context. */
void address_announce(struct netdev *dev);
/* Change those of DEV's IFF_* that may be changed to WANTED's, up and down with all that follows. 0 or -errno. */
int inet_set_flags(struct netdev *dev, uint32_t wanted);

void route_init(void);
