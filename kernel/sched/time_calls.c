/*
 * The calls about time: reading and setting clocks, and sleeping by them.
 *
 * Clocks are CLOCK_MONOTONIC under several names, CLOCK_REALTIME, which is that plus an offset, and the CPU
 * clocks, which count what a thread or a process has had. A negative clock id names the CPU clock of another
 * process or thread.
 */
#include <abi/time.h>

#include "proc/cred.h"
#include "proc/proc.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "sched/thread.h"
#include "signal/signal.h"
#include "x86/clock.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

#define COARSE_RESOLUTION (4 * NSEC_PER_MSEC)

/* --- reading ---------------------------------------------------------------------------------------- */

static nsec_t proc_cpu_time(struct proc *p)
{
    nsec_t user, system;
    proc_times(p, &user, &system);
    return user + system;
}

/*
 * The time on the CPU clock that the negative id CLOCK names: ~pid << 3 with bit 2 for a thread; pid 0 is the
 * caller. Another process's threads are nobody's business.
 */
static int cpu_clock_by_id(int clock, nsec_t *time)
{
    int pid = ~(clock >> 3);
    bool thread = clock & CPUCLOCK_PERTHREAD;

    if ((clock & CPUCLOCK_CLOCK_MASK) > CPUCLOCK_SCHED)
        return -EINVAL;
    if (thread) {
        struct thread *t = pid ? thread_find(pid) : current;
        if (!t)
            return -EINVAL;
        bool ours = t->proc == current_proc();
        if (ours)
            *time = thread_cpu_time(t);
        if (pid)
            thread_put(t);
        return ours ? 0 : -EINVAL;
    }
    struct proc *p = pid ? proc_find(pid) : current_proc();
    if (!p)
        return -EINVAL;
    *time = proc_cpu_time(p);
    if (pid)
        proc_put(p);
    return 0;
}

static int clock_read(int clock, nsec_t *time)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI: *time = clock_realtime(); return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME: *time = clock_monotonic(); return 0;
    case CLOCK_PROCESS_CPUTIME_ID: *time = proc_cpu_time(current_proc()); return 0;
    case CLOCK_THREAD_CPUTIME_ID: *time = thread_cpu_time(current); return 0;
    default: return clock < 0 ? cpu_clock_by_id(clock, time) : -EINVAL;
    }
}

long sys_clock_gettime(int clock, struct timespec __user *time)
{
    nsec_t now;
    int error = clock_read(clock, &now);

    return error ? error : timespec_to_user(time, now);
}

long sys_clock_getres(int clock, struct timespec __user *res)
{
    nsec_t ignored;
    int error = clock_read(clock, &ignored);

    if (error || !res)
        return error;
    bool coarse = clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE;
    return timespec_to_user(res, coarse ? COARSE_RESOLUTION : 1);
}

long sys_gettimeofday(struct timeval __user *time, struct timezone __user *zone)
{
    if (time) {
        struct timeval tv = timeval_of(clock_realtime());
        if (copy_to_user(time, &tv, sizeof(tv)))
            return -EFAULT;
    }
    if (zone) {
        struct timezone none = {0, 0};
        if (copy_to_user(zone, &none, sizeof(none)))
            return -EFAULT;
    }
    return 0;
}

long sys_time(time_t __user *time)
{
    time_t now = clock_realtime() / NSEC_PER_SEC;

    if (time && put_user(now, time))
        return -EFAULT;
    return now;
}

/* --- setting ---------------------------------------------------------------------------------------- */

static long set_realtime(nsec_t time)
{
    if (!capable(CAP_SYS_TIME))
        return -EPERM;
    /* Not so early that the boot would be before 1970, and not where the arithmetic ends. */
    if (time < clock_monotonic() || time > INT64_MAX / 2)
        return -EINVAL;
    clock_set_realtime(time);
    clock_watch_notify();
    return 0;
}

