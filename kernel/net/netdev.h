/*
 * A network device: something that takes packets and gives packets. Drivers fill in netdev_ops and call
 * netdev_receive(); IP and packet sockets call netdev_transmit() and know no driver.
 *
 * A driver has one or more transmit queues, each CPU using its own. When a ring is full, packets wait in
 * the device's queue of the same number until the driver says that there is room: nobody spins, and
 * only a queue that has grown to NETDEV_BACKLOG drops.
 */
#pragma once

#include <abi/if.h>
#include <abi/socket.h>

#include "lib/list.h"
#include "lib/types.h"
#include "sched/later.h"
#include "sched/lock.h"
#include "x86/cpu.h"

struct netdev;
struct packet;

#define NETDEV_NAME 16   /* IFNAMSIZ */
#define NETDEV_ADDRESS 6 /* an Ethernet address; the only kind there is */
#define NETDEV_BACKLOG 1000

/* What a device does by itself (netdev->features). */
#define NETDEV_CHECKSUM 1u /* completes CHECKSUM_PARTIAL */
#define NETDEV_SEGMENT 2u  /* cuts TCP packets (packet->segment_size) */

struct netdev_ops {
    /* Begin, and end, to send and receive. 0 or -errno. May sleep. */
    int (*open)(struct netdev *dev);
    void (*stop)(struct netdev *dev);
    /*
     * Send P on transmit queue QUEUE; true: the driver has taken it over. False: the ring is full, P is still
     * the caller's, and netdev_resume() will follow. The queue's lock is held. Any context.
     */
    bool (*transmit)(struct netdev *dev, unsigned queue, struct packet *p);
    /* The last of a batch has been given: tell the hardware. The queue's lock is held. */
    void (*kick)(struct netdev *dev, unsigned queue);
};

/* How a kind of link carries IP packets: Ethernet with its header and ARP, the loopback as they are. */
struct link_ops {
    /* Send P, an IP packet, to the neighbour NEXT (network order; also a broadcast or group). P is taken over. */
    void (*send)(struct netdev *dev, uint32_t next, struct packet *p);
    /*
     * A received P begins with the link's header: take it off and fill in protocol, packet_type, from. False: it
     * makes no sense.
     */
    bool (*parse)(struct packet *p);
    /* DEV's link is there again: tell its neighbours, maybe others than before, who we are. Any context; or NULL. */
    void (*came_up)(struct netdev *dev);
    unsigned header_len;               /* const */
    uint8_t broadcast[NETDEV_ADDRESS]; /* const */
};

struct netdev_counters {
    uint64_t rx_packets, rx_bytes, rx_dropped, rx_errors;
    uint64_t tx_packets, tx_bytes, tx_dropped, tx_errors;
    uint64_t multicast;
} aligned(64);

/* Packets that wait for room in a ring. */
struct netdev_queue {
    struct spinlock lock; /* RANK_NETDEV */
    struct list waiting;  /* lock: struct packet */
    unsigned count;       /* lock */
};

struct netdev {
    struct list link;                 /* the list of devices: see netdev.c */
    char name[NETDEV_NAME];           /* const after registration */
    int index;                        /* const after registration: 1, 2, ... */
    uint16_t type;                    /* const: ARPHRD_ETHER or ARPHRD_LOOPBACK */
    uint8_t address[NETDEV_ADDRESS];  /* the configuration lock (netdev.c) */
    uint32_t flags;                   /* atomic: IFF_* */
    uint32_t mtu;                     /* atomic: largest packet without the link's header */
    uint32_t max_mtu;                 /* const */
    uint32_t features;                /* const after registration: NETDEV_* */
    const struct netdev_ops *ops;     /* const */
    const struct link_ops *link_ops;  /* const */
    void *driver;                     /* const: the driver's own */
    unsigned num_queues;              /* const */
    struct netdev_queue *queues;      /* const: num_queues of them */
    struct netdev_counters *counters; /* const: one a CPU, each counts for itself */
    bool carrier;                     /* atomic: the link is up */
    bool failed;                      /* atomic: see netdev_fail() */
    struct later has_failed;          /* later's: tells who listens */
    unsigned transmit_queue_len;      /* atomic: packets that may wait: NETDEV_BACKLOG at first */
};

