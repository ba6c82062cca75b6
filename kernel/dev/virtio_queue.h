/* What a virtio device and its driver share, as it lies in memory. For dev/virtio*.c alone. */
#pragma once

#include "lib/types.h"

/* The common configuration (4.1.4.3), by offset. */
enum virtio_common {
    COMMON_DEVICE_FEATURE_SELECT = 0,
    COMMON_DEVICE_FEATURE = 4,
    COMMON_DRIVER_FEATURE_SELECT = 8,
    COMMON_DRIVER_FEATURE = 12,
    COMMON_CONFIG_VECTOR = 16, /* 16 bits */
    COMMON_NUM_QUEUES = 18,    /* 16 bits */
    COMMON_STATUS = 20,        /* 8 bits */
    COMMON_GENERATION = 21,    /* 8 bits */
    COMMON_QUEUE_SELECT = 22,  /* 16 bits, as the next four */
    COMMON_QUEUE_SIZE = 24,
    COMMON_QUEUE_VECTOR = 26,
    COMMON_QUEUE_ENABLE = 28,
    COMMON_QUEUE_NOTIFY_OFF = 30,
    COMMON_QUEUE_DESC = 32, /* 64 bits, as the next two */
    COMMON_QUEUE_DRIVER = 40,
    COMMON_QUEUE_DEVICE = 48,
    COMMON_SIZE = 56,
};

/* The split virtqueue (2.7). */
struct virtq_desc {
    uint64_t addr; /* physical */
    uint32_t len;
    uint16_t flags; /* VIRTQ_DESC_* */
    uint16_t next;
};
#define VIRTQ_DESC_NEXT 1
#define VIRTQ_DESC_WRITE 2    /* the device writes it */
#define VIRTQ_DESC_INDIRECT 4 /* it holds a table of descriptors */

struct virtq_avail {
    uint16_t flags;
    uint16_t idx;
    uint16_t ring[]; /* size entries, and then the used event */
};
#define VIRTQ_AVAIL_NO_INTERRUPT 1

struct virtq_used_entry {
    uint32_t id;
    uint32_t len;
};
struct virtq_used {
    uint16_t flags;
    uint16_t idx;
    struct virtq_used_entry ring[]; /* size entries, and then the available event */
};
#define VIRTQ_USED_NO_NOTIFY 1
