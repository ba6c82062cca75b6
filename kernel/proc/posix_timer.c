/*
 * timer_create(2) and family: as many timers as the user may have signals queued, on any clock, each with a
 * signal and a value of its own choice.
 *
 *            timer_settime              time comes               the signal is taken
 *   idle -------------------> armed -----------------> fired -------------------------> armed or idle
 *                                      entry queued             overrun counted
 *
 * A timer owns the queue entry of its signal, so an expiry never fails for want of memory, and there is never
 * more than one of its signals pending: expiries that pass meanwhile are counted when the signal is
 * taken (si_overrun), and only then is the timer armed for the next. A signal that is ignored doesn't
 * count as taken, but the timer goes on.
 *
 * Clocks: the machine's two; the CPU time of the process itself or of one of its threads, looked at by the
 * tick; and the CPU time of another process, whose locks can't be had here: for that one a timer
 * of the machine looks now and then.
 *
 * All state is under the owner's signal_lock. Who deletes marks, unlinks, and waits for a function on its way.
 */
#include <abi/signal.h>
#include <abi/time.h>

#include "mm/slab.h"
#include "proc/proc.h"
#include "proc/users.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "signal/signal.h"
#include "x86/clock.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

#define LEAST_LOOK \
    (4 * NSEC_PER_MSEC) /* between looks at another's CPU clock; between ignored expiries */

enum clock_kind {
    KIND_MACHINE,    /* CLOCK_REALTIME or CLOCK_MONOTONIC */
    KIND_PROCESS,    /* the owner's CPU time */
    KIND_THREAD,     /* of one thread of the owner */
    KIND_OTHER_PROC, /* another process's */
};

struct posix_timer {
    struct list link;   /* the owner's signal_lock, as all that follows; struct proc_timers' list */
    struct proc *owner; /* const: goes after its timers, so no reference */
    int id;             /* const */
    bool deleted;       /* signal_lock */
    enum clock_kind kind;  /* const */
    int base;              /* signal_lock: KIND_MACHINE: which clock EXPIRES is on */
    bool real_time;        /* const: made on CLOCK_REALTIME */
    struct thread *thread; /* const: KIND_THREAD: a reference */
    struct proc *other;    /* const: KIND_OTHER_PROC: a reference */
    nsec_t sampled;        /* signal_lock: KIND_OTHER_PROC: its time when it was last looked at */
    int notify;            /* const: SIGEV_* */
    struct thread *target; /* const: SIGEV_THREAD_ID: a reference; else NULL */
    struct timer timer;    /* signal_lock */
    struct clock_watch watch; /* the watches' lock */
    nsec_t expires;           /* signal_lock: on its clock; 0: idle */
    nsec_t interval;          /* signal_lock: 0: once */
    bool fired;               /* signal_lock: the entry is queued */
    bool cpu_armed;           /* signal_lock: counted in the owner's cpu_armed */
    int overrun;              /* signal_lock: of the signal taken last */
    struct sigqueue entry;    /* signal_lock */
};

static struct posix_timer *timer_of(const struct list *link)
{
    return container_of(link, struct posix_timer, link);
}

/* --- time passes ---------------------------------------------------------------------------------------- */

/* signal_lock held. */
static nsec_t now_of(const struct posix_timer *t)
{
    nsec_t user, system;

    switch (t->kind) {
    case KIND_PROCESS: proc_times_locked(t->owner, &user, &system); return user + system;
    case KIND_THREAD: return thread_cpu_time(t->thread);
    case KIND_OTHER_PROC: return t->sampled;
    default: return t->base == CLOCK_REALTIME ? clock_realtime() : clock_monotonic();
    }
}

static void disarm(struct posix_timer *t)
{
    if (t->cpu_armed)
        t->owner->timers.cpu_armed--;
    t->cpu_armed = false;
    timer_cancel(&t->timer);
}

static void arm(struct posix_timer *t)
{
    if (t->deleted || t->notify == SIGEV_NONE) /* nobody is told; who asks computes */
        return;
    switch (t->kind) {
    case KIND_MACHINE: timer_set(&t->timer, deadline_at(t->base, t->expires)); break;
    case KIND_OTHER_PROC:
        /* It can't have had that much before all CPUs have worked for it alone. */
        timer_set(&t->timer, deadline_after(max((t->expires - t->sampled) / num_cpus, LEAST_LOOK)));
        break;
    default: t->owner->timers.cpu_armed += !t->cpu_armed; t->cpu_armed = true;
    }
}

