/*
 * setitimer(2), alarm(2), and the limit on CPU time.
 *
 * ITIMER_REAL is a timer of the machine. When it expires it sends SIGALRM; the next interval is counted from
 * there on, but the timer is armed for it only when the signal has been taken, so that a program with a tiny
 * interval that takes no signals costs one interrupt.
 *
 * ITIMER_VIRTUAL and ITIMER_PROF count time of the process, which passes only while it runs; so it is enough
 * to look when the scheduler's tick finds it running. RLIMIT_CPU is looked after in the same way.
 */
#include <abi/resource.h>
#include <abi/signal.h>
#include <abi/time.h>

#include "proc/proc.h"
#include "sched/time.h"
#include "signal/signal.h"
#include "x86/clock.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

#define IGNORED_PAUSE (4 * NSEC_PER_MSEC) /* between expiries that nobody wants to hear of */

static struct proc *proc_of(struct timer *real)
{
    return container_of(real, struct proc, timers.real);
}

/* The next expiry of I that is not before NOW. */
static void forward(struct interval_timer *i, nsec_t now)
{
    if (now >= i->expires)
        i->expires += ((now - i->expires) / i->interval + 1) * i->interval;
}

/* --- ITIMER_REAL ------------------------------------------------------------------------------------ */

/* After an expiry, not before EARLIEST. signal_lock held. */
static void real_rearm(struct proc *p, nsec_t earliest)
{
    struct interval_timer *i = &p->timers.interval[ITIMER_REAL];

    p->timers.real_due = false;
    if (!i->interval) {
        i->expires = 0;
        return;
    }
    forward(i, earliest);
    timer_set(&p->timers.real, i->expires);
}

static void real_expired(struct timer *real)
{
    struct proc *p = proc_of(real);
    const struct interval_timer *i = &p->timers.interval[ITIMER_REAL];

    spin_lock(&p->signal_lock);
    /* It may have been set anew while this was on its way. */
    bool due = i->expires && !p->timers.real_due && clock_monotonic() >= i->expires;
    if (due)
        p->timers.real_due = true;
    spin_unlock(&p->signal_lock);
    if (!due)
        return;
    signal_send_proc(p, SIGALRM);
    spin_lock(&p->signal_lock);
    if (p->timers.real_due && !(p->pending & SIGMASK(SIGALRM)))
        real_rearm(p, clock_monotonic() + IGNORED_PAUSE); /* it was ignored */
    spin_unlock(&p->signal_lock);
}

void itimer_taken(struct proc *p)
{
    if (p->timers.real_due && !(p->pending & SIGMASK(SIGALRM)))
        real_rearm(p, clock_monotonic());
}

/* --- CPU time --------------------------------------------------------------------------------------- */

/* RLIMIT_CPU: SIGXCPU once a second from the soft limit on, SIGKILL at the hard one; 0 for neither. */
static int check_limit(struct proc *p, nsec_t time)
{
    struct rlimit *limit = &p->limits[RLIMIT_CPU];
    rlim_t used = (rlim_t)(time / NSEC_PER_SEC);
    int signo = 0;

    spin_lock(&p->limit_lock);
    if (used >= limit->rlim_max) {
        signo = SIGKILL;
    } else if (used >= limit->rlim_cur) {
        signo = SIGXCPU;
        limit->rlim_cur = used + 1;
    }
    spin_unlock(&p->limit_lock);
    return signo;
}

/* Has WHICH, at TIME on its clock, expired? signal_lock held. */
static bool cpu_expired(struct proc *p, int which, nsec_t time)
{
    struct interval_timer *i = &p->timers.interval[which];

    if (!i->expires || time < i->expires)
        return false;
    if (i->interval) {
        i->expires += i->interval;
    } else {
        i->expires = 0;
        p->timers.cpu_armed--;
    }
    return true;
}

void proc_cpu_tick(struct proc *p)
{
    nsec_t user, system;
    int over_limit = 0;
    bool virtual = false, prof = false;

    if (likely(READ_ONCE(p->limits[RLIMIT_CPU].rlim_cur) == RLIM_INFINITY &&
               !READ_ONCE(p->timers.cpu_armed)))
        return;
    spin_lock(&p->signal_lock);
    if (!p->exiting) {
        proc_times_locked(p, &user, &system);
        over_limit = check_limit(p, user + system);
        virtual = cpu_expired(p, ITIMER_VIRTUAL, user);
        prof = cpu_expired(p, ITIMER_PROF, user + system);
        posix_timers_cpu_tick(p, user + system);
    }
    spin_unlock(&p->signal_lock);
    if (over_limit)
        signal_send_proc(p, over_limit);
    if (virtual)
        signal_send_proc(p, SIGVTALRM);
    if (prof)
        signal_send_proc(p, SIGPROF);
}

