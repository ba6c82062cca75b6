/*
 * poll(2) and ppoll(2). The first look at the descriptors joins their wait queues on the way, until one is found
 * ready; after that, and after each wakeup, looking is all there is to do.
 */
#include <abi/poll.h>
#include <syscall_protos.h>

#include "fs/pollwait.h"
#include "fs/vfs.h"
#include "mm/slab.h"
#include "sched/lock.h"
#include "signal/signal.h"
#include "x86/uaccess.h"

#define ON_STACK 32

/* One round over N entries; how many have something to say. */
static unsigned look(struct poll_waits *w, struct pollfd *fds, unsigned long n, bool join)
{
    unsigned ready = 0;
    for (unsigned long i = 0; i < n; i++) {
        unsigned got = 0;
        if (fds[i].fd >= 0) {
            struct fdref r = fdref_get(fds[i].fd);
            unsigned wanted = (uint16_t)fds[i].events | POLLERR | POLLHUP;
            got = POLLNVAL;
            if (likely(r.file)) {
                got = poll_one(w, r, wanted, join) & wanted;
                fdref_put(r);
            }
        }
        fds[i].revents = (short)got;
        if (got) {
            ready++;
            join = false; /* there will be no sleep */
        }
    }
    return ready;
}

/* The number of ready entries, 0 after DEADLINE, -EINTR, -ENOMEM. */
static long poll_loop(struct pollfd *fds, unsigned long n, nsec_t deadline)
{
    struct poll_waits w;
    poll_waits_init(&w);
    long result = look(&w, fds, n, deadline != 0);
    int why = deadline == 0 ? -ETIMEDOUT : 0;
    while (!result && !why) {
        why = poll_sleep(&w, deadline);
        result = look(&w, fds, n, false);
    }
    if (!result && (why == -ERESTARTSYS || signal_pending(current)))
        result = -EINTR; /* even when the time is up: the signal may be what was waited for */
    else if (!result && why != -ETIMEDOUT)
        result = why;
    poll_waits_end(&w);
    return result;
}

/*
 * revents is all that the program's array gets back: what else is in it may be changed by another thread
 * while we sleep. Where nothing changed nothing is written, but for the ends, so that a bad array is found out.
 */
static int store_events(struct pollfd __user *ufds, const struct pollfd *fds, const short *old,
                        unsigned long n)
{
    for (unsigned long i = 0; i < n; i++)
        if (fds[i].revents != old[i] || i == 0 || i == n - 1)
            if (put_user(fds[i].revents, &ufds[i].revents))
                return -EFAULT;
    return 0;
}

static long do_poll(struct pollfd __user *ufds, unsigned long n, nsec_t deadline)
{
    struct pollfd fds_small[ON_STACK], *fds = fds_small;
    short old_small[ON_STACK], *old = old_small;
    if (n > proc_rlimit(RLIMIT_NOFILE))
        return -EINVAL;
    if (n > ON_STACK) {
        fds = kmalloc(n * (sizeof(*fds) + sizeof(*old)));
        if (!fds)
            return -ENOMEM;
        old = (short *)(fds + n);
    }
    long result = -EFAULT;
    if (!copy_from_user(fds, ufds, n * sizeof(*fds))) {
        for (unsigned long i = 0; i < n; i++)
            old[i] = fds[i].revents;
        result = poll_loop(fds, n, deadline);
        if ((result >= 0 || result == -EINTR) && store_events(ufds, fds, old, n))
            result = -EFAULT;
    }
    if (fds != fds_small)
        kfree(fds);
    return result;
}

/* After a signal without a handler poll goes on with the time it had left. */
static long poll_restart(struct restart_block *rb)
{
    long result = do_poll((struct pollfd __user *)rb->arg[0], rb->arg[1], rb->deadline);
    if (result != -EINTR)
        return result;
    rb->fn = poll_restart;
    return -ERESTART_RESTARTBLOCK;
}

long sys_poll(struct pollfd __user *fds, unsigned long nfds, int timeout)
{
    nsec_t deadline = timeout < 0 ? DEADLINE_NONE : poll_deadline_in(timeout * NSEC_PER_MSEC);
    long result = do_poll(fds, nfds, deadline);
    if (result == -EINTR) {
        struct restart_block *rb = &current->restart;
        rb->fn = poll_restart;
        rb->deadline = deadline;
        rb->arg[0] = (uintptr_t)fds;
        rb->arg[1] = nfds;
        result = -ERESTART_RESTARTBLOCK;
    }
    return result;
}

long sys_ppoll(struct pollfd __user *fds, unsigned long nfds, struct timespec __user *timeout,
               const uint64_t __user *mask, size_t setsize)
{
    nsec_t deadline;
    int error = poll_deadline(timeout, &deadline);
    if (error)
        return error;
    if (mask) {
        ksigset_t set;
        if (setsize != sizeof(set))
            return -EINVAL;
        if (get_user(set, mask))
            return -EFAULT;
        signal_set_blocked_until_return(set);
    }
    long result = do_poll(fds, nfds, deadline);
    if (result == -EINTR)
        result = -ERESTARTNOHAND;
    /* A time that can't be written back is no error, but the call can't be started again without it. */
    if (poll_store_left(timeout, deadline) && result == -ERESTARTNOHAND)
        result = -EINTR;
    return result;
}
