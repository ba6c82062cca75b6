/*
 * kill(2) and its family: find whom a number, a group or a descriptor means, ask whether the caller may, and send
 * (signal/send.c does the rest).
 *
 * All that is found and asked is so under proc_tree_lock, which keeps processes and threads from going.
 */
#include <abi/pidfd.h>
#include <abi/signal.h>

#include "fs/fdtable.h"
#include "fs/procfs.h"
#include "proc/pidfd.h"
#include "proc/proc.h"
#include "signal/signal.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

/* Codes below this one that are not SI_ASYNCNL have no layout that the kernel knows. */
#define SI_DETHREAD (-7)
#define SI_ASYNCNL (-60)

static void info_from_caller(siginfo_t *info, int signo, int code)
{
    siginfo_clear(info);
    info->si_signo = signo;
    info->si_code = code;
    info->si_pid = current_proc()->pid->nr;
    info->si_uid = current_cred()->uid;
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
static int kill_pid_locked(const struct pid *pid, const siginfo_t *info)
{
    if (pid && pid->proc)
        return kill_proc_locked(pid->proc, NULL, info);
    if (pid && pid->thread && pid->thread->proc)
        return kill_proc_locked(pid->thread->proc, NULL, info);
    return -ESRCH;
}

static int kill_pid(int nr, const siginfo_t *info)
{
    spin_lock(&proc_tree_lock);
    int error = kill_pid_locked(pid_find_locked(nr), info);
    spin_unlock(&proc_tree_lock);
    return error;
}

/* To all of a group. One that could be signalled makes it a success. */
static int kill_group_locked(const struct pid *group, const siginfo_t *info)
{
    int result = -ESRCH;
    bool sent = false;
    struct proc *p;

    if (group)
        list_for_each (p, &group->group, group_link) {
            result = kill_proc_locked(p, NULL, info);
            sent |= !result;
        }
    return sent ? 0 : result;
}

/* NR 0: the caller's own. */
static int kill_group(int nr, const siginfo_t *info)
{
    spin_lock(&proc_tree_lock);
    int error = kill_group_locked(nr ? pid_find_locked(nr) : current_proc()->group, info);
    spin_unlock(&proc_tree_lock);
    return error;
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
    siginfo_t info;

    info_from_caller(&info, sig, SI_USER);
    if (pid > 0)
        return kill_pid(pid, &info);
    if (pid == -1)
        return kill_all(&info);
    if (pid == INT32_MIN)
        return -ESRCH;
    return kill_group(-pid, &info);
}

/* To one thread, of process TGID unless that is 0. */
static int kill_thread_locked(pid_t tgid, const struct pid *pid, const siginfo_t *info)
{
    struct thread *t = pid ? pid->thread : NULL;
    struct proc *p = t ? t->proc : pid ? pid->proc : NULL;

    if (!p || (tgid && p->pid->nr != tgid))
        return -ESRCH;
    /* A leader that has exited, or a zombie: there is a process, but nobody to get it. */
    return t ? kill_proc_locked(p, t, info) : check_kill(p, info->si_signo);
}

static int kill_thread(pid_t tgid, pid_t tid, const siginfo_t *info)
{
    spin_lock(&proc_tree_lock);
    int error = kill_thread_locked(tgid, pid_find_locked(tid), info);
    spin_unlock(&proc_tree_lock);
    return error;
}

long sys_tgkill(pid_t tgid, pid_t tid, int sig)
{
    siginfo_t info;

    if (tgid <= 0 || tid <= 0)
        return -EINVAL;
    info_from_caller(&info, sig, SI_TKILL);
    return kill_thread(tgid, tid, &info);
}

long sys_tkill(pid_t tid, int sig)
{
    siginfo_t info;

    if (tid <= 0)
        return -EINVAL;
    info_from_caller(&info, sig, SI_TKILL);
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

/* --- by descriptor ---------------------------------------------------------------------------------- */

#define PIDFD_SIGNAL_SCOPES \
    (PIDFD_SIGNAL_THREAD | PIDFD_SIGNAL_THREAD_GROUP | PIDFD_SIGNAL_PROCESS_GROUP)

/* SCOPE: one of those, or 0 for what the descriptor stands for. */
static int kill_by_file(const struct pid *pid, unsigned scope, const siginfo_t *info)
{
    int error;

    spin_lock(&proc_tree_lock);
    switch (scope) {
    case PIDFD_SIGNAL_PROCESS_GROUP: error = kill_group_locked(pid, info); break;
    case PIDFD_SIGNAL_THREAD: error = kill_thread_locked(0, pid, info); break;
    default: error = kill_pid_locked(pid, info);
    }
    spin_unlock(&proc_tree_lock);
    return error;
}

/* What a program says in FROM: its signal must be SIG. */
static int pidfd_info(siginfo_t *info, int sig, pid_t id, const siginfo_t __user *from)
{
    int said;

    if (get_user(said, &from->si_signo))
        return -EFAULT;
    if (said != sig)
        return -EINVAL;
    return info_from_user(info, sig, id, from);
}

long sys_pidfd_send_signal(int fd, int sig, const struct siginfo __user *from, unsigned int flags)
{
    unsigned scope = flags;
    siginfo_t info;
    int error = 0;

    if (flags & ~PIDFD_SIGNAL_SCOPES || (flags & (flags - 1)))
        return -EINVAL;
    struct fdref r = fdref_get_any(fd);
    /* A descriptor of /proc/PID serves as well. */
    bool by_thread = false;
    const struct pid *pid = r.file ? pidfd_pid(r.file, &by_thread) : NULL;
    if (r.file && !pid)
        pid = procfs_dir_pid(r.file);
    if (!scope && by_thread)
        scope = PIDFD_SIGNAL_THREAD;
    if (!pid)
        error = -EBADF;
    else if (from)
        error = pidfd_info(&info, sig, pid->nr, from);
    else
        info_from_caller(&info, sig, scope == PIDFD_SIGNAL_THREAD ? SI_TKILL : SI_USER);
    if (!error)
        error = kill_by_file(pid, scope, &info);
    if (r.file)
        fdref_put(r);
    return error;
}
