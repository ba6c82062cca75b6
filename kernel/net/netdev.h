/*
 * A network device: something that takes packets and gives packets. Drivers fill in netdev_ops and call
 * netdev_receive(); IP and packet sockets call netdev_transmit() and know no driver.
 *
 * A driver has one or more transmit queues, each CPU using its own. When a ring is full, packets wait in
 * the device's queue of the same number until the driver says that there is room: nobody spins, and
 * only a queue that has grown to NETDEV_BACKLOG drops.
 */
#pragma once

#include <abi/socket.h>

#include "lib/list.h"
#include "lib/types.h"
#include "sched/lock.h"

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
    /* The set of multicast groups, or promiscuity, has changed. May be NULL: it receives everything. */
    void (*filter)(struct netdev *dev);
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
    struct list link;                  /* the list of devices: see netdev.c */
    char name[NETDEV_NAME];            /* const after registration */
    int index;                         /* const after registration: 1, 2, ... */
    uint16_t type;                     /* const: ARPHRD_ETHER or ARPHRD_LOOPBACK */
    uint8_t address[NETDEV_ADDRESS];   /* the configuration lock (netdev.c) */
    uint32_t flags;                    /* atomic: IFF_* */
    uint32_t mtu;                      /* atomic: largest packet without the link's header */
    uint32_t max_mtu;                  /* const */
    uint32_t features;                 /* const after registration: NETDEV_* */
    const struct netdev_ops *ops;      /* const */
    void *driver;                      /* const: the driver's own */
    unsigned num_queues;               /* const */
    struct netdev_queue *queues;       /* const: num_queues of them */
    struct netdev_counters *counters;  /* const: one a CPU, each counts for itself */
    bool carrier;                      /* atomic: the link is up */
    void *ipv4;                        /* net/ipv4's: addresses and groups on this device */
};
