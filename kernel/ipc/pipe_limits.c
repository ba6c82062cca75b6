/*
 * How large pipes may be. A pipe holds SLOTS pages, a power of two: 16, unless F_SETPIPE_SZ says otherwise,
 * and beyond max_size only with CAP_SYS_RESOURCE. A pipe's pages are charged to who made it, filled or not,
 * until the pipe goes. A user without privileges who has passed the soft limit gets pipes of two pages, of
 * which each still takes a write of PIPE_BUF bytes while another is read; at the hard limit he gets none. The
 * limits are those of pipe(7), with its defaults.
 */
#include "ipc/pipe_limits.h"

#include "fs/poll.h"
#include "ipc/pipe.h"
#include "lib/atomic.h"
#include "proc/cred.h"
#include "proc/users.h"

#define SLOTS_SMALL 2u        /* of a pipe beyond the soft limit */
#define SLOTS_MOST (1u << 16) /* 256 MiB: Linux has no memory for the ring of a larger one */
#define PIPES_SOFT 1024       /* pipes of the usual size */

struct pipe_sysctl pipe_sysctl = {
    .max_size = 1024 * 1024,
    .user_soft = PIPES_SOFT * PIPE_SLOTS,
};

/* 0 stands for no limit, and so does privilege. */
static uint64_t limit_now(const uint64_t *limit)
{
    uint64_t pages = READ_ONCE(*limit);

    if (!pages || capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN))
        return UINT64_MAX;
    return pages;
}

int pipe_limits_begin(struct pipe *p)
{
    unsigned slots = PIPE_SLOTS;
    uint64_t most = READ_ONCE(pipe_sysctl.max_size) / PAGE_SIZE;

    p->charged_to = current_cred()->uid;
    if (slots > most && !capable(CAP_SYS_RESOURCE))
        slots = (unsigned)most;
    if (user_count(USER_PIPE_PAGES, p->charged_to) + slots >
        limit_now(&pipe_sysctl.user_soft))
        slots = min(slots, SLOTS_SMALL);
    if (!user_count_add(USER_PIPE_PAGES, p->charged_to, slots, limit_now(&pipe_sysctl.user_hard)))
        return -ENFILE;
    p->q.slots = slots;
    return 0;
}

void pipe_limits_end(struct pipe *p)
{
    user_count_sub(USER_PIPE_PAGES, p->charged_to, p->q.slots);
}

/* The power of two of pages that holds SIZE bytes; 0 when there is none. */
static unsigned slots_for(unsigned size)
{
    unsigned slots = 1;

    if (size > 1u << 31)
        return 0;
    while ((uint64_t)slots * PAGE_SIZE < size)
        slots *= 2;
    return slots;
}

static int grow(struct pipe *p, unsigned slots)
{ /* LAB pipe:resize begin */
    uint64_t limit = min(limit_now(&pipe_sysctl.user_soft), limit_now(&pipe_sysctl.user_hard));

    if ((uint64_t)slots * PAGE_SIZE > READ_ONCE(pipe_sysctl.max_size) && !capable(CAP_SYS_RESOURCE))
        return -EPERM;
    if (slots > SLOTS_MOST)
        return -ENOMEM;
    if (!user_count_add(USER_PIPE_PAGES, p->charged_to, slots - p->q.slots, limit))
        return -EPERM;
    p->q.slots = slots;
    wake_all(&p->q.writable, POLLOUT | POLLWRNORM);
    return 0;
}

static int shrink(struct pipe *p, unsigned slots)
{
    if (slots < p->q.nbufs)
        return -EBUSY;
    user_count_sub(USER_PIPE_PAGES, p->charged_to, p->q.slots - slots);
    p->q.slots = slots;
    return 0;
} /* LAB pipe:resize end */

long pipe_limits_resize(struct pipe *p, unsigned size)
{
    unsigned slots = slots_for(size);

    if (!slots)
        return -EINVAL;
    spin_lock(&p->q.lock);
    int error = slots > p->q.slots ? grow(p, slots) : shrink(p, slots);
    spin_unlock(&p->q.lock);
    return error ? error : (long)slots * (long)PAGE_SIZE;
}

int pipe_set_max_size(uint64_t size)
{
    unsigned slots = size > UINT32_MAX ? 0 : slots_for((unsigned)size);

    if (!slots)
        return -EINVAL;
    WRITE_ONCE(pipe_sysctl.max_size, (uint64_t)slots * PAGE_SIZE);
    return 0;
}