long sys_clock_settime(int clock, const struct timespec __user *time)
{
    nsec_t new_time;

    if (clock != CLOCK_REALTIME) {
        nsec_t ignored;
        int error = clock_read(clock, &ignored);
        return !error && clock < 0 ? -EPERM : -EINVAL;
    }
    int error = timespec_from_user(time, &new_time);
    return error ? error : set_realtime(new_time);
}

long sys_settimeofday(const struct timeval __user *time, const struct timezone __user *zone)
{
    nsec_t new_time = 0;
    struct timezone tz;

    if (time) {
        int error = timeval_from_user(time, &new_time);
        if (error)
            return error;
    }
    if (zone && copy_from_user(&tz, zone, sizeof(tz)))
        return -EFAULT;
    if (!capable(CAP_SYS_TIME))
        return -EPERM;
    /* The kernel's clock is UTC; a zone would only be stored for nobody to read. */
    if (zone && (tz.tz_minuteswest > 15 * 60 || tz.tz_minuteswest < -15 * 60))
        return -EINVAL;
    return time ? set_realtime(new_time) : 0;
}

/* --- sleeping --------------------------------------------------------------------------------------- */

static long sleep_restart(struct restart_block *rb);

/* A relative sleep, from its first entry or restarted: what is left goes to REMAIN when a signal ends it. */
static long sleep_relative(nsec_t deadline, struct timespec __user *remain)
{
    int error = sched_sleep_until(deadline, WAIT_INTERRUPTIBLE);

    if (!error)
        return 0;
    nsec_t left = deadline - clock_monotonic();
    if (left <= 0)
        return 0;
    if (remain && timespec_to_user(remain, left))
        return -EFAULT;
    current->restart = (struct restart_block){
        .fn = sleep_restart, .deadline = deadline, .arg = {(uintptr_t)remain}};
    return -ERESTART_RESTARTBLOCK;
}

static long sleep_restart(struct restart_block *rb)
{
    return sleep_relative(rb->deadline, (struct timespec __user *)rb->arg[0]);
}

long sys_nanosleep(const struct timespec __user *request, struct timespec __user *remain)
{
    nsec_t time;
    int error = timespec_from_user(request, &time);

    return error ? error : sleep_relative(deadline_after(time), remain);
}

/*
 * Until the process has had UNTIL of CPU time. That can't happen sooner than with all CPUs working for
 * it; so sleep for that long, look, and sleep again.
 */
static long sleep_cpu_time(nsec_t until)
{
    for (;;) {
        nsec_t left = until - proc_cpu_time(current_proc());
        if (left <= 0)
            return 0;
        nsec_t nap = max(left / num_cpus, NSEC_PER_MSEC);
        int error = sched_sleep_until(deadline_after(nap), WAIT_INTERRUPTIBLE);
        if (error)
            return -ERESTARTNOHAND;
    }
}

long sys_clock_nanosleep(int clock, int flags, const struct timespec __user *request,
                         struct timespec __user *remain)
{
    bool absolute = flags & TIMER_ABSTIME;
    nsec_t time;

    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_TAI:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_PROCESS_CPUTIME_ID: break;
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_THREAD_CPUTIME_ID:
    case CLOCK_REALTIME_ALARM: /* there is nothing that could wake the machine */
    case CLOCK_BOOTTIME_ALARM: return -EOPNOTSUPP;
    default: return -EINVAL;
    }
    int error = timespec_from_user(request, &time);
    if (error)
        return error;
    if (clock == CLOCK_PROCESS_CPUTIME_ID)
        return sleep_cpu_time(min(time, INT64_MAX / 2) +
                              (absolute ? 0 : proc_cpu_time(current_proc())));
    if (!absolute)
        return sleep_relative(deadline_after(time), remain);
    bool real = clock == CLOCK_REALTIME || clock == CLOCK_TAI;
    nsec_t deadline = deadline_at(real ? CLOCK_REALTIME : CLOCK_MONOTONIC, time);
    return sched_sleep_until(deadline, WAIT_INTERRUPTIBLE) ? -ERESTARTNOHAND : 0;
}
