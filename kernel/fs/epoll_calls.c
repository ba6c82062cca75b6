/*
 * The calls of epoll(7), and the rules for sets that watch sets: no circle, and no chain longer than
 * MAX_NESTING, because a wakeup runs through all of it with a lock held for each.
 */
#include <syscall_protos.h>

#include "fs/epoll_set.h"
#include "fs/fdtable.h"
#include "fs/pollwait.h"
#include "fs/vfs.h"
#include "signal/signal.h"
#include "x86/uaccess.h"

#define MAX_EVENTS (INT32_MAX / (int)sizeof(struct epoll_event))
#define ALWAYS (EPOLLERR | EPOLLHUP) /* reported whether asked for or not */
/* All that may stand beside EPOLLEXCLUSIVE. */
#define WITH_EXCLUSIVE \
    (EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)

static uint64_t nest_walk; /* nest_mutex: numbers the walks over sets */

/* ---- sets within sets ---- */

/* The longest chain of sets inwards (or outwards) from SET, in steps. nest_mutex held. */
static int nest_height(struct epoll *set, bool inwards)
{
    struct epoll_item *item;

    if (set->visited == nest_walk)
        return set->height;
    set->visited = nest_walk;
    set->height = MAX_NESTING + 1; /* who comes here again on the way down has found a circle */
    int height = 0;
    if (inwards) {
        list_for_each (item, &set->inner, inner_link)
            height = max(height, 1 + nest_height(set_of(item->file), true));
    } else {
        list_for_each (item, &set->outer, outer_link)
            height = max(height, 1 + nest_height(item->set, false));
    }
    return set->height = height;
}

/* Can OUTER be reached inwards from SET? nest_mutex held. */
static bool nest_reaches(struct epoll *set, const struct epoll *outer)
{
    struct epoll_item *item;

    if (set == outer)
        return true;
    if (set->visited == nest_walk)
        return false;
    set->visited = nest_walk;
    list_for_each (item, &set->inner, inner_link)
        if (nest_reaches(set_of(item->file), outer))
            return true;
    return false;
}

/* May OUTER watch INNER? nest_mutex held. */
static int nest_check(struct epoll *outer, struct epoll *inner)
{
    nest_walk++;
    if (nest_reaches(inner, outer))
        return -ELOOP;
    nest_walk++;
    int height = nest_height(inner, true);
    nest_walk++;
    return height + 1 + nest_height(outer, false) > MAX_NESTING ? -ELOOP : 0;
}

/* ---- changing a set ---- */

static int check_exclusive(int op, const struct file *target, unsigned events)
{
    if (!(events & EPOLLEXCLUSIVE) || op == EPOLL_CTL_DEL)
        return 0;
    if (op == EPOLL_CTL_MOD || set_of(target) || (events & ~WITH_EXCLUSIVE))
        return -EINVAL;
    return 0;
}

/* set->mutex held; nest_mutex too, if F is a set. */
static int change(struct epoll *set, int op, struct file *f, int fd, struct epoll_event *event)
{
    struct epoll_item *item = item_find(set, f, fd);

    event->events |= ALWAYS;
    switch (op) {
    case EPOLL_CTL_ADD: return item ? -EEXIST : item_add(set, f, fd, event);
    case EPOLL_CTL_DEL:
        if (!item)
            return -ENOENT;
        item_remove(item);
        return 0;
    case EPOLL_CTL_MOD:
        if (!item)
            return -ENOENT;
        if (item->event.events & EPOLLEXCLUSIVE)
            return -EINVAL;
        item_modify(item, event);
        return 0;
    default: return -EINVAL;
    }
}