/* Expiries from the last one to NOW, without that; the next is set behind NOW. */
static uint64_t forward(struct posix_timer *t, nsec_t now)
{
    if (now < t->expires)
        return 0;
    uint64_t n = (uint64_t)(now - t->expires) / (uint64_t)t->interval;
    t->expires += (nsec_t)(n + 1) * t->interval;
    return n;
}

/* The expiry is dealt with, at NOW: count what was missed, go on. */
static void go_on(struct posix_timer *t, nsec_t now)
{
    t->fired = false;
    t->overrun = 0;
    if (!t->interval) {
        t->expires = 0;
        return;
    }
    t->overrun = (int)min(forward(t, now), (uint64_t)INT32_MAX);
    arm(t);
}

void posix_timer_taken(struct posix_timer *t)
{
    go_on(t, now_of(t));
    t->entry.info.si_overrun = t->overrun;
}

static void expire(struct posix_timer *t)
{
    disarm(t);
    t->fired = true;
    t->entry.info.si_overrun = 0;
    if (!signal_send_own_locked(t->owner, t->target, &t->entry))
        go_on(t, now_of(t) + (t->interval < LEAST_LOOK ? LEAST_LOOK : 0)); /* it was ignored */
}

/* It is time to look. signal_lock held. */
static void look(struct posix_timer *t)
{
    if (!t->expires || t->fired || t->deleted)
        return;
    if (now_of(t) >= t->expires)
        expire(t);
    else
        arm(t);
}

static void sample(struct posix_timer *t, struct proc *other)
{
    nsec_t user, system;

    proc_times(other, &user, &system);
    spin_lock(&t->owner->signal_lock);
    t->sampled = user + system;
    spin_unlock(&t->owner->signal_lock);
}

static void machine_timer_fired(struct timer *timer)
{
    struct posix_timer *t = container_of(timer, struct posix_timer, timer);

    if (t->other)
        sample(t, t->other);
    spin_lock(&t->owner->signal_lock);
    look(t);
    spin_unlock(&t->owner->signal_lock);
}

void posix_timers_cpu_tick(struct proc *p, nsec_t time)
{
    struct posix_timer *t;

    list_for_each (t, &p->timers.posix, link)
        if (t->cpu_armed && (t->kind == KIND_THREAD || time >= t->expires))
            look(t);
}

static void clock_was_set(struct clock_watch *w)
{
    struct posix_timer *t = container_of(w, struct posix_timer, watch);

    spin_lock(&t->owner->signal_lock);
    if (t->expires && !t->fired && t->base == CLOCK_REALTIME)
        arm(t);
    spin_unlock(&t->owner->signal_lock);
}

/* --- making and deleting -------------------------------------------------------------------------------- */

/* A process's or thread's clock by its number: see cpu_clock_by_id in sched/time_calls.c. */
static int find_cpu_clock(struct posix_timer *t, int clock)
{
    int nr = ~(clock >> 3);

    if ((clock & CPUCLOCK_CLOCK_MASK) > CPUCLOCK_SCHED)
        return -EINVAL;
    if (clock & CPUCLOCK_PERTHREAD) {
        t->kind = KIND_THREAD;
        t->thread = nr ? thread_find(nr) : current;
        if (!nr)
            thread_get(current);
        return t->thread && t->thread->proc == t->owner ? 0 : -EINVAL;
    }
    t->kind = KIND_PROCESS;
    if (nr && !(t->other = proc_find(nr)))
        return -EINVAL;
    if (t->other == t->owner) {
        proc_put(t->other);
        t->other = NULL;
    } else if (t->other) {
        t->kind = KIND_OTHER_PROC;
    }
    return 0;
}

static int find_clock(struct posix_timer *t, int clock)
{
    t->kind = KIND_MACHINE;
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_TAI: t->real_time = true; return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME: return 0;
    case CLOCK_PROCESS_CPUTIME_ID: t->kind = KIND_PROCESS; return 0;
    case CLOCK_THREAD_CPUTIME_ID:
        t->kind = KIND_THREAD;
        t->thread = current;
        thread_get(current);
        return 0;
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_REALTIME_ALARM: /* there is nothing that could wake the machine */
    case CLOCK_BOOTTIME_ALARM: return -EOPNOTSUPP;
    default: return clock < 0 ? find_cpu_clock(t, clock) : -EINVAL;
    }
}

