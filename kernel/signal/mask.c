/*
 * The signal mask: which signals a thread does not want now. Only the thread itself changes it, under the
 * process's signal_lock, because a sender looks at it to choose who shall take a signal.
 *
 * Two things follow from a change. What was pending and blocked may now be delivered: WORK_SIGNAL. And
 * a signal for the whole process that this thread was woken for, but now blocks, is somebody else's.
 *
 * sigsuspend, ppoll and their like set a mask for the length of one call. The one from before comes back at
 * the return to user mode, or goes into the frame of the handler that ended the call, so that there is no
 * moment at which a signal could slip in between.
 */
#include "signal/internal.h"

#include "lib/atomic.h"
#include "x86/upcalls.h"

void signal_recalc(struct thread *t)
{
    const struct proc *p = t->proc;

    assert(spin_is_held(&p->signal_lock));
    if (((t->pending | p->pending) & ~signal_closed_to(t)) || p->notify)
        thread_set_work(t, WORK_SIGNAL);
    else if (t == current && READ_ONCE(t->work) & WORK_SIGNAL)
        atomic_and(&t->work, ~WORK_SIGNAL);
}

void signal_set_blocked(ksigset_t set)
{
    struct thread *t = current;
    struct proc *p = t->proc;

    set &= ~SET_UNBLOCKABLE;
    if (set == t->blocked)
        return;
    spin_lock(&p->signal_lock);
    ksigset_t newly = set & ~t->blocked & p->pending;
    t->blocked = set;
    if (newly)
        signal_hand_over(p, newly);
    signal_recalc(t);
    spin_unlock(&p->signal_lock);
}

void signal_set_blocked_until_return(ksigset_t set)
{
    struct thread *t = current;

    t->saved_blocked = t->blocked;
    t->restore_blocked = true;
    atomic_or(&t->work, WORK_MASK);
    signal_set_blocked(set);
}

void signal_restore_blocked(void)
{
    struct thread *t = current;

    t->restore_blocked = false;
    atomic_and(&t->work, ~WORK_MASK);
    signal_set_blocked(t->saved_blocked);
}

void signal_frame_mask(uint64_t blocked)
{
    current->restart.fn = NULL;
    signal_set_blocked(blocked);
}
