/*
 * timerfd_create(2): a timer as a file. Each expiry counts; reading takes the count and waits while it is
 * zero.
 *
 * A timer with an interval is armed for one expiry at a time, and again when that has been read: the
 * expiries that went by in between are computed, so a program that sets a tiny interval and never reads costs
 * one interrupt.
 *
 * A time on CLOCK_REALTIME becomes one on the monotonic clock when the timer is armed, and anew
 * whenever the clock is set (clock_watch). With TFD_TIMER_CANCEL_ON_SET that is told to the reader too.
 */
#include <abi/fcntl.h>
#include <abi/timerfd.h>
#include <syscall_protos.h>

#include "fs/fdtable.h"
#include "fs/poll.h"
#include "lib/printf.h"
#include "mm/slab.h"
#include "proc/cred.h"
#include "sched/lock.h"
#include "sched/time.h"
#include "sched/timer.h"
#include "sched/wait.h"
#include "x86/clock.h"
#include "x86/uaccess.h"

#define REALTIME_CANCEL (TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)

struct timerfd {
    struct spinlock lock;  /* RANK_QUEUE */
    int clock;             /* const: CLOCK_REALTIME or CLOCK_MONOTONIC: what its kind reads */
    int clock_id;          /* const: as the program named it */
    struct timer timer;    /* lock: armed for the next expiry */
    struct waitq readable; /* lock */
    nsec_t expires;        /* lock: the next expiry, on its clock; 0: disarmed */
    nsec_t interval;       /* lock: 0: once */
    uint64_t ticks;        /* lock: expiries not yet read */
    bool expired; /* lock: ticks counts an expiry after which the timer isn't armed again yet */
    unsigned set_flags;       /* lock: of the last settime */
    bool canceled;            /* lock: the clock was set, and nobody has read that */
    struct clock_watch watch; /* the watches' lock */
};

/* --- the timer --- */

static nsec_t now_of(const struct timerfd *t)
{
    return t->clock == CLOCK_REALTIME ? clock_realtime() : clock_monotonic();
}

/* lock held. */
static void arm(struct timerfd *t)
{
    timer_set(&t->timer, deadline_at(t->clock, t->expires));
}

static void fire(struct timer *timer)
{
    struct timerfd *t = container_of(timer, struct timerfd, timer);

    spin_lock(&t->lock);
    /* It may have been set anew while this was on its way. */
    if (t->expires && !t->expired && now_of(t) >= t->expires) {
        t->expired = true;
        t->ticks++;
        wake_all(&t->readable, POLLIN | POLLRDNORM);
    } else if (t->expires && !t->expired) {
        arm(t);
    }
    spin_unlock(&t->lock);
}

/* How many expiries lie between EXPIRES and now, both included; moves it behind them. lock held. */
static uint64_t forward(struct timerfd *t)
{
    nsec_t now = now_of(t);

    if (now < t->expires)
        return 0;
    uint64_t n = (uint64_t)(now - t->expires) / (uint64_t)t->interval + 1;
    t->expires += (nsec_t)n * t->interval;
    return n;
}

/* After an expiry: count those that have gone by since, and go on. lock held. */
static void rearm(struct timerfd *t)
{
    if (!t->expired || !t->interval)
        return;
    uint64_t n = forward(t);
    t->ticks += n ? n - 1 : 0;
    t->expired = false;
    arm(t);
}

/* The time left and the interval. lock held. */
static void current_setting(struct timerfd *t, struct itimerspec *out)
{
    if (t->expired && t->interval)
        rearm(t);
    nsec_t left = 0;
    if (t->expires && !t->expired)
        left = max(t->expires - now_of(t), (nsec_t)1); /* 0 would say that it is disarmed */
    out->it_value = timespec_of(left);
    out->it_interval = timespec_of(t->interval);
}

/* VALUE on the timer's clock, or from now: the expiry's time; 0 disarms. */
static nsec_t expiry_of(struct timerfd *t, nsec_t value, unsigned flags)
{
    if (value == 0 || (flags & TFD_TIMER_ABSTIME))
        return value;
    nsec_t now = now_of(t);
    return value >= INT64_MAX - now ? INT64_MAX : now + value;
}

