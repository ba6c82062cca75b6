/*
 * Limits and usage: what a process may have and what it has had.
 *
 * Each limit is enforced where the thing is handed out (proc_rlimit); here they are only kept, and the limit on
 * CPU time is watched beside the timers (itimer.c). Usage is kept per thread while it lives, then in the
 * process (dead_usage), and after the parent has waited in the parent (children_usage).
 */
#include <abi/limits.h>
#include <abi/resource.h>
#include <abi/times.h>

#include "lib/string.h"
#include "mm/mm.h"
#include "proc/proc.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "signal/signal.h"
#include "x86/clock.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

/* --- usage ------------------------------------------------------------------------------------------ */

static void usage_add(struct thread_usage *sum, const struct thread_usage *u)
{
    sum->user += u->user;
    sum->system += u->system;
    sum->voluntary_switches += u->voluntary_switches;
    sum->involuntary_switches += u->involuntary_switches;
    sum->minor_faults += u->minor_faults;
    sum->major_faults += u->major_faults;
}

static struct thread_usage usage_of_thread(struct thread *t)
{
    nsec_t user, system;

    thread_times(t, &user, &system); /* brings t->usage up to now */
    struct thread_usage u = t->usage;
    u.user = user;
    u.system = system;
    return u;
}

/* Of all threads P has and had. One of the list's two locks held, so that none is counted twice as it leaves. */
static struct thread_usage usage_of_proc(struct proc *p)
{
    struct thread *t;

    assert(spin_is_held(&proc_tree_lock) || spin_is_held(&p->signal_lock));
    spin_lock(&p->limit_lock);
    struct thread_usage sum = p->dead_usage;
    spin_unlock(&p->limit_lock);
    list_for_each (t, &p->threads, proc_link) {
        struct thread_usage u = usage_of_thread(t);
        usage_add(&sum, &u);
    }
    return sum;
}

void proc_times_locked(struct proc *p, nsec_t *user, nsec_t *system)
{
    struct thread_usage u = usage_of_proc(p);

    *user = u.user;
    *system = u.system;
}

void proc_times(struct proc *p, nsec_t *user, nsec_t *system)
{
    spin_lock(&proc_tree_lock);
    proc_times_locked(p, user, system);
    spin_unlock(&proc_tree_lock);
}

static void rusage_of_usage(struct rusage *out, const struct thread_usage *u)
{
    memset(out, 0, sizeof(*out));
    out->ru_utime = timeval_of(u->user);
    out->ru_stime = timeval_of(u->system);
    out->ru_minflt = (long)u->minor_faults;
    out->ru_majflt = (long)u->major_faults;
    out->ru_nvcsw = (long)u->voluntary_switches;
    out->ru_nivcsw = (long)u->involuntary_switches;
}

/* The most memory that P had at a time, in KiB. */
static long peak_rss_kib(struct proc *p)
{
    size_t pages = READ_ONCE(p->peak_rss);

    spin_lock(&p->signal_lock); /* keeps p->mm from going */
    const struct mm *mm = p->mm;
    if (mm) {
        pages = max(pages, max(READ_ONCE(mm->peak_rss), mm_rss(mm)));
    }
    spin_unlock(&p->signal_lock);
    return (long)(pages * (PAGE_SIZE / 1024));
}

void proc_rusage_locked(struct proc *p, struct rusage *out)
{
    struct thread_usage u = usage_of_proc(p);

    rusage_of_usage(out, &u);
    out->ru_maxrss = peak_rss_kib(p);
}

void proc_rusage(struct proc *p, struct rusage *out)
{
    spin_lock(&proc_tree_lock);
    proc_rusage_locked(p, out);
    spin_unlock(&proc_tree_lock);
}

void proc_children_rusage(struct proc *p, struct rusage *out)
{
    spin_lock(&p->limit_lock);
    *out = p->children_usage;
    out->ru_maxrss = (long)(p->peak_rss_children * (PAGE_SIZE / 1024));
    spin_unlock(&p->limit_lock);
}

static void timeval_add(struct timeval *sum, const struct timeval *more)
{
    sum->tv_sec += more->tv_sec;
    sum->tv_usec += more->tv_usec;
    if (sum->tv_usec >= NSEC_PER_SEC / NSEC_PER_USEC) {
        sum->tv_sec++;
        sum->tv_usec -= NSEC_PER_SEC / NSEC_PER_USEC;
    }
}

void rusage_add(struct rusage *sum, const struct rusage *more)
{
    timeval_add(&sum->ru_utime, &more->ru_utime);
    timeval_add(&sum->ru_stime, &more->ru_stime);
    sum->ru_maxrss = max(sum->ru_maxrss, more->ru_maxrss);
    sum->ru_minflt += more->ru_minflt;
    sum->ru_majflt += more->ru_majflt;
    sum->ru_nvcsw += more->ru_nvcsw;
    sum->ru_nivcsw += more->ru_nivcsw;
}

