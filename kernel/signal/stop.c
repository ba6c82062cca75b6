/*
 * Stop and continue: states of the process, entered by its threads one by one.
 *
 *             a thread acts on SIGSTOP, SIGTSTP...           the last thread with WORK_STOP stops
 *   running ----------------------------------> stopping ----------------------------------> stopped
 *      ^        stopped = true, WORK_STOP          |             stop_count == 0, CLD_STOPPED     |
 *      |        for all, stop_count of them        |                                              |
 *      +-------------------------------------------+----------------------------------------------+
 *                                      SIGCONT is sent (or SIGKILL)
 *
 * WORK_STOP means "has yet to stop". Each thread comes here on its way to user mode, takes itself off the
 * count, and sleeps as THREAD_STOPPED until the process is not stopped any more.
 *
 * A stop that waits to be acted on is undone by a SIGCONT that comes in between: the sender discards
 * the pending signal. So the signal is taken off and the stop begun in one step under the lock.
 *
 * The parent is told (proc/notify.c) under proc_tree_lock, which comes before signal_lock. Who sends SIGCONT has only
 * the latter, so it leaves word in p->notify, and the first thread of the process that comes by says it.
 */
#include "signal/internal.h"

#include "proc/life.h"

void stop_tell_parent(struct proc *p)
{
    spin_lock(&proc_tree_lock);
    spin_lock(&p->signal_lock);
    int code = p->notify;
    p->notify = 0;
    if (code)
        proc_notify_locked(p, code, code == CLD_STOPPED ? p->stop_signal : SIGCONT);
    spin_unlock(&p->signal_lock);
    spin_unlock(&proc_tree_lock);
}

/* --- stopping ------------------------------------------------------------------------------------- */

static void stop_locked(struct proc *p, int signo)
{
    struct thread *t;

    p->stopped = true;
    p->stop_signal = signo;
    p->stop_count = 0;
    p->stop_reported = false;
    p->continued_unreported = false;
    p->notify = 0;
    list_for_each (t, &p->threads, proc_link) {
        p->stop_count++;
        thread_set_work(t, WORK_STOP);
        sched_wake(t, WAKE_SIGNAL);
    }
}

void stop_begin(int signo)
{
    struct thread *t = current;
    struct proc *p = t->proc;
    siginfo_t info;

    spin_lock(&proc_tree_lock);
    spin_lock(&p->signal_lock);
    /* Still what is to be done? The lock was free since the caller looked. */
    if (p->exiting || p->stopped || handler_of(p, signo) != SIG_DFL ||
        sigqueue_first(t, ~t->blocked) != signo)
        goto out;
    sigqueue_take(t, signo, &info);
    /* Nobody could continue a process of an orphaned group, so the terminal does not stop it. */
    if (signo == SIGSTOP || !group_is_orphaned(p->group, NULL))
        stop_locked(p, signo);
out:
    spin_unlock(&p->signal_lock);
    spin_unlock(&proc_tree_lock);
}

/* The current thread has stopped, or has gone: one less to wait for. True when it was the last. */
static bool stop_count_down(struct proc *p, struct thread *t)
{
    if (!(READ_ONCE(t->work) & WORK_STOP))
        return false;
    atomic_and(&t->work, ~WORK_STOP);
    assert(p->stop_count > 0);
    return --p->stop_count == 0;
}

/* One sleep as part of a stopped process. False when the process is not stopped, or this thread is to exit. */
static bool stop_once(void)
{
    struct thread *t = current;
    struct proc *p = t->proc;

    spin_lock(&proc_tree_lock);
    spin_lock(&p->signal_lock);
    bool stay = p->stopped && !fatal_pending(t);
    if (stay) {
        bool last = stop_count_down(p, t);
        /*
         * First the state, then the word to the parent, who may look at it at once. Who ends the stop
         * takes signal_lock and changes p->stopped before it wakes, so its wakeup finds this state.
         */
        (void)atomic_xchg(&t->state, THREAD_STOPPED);
        if (last)
            proc_notify_locked(p, CLD_STOPPED, p->stop_signal);
    }
    spin_unlock(&p->signal_lock);
    spin_unlock(&proc_tree_lock);
    if (stay)
        schedule();
    return stay;
}

void stop_wait(void)
{
    while (stop_once())
        ;
}

void signal_thread_leaves(struct thread *t)
{
    struct proc *p = t->proc;

    if (p->exiting || list_empty(&p->threads)) {
        p->stopped = false;
        p->stop_count = 0;
        return;
    }
    if (p->stopped && stop_count_down(p, t))
        proc_notify_locked(p, CLD_STOPPED, p->stop_signal);
    signal_hand_over(p, p->pending);
}

/* --- continuing ----------------------------------------------------------------------------------- */

void stop_undo_locked(struct proc *p)
{
    struct thread *t;

    assert(spin_is_held(&p->signal_lock));
    if (!p->stopped)
        return;
    /* A stop that was not complete yet is reported now: nothing goes on that has not stopped. */
    p->notify = p->stop_count ? CLD_STOPPED : CLD_CONTINUED;
    p->continued_unreported = true;
    p->stopped = false;
    p->stop_count = 0;
    list_for_each (t, &p->threads, proc_link) {
        /*
         * WORK_SIGNAL before WORK_STOP goes: a thread that was woken by it is about to return -ERESTARTSYS,
         * and must not get past the place that understands it.
         */
        thread_set_work(t, WORK_SIGNAL);
        atomic_and(&t->work, ~WORK_STOP);
        sched_wake(t, 1u << THREAD_STOPPED);
    }
}
