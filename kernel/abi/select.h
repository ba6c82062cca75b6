/* select(2): descriptor sets are arrays of 64-bit words; the call looks at the first nfds bits. */
#pragma once

#include <abi/types.h>

#define FD_SETSIZE 1024

typedef struct {
    unsigned long fds_bits[FD_SETSIZE / (8 * sizeof(unsigned long))];
} fd_set;

/* pselect6's last argument: a signal set and its size, since the call has no seventh register. */
struct pselect_mask {
    const uint64_t *ss;
    size_t ss_len;
};