static int ctl(struct file *epf, int op, struct file *f, int fd, struct epoll_event *event)
{
    struct epoll *set = set_of(epf), *inner = set_of(f);

    if (!f->ops->poll)
        return -EPERM;
    event->events &= ~EPOLLWAKEUP; /* nothing here suspends */
    if (f == epf || !set)
        return -EINVAL;
    int error = check_exclusive(op, f, event->events);
    if (error)
        return error;
    if (inner)
        mutex_lock(&nest_mutex);
    if (inner && op == EPOLL_CTL_ADD)
        error = nest_check(set, inner);
    if (!error) {
        mutex_lock(&set->mutex);
        error = change(set, op, f, fd, event);
        mutex_unlock(&set->mutex);
    }
    if (inner)
        mutex_unlock(&nest_mutex);
    return error;
}

long sys_epoll_ctl(int epfd, int op, int fd, const struct epoll_event __user *event)
{
    struct epoll_event e = {0};

    if (op != EPOLL_CTL_DEL && copy_from_user(&e, event, sizeof(e)))
        return -EFAULT;
    struct fdref set = fdref_get(epfd);
    if (!set.file)
        return -EBADF;
    struct fdref target = fdref_get(fd);
    long result = target.file ? ctl(set.file, op, target.file, fd, &e) : -EBADF;
    if (target.file)
        fdref_put(target);
    fdref_put(set);
    return result;
}

/* ---- waiting ---- */

static long wait_and_report(struct epoll *set, struct epoll_event __user *events, int max,
                            nsec_t deadline)
{
    for (;;) {
        int n = set_may_have_events(set) ? set_report(set, events, max) : 0;
        if (n)
            return n;
        if (deadline == 0)
            return 0;
        int error = set_wait(set, deadline);
        if (error)
            return error == -ETIMEDOUT ? 0 : error;
    }
}

static inline __attribute__((always_inline)) long do_wait(int epfd,
                                                          struct epoll_event __user *events,
                                                          int max, nsec_t deadline)
{
    if (max <= 0 || max > MAX_EVENTS)
        return -EINVAL;
    if (!user_range_ok(events, (size_t)max * sizeof(*events)))
        return -EFAULT;
    struct fdref r = fdref_get(epfd);
    if (!r.file)
        return -EBADF;
    struct epoll *set = set_of(r.file);
    long result = set ? wait_and_report(set, events, max, deadline) : -EINVAL;
    fdref_put(r);
    return result;
}

long sys_epoll_wait(int epfd, struct epoll_event __user *events, int maxevents, int timeout)
{
    nsec_t deadline =
        timeout < 0 ? DEADLINE_NONE : poll_deadline_in((nsec_t)timeout * NSEC_PER_MSEC);
    return do_wait(epfd, events, maxevents, deadline);
}

/* The mask of epoll_pwait, in force until the call returns. */
static int set_mask(const uint64_t __user *mask, size_t setsize)
{
    ksigset_t set;

    if (!mask)
        return 0;
    if (setsize != sizeof(set))
        return -EINVAL;
    if (get_user(set, mask))
        return -EFAULT;
    signal_set_blocked_until_return(set);
    return 0;
}

long sys_epoll_pwait(int epfd, struct epoll_event __user *events, int maxevents, int timeout,
                     const uint64_t __user *mask, size_t setsize)
{
    int error = set_mask(mask, setsize);
    return error ? error : sys_epoll_wait(epfd, events, maxevents, timeout);
}

long sys_epoll_pwait2(int epfd, struct epoll_event __user *events, int maxevents,
                      const struct timespec __user *timeout, const uint64_t __user *mask,
                      size_t setsize)
{
    nsec_t deadline;
    int error = poll_deadline(timeout, &deadline);
    if (!error)
        error = set_mask(mask, setsize);
    return error ? error : do_wait(epfd, events, maxevents, deadline);
}
/* ---- making one ---- */

long sys_epoll_create1(int flags)
{
    if (flags & ~EPOLL_CLOEXEC)
        return -EINVAL;
    struct file *f = set_create();
    if (is_err(f))
        return ptr_err(f);
    int fd = fd_open(f, flags & EPOLL_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}

long sys_epoll_create(int size)
{
    return size > 0 ? sys_epoll_create1(0) : -EINVAL;
}