static int find_target(struct posix_timer *t, const struct sigevent *e)
{
    switch (e->sigev_notify) {
    case SIGEV_THREAD | SIGEV_THREAD_ID: return -EINVAL;
    case SIGEV_NONE: return 0;
    case SIGEV_SIGNAL | SIGEV_THREAD_ID:
        t->target = thread_find(e->sigev_notify_thread_id);
        if (!t->target || t->target->proc != t->owner)
            return -EINVAL;
        break;
    case SIGEV_SIGNAL:
    case SIGEV_THREAD: break; /* the kernel only sends the signal; the thread is libc's */
    default: return -EINVAL;
    }
    return e->sigev_signo > 0 && e->sigev_signo < _NSIG ? 0 : -EINVAL;
}

/* T is in no list, and its function is not running. */
static void timer_free(struct posix_timer *t)
{
    if (t->real_time && t->watch.clock_was_set)
        clock_watch_remove(&t->watch);
    user_count_down(USER_SIGNALS, t->entry.charged);
    if (t->target)
        thread_put(t->target);
    if (t->thread)
        thread_put(t->thread);
    if (t->other)
        proc_put(t->other);
    kfree(t);
}

/* err_ptr. */
static struct posix_timer *timer_alloc(void)
{
    uid_t uid = current_cred()->uid;

    if (!user_count_up(USER_SIGNALS, uid, proc_rlimit(RLIMIT_SIGPENDING)))
        return err_ptr(-EAGAIN);
    struct posix_timer *t = kzalloc(sizeof(*t));
    if (!t) {
        user_count_down(USER_SIGNALS, uid);
        return err_ptr(-EAGAIN);
    }
    t->owner = current_proc();
    t->base = CLOCK_MONOTONIC;
    t->entry.charged = uid;
    t->entry.own = true;
    t->entry.timer = t;
    list_init(&t->link);
    list_init(&t->entry.link);
    timer_init(&t->timer, machine_timer_fired);
    return t;
}

/* In the owner's list from here on. Its number. */
static int publish(struct posix_timer *t)
{
    struct proc *p = t->owner;

    if (t->real_time) {
        t->watch.clock_was_set = clock_was_set;
        clock_watch_add(&t->watch);
    }
    spin_lock(&p->signal_lock);
    int id = t->id = p->timers.next_id;
    p->timers.next_id = id == INT32_MAX ? 0 : id + 1;
    list_push_back(&p->timers.posix, &t->link);
    spin_unlock(&p->signal_lock);
    return id;
}

/* T is off the list. */
static void destroy(struct posix_timer *t)
{
    struct proc *p = t->owner;

    spin_lock(&p->signal_lock);
    t->deleted = true;
    t->expires = 0;
    disarm(t);
    sigqueue_withdraw(p, t->target, &t->entry);
    spin_unlock(&p->signal_lock);
    timer_cancel_sync(&t->timer);
    timer_free(t);
}

void posix_timers_exec(struct proc *p)
{
    for (;;) {
        spin_lock(&p->signal_lock);
        struct list *first = list_empty(&p->timers.posix) ? NULL : p->timers.posix.next;
        if (first)
            list_remove(first);
        spin_unlock(&p->signal_lock);
        if (!first)
            return;
        destroy(timer_of(first));
    }
}

long sys_timer_create(int clock, const struct sigevent __user *event, int __user *id)
{
    struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    int error;

    if (event && copy_from_user(&e, event, sizeof(e)))
        return -EFAULT;
    struct posix_timer *t = timer_alloc();
    if (is_err(t))
        return ptr_err(t);
    if ((error = find_clock(t, clock)) || (error = find_target(t, &e))) {
        timer_free(t);
        return error;
    }
    t->notify = e.sigev_notify;
    t->entry.info.si_signo = e.sigev_signo;
    t->entry.info.si_code = SI_TIMER;
    t->entry.info.si_value = e.sigev_value;
    int nr = publish(t);
    spin_lock(&t->owner->signal_lock);
    t->entry.info.si_timerid = nr;
    if (!event)
        t->entry.info.si_value.sival_int = nr;
    spin_unlock(&t->owner->signal_lock);
    if (put_user(nr, id)) {
        sys_timer_delete(nr);
        return -EFAULT;
    }
    return 0;
}

