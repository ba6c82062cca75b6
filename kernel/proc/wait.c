/*
 * wait4(2) and waitid(2): a parent hears what became of its children.
 *
 * Parents sleep on their proc->child_wait, whose lock is proc_tree_lock; a child that dies, stops or
 * continues wakes it after the change (proc_notify_parent). The scan of the children is the condition:
 * it is done under that lock, takes what it finds, and leaves the details in the request. A zombie is
 * taken by exactly one waiter, because it leaves the tree under the same lock.
 */
#include <abi/fcntl.h>
#include <abi/resource.h>
#include <abi/signal.h>
#include <abi/wait.h>

#include "fs/fdtable.h"
#include "proc/life.h"
#include "proc/pidfd.h"
#include "proc/proc.h"
#include "sched/wait.h"
#include "signal/signal.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

struct wait_request {
    idtype_t which; /* P_ALL, P_PID, P_PGID, P_PIDFD */
    pid_t id;
    const struct pid *pidfd; /* P_PIDFD: whom the descriptor stands for */
    unsigned options;        /* W* and __W* */
    bool want_usage;

    /* what was found */
    pid_t pid; /* 0: nothing yet */
    uid_t uid;
    int code;   /* CLD_* */
    int status; /* as wait4 gives it */
    struct rusage usage;
    struct proc *reaped; /* to be disposed of once the lock is free */
};

/* The thread that made CHILD, or, if that has gone, the leader in its stead. */
static bool is_own_child(const struct proc *child)
{
    if (child->parent_tid == current->pid->nr)
        return true;
    const struct pid *maker = pid_find_locked(child->parent_tid);
    bool alive = maker && maker->thread && maker->thread->proc == current_proc();
    return !alive && current == current_proc()->leader;
}

static bool is_wanted(const struct wait_request *w, const struct proc *child)
{
    if (w->which == P_PID && child->pid->nr != w->id)
        return false;
    if (w->which == P_PIDFD && child->pid != w->pidfd)
        return false;
    if (w->which == P_PGID && child->group->nr != w->id)
        return false;
    if (w->options & __WNOTHREAD && !is_own_child(child))
        return false;
    /* "Clone" children are those that tell of their end by another signal than SIGCHLD, or by none. */
    return w->options & __WALL || (child->exit_signal != SIGCHLD) == !!(w->options & __WCLONE);
}

static void found(struct wait_request *w, struct proc *child, int code, int status)
{
    const struct cred *c = proc_cred_get(child);

    w->pid = child->pid->nr;
    w->uid = c->uid;
    w->code = code;
    w->status = status;
    cred_put(c);
    if (w->want_usage) {
        struct rusage children;
        proc_rusage_locked(child, &w->usage);
        proc_children_rusage(child, &children);
        rusage_add(&w->usage, &children);
    }
}

static bool take_zombie(struct wait_request *w, struct proc *child)
{
    int status = child->exit_code;

    if (!child->zombie || !(w->options & WEXITED))
        return false;
    found(w, child,
          WIFEXITED(status)   ? CLD_EXITED
          : WCOREDUMP(status) ? CLD_DUMPED
                              : CLD_KILLED,
          status);
    if (!(w->options & WNOWAIT)) {
        proc_add_child_usage(current_proc(), child);
        proc_reap(child);
        w->reaped = child;
    }
    return true;
}

static bool take_stopped(struct wait_request *w, struct proc *child)
{
    int signo = 0;

    if (!(w->options & WSTOPPED) || child->zombie)
        return false;
    spin_lock(&child->signal_lock);
    if (child->stopped && !child->stop_count && !child->stop_reported) {
        signo = child->stop_signal;
        if (!(w->options & WNOWAIT))
            child->stop_reported = true;
    }
    spin_unlock(&child->signal_lock);
    if (signo)
        found(w, child, CLD_STOPPED, W_STOPCODE(signo));
    return signo;
}

static bool take_continued(struct wait_request *w, struct proc *child)
{
    if (!(w->options & WCONTINUED) || child->zombie)
        return false;
    spin_lock(&child->signal_lock);
    bool continued = child->continued_unreported;
    if (!(w->options & WNOWAIT))
        child->continued_unreported = false;
    spin_unlock(&child->signal_lock);
    if (continued)
        found(w, child, CLD_CONTINUED, W_CONTINUED);
    return continued;
}

/* 0: children, but none has anything to say; 1: *W is filled; -ECHILD. proc_tree_lock held. */
static int scan_children(struct wait_request *w)
{
    struct proc *child, *next;
    int result = -ECHILD;

    list_for_each_safe (child, next, &current_proc()->children, child_link) {
        if (!is_wanted(w, child))
            continue;
        if (take_zombie(w, child) || take_stopped(w, child) || take_continued(w, child))
            return 1;
        /* The dead have nothing to say but their end: who asks for something else need not wait. */
        if (!child->zombie)
            result = 0;
    }
    return result;
}

