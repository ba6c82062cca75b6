/*
 * The scheduling calls: each finds the thread that a pid names (0: the caller), checks who may ask, and leaves the
 * rest to params.c. Who may: a thread's own user; more of the CPU than RLIMIT_NICE and RLIMIT_RTPRIO
 * grant takes CAP_SYS_NICE.
 */
#include <abi/resource.h>
#include <abi/sched.h>

#include "lib/string.h"
#include "proc/cred.h"
#include "proc/proc.h"
#include "sched/runqueue.h"
#include "sched/time.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

/* The thread that PID names, with a reference; err_ptr(-EINVAL, -ESRCH). */
static struct thread *thread_by_pid(pid_t pid)
{
    if (pid < 0)
        return err_ptr(-EINVAL);
    if (pid == 0) {
        thread_get(current);
        return current;
    }
    struct thread *t = thread_find(pid);
    return t ? t : err_ptr(-ESRCH);
}

/* May the caller change how T is scheduled? Its effective user owns it, or it may change anybody. */
static bool may_schedule(struct thread *t)
{
    if (capable(CAP_SYS_NICE))
        return true;
    if (!t->proc)
        return false;
    uid_t me = current_cred()->euid;
    const struct cred *c = proc_cred_get(t->proc);
    bool mine = c->uid == me || c->euid == me;
    cred_put(c);
    return mine;
}

/* nice 19..-20 as RLIMIT_NICE counts it: 1..40. */
static bool nice_is_granted(int nice)
{
    return (uint64_t)(20 - nice) <= proc_rlimit(RLIMIT_NICE) || capable(CAP_SYS_NICE);
}

/* --- policy ----------------------------------------------------------------------------------------- */

struct sched_request {
    int policy, rt_priority, nice;
    bool set_nice, reset_on_fork;
};

static int policy_permission(struct thread *t, const struct sched_request *r)
{
    if (!may_schedule(t))
        return -EPERM;
    if (capable(CAP_SYS_NICE))
        return 0;
    uint64_t most = proc_rlimit(RLIMIT_RTPRIO);
    if (policy_is_rt(r->policy)) {
        if (r->policy != t->policy && !most)
            return -EPERM;
        if (r->rt_priority > t->rt_priority && (uint64_t)r->rt_priority > most)
            return -EPERM;
    }
    if (t->policy == SCHED_IDLE && r->policy != SCHED_IDLE && !nice_is_granted(t->nice))
        return -EPERM;
    if (t->reset_on_fork && !r->reset_on_fork)
        return -EPERM;
    if (r->set_nice && r->nice < t->nice && !nice_is_granted(r->nice))
        return -EPERM;
    return 0;
}

static long set_policy(pid_t pid, const struct sched_request *r)
{
    bool rt = policy_is_rt(r->policy);

    if (!rt && r->policy != SCHED_NORMAL && r->policy != SCHED_BATCH && r->policy != SCHED_IDLE)
        return -EINVAL;
    if (rt ? r->rt_priority < 1 || r->rt_priority > 99 : r->rt_priority != 0)
        return -EINVAL;
    struct thread *t = thread_by_pid(pid);
    if (is_err(t))
        return ptr_err(t);
    long error = policy_permission(t, r);
    if (!error)
        error = sched_set_policy(t, r->policy, r->rt_priority, r->reset_on_fork);
    if (!error && r->set_nice && !rt)
        error = sched_set_nice(t, r->nice);
    thread_put(t);
    return error;
}

long sys_sched_setscheduler(pid_t pid, int policy, const struct sched_param __user *param)
{
    struct sched_param p;

    if (policy < 0 || pid < 0 || !param)
        return -EINVAL;
    if (copy_from_user(&p, param, sizeof(p)))
        return -EFAULT;
    struct sched_request r = {
        .policy = policy & ~SCHED_RESET_ON_FORK,
        .rt_priority = p.sched_priority,
        .reset_on_fork = policy & SCHED_RESET_ON_FORK,
    };
    return set_policy(pid, &r);
}

