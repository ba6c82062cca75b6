/*
 * Sending: from "process P shall get signal N" to a pending bit and a thread that has been woken for it.
 *
 * Some signals act at once, whatever the receiver thinks of them. SIGKILL marks the whole process as exiting.
 * SIGCONT continues it and takes back stop signals that are still pending; a stop signal takes back a
 * pending SIGCONT. Then a signal that the process ignores is dropped right here, so that it interrupts
 * nothing. What remains is queued, and one thread that lets it through is woken: the leader if it does,
 * else the first that does. If all block it, it stays until one unblocks it.
 *
 * A signal that is bound to end the process, and needs no core file, does so here like SIGKILL: so it
 * also ends sleeps that only a fatal signal may end.
 *
 * Everything here runs under the receiver's signal_lock, which keeps its threads on their list, and takes
 * no lock outside of that one, so that interrupt handlers and who holds proc_tree_lock may send.
 */
#include "signal/internal.h"

void signal_wake(struct thread *t)
{
    thread_set_work(t, WORK_SIGNAL);
    sched_wake(t, WAKE_SIGNAL);
}

void signal_kill_proc_locked(struct proc *p, int signo)
{
    struct thread *t;

    assert(spin_is_held(&p->signal_lock));
    if (p->exiting)
        return;
    p->exiting = true;
    p->exit_code = signo;
    p->stopped = false;
    p->stop_count = 0;
    list_for_each (t, &p->threads, proc_link) {
        atomic_and(&t->work, ~WORK_STOP);
        thread_set_work(t, WORK_EXIT);
        sched_wake(t, WAKE_FATAL);
    }
}

/*
 * Ignored for certain: the action says so and nobody blocks it. One that is blocked is kept, for the action may
 * be another by the time it is unblocked. Process 1 can't be ended by what it has no handler for; but by
 * the kernel it can.
 */
static bool is_ignored(const struct proc *p, const struct thread *t, int signo, bool from_kernel)
{
    sighandler_t handler = handler_of(p, signo);

    if (!t)
        t = p->leader;
    if (t->blocked & SIGMASK(signo))
        return false;
    if (handler == SIG_IGN)
        return true;
    if (handler != SIG_DFL)
        return false;
    if (p == init_proc && !(from_kernel && SIGMASK(signo) & SET_UNBLOCKABLE))
        return true;
    return SIGMASK(signo) & SET_IGNORED_BY_DEFAULT;
}

static bool can_take(const struct thread *t, int signo)
{
    return !(signal_closed_to(t) & SIGMASK(signo)) && !fatal_pending(t);
}

/* Who shall act on SIGNO, which is pending for the process: NULL when nobody can now. */
static struct thread *choose_thread(const struct proc *p, int signo)
{
    struct thread *t = p->leader;

    if (!list_empty(&t->proc_link) && can_take(t, signo))
        return t;
    list_for_each (t, &p->threads, proc_link)
        if (can_take(t, signo))
            return t;
    return NULL;
}

/* Will SIGNO end the process as soon as T, who is to take it, looks? */
static bool ends_process(const struct proc *p, const struct thread *t, int signo)
{
    return handler_of(p, signo) == SIG_DFL && !(t->blocked & SIGMASK(signo)) && p != init_proc &&
           !(SIGMASK(signo) & (SET_STOP | SET_IGNORED_BY_DEFAULT | SET_CORE));
}

/* OWN, unless NULL, is the entry to queue. */
static int send_locked(struct proc *p, struct thread *t, int signo, const siginfo_t *info,
                       struct sigqueue *own)
{
    int error = 0;

    assert(spin_is_held(&p->signal_lock));
    /* Who is on the way out gets nothing any more; that is no error of the sender's. */
    if (p->exiting || list_empty(t ? &t->proc_link : &p->threads))
        return 0;

    if (SIGMASK(signo) & SET_STOP) {
        sigqueue_discard(p, SIGMASK(SIGCONT));
    } else if (signo == SIGCONT) {
        sigqueue_discard(p, SET_STOP);
        stop_undo_locked(p);
    }
    if (is_ignored(p, t, signo, !info))
        return 0;
    event_note(EVENT_SIGNAL_SENT, (uint64_t)signo | (uint64_t)p->pid->nr << EVENT_PID_SHIFT);
    if (signo == SIGKILL) {
        signal_kill_proc_locked(p, SIGKILL);
        return 0;
    }
    if (own)
        sigqueue_put_own(p, t, own);
    else if ((error = sigqueue_put(p, t, signo, info)))
        return error;
    if (unlikely(!waitq_is_empty(&p->signal_wait)))
        wake_all(&p->signal_wait, 0);
    /* A stopped process acts on nothing; all its threads look once it goes on. */
    if (p->stopped)
        return 0;
    if (!t)
        t = choose_thread(p, signo);
    if (!t || !can_take(t, signo))
        return 0;
    if (ends_process(p, t, signo))
        signal_kill_proc_locked(p, signo);
    else
        signal_wake(t);
    return 0;
}

int signal_send_locked(struct proc *p, struct thread *t, int signo, const siginfo_t *info)
{
    return send_locked(p, t, signo, info, NULL);
}

bool signal_send_own_locked(struct proc *p, struct thread *t, struct sigqueue *q)
{
    (void)send_locked(p, t, q->info.si_signo, &q->info, q);
    return !list_empty(&q->link);
}

void signal_hand_over(struct proc *p, ksigset_t set)
{
    struct thread *t;

    list_for_each (t, &p->threads, proc_link) {
        ksigset_t takes = set & ~signal_closed_to(t);
        if (t == current || !takes || fatal_pending(t))
            continue;
        signal_wake(t);
        set &= ~takes;
        if (!set)
            break;
    }
}

static int send(struct proc *p, struct thread *t, int signo, const siginfo_t *info)
{
    if (signo == 0)
        return 0;
    assert(signo_is_valid(signo));
    spin_lock(&p->signal_lock);
    int error = signal_send_locked(p, t, signo, info);
    spin_unlock(&p->signal_lock);
    return error;
}

int signal_send_info(struct proc *p, struct thread *t, const siginfo_t *info)
{
    return send(p, t, info->si_signo, info);
}

void signal_send_proc(struct proc *p, int signo)
{
    (void)send(p, NULL, signo, NULL);
}

void signal_send_thread(struct thread *t, int signo)
{
    (void)send(t->proc, t, signo, NULL);
}

void signal_send_group_locked(struct pid *group, int signo)
{
    struct proc *p;

    assert(spin_is_held(&proc_tree_lock));
    list_for_each (p, &group->group, group_link)
        signal_send_proc(p, signo);
}

void signal_send_group(struct pid *group, int signo)
{
    spin_lock(&proc_tree_lock);
    signal_send_group_locked(group, signo);
    spin_unlock(&proc_tree_lock);
}
