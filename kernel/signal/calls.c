/*
 * The calls: to block and to wait. Each checks and translates; the work is done elsewhere in this folder. Those
 * that send are proc/kill.c's.
 */
#include "signal/internal.h"

#include "sched/time.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

/* --- the mask ------------------------------------------------------------------------------------- */

long sys_rt_sigprocmask(int how, const uint64_t __user *set, uint64_t __user *old, size_t setsize)
{
    ksigset_t was = current->blocked, arg;

    if (setsize != sizeof(ksigset_t))
        return -EINVAL;
    if (set) {
        if (get_user(arg, set))
            return -EFAULT;
        arg &= ~SET_UNBLOCKABLE;
        if (how == SIG_BLOCK)
            signal_set_blocked(was | arg);
        else if (how == SIG_UNBLOCK)
            signal_set_blocked(was & ~arg);
        else if (how == SIG_SETMASK)
            signal_set_blocked(arg);
        else
            return -EINVAL;
    }
    return old ? put_user(was, old) : 0;
}

long sys_rt_sigpending(uint64_t __user *set, size_t setsize)
{
    struct thread *t = current;
    struct proc *p = t->proc;

    if (setsize > sizeof(ksigset_t))
        return -EINVAL;
    spin_lock(&p->signal_lock);
    ksigset_t pending = (t->pending | p->pending) & t->blocked;
    spin_unlock(&p->signal_lock);
    return copy_to_user(set, &pending, setsize);
}

int siginfo_to_user(siginfo_t __user *to, const siginfo_t *from)
{
    siginfo_t whole = {0};

    siginfo_copy(&whole, from);
    return copy_to_user(to, &whole, sizeof(whole));
}

/* --- waiting -------------------------------------------------------------------------------------- */

static void sleep_until_signal(void)
{
    while (!signal_pending(current))
        (void)sched_sleep_until(DEADLINE_NONE, WAIT_INTERRUPTIBLE);
}

long sys_pause(void)
{
    sleep_until_signal();
    return -ERESTARTNOHAND;
}

long sys_rt_sigsuspend(const uint64_t __user *set, size_t setsize)
{
    ksigset_t mask;

    if (setsize != sizeof(ksigset_t))
        return -EINVAL;
    if (get_user(mask, set))
        return -EFAULT;
    signal_set_blocked_until_return(mask);
    sleep_until_signal();
    return -ERESTARTNOHAND;
}

int signal_take_locked(ksigset_t set, siginfo_t *info)
{
    int signo = sigqueue_first(current, set);

    if (signo)
        sigqueue_take(current, signo, info);
    return signo;
}

/* The last look of a call that returns none of the codes that need WORK_SIGNAL to stay. */
static int take_awaited(ksigset_t set, siginfo_t *info)
{
    struct thread *t = current;
    struct proc *p = t->proc;

    spin_lock(&p->signal_lock);
    t->awaited = 0;
    int signo = signal_take_locked(set, info);
    signal_recalc(t);
    spin_unlock(&p->signal_lock);
    return signo;
}

/* Wait for one of SET. Its number, -EAGAIN when DEADLINE has passed, -EINTR when another signal came. */
static int await_signal(ksigset_t set, nsec_t deadline, siginfo_t *info)
{
    struct thread *t = current;
    struct proc *p = t->proc;
    int signo = take_awaited(set, info);

    if (signo)
        return signo;
    spin_lock(&p->signal_lock);
    t->awaited = set;
    signal_recalc(t); /* one may have come since */
    spin_unlock(&p->signal_lock);
    int error = sched_sleep_until(deadline, WAIT_INTERRUPTIBLE);
    signo = take_awaited(set, info);
    return signo ? signo : error ? -EINTR : -EAGAIN;
}

long sys_rt_sigtimedwait(const uint64_t __user *uset, struct siginfo __user *uinfo,
                         const struct timespec __user *timeout, size_t setsize)
{
    nsec_t time, deadline = DEADLINE_NONE;
    ksigset_t set;
    siginfo_t info;
    int error;

    if (setsize != sizeof(ksigset_t))
        return -EINVAL;
    if (get_user(set, uset))
        return -EFAULT;
    if (timeout) {
        if ((error = timespec_from_user(timeout, &time)))
            return error;
        deadline = deadline_after(time);
    }
    int signo = await_signal(set & ~SET_UNBLOCKABLE, deadline, &info);
    if (signo > 0 && uinfo && siginfo_to_user(uinfo, &info))
        return -EFAULT;
    return signo;
}

/* Only the return to user mode makes a program call this, with what the interrupted call left behind. */
long sys_restart_syscall(void)
{
    struct restart_block *rb = &current->restart;
    long (*fn)(struct restart_block *) = rb->fn;

    rb->fn = NULL;
    return fn ? fn(rb) : -EINTR;
}