long sys_sched_setparam(pid_t pid, const struct sched_param __user *param)
{
    struct sched_param p;

    if (pid < 0 || !param)
        return -EINVAL;
    if (copy_from_user(&p, param, sizeof(p)))
        return -EFAULT;
    struct thread *t = thread_by_pid(pid);
    if (is_err(t))
        return ptr_err(t);
    struct sched_request r = {
        .policy = t->policy, .rt_priority = p.sched_priority, .reset_on_fork = t->reset_on_fork};
    thread_put(t);
    return set_policy(pid, &r);
}

long sys_sched_getscheduler(pid_t pid)
{
    struct thread *t = thread_by_pid(pid);
    if (is_err(t))
        return ptr_err(t);
    long policy = t->policy | (t->reset_on_fork ? SCHED_RESET_ON_FORK : 0);
    thread_put(t);
    return policy;
}

long sys_sched_getparam(pid_t pid, struct sched_param __user *param)
{
    if (pid < 0 || !param)
        return -EINVAL;
    struct thread *t = thread_by_pid(pid);
    if (is_err(t))
        return ptr_err(t);
    struct sched_param p = {t->rt_priority};
    thread_put(t);
    return copy_to_user(param, &p, sizeof(p));
}

static long priority_limit(int policy, int rt_limit)
{
    switch (policy) {
    case SCHED_FIFO:
    case SCHED_RR: return rt_limit;
    case SCHED_NORMAL:
    case SCHED_BATCH:
    case SCHED_IDLE:
    case SCHED_DEADLINE: return 0;
    default: return -EINVAL;
    }
}

long sys_sched_get_priority_max(int policy)
{
    return priority_limit(policy, 99);
}

long sys_sched_get_priority_min(int policy)
{
    return priority_limit(policy, 1);
}

long sys_sched_rr_get_interval(pid_t pid, struct timespec __user *interval)
{
    struct thread *t = thread_by_pid(pid);
    if (is_err(t))
        return ptr_err(t);
    nsec_t slice = sched_slice(t);
    thread_put(t);
    return timespec_to_user(interval, slice);
}

/* Read a struct of a size that the caller states: what we don't know must be zero. */
static int attr_from_user(struct sched_attr *attr, const struct sched_attr __user *user)
{
    uint32_t size;

    if (get_user(size, &user->size))
        return -EFAULT;
    if (!size)
        size = SCHED_ATTR_SIZE_VER0;
    if (size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE)
        goto bad_size;
    memset(attr, 0, sizeof(*attr));
    if (copy_from_user(attr, user, min((size_t)size, sizeof(*attr))))
        return -EFAULT;
    for (size_t at = sizeof(*attr); at < size; at++) {
        char c;
        if (copy_from_user(&c, (const char __user *)user + at, 1))
            return -EFAULT;
        if (c)
            goto bad_size;
    }
    return 0;
bad_size:
    return put_user((uint32_t)sizeof(*attr), (uint32_t __user *)&user->size) ? -EFAULT : -E2BIG;
}

long sys_sched_setattr(pid_t pid, const struct sched_attr __user *attr, unsigned int flags)
{
    struct sched_attr a;

    if (!attr || pid < 0 || flags)
        return -EINVAL;
    int error = attr_from_user(&a, attr);
    if (error)
        return error;
    if (a.sched_flags & ~(uint64_t)SCHED_FLAG_RESET_ON_FORK || a.sched_priority > 99)
        return -EINVAL;
    struct sched_request r = {
        .policy = (int)a.sched_policy,
        .rt_priority = (int)a.sched_priority,
        .nice = max(-20, min(19, a.sched_nice)),
        .set_nice = true,
        .reset_on_fork = a.sched_flags & SCHED_FLAG_RESET_ON_FORK,
    };
    return set_policy(pid, &r);
}

long sys_sched_getattr(pid_t pid, struct sched_attr __user *attr, unsigned int size,
                       unsigned int flags)
{
    if (!attr || pid < 0 || size > PAGE_SIZE || size < SCHED_ATTR_SIZE_VER0 || flags)
        return -EINVAL;
    struct thread *t = thread_by_pid(pid);
    if (is_err(t))
        return ptr_err(t);
    struct sched_attr a = {
        .size = min(size, (unsigned)sizeof(a)),
        .sched_policy = (uint32_t)t->policy,
        .sched_flags = t->reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0,
        .sched_nice = policy_is_rt(t->policy) ? 0 : t->nice,
        .sched_priority = (uint32_t)t->rt_priority,
    };
    thread_put(t);
    return copy_to_user(attr, &a, a.size);
}