/* --- for all --- */

/* Enter DEV, whose const fields are set, and give it an index and its queues. A name "eth%" gets a number. -ENOMEM. */
int netdev_register(struct netdev *dev);
/* Devices stay for ever: no reference is needed. NULL: there is none. */
struct netdev *netdev_by_name(const char *name);
struct netdev *netdev_by_index(int index);
struct netdev *netdev_next(struct netdev *dev); /* NULL: the first */
struct netdev_counters netdev_counters(const struct netdev *dev);

/* Up or down, and such of the other IFF_* as may be changed: 0 or -errno. May sleep. */
int netdev_set_flags(struct netdev *dev, uint32_t wanted);
static inline bool netdev_is_up(const struct netdev *dev)
{
    return READ_ONCE(dev->flags) & IFF_UP;
}
/* Up, and its driver has not given it up. */
static inline bool netdev_can_send(const struct netdev *dev)
{
    return netdev_is_up(dev) && !READ_ONCE(dev->failed);
}
/* Its IFF_* as programs see them: with what the link says. */
uint32_t netdev_flags(const struct netdev *dev);
int netdev_set_mtu(struct netdev *dev, uint32_t mtu); /* -EINVAL */
void netdev_set_queue_len(struct netdev *dev, unsigned packets);

/*
 * Send P, a whole frame with the link's header, on DEV; it is taken over. Any context, below any lock of a higher
 * layer. Whoever sends calls backlog_run() when it holds no lock: the loopback's packets wait there. -ENETDOWN, or
 * -ENOBUFS: too many wait, and it was dropped.
 */
int netdev_transmit(struct netdev *dev, struct packet *p);

/* --- for drivers --- */

/* P, a frame with its link's header, has come: it is taken over. Interrupts are off. */
void netdev_receive(struct netdev *dev, struct packet *p);
/* Transmit queue QUEUE has room again. No lock held. */
void netdev_resume(struct netdev *dev, unsigned queue);
/* The link is up, or down, whether that is news or not. No lock held. */
void netdev_set_carrier(struct netdev *dev, bool up);
/*
 * DEV's hardware is beyond belief: its link is down, and who sends by it hears -ENETDOWN until it has been brought down
 * and up again. Any context, in the driver's locks. The driver still has to call netdev_resume(), for what waits.
 */
void netdev_fail(struct netdev *dev);
static inline struct netdev_counters *netdev_count(struct netdev *dev)
{
    return &dev->counters[cpu_id()];
}

/* --- received packets (backlog.c) --- */

/*
 * Handle what this CPU has received. At the outermost end of what the CPU does: no lock held, or in an interrupt
 * handler's last lines.
 */
void backlog_run(void);
/* Put P, received by DEV, where backlog_run() finds it. Below any lock. False: too many wait, P is the caller's. */
bool backlog_put(struct packet *p);

/*
 * For who handles a packet and would rather see the next first: does none wait on this CPU? And: FN shall be called
 * when those that wait, or as many as are handled at a time, have been; false: none does. One FN at a time.
 */
bool backlog_is_empty(void);
bool backlog_await(void (*fn)(void));

/* Who handles packets of an EtherType. */
struct packet_handler {
    uint16_t protocol;               /* const: host order */
    void (*input)(struct packet *p); /* const: takes P over, without the link's header */
    struct packet_handler *next;     /* const after boot */
};
void packet_handler_register(struct packet_handler *h);
/* All packets, both ways, before anybody else: set by packet sockets, who copy what they want. */
extern void (*packet_tap)(struct packet *p, bool outgoing); /* const after boot */
extern unsigned packet_taps;                                /* atomic: of them; 0: don't call */

void netdev_init(void);
void loopback_init(void);
extern struct netdev *loopback_dev; /* const after boot */