/* --- the clock is set --- */

static void clock_was_set(struct clock_watch *w)
{
    struct timerfd *t = container_of(w, struct timerfd, watch);

    spin_lock(&t->lock);
    if ((t->set_flags & REALTIME_CANCEL) == REALTIME_CANCEL) {
        t->canceled = true;
        wake_all(&t->readable, POLLIN | POLLRDNORM);
    }
    if (t->expires && !t->expired && (t->set_flags & TFD_TIMER_ABSTIME))
        arm(t);
    spin_unlock(&t->lock);
}

/* --- the file --- */

static ssize_t timerfd_read(struct file *f, struct uio *u, off_t *pos)
{
    struct timerfd *t = f->private;
    uint64_t ticks = 0;
    int error = 0;

    (void)pos;
    if (u->left < sizeof(ticks))
        return -EINVAL;
    spin_lock(&t->lock);
    if (!t->ticks && !t->canceled)
        error = f->flags & O_NONBLOCK
                    ? -EAGAIN
                    : wait_event(&t->readable, t->ticks || t->canceled, DEADLINE_NONE);
    if (!error && t->canceled) {
        t->canceled = false;
        t->ticks = 0;
        error = -ECANCELED;
    }
    if (!error) {
        rearm(t);
        ticks = t->ticks;
        t->ticks = 0;
    }
    spin_unlock(&t->lock);
    if (error)
        return error;
    return uio_copy_out(u, &ticks, sizeof(ticks)) < sizeof(ticks) ? -EFAULT
                                                                  : (ssize_t)sizeof(ticks);
}

static unsigned timerfd_poll(struct file *f, struct poll_table *pt)
{
    struct timerfd *t = f->private;

    spin_lock(&t->lock);
    poll_wait(pt, &t->readable);
    bool ready = t->ticks || t->canceled;
    spin_unlock(&t->lock);
    return ready ? POLLIN : 0;
}

/* TFD_IOC_SET_TICKS: for checkpoints. */
static long timerfd_ioctl(struct file *f, unsigned cmd, unsigned long arg)
{
    struct timerfd *t = f->private;
    uint64_t ticks;

    if (cmd != TFD_IOC_SET_TICKS)
        return -ENOTTY;
    if (get_user(ticks, (uint64_t __user *)arg))
        return -EFAULT;
    if (!ticks)
        return -EINVAL;
    spin_lock(&t->lock);
    long error = t->canceled ? -ECANCELED : 0;
    if (!error) {
        t->ticks = ticks;
        wake_all(&t->readable, POLLIN | POLLRDNORM);
    }
    t->canceled = false;
    spin_unlock(&t->lock);
    return error;
}

static void timerfd_show_fdinfo(struct file *f, void (*emit)(void *ctx, const char *text),
                                void *ctx)
{
    struct timerfd *t = f->private;
    struct itimerspec now;
    char text[240];

    spin_lock(&t->lock);
    uint64_t ticks = t->ticks;
    unsigned flags = t->set_flags;
    current_setting(t, &now);
    spin_unlock(&t->lock);
    snprintf(
        text, sizeof(text),
        "clockid: %d\nticks: %lu\nsettime flags: 0%o\nit_value: (%ld, %ld)\nit_interval: (%ld, %ld)\n",
        t->clock_id, ticks, flags, now.it_value.tv_sec, now.it_value.tv_nsec,
        now.it_interval.tv_sec, now.it_interval.tv_nsec);
    emit(ctx, text);
}

static void timerfd_release(struct file *f)
{
    struct timerfd *t = f->private;

    if (t->clock == CLOCK_REALTIME)
        clock_watch_remove(&t->watch);
    spin_lock(&t->lock);
    t->expires = 0; /* a function on its way does nothing more */
    spin_unlock(&t->lock);
    timer_cancel_sync(&t->timer);
    kfree(t);
}