/* 0 with w->pid set, or 0 for WNOHANG's "nothing yet", or -errno. */
static int wait_for_child(struct wait_request *w)
{
    int result = 0, error = 0;

    if (w->which == P_PGID && w->id == 0)
        w->id = (pid_t)sys_getpgid(0);
    spin_lock(&proc_tree_lock);
    if (w->options & WNOHANG)
        result = scan_children(w);
    else
        error = wait_event(&current_proc()->child_wait, (result = scan_children(w)) != 0,
                           DEADLINE_NONE);
    spin_unlock(&proc_tree_lock);
    if (w->reaped)
        proc_dispose(w->reaped);
    return error ? error : min(result, 0);
}

long sys_wait4(pid_t pid, int __user *status, int options, struct rusage __user *usage)
{
    struct wait_request w = {
        .which = P_ALL,
        .options = (unsigned)options | WEXITED,
        .want_usage = usage != NULL,
    };

    if ((unsigned)options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
        return -EINVAL;
    if (pid == INT32_MIN) /* its negative is no number */
        return -ESRCH;
    if (pid < -1 || pid == 0) {
        w.which = P_PGID;
        w.id = -pid;
    } else if (pid > 0) {
        w.which = P_PID;
        w.id = pid;
    }
    int error = wait_for_child(&w);
    if (error || !w.pid)
        return error;
    if (status && put_user(w.status, status))
        return -EFAULT;
    if (usage && copy_to_user(usage, &w.usage, sizeof(w.usage)))
        return -EFAULT;
    return w.pid;
}

/* Only the fields that mean something: the rest of the caller's structure stays as it was. */
static int put_siginfo(struct siginfo __user *info, const struct wait_request *w)
{
    siginfo_t s = {.si_signo = w->pid ? SIGCHLD : 0, .si_code = w->code};

    s.si_pid = w->pid;
    s.si_uid = w->uid;
    switch (w->code) {
    case CLD_EXITED: s.si_status = WEXITSTATUS(w->status); break;
    case CLD_CONTINUED: s.si_status = SIGCONT; break;
    case CLD_STOPPED: s.si_status = WSTOPSIG(w->status); break;
    default: s.si_status = WTERMSIG(w->status);
    }
    size_t head = offsetof(siginfo_t, __pad0), from = offsetof(siginfo_t, si_pid);
    size_t to = offsetof(siginfo_t, si_status) + sizeof(s.si_status);
    if (copy_to_user(info, &s, head))
        return -EFAULT;
    return copy_to_user((char __user *)info + from, (const char *)&s + from, to - from);
}

/* P_PIDFD: one opened with PIDFD_NONBLOCK says EAGAIN instead of waiting. */
static int wait_by_pidfd(struct wait_request *w)
{
    bool thread;

    if (w->id < 0)
        return -EINVAL;
    struct fdref r = fdref_get(w->id);
    w->pidfd = r.file ? pidfd_pid(r.file, &thread) : NULL;
    int error = w->pidfd ? 0 : -EBADF;
    if (!error) {
        bool again = r.file->flags & O_NONBLOCK && !(w->options & WNOHANG);
        if (again)
            w->options |= WNOHANG;
        error = wait_for_child(w);
        if (!error && !w->pid && again)
            error = -EAGAIN;
    }
    if (r.file)
        fdref_put(r);
    return error;
}

long sys_waitid(int which, pid_t id, struct siginfo __user *info, int options,
                struct rusage __user *usage)
{
    struct wait_request w = {
        .which = (idtype_t)which,
        .id = id,
        .options = (unsigned)options,
        .want_usage = usage != NULL,
    };

    if (w.options &
        ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
        return -EINVAL;
    if (!(w.options & (WEXITED | WSTOPPED | WCONTINUED)))
        return -EINVAL;
    switch (which) {
    case P_ALL: break;
    case P_PID:
        if (id <= 0)
            return -EINVAL;
        break;
    case P_PGID:
        if (id < 0)
            return -EINVAL;
        break;
    case P_PIDFD: break;
    default: return -EINVAL;
    }
    int error = which == P_PIDFD ? wait_by_pidfd(&w) : wait_for_child(&w);
    if (error)
        return error;
    if (w.pid && usage && copy_to_user(usage, &w.usage, sizeof(w.usage)))
        return -EFAULT;
    return info ? put_siginfo(info, &w) : 0;
}
