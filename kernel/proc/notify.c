/*
 * What a child tells its parent: that it stopped, went on, or died. By a signal, usually SIGCHLD, with a siginfo that
 * says which; and by waking the parent if it waits (wait.c).
 *
 * Both processes' signal_locks are held for it, the child's first, which nobody does the other way round:
 * such pairs are only ever taken under proc_tree_lock.
 */
#include "proc/life.h"
#include "sched/sched.h"
#include "signal/signal.h"

#define NSEC_PER_TICK (NSEC_PER_SEC / 100) /* clock_t in siginfo: USER_HZ */

static void fill_times(struct proc *p, siginfo_t *info)
{
    struct thread *t;
    nsec_t user, system, user_sum, system_sum;

    spin_lock(&p->limit_lock);
    user_sum = p->dead_usage.user;
    system_sum = p->dead_usage.system;
    spin_unlock(&p->limit_lock);
    list_for_each (t, &p->threads, proc_link) {
        thread_times(t, &user, &system);
        user_sum += user;
        system_sum += system;
    }
    info->si_utime = user_sum / NSEC_PER_TICK;
    info->si_stime = system_sum / NSEC_PER_TICK;
}

bool proc_notify_locked(struct proc *child, int code, int status)
{
    struct proc *parent = child->parent;
    bool died = code == CLD_EXITED || code == CLD_KILLED || code == CLD_DUMPED;
    int signo = died ? child->exit_signal : SIGCHLD;
    siginfo_t info = {0};

    assert(spin_is_held(&proc_tree_lock) && spin_is_held(&child->signal_lock));
    if (!parent)
        return false;
    if (signo >= _NSIG) /* clone(2) takes any byte; a signal that doesn't exist tells nobody */
        signo = 0;
    info.si_signo = signo;
    info.si_code = code;
    info.si_pid = child->pid->nr;
    info.si_uid = child->cred->uid;
    info.si_status = status;
    fill_times(child, &info);

    spin_lock_nested(&parent->signal_lock);
    spin_lock(&parent->actions->lock);
    const struct kernel_sigaction *action = &parent->actions->action[SIGCHLD - 1];
    bool ignored = action->handler == SIG_IGN;
    bool no_wait = ignored || action->flags & SA_NOCLDWAIT;
    bool no_stops = action->flags & SA_NOCLDSTOP;
    spin_unlock(&parent->actions->lock);
    /* Who ignores SIGCHLD is not sent one, not even when it is blocked and would wait. */
    if (signo && (died || !no_stops) && !(signo == SIGCHLD && ignored))
        (void)signal_send_locked(parent, NULL, signo, &info);
    spin_unlock(&parent->signal_lock);
    wake_all(&parent->child_wait, 0);
    return died && signo == SIGCHLD && no_wait;
}

bool proc_notify_parent(struct proc *child, int code, int status)
{
    spin_lock(&child->signal_lock);
    bool unwanted = proc_notify_locked(child, code, status);
    spin_unlock(&child->signal_lock);
    return unwanted;
}