/* --- setting and asking ------------------------------------------------------------------------------- */

static nsec_t now_of(struct proc *p, int which)
{
    nsec_t user, system;

    if (which == ITIMER_REAL)
        return clock_monotonic();
    proc_times_locked(p, &user, &system);
    return which == ITIMER_VIRTUAL ? user : user + system;
}

/* signal_lock held. A time left is at least a microsecond, for 0 says that the timer is off. */
static void describe(struct proc *p, int which, nsec_t now, nsec_t *left, nsec_t *interval)
{
    struct interval_timer i = p->timers.interval[which];

    *interval = i.interval;
    *left = 0;
    if (!i.expires || (which == ITIMER_REAL && p->timers.real_due && !i.interval))
        return;
    if (which == ITIMER_REAL && p->timers.real_due)
        forward(&i, now);
    *left = max(i.expires - now, (nsec_t)NSEC_PER_USEC);
}

/* VALUE from now, then every INTERVAL; what was before goes to *LEFT and *EVERY. VALUE 0: off. */
static void set(int which, nsec_t value, nsec_t interval, nsec_t *left, nsec_t *every)
{
    struct proc *p = current_proc();
    struct interval_timer *i = &p->timers.interval[which];

    spin_lock(&p->signal_lock);
    nsec_t now = now_of(p, which);
    describe(p, which, now, left, every);
    if (which != ITIMER_REAL)
        p->timers.cpu_armed += !!value - !!i->expires;
    i->interval = interval;
    i->expires = !value ? 0 : value >= INT64_MAX - now ? INT64_MAX : now + value;
    if (which == ITIMER_REAL) {
        p->timers.real_due = false;
        if (value)
            timer_set(&p->timers.real, i->expires);
        else
            timer_cancel(&p->timers.real);
    }
    spin_unlock(&p->signal_lock);
}

static struct itimerval itimerval_of(nsec_t value, nsec_t interval)
{
    return (struct itimerval){.it_interval = timeval_of(interval), .it_value = timeval_of(value)};
}

long sys_getitimer(int which, struct itimerval __user *value)
{
    struct proc *p = current_proc();
    nsec_t left, interval;

    if (which < ITIMER_REAL || which > ITIMER_PROF)
        return -EINVAL;
    spin_lock(&p->signal_lock);
    describe(p, which, now_of(p, which), &left, &interval);
    spin_unlock(&p->signal_lock);
    struct itimerval out = itimerval_of(left, interval);
    return copy_to_user(value, &out, sizeof(out));
}

static int itimerval_from_user(const struct itimerval __user *user, nsec_t *value, nsec_t *interval)
{
    struct itimerval in;

    if (copy_from_user(&in, user, sizeof(in)))
        return -EFAULT;
    int error = nsec_of_timeval(&in.it_value, value);
    return error ? error : nsec_of_timeval(&in.it_interval, interval);
}

long sys_setitimer(int which, const struct itimerval __user *value, struct itimerval __user *old)
{
    nsec_t first = 0, interval = 0, left, every;
    int error;

    /* No new value: as on Linux that means zero, not that the timer stays. */
    if (value && (error = itimerval_from_user(value, &first, &interval)))
        return error;
    if (which < ITIMER_REAL || which > ITIMER_PROF)
        return -EINVAL;
    set(which, first, interval, &left, &every);
    struct itimerval was = itimerval_of(left, every);
    return old ? copy_to_user(old, &was, sizeof(was)) : 0;
}

long sys_alarm(unsigned seconds)
{
    nsec_t left, every;

    set(ITIMER_REAL, min((nsec_t)seconds, (nsec_t)INT32_MAX) * NSEC_PER_SEC, 0, &left, &every);
    /* To the nearest second; but none would say that there was no alarm. */
    nsec_t rounded = (left + NSEC_PER_SEC / 2) / NSEC_PER_SEC;
    return left && !rounded ? 1 : rounded;
}

/* --- birth and death ---------------------------------------------------------------------------------- */

void proc_timers_init(struct proc *p)
{
    timer_init(&p->timers.real, real_expired);
    list_init(&p->timers.posix);
}

void proc_timers_exit(struct proc *p)
{
    spin_lock(&p->signal_lock);
    p->timers.interval[ITIMER_REAL] = (struct interval_timer){0};
    spin_unlock(&p->signal_lock);
    timer_cancel_sync(&p->timers.real);
    posix_timers_exec(p);
}