/* --- CPUs ------------------------------------------------------------------------------------------- */

long sys_sched_setaffinity(pid_t pid, unsigned int size, const unsigned long __user *mask)
{
    cpumask_t wanted = 0;

    if (copy_from_user(&wanted, mask, min((size_t)size, sizeof(wanted))))
        return -EFAULT;
    struct thread *t = thread_by_pid(pid);
    if (is_err(t))
        return pid < 0 ? -ESRCH : ptr_err(t);
    long error = may_schedule(t) ? sched_set_affinity(t, wanted) : -EPERM;
    thread_put(t);
    return error;
}

long sys_sched_getaffinity(pid_t pid, unsigned int size, unsigned long __user *mask)
{
    if (size * 8 < (unsigned)num_cpus || size % sizeof(unsigned long))
        return -EINVAL;
    struct thread *t = thread_by_pid(pid);
    if (is_err(t))
        return pid < 0 ? -ESRCH : ptr_err(t);
    cpumask_t allowed = t->allowed & sched_online();
    thread_put(t);
    return copy_to_user(mask, &allowed, sizeof(allowed)) ? -EFAULT : (long)sizeof(allowed);
}

long sys_getcpu(unsigned int __user *cpu, unsigned int __user *node, void __user *unused)
{
    unsigned here = (unsigned)cpu_id();

    (void)unused;
    if (cpu && put_user(here, cpu))
        return -EFAULT;
    if (node && put_user(0u, node))
        return -EFAULT;
    return 0;
}

long sys_sched_yield(void)
{
    sched_yield_now();
    return 0;
}

/* --- nice ------------------------------------------------------------------------------------------- */

/*
 * A thread, a process group's or a user's all: setpriority and getpriority visit them and keep the first
 * error, or the best nice value.
 */
struct prio_visit {
    int nice; /* to set */
    bool set;
    long result; /* -ESRCH until somebody was found */
};

static void visit_thread(struct prio_visit *v, struct thread *t)
{
    if (!v->set) {
        v->result = max(v->result, (long)(20 - t->nice));
    } else if (!may_schedule(t)) {
        v->result = -EPERM;
    } else if (v->nice < t->nice && !nice_is_granted(v->nice)) {
        v->result = -EACCES;
    } else {
        if (v->result == -ESRCH)
            v->result = 0;
        sched_set_nice(t, v->nice);
    }
}

static void visit_proc(struct prio_visit *v, struct proc *p)
{
    struct thread *t;

    list_for_each (t, &p->threads, proc_link)
        visit_thread(v, t);
}

static long priority_of_many(int which, int who, struct prio_visit *v)
{
    const struct cred *me = current_cred();
    struct proc *p;

    spin_lock(&proc_tree_lock);
    if (which == PRIO_PGRP) {
        struct pid *group = who ? pid_find_locked(who) : current_proc()->group;
        if (group)
            list_for_each (p, &group->group, group_link)
                visit_proc(v, p);
    } else {
        uid_t uid = who ? (uid_t)who : me->uid;
        list_for_each (p, &proc_list, all_link) {
            const struct cred *c = proc_cred_get(p);
            bool match = c->uid == uid;
            cred_put(c);
            if (match)
                visit_proc(v, p);
        }
    }
    spin_unlock(&proc_tree_lock);
    return v->result;
}

static long priority_call(int which, int who, struct prio_visit *v)
{
    v->result = -ESRCH;
    if (which < PRIO_PROCESS || which > PRIO_USER)
        return -EINVAL;
    if (which != PRIO_PROCESS)
        return priority_of_many(which, who, v);
    struct thread *t = who ? thread_find(who) : current;
    if (!t)
        return -ESRCH;
    visit_thread(v, t);
    if (who)
        thread_put(t);
    return v->result;
}

long sys_setpriority(int which, int who, int prio)
{
    struct prio_visit v = {.nice = max(-20, min(19, prio)), .set = true};
    return priority_call(which, who, &v);
}

/* 20 - nice, so that no result looks like an error. */
long sys_getpriority(int which, int who)
{
    struct prio_visit v = {.set = false};
    return priority_call(which, who, &v);
}
