/*
 * poll(2) and ppoll(2). The first look at the descriptors joins their wait queues on the way, until
 * one is found ready; after that, and after each wakeup, looking is all there is to do.
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

/* One call's array: the kernel's copy, and where it came from. */
struct poll_set {
    struct pollfd *fds;
    struct pollfd __user *user;
    unsigned long n;
    struct poll_waits waits;
};

/*
 * revents is all that the program's array gets back: what else is in it may be changed by another
 * thread while we sleep. It is written when it changes.
 */
static noinline void store_revents(struct poll_set *s, unsigned long i, unsigned got)
{
    s->fds[i].revents = (short)got;
    if (put_user(s->fds[i].revents, &s->user[i].revents))
        s->waits.error = -EFAULT;
}

/*
 * The description of one entry. OURS: nobody else can close descriptors now (see fdtable.h); those
 * of O_PATH answer POLLNVAL by themselves.
 */
static inline struct fdref entry_file(const struct fdtable *ours, int fd)
{
    if (likely(ours))
        return (struct fdref){(unsigned)fd < ours->top ? ours->files[fd] : NULL, false};
    return fdref_get_any(fd);
}

/* One round over the entries; how many have something to say, or the error. */
static long look(struct poll_set *s, bool join)
{
    const struct fdtable *ours = fdtable_is_ours(current->proc) ? current->proc->fdtable : NULL;
    struct pollfd *end = s->fds + s->n;
    long ready = 0;
    for (struct pollfd *p = s->fds; p < end; p++) {
        struct fdref r = entry_file(ours, p->fd);
        unsigned got = p->fd < 0 ? 0 : POLLNVAL;
        if (likely(r.file)) {
            unsigned wanted = (uint16_t)p->events | POLLERR | POLLHUP | POLLNVAL;
            got = poll_one(&s->waits, r, wanted, join) & wanted;
            fdref_put(r);
        }
        if (unlikely(got != (uint16_t)p->revents))
            store_revents(s, (unsigned long)(p - s->fds), got);
        if (got) {
            ready++;
            join = false; /* there will be no sleep */
        }
    }
    return s->waits.error == -EFAULT ? -EFAULT : ready;
}

/* The number of ready entries, 0 after DEADLINE, -EINTR, -ENOMEM, -EFAULT. */
static long poll_loop(struct poll_set *s, nsec_t deadline)
{
    poll_waits_init(&s->waits);
    long result = look(s, deadline != 0);
    int why = deadline == 0 ? -ETIMEDOUT : 0;
    while (!result && !why) {
        why = poll_sleep(&s->waits, deadline);
        result = look(s, false);
    }
    if (!result && (why == -ERESTARTSYS || signal_pending(current)))
        result = -EINTR; /* even when the time is up: the signal may be what was waited for */
    else if (!result && why != -ETIMEDOUT)
        result = why;
    poll_waits_end(&s->waits);
    return result;
}

/* An array that can't be written is an error even when nothing in it has changed. */
static int probe(const struct poll_set *s)
{
    if (s->n == 0)
        return 0;
    return put_user(s->fds[0].revents, &s->user[0].revents);
}

static long do_poll(struct pollfd __user *ufds, unsigned long n, nsec_t deadline)
{
    struct pollfd small[ON_STACK];
    struct poll_set s;
    s.fds = small;
    s.user = ufds;
    s.n = n;
    if (n > proc_rlimit(RLIMIT_NOFILE))
        return -EINVAL;
    if (n > ON_STACK && !(s.fds = kmalloc(n * sizeof(*s.fds))))
        return -ENOMEM;
    long result = -EFAULT;
    if (!copy_from_user(s.fds, ufds, n * sizeof(*s.fds)) && !probe(&s))
        result = poll_loop(&s, deadline);
    if (s.fds != small)
        kfree(s.fds);
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
    /*
     * A time that can't be written back is no error, but the call can't be started again without
     * it.
     */
    if (poll_store_left(timeout, deadline) && result == -ERESTARTNOHAND)
        result = -EINTR;
    return result;
}
