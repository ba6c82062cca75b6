/* Scattered input and output: readv(2), writev(2) and their relatives. */
#pragma once

#include <abi/types.h>

struct iovec {
    void *iov_base;
    size_t iov_len;
};

/* preadv2(2), pwritev2(2) */
#define RWF_HIPRI 0x01
#define RWF_DSYNC 0x02
#define RWF_SYNC 0x04
#define RWF_NOWAIT 0x08
#define RWF_APPEND 0x10
#define RWF_SUPPORTED (RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND)

/* No single transfer is longer: Linux cuts the count here. */
#define MAX_RW_COUNT 0x7ffff000UL
