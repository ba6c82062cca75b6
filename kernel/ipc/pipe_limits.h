/*
 * How large pipes may be, each and all of one user's together. All callable with a queue's lock held.
 */
#pragma once

#include "lib/types.h"

struct pipe;

/* Charge P, not known to others yet, to the current user and set its size: 0, or -ENFILE at the limit. */
int pipe_limits_begin(struct pipe *p);
void pipe_limits_end(struct pipe *p);
/* F_SETPIPE_SZ: the new size in bytes, -EINVAL, -EPERM, -EBUSY (holds more), -ENOMEM. */
long pipe_limits_resize(struct pipe *p, unsigned size);

/* /proc/sys/fs: the values, and what a write to them does. */
struct pipe_sysctl {
    uint64_t max_size;  /* atomic: bytes that F_SETPIPE_SZ gives to anybody */
    uint64_t user_soft; /* atomic: pages; beyond it a user's new pipes are small. 0: no limit */
    uint64_t user_hard; /* atomic: pages; beyond it there are no new pipes. 0: no limit */
};
extern struct pipe_sysctl pipe_sysctl;
int pipe_set_max_size(uint64_t size); /* -EINVAL */
