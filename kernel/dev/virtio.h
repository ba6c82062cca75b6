/*
 * virtio 1.x devices on PCI, and their queues: shared memory with a device that may lie.
 *
 * A driver's life (virtio 1.2, 3.1.1): virtio_open() resets the device and finds its registers;
 * virtio_negotiate() agrees on features; virtqueue_create() sets up each queue; virtio_start() lets it run.
 * When the device says something that can't be (an id nobody gave it, a length beyond the buffer's) the
 * driver calls virtio_fail(): the device is reset and never spoken to again, with one line in the log.
 *
 * A split virtqueue (2.7) has three parts. The driver writes buffers, each a chain of pieces of memory, into
 * the descriptor table, and their heads' numbers into the available ring; the device writes the numbers of
 * those it has finished, and how many bytes it wrote, into the used ring:
 *
 *     driver:  desc[7] -> desc[2]      avail: ... 7 |      "buffer 7 is yours"
 *     device:                          used:  ... 7,60 |   "done with 7, I wrote 60 bytes"
 *
 * With the event index (2.7.7, 2.7.10) either side says at which number it wants to be told next.
 */
#pragma once

#include "dev/pci.h"
#include "lib/types.h"
#include "sched/lock.h"

#define VIRTIO_VENDOR 0x1af4
#define VIRTIO_ID_FIRST 0x1040 /* + the device's type: modern devices (4.1.2) */

/* Feature bits that belong to no device type (6). */
#define VIRTIO_F_INDIRECT_DESC 28
#define VIRTIO_F_EVENT_IDX 29
#define VIRTIO_F_VERSION_1 32
#define VIRTIO_F_ACCESS_PLATFORM 33
#define FEATURE(bit) (1ull << (bit))

#define VIRTIO_NO_VECTOR 0xffff

struct virtio_device {
    struct pci_device *pci;     /* const */
    const char *name;           /* const: for the log and /proc/interrupts */
    volatile uint8_t *common;   /* const: the common configuration (4.1.4.3) */
    volatile uint8_t *notify;   /* const: where queues are notified (4.1.4.4) */
    size_t notify_size;         /* const */
    uint32_t notify_multiplier; /* const */
    volatile uint8_t *isr;      /* const: which kind of interrupt, without MSI-X (4.1.4.5) */
    volatile uint8_t *config;   /* const: the device type's own registers; NULL: none */
    size_t config_size;         /* const */
    uint64_t features;          /* const after virtio_negotiate() */
    unsigned vectors;           /* const after virtio_open(): of MSI-X; 0: one interrupt line */
    uint16_t config_vector;     /* const after virtio_connect_config(); or VIRTIO_NO_VECTOR */
    bool stopped;               /* atomic: given up, or not started: nothing is put or taken */
    void (*failed)(struct virtio_device *v); /* const after probe: see virtio_fail(); may be NULL */
};

/* One piece of a buffer: memory in the direct map. */
struct virtio_piece {
    const void *start;
    uint32_t len;
};

struct virtqueue {
    struct spinlock lock;           /* RANK_DEVICE: for the driver; everything below */
    struct virtio_device *device;   /* const */
    uint16_t index, size;           /* const: its number; entries, a power of two */
    uint16_t free_head, free_count; /* lock: the chain of unused descriptors */
    uint16_t avail_next;            /* lock: what avail->idx will be */
    uint16_t avail_published;  /* lock: what avail->idx was at the last look for a notification */
    uint16_t used_seen;        /* lock: next entry of the used ring to look at */
    struct virtq_desc *desc;   /* const; the memory is shared with the device */
    struct virtq_avail *avail; /* const; same */
    struct virtq_used *used;   /* const; same */
    volatile uint16_t *notify; /* const: write the queue's number here */
    struct virtq_slot *slots;  /* lock: what is known of each buffer, by its head's number */
    uint16_t vector;           /* const after virtqueue_connect(); or VIRTIO_NO_VECTOR */
    struct irq_handler irq;    /* const after virtqueue_connect() */
};