static const struct file_ops timerfd_file_ops = {
    .name = "[timerfd]",
    .read = timerfd_read,
    .lseek = file_lseek_null,
    .poll = timerfd_poll,
    .ioctl = timerfd_ioctl,
    .show_fdinfo = timerfd_show_fdinfo,
    .release = timerfd_release,
};

/* --- calls --- */

/* The clock that CLOCK_ID reads here: nothing suspends, so time never stands still. -EINVAL, -EPERM. */
static int clock_behind(int clock_id)
{
    switch (clock_id) {
    case CLOCK_REALTIME: return CLOCK_REALTIME;
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME: return CLOCK_MONOTONIC;
    case CLOCK_REALTIME_ALARM: return capable(CAP_WAKE_ALARM) ? CLOCK_REALTIME : -EPERM;
    case CLOCK_BOOTTIME_ALARM: return capable(CAP_WAKE_ALARM) ? CLOCK_MONOTONIC : -EPERM;
    default: return -EINVAL;
    }
}

long sys_timerfd_create(int clock_id, int flags)
{
    if (flags & ~(TFD_CLOEXEC | TFD_NONBLOCK))
        return -EINVAL;
    int clock = clock_behind(clock_id);
    if (clock < 0)
        return clock;
    struct timerfd *t = kzalloc(sizeof(*t));
    if (!t)
        return -ENOMEM;
    spin_init(&t->lock, RANK_QUEUE, "timerfd");
    waitq_init(&t->readable, &t->lock);
    timer_init(&t->timer, fire);
    t->clock = clock;
    t->clock_id = clock_id;
    t->watch.clock_was_set = clock_was_set;
    struct file *f = file_alloc_anon(&timerfd_file_ops, O_RDWR | (flags & O_NONBLOCK), t);
    if (is_err(f)) {
        kfree(t);
        return ptr_err(f);
    }
    if (clock == CLOCK_REALTIME)
        clock_watch_add(&t->watch);
    int fd = fd_open(f, flags & TFD_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}

/* The timer behind R, or NULL with *ERROR. */
static struct timerfd *timerfd_of(struct fdref r, long *error)
{
    *error = -EBADF;
    if (!r.file)
        return NULL;
    *error = -EINVAL;
    return r.file->ops == &timerfd_file_ops ? r.file->private : NULL;
}

static void set(struct timerfd *t, nsec_t value, nsec_t interval, unsigned flags,
                struct itimerspec *old)
{
    spin_lock(&t->lock);
    current_setting(t, old);
    t->expires = expiry_of(t, value, flags);
    t->interval = interval;
    t->set_flags = flags;
    t->ticks = 0;
    t->expired = t->canceled = false;
    if (t->expires)
        arm(t);
    else
        timer_cancel(&t->timer);
    spin_unlock(&t->lock);
}

long sys_timerfd_settime(int fd, int flags, const struct itimerspec __user *value,
                         struct itimerspec __user *old)
{
    struct itimerspec wanted, before;
    nsec_t first, interval;
    long error;

    if (copy_from_user(&wanted, value, sizeof(wanted)))
        return -EFAULT;
    if ((flags & ~REALTIME_CANCEL) || nsec_of_timespec(&wanted.it_value, &first) ||
        nsec_of_timespec(&wanted.it_interval, &interval))
        return -EINVAL;
    struct fdref r = fdref_get(fd);
    struct timerfd *t = timerfd_of(r, &error);
    if (t) {
        set(t, first, interval, (unsigned)flags, &before);
        error = 0;
    }
    if (r.file)
        fdref_put(r);
    if (!error && old && copy_to_user(old, &before, sizeof(before)))
        return -EFAULT;
    return error;
}

long sys_timerfd_gettime(int fd, struct itimerspec __user *value)
{
    struct itimerspec now;
    long error;
    struct fdref r = fdref_get(fd);
    struct timerfd *t = timerfd_of(r, &error);

    if (t) {
        spin_lock(&t->lock);
        current_setting(t, &now);
        spin_unlock(&t->lock);
        error = 0;
    }
    if (r.file)
        fdref_put(r);
    return error ? error : copy_to_user(value, &now, sizeof(now));
}