/* --- the other calls ------------------------------------------------------------------------------------ */

static struct posix_timer *find_locked(struct proc *p, int id)
{
    struct posix_timer *t;

    list_for_each (t, &p->timers.posix, link)
        if (t->id == id)
            return t;
    return NULL;
}

/* The current process's timer ID, with signal_lock taken; NULL, without, when there is none. */
static struct posix_timer *find_and_lock(int id)
{
    struct proc *p = current_proc();
    nsec_t user, system;

    spin_lock(&p->signal_lock);
    struct posix_timer *t = find_locked(p, id);
    if (t && t->other) {
        struct proc *other = t->other;
        proc_get(other);
        spin_unlock(&p->signal_lock);
        proc_times(other, &user, &system);
        proc_put(other);
        spin_lock(&p->signal_lock);
        t = find_locked(p, id);
        if (t)
            t->sampled = user + system;
    }
    if (!t)
        spin_unlock(&p->signal_lock);
    return t;
}

/* signal_lock held. */
static struct itimerspec describe(const struct posix_timer *t)
{
    struct posix_timer copy = *t; /* forward() may change this one */
    struct itimerspec out = {.it_interval = timespec_of(t->interval)};
    nsec_t now = now_of(t);
    bool silent = t->notify == SIGEV_NONE;

    if (!t->expires || (!t->interval && (t->fired || (silent && now >= t->expires))))
        return out;
    if (t->fired || (silent && t->interval))
        forward(&copy, now);
    out.it_value = timespec_of(max(copy.expires - now, (nsec_t)1)); /* 0 would say that it is off */
    return out;
}

long sys_timer_gettime(int id, struct itimerspec __user *value)
{
    struct posix_timer *t = find_and_lock(id);

    if (!t)
        return -EINVAL;
    struct itimerspec now = describe(t);
    spin_unlock(&t->owner->signal_lock);
    return copy_to_user(value, &now, sizeof(now));
}

long sys_timer_getoverrun(int id)
{
    struct posix_timer *t = find_and_lock(id);

    if (!t)
        return -EINVAL;
    int overrun = t->overrun;
    spin_unlock(&t->owner->signal_lock);
    return overrun;
}

/* signal_lock held. What an earlier setting left pending is not of this one: it is taken back. */
static void set(struct posix_timer *t, nsec_t value, nsec_t interval, bool absolute)
{
    disarm(t);
    sigqueue_withdraw(t->owner, t->target, &t->entry);
    t->fired = false;
    t->overrun = 0;
    t->interval = interval;
    t->expires = 0;
    if (!value)
        return;
    /* A time from now passes whatever somebody sets the clock to. */
    t->base = t->real_time && absolute ? CLOCK_REALTIME : CLOCK_MONOTONIC;
    nsec_t now = now_of(t);
    t->expires = absolute ? value : value >= INT64_MAX - now ? INT64_MAX : now + value;
    if (t->notify != SIGEV_NONE && t->kind != KIND_MACHINE && now >= t->expires)
        expire(t);
    else
        arm(t);
}

long sys_timer_settime(int id, int flags, const struct itimerspec __user *value,
                       struct itimerspec __user *old)
{
    struct itimerspec wanted;
    nsec_t first, interval;

    if (!value)
        return -EINVAL;
    if (copy_from_user(&wanted, value, sizeof(wanted)))
        return -EFAULT;
    if (nsec_of_timespec(&wanted.it_value, &first) ||
        nsec_of_timespec(&wanted.it_interval, &interval))
        return -EINVAL;
    struct posix_timer *t = find_and_lock(id);
    if (!t)
        return -EINVAL;
    struct itimerspec was = describe(t);
    set(t, first, interval, flags & TIMER_ABSTIME);
    spin_unlock(&t->owner->signal_lock);
    return old ? copy_to_user(old, &was, sizeof(was)) : 0;
}

long sys_timer_delete(int id)
{
    struct proc *p = current_proc();

    spin_lock(&p->signal_lock);
    struct posix_timer *t = find_locked(p, id);
    if (t)
        list_remove(&t->link);
    spin_unlock(&p->signal_lock);
    if (!t)
        return -EINVAL;
    destroy(t);
    return 0;
}