void proc_add_child_usage(struct proc *parent, struct proc *child)
{
    struct rusage usage, of_children;

    proc_rusage_locked(child, &usage);
    proc_children_rusage(child, &of_children);
    rusage_add(&usage, &of_children);
    spin_lock(&parent->limit_lock);
    rusage_add(&parent->children_usage, &usage);
    parent->peak_rss_children =
        max(parent->peak_rss_children, (size_t)usage.ru_maxrss / (PAGE_SIZE / 1024));
    spin_unlock(&parent->limit_lock);
}

long sys_getrusage(int who, struct rusage __user *usage)
{
    struct proc *p = current_proc();
    struct thread_usage u;
    struct rusage out;

    switch (who) {
    case RUSAGE_SELF: proc_rusage(p, &out); break;
    case RUSAGE_CHILDREN: proc_children_rusage(p, &out); break;
    case RUSAGE_THREAD:
        u = usage_of_thread(current);
        rusage_of_usage(&out, &u);
        out.ru_maxrss = peak_rss_kib(p);
        break;
    default: return -EINVAL;
    }
    return copy_to_user(usage, &out, sizeof(out));
}

#define NSEC_PER_TICK (NSEC_PER_SEC / USER_HZ)

static clock_t ticks_of_timeval(const struct timeval *tv)
{
    return tv->tv_sec * USER_HZ + tv->tv_usec * NSEC_PER_USEC / NSEC_PER_TICK;
}

long sys_times(struct tms __user *buf)
{
    if (buf) {
        nsec_t user, system;
        struct rusage children;
        proc_times(current_proc(), &user, &system);
        proc_children_rusage(current_proc(), &children);
        struct tms t = {
            .tms_utime = user / NSEC_PER_TICK,
            .tms_stime = system / NSEC_PER_TICK,
            .tms_cutime = ticks_of_timeval(&children.ru_utime),
            .tms_cstime = ticks_of_timeval(&children.ru_stime),
        };
        if (copy_to_user(buf, &t, sizeof(t)))
            return -EFAULT;
    }
    return clock_monotonic() / NSEC_PER_TICK;
}

/* --- limits ----------------------------------------------------------------------------------------- */

/* May the caller see and set P's limits? Its own; those of a process that is wholly the same user's. */
static bool may_limit(struct proc *p)
{
    if (p == current_proc() || capable(CAP_SYS_RESOURCE))
        return true;
    const struct cred *me = current_cred(), *it = proc_cred_get(p);
    bool same = me->uid == it->euid && me->uid == it->suid && me->uid == it->uid &&
                me->gid == it->egid && me->gid == it->sgid && me->gid == it->gid;
    cred_put(it);
    return same;
}

static int set_limit(struct proc *p, unsigned resource, const struct rlimit *new,
                     struct rlimit *old)
{
    int error = 0;

    if (new &&new->rlim_cur > new->rlim_max)
        return -EINVAL;
    if (new &&resource == RLIMIT_NOFILE &&new->rlim_max > NR_OPEN_MAX)
        return -EPERM;
    bool may_raise = capable(CAP_SYS_RESOURCE);
    spin_lock(&p->limit_lock);
    struct rlimit *limit = &p->limits[resource];
    *old = *limit;
    if (new &&new->rlim_max > limit->rlim_max && !may_raise)
        error = -EPERM;
    else if (new)
        *limit = *new;
    spin_unlock(&p->limit_lock);
    return error;
}

long sys_prlimit64(pid_t pid, unsigned int resource, const struct rlimit __user *limit,
                   struct rlimit __user *old)
{
    struct rlimit new_limit, old_limit;

    if (resource >= RLIM_NLIMITS)
        return -EINVAL;
    if (limit && copy_from_user(&new_limit, limit, sizeof(new_limit)))
        return -EFAULT;
    struct proc *p = current_proc();
    if (pid) {
        struct thread *t = thread_find(pid);
        p = t ? t->proc : NULL;
        if (p)
            proc_get(p);
        if (t)
            thread_put(t);
        if (!p && !(p = proc_find(pid)))
            return -ESRCH;
    }
    int error =
        may_limit(p) ? set_limit(p, resource, limit ? &new_limit : NULL, &old_limit) : -EPERM;
    if (pid)
        proc_put(p);
    if (!error && old)
        error = copy_to_user(old, &old_limit, sizeof(old_limit));
    return error;
}

long sys_getrlimit(unsigned int resource, struct rlimit __user *limit)
{
    return limit ? sys_prlimit64(0, resource, NULL, limit)
                 : (resource < RLIM_NLIMITS ? -EFAULT : -EINVAL);
}

long sys_setrlimit(unsigned int resource, const struct rlimit __user *limit)
{
    return limit ? sys_prlimit64(0, resource, limit, NULL) : -EFAULT;
}

/* SIGXCPU at the soft limit and each second after it, SIGKILL at the hard one. */

struct mm *proc_mm_get(struct proc *p)
{
    spin_lock(&p->signal_lock);
    struct mm *mm = p->mm;
    if (mm)
        mm_get(mm);
    spin_unlock(&p->signal_lock);
    return mm;
}
