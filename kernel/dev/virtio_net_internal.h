/*
 * What the two halves of the virtio network driver share: virtio_net.c moves packets, virtio_net_setup.c brings the
 * device up and down. For these files alone.
 */
#pragma once

#include "dev/virtio.h"
#include "net/netdev.h"
#include "sched/timer.h"

enum virtio_net_feature {
    NET_F_CSUM = 0,
    NET_F_GUEST_CSUM = 1,
    NET_F_MTU = 3,
    NET_F_MAC = 5,
    NET_F_GUEST_TSO4 = 7,
    NET_F_HOST_TSO4 = 11,
    NET_F_MRG_RXBUF = 15,
    NET_F_STATUS = 16,
    NET_F_CTRL_VQ = 17,
    NET_F_MQ = 22,
};

enum virtio_net_config { CONFIG_MAC = 0, CONFIG_STATUS = 6, CONFIG_PAIRS = 8, CONFIG_MTU = 10 };
#define STATUS_LINK_UP 1

#define PAIRS_MAX 8u

struct virtio_net;

struct net_pair {
    struct virtio_net *net;    /* const */
    unsigned index;            /* const */
    struct virtqueue *rx, *tx; /* const; their own locks */
    struct timer again; /* more to take in, or memory to be had again, or the device has failed */
    unsigned in_ring;   /* rx->lock: buffers that the device has */
};

struct virtio_net {
    struct virtio_device virtio; /* see there */
    struct netdev dev;           /* see there */
    struct irq_handler irq;      /* const: for changes, or without MSI-X for all */
    struct virtqueue *control;   /* const; NULL: it has none. Only used at boot */
    unsigned num_pairs;          /* const */
    struct net_pair pairs[PAIRS_MAX];
};

/* Give the device as many pages as it has room for. False: too few for every packet. rx->lock held. */
bool virtio_net_refill(struct net_pair *r);
/* Take in what has come, and hand it on. Interrupts are off: a handler, or a timer's function. */
void virtio_net_receive(struct net_pair *r);
/* Take back all that a device has which does nothing any more. May sleep. */
void virtio_net_empty(struct net_pair *r);
/* What the link's status is now. */
void virtio_net_read_link(struct virtio_net *net);

extern const struct netdev_ops virtio_net_ops;

/* Interrupts: FN(the pair) of one queue; FN(the device) of changes, or without MSI-X of all. */
void virtio_net_rx_interrupt(void *pair);
void virtio_net_tx_interrupt(void *pair);
void virtio_net_config_interrupt(void *net);
void virtio_net_line_interrupt(void *net);
/* The timer's function of a pair. */
void virtio_net_receive_again(struct timer *t);
/* The device was given up (virtio_fail()). */
void virtio_net_failed(struct virtio_device *v);

/* netdev_ops: see there (virtio_net_setup.c). */
int virtio_net_open(struct netdev *dev);
void virtio_net_stop(struct netdev *dev);