/* Find the registers, reset. 0 or -errno: it is no device that can be driven. */
int virtio_open(struct virtio_device *v, struct pci_device *pci, const char *name);
/* What it can do. */
uint64_t virtio_offered(struct virtio_device *v);
/*
 * Accept those features of WANTED that the device has, and what every device here needs. 0 or -ENODEV: it
 * can't do without VERSION_1, or refuses the choice.
 */
int virtio_negotiate(struct virtio_device *v, uint64_t wanted);
static inline bool virtio_has(const struct virtio_device *v, unsigned bit)
{
    return v->features & FEATURE(bit);
}
/* All queues are set up, or set up again: begin. */
void virtio_start(struct virtio_device *v);
/*
 * Give the device up: reset, one line saying WHY, and its driver's failed() is told, in whatever context and with
 * whatever locks that is. Later calls do nothing. Any context.
 */
void virtio_fail(struct virtio_device *v, const char *why);
/*
 * Stop, whether it runs or was given up: when this returns 0 the device touches no memory any more. -EIO: it does not
 * say that it is reset, so what it has been given stays its own. May take a moment.
 */
int virtio_stop(struct virtio_device *v);
/* Begin again after virtio_stop(), with the features it had; the queues are next. 0 or -EIO. */
int virtio_restart(struct virtio_device *v);
/* N bytes of the device type's own configuration, at OFFSET, all of one moment (2.5.3). -ENODEV: too short. */
int virtio_config_read(struct virtio_device *v, unsigned offset, void *out, unsigned n);
/* The interrupt for changes of the configuration: vector INDEX. 0 or -errno. */
int virtio_connect_config(struct virtio_device *v, unsigned index, int cpu, struct irq_handler *h);
/* Read and clear what the interrupt line says (only without MSI-X): bit 0 a queue, bit 1 the configuration. */
unsigned virtio_isr(struct virtio_device *v);

/* Set up queue INDEX of at most MAX entries. NULL: the device has no such queue, or memory is out. */
struct virtqueue *virtqueue_create(struct virtio_device *v, unsigned index, unsigned max);
/* Its interrupts come as vector VECTOR to CPU, to FN(ARG). Between create and virtio_start(). 0 or -errno. */
int virtqueue_connect(struct virtqueue *q, unsigned vector, int cpu, void (*fn)(void *), void *arg);

/* Set up an emptied queue again, as it was. Between virtio_restart() and virtio_start(). */
void virtqueue_restart(struct virtqueue *q);

/* --- the driver holds q->lock for all below --- */

/*
 * Put a buffer in: N pieces, of which the device reads the first OUT and writes the others. TOKEN comes back
 * from virtqueue_take(). -ENOSPC when the ring has no room for it; -EIO when it never will, or the device is given up.
 */
int virtqueue_put(struct virtqueue *q, const struct virtio_piece *pieces, unsigned n, unsigned out,
                  void *token);
/* Tell the device of what was put in, if it wants to know. */
void virtqueue_notify(struct virtqueue *q);
/*
 * A buffer that the device is done with, and how many bytes it wrote: never more than the buffer has room
 * for. NULL: none now, or the device has lied and is given up.
 */
void *virtqueue_take(struct virtqueue *q, uint32_t *written);
/* The token of some buffer still in the ring of a device that was stopped, to free it; NULL when none is. */
void *virtqueue_reclaim(struct virtqueue *q);
/* No interrupts, please: we look by ourselves. A hint; some may still come. */
void virtqueue_quiet(struct virtqueue *q);
/* Interrupts again. True: something has come in meanwhile, of which no interrupt tells; look again. */
bool virtqueue_listen(struct virtqueue *q);
/* The same, once about three quarters of what is in the ring now is done: for senders that wait for room. */
bool virtqueue_listen_later(struct virtqueue *q);
/*
 * The two halves of that, for who puts a virtqueue_notify() between them: its fence serves for both. Where nothing was
 * put in there is no fence, and no need of one: the number that is asked for only goes up (unless the queue was quiet),
 * and a device that still sees the old one tells of that.
 */
void virtqueue_ask_later(struct virtqueue *q);
bool virtqueue_look_later(struct virtqueue *q);
