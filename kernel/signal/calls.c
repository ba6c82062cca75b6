/*
 * The calls: to send, to block, to wait. Each checks and translates; the work is done elsewhere in this folder.
 */
#include "signal/internal.h"

#include "sched/time.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

/* Codes below this one that are not SI_ASYNCNL have no layout that the kernel knows. */
#define SI_DETHREAD (-7)
#define SI_ASYNCNL (-60)
/* Linux keeps this much of a siginfo; the rest is zero. */
#define SIGINFO_USED 48

/* --- sending -------------------------------------------------------------------------------------- */

static siginfo_t info_from_caller(int signo, int code)
{
    siginfo_t info = {0};

    info.si_signo = signo;
    info.si_code = code;
    info.si_pid = current_proc()->pid->nr;
    info.si_uid = current_cred()->uid;
    return info;
}

/* A shell may continue whatever it started in its session, also what has changed its user since. */
static bool same_session(const struct proc *p)
{
    return p->session && p->session == current_proc()->session;
}

/* May the caller send SIGNO (0: just asking) to P? proc_tree_lock held. */
static int check_kill(struct proc *p, int signo)
{
    if (signo < 0 || signo >= _NSIG)
        return -EINVAL;
    if (p == current_proc() || proc_may_signal(p, signo))
        return 0;
    return signo == SIGCONT && same_session(p) ? 0 : -EPERM;
}

/* proc_tree_lock held. */
static int kill_proc_locked(struct proc *p, struct thread *t, const siginfo_t *info)
{
    int error = check_kill(p, info->si_signo);
    return error ? error : signal_send_info(p, t, info);
}

/* PID may be the number of any thread of the process. */
static int kill_pid(int nr, const siginfo_t *info)
{
    int error = -ESRCH;

    spin_lock(&proc_tree_lock);
    struct pid *pid = pid_find_locked(nr);
    if (pid && pid->proc)
        error = kill_proc_locked(pid->proc, NULL, info);
    else if (pid && pid->thread && pid->thread->proc)
        error = kill_proc_locked(pid->thread->proc, NULL, info);
    spin_unlock(&proc_tree_lock);
    return error;
}

/* To all of a group. One that could be signalled makes it a success. NR 0: the caller's own. */
static int kill_group(int nr, const siginfo_t *info)
{
    int result = -ESRCH;
    bool sent = false;
    struct proc *p;

    spin_lock(&proc_tree_lock);
    const struct pid *pid = nr ? pid_find_locked(nr) : current_proc()->group;
    if (pid)
        list_for_each (p, &pid->group, group_link) {
            result = kill_proc_locked(p, NULL, info);
            sent |= !result;
        }
    spin_unlock(&proc_tree_lock);
    return sent ? 0 : result;
}

/* To all but process 1 and the caller. As on Linux a lack of permission is no error, if there was anybody. */
static int kill_all(const siginfo_t *info)
{
    int result = -ESRCH;
    bool found = false;
    struct proc *p;

    spin_lock(&proc_tree_lock);
    list_for_each (p, &proc_list, all_link) {
        if (p == init_proc || p == current_proc())
            continue;
        int error = kill_proc_locked(p, NULL, info);
        if (!found)
            result = 0;
        found = true;
        if (error != -EPERM)
            result = error;
    }
    spin_unlock(&proc_tree_lock);
    return result;
}

long sys_kill(pid_t pid, int sig)
{
    siginfo_t info = info_from_caller(sig, SI_USER);

    if (pid > 0)
        return kill_pid(pid, &info);
    if (pid == -1)
        return kill_all(&info);
    if (pid == INT32_MIN)
        return -ESRCH;
    return kill_group(-pid, &info);
}

/* To one thread, of process TGID unless that is 0. */
static int kill_thread(pid_t tgid, pid_t tid, const siginfo_t *info)
{
    int error = -ESRCH;

    spin_lock(&proc_tree_lock);
    struct pid *pid = pid_find_locked(tid);
    struct thread *t = pid ? pid->thread : NULL;
    struct proc *p = t ? t->proc : pid ? pid->proc : NULL;
    if (p && (!tgid || p->pid->nr == tgid)) {
        /* A leader that has exited, or a zombie: there is a process, but nobody to get it. */
        error = t ? kill_proc_locked(p, t, info) : check_kill(p, info->si_signo);
    }
    spin_unlock(&proc_tree_lock);
    return error;
}

long sys_tgkill(pid_t tgid, pid_t tid, int sig)
{
    siginfo_t info = info_from_caller(sig, SI_TKILL);

    if (tgid <= 0 || tid <= 0)
        return -EINVAL;
    return kill_thread(tgid, tid, &info);
}

long sys_tkill(pid_t tid, int sig)
{
    siginfo_t info = info_from_caller(sig, SI_TKILL);

    if (tid <= 0)
        return -EINVAL;
    return kill_thread(0, tid, &info);
}

/* A siginfo made by a program, for thread ID: it may not look like the kernel's or kill's, but to itself. */
static int info_from_user(siginfo_t *info, int signo, pid_t id, const siginfo_t __user *from)
{
    uint8_t *bytes = (uint8_t *)info;

    if (copy_from_user(info, from, sizeof(*info)))
        return -EFAULT;
    info->si_signo = signo;
    bool layout_known = info->si_code >= SI_DETHREAD || info->si_code == SI_ASYNCNL;
    for (size_t i = SIGINFO_USED; i < sizeof(*info); i++) {
        if (bytes[i] && !layout_known)
            return -E2BIG;
        bytes[i] = 0;
    }
    if ((info->si_code >= 0 || info->si_code == SI_TKILL) && id != current->pid->nr)
        return -EPERM;
    return 0;
}

long sys_rt_sigqueueinfo(pid_t pid, int sig, const struct siginfo __user *from)
{
    siginfo_t info;
    int error = info_from_user(&info, sig, pid, from);

    return error ? error : kill_pid(pid, &info);
}

long sys_rt_tgsigqueueinfo(pid_t tgid, pid_t tid, int sig, const struct siginfo __user *from)
{
    siginfo_t info;

    if (tgid <= 0 || tid <= 0)
        return -EINVAL;
    int error = info_from_user(&info, sig, tid, from);
    return error ? error : kill_thread(tgid, tid, &info);
}

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

/* Take one of SET that is pending, blocked or not. 0 when there is none. */
static int take_awaited(ksigset_t set, siginfo_t *info)
{
    struct thread *t = current;
    struct proc *p = t->proc;

    spin_lock(&p->signal_lock);
    t->awaited = 0;
    int signo = sigqueue_first(t, set);
    if (signo)
        sigqueue_take(t, signo, info);
    /* This call returns none of the codes that need WORK_SIGNAL to stay. */
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
    if (signo > 0 && uinfo && copy_to_user(uinfo, &info, sizeof(info)))
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
