/*
 * Delivery: the one place where signals are acted on, the way back to user mode.
 *
 * The assembly there looks at thread->work with interrupts off; while it is not zero it calls
 * user_return_work(). A sender sets WORK_SIGNAL and interrupts the CPU that the thread runs on, so a loop
 * without system calls comes here too.
 *
 * Signals are taken one by one until none is left that is not blocked. Ignored ones vanish, stop signals
 * stop the process (stop.c), others end it. The first with a handler ends the round: the frame goes onto
 * the program's stack, and the program will go on in the handler. If there are more, WORK_SIGNAL is
 * still set, and the next frame goes on top of the first.
 *
 * What becomes of an interrupted call is decided here and nowhere else:
 *
 *   the call returned         no handler ran    handler    handler with SA_RESTART
 *   -ERESTARTSYS              again             EINTR      again
 *   -ERESTARTNOINTR           again             again      again
 *   -ERESTARTNOHAND           again             EINTR      EINTR
 *   -ERESTART_RESTARTBLOCK    restart_syscall   EINTR      EINTR
 *
 * "Again" steps back to the SYSCALL instruction, with the number in its register. The calls return these
 * codes only when WORK_SIGNAL, WORK_STOP or WORK_EXIT was set, and nobody but the thread itself, here, clears
 * WORK_SIGNAL; so no such code gets past to the program.
 */
#include "signal/internal.h"

#include "proc/life.h"
#include "sched/later.h"
#include "x86/context.h"
#include "x86/sigframe.h"
#include "x86/upcalls.h"
#include <syscall_nr.h>

/* A signal that a handler waits for. */
struct delivery {
    int signo;
    siginfo_t info;
    struct kernel_sigaction action;
};

enum verdict { DROPPED, STOPS, KILLS, HANDLED };

/* The kernel's word for a fault of the thread's own. Process 1 too dies of these. */
static bool is_own_fault(const siginfo_t *info)
{
    return SIGMASK(info->si_signo) & SET_FAULTS && info->si_code > 0;
}

/* What is to be done about SIGNO, which is pending. It is taken off, unless it STOPS: stop_begin() does. */
static enum verdict judge(struct thread *t, int signo, struct delivery *d)
{
    struct proc *p = t->proc;
    struct kernel_sigaction *action = &p->actions->action[signo - 1];

    spin_lock(&p->actions->lock);
    d->action = *action;
    bool caught = d->action.handler != SIG_DFL && d->action.handler != SIG_IGN;
    if (caught && d->action.flags & SA_RESETHAND)
        action->handler = SIG_DFL;
    spin_unlock(&p->actions->lock);

    bool by_default = d->action.handler == SIG_DFL;
    if (by_default && SIGMASK(signo) & SET_STOP && p != init_proc)
        return STOPS;
    d->signo = signo;
    event_note(EVENT_SIGNAL_TAKEN, (uint64_t)signo | (uint64_t)p->pid->nr << EVENT_PID_SHIFT);
    sigqueue_take(t, signo, &d->info);
    if (caught)
        return HANDLED;
    if (!by_default || SIGMASK(signo) & SET_IGNORED_BY_DEFAULT)
        return DROPPED;
    return p == init_proc && !is_own_fault(&d->info) ? DROPPED : KILLS;
}

/* Act on signals until there is one to be handled (true) or none (false). */
static bool next_handled(struct delivery *d)
{
    struct thread *t = current;
    struct proc *p = t->proc;

    for (;;) {
        spin_lock(&p->signal_lock);
        bool stopped = p->stopped, notify = p->notify;
        int signo = 0;
        enum verdict verdict = DROPPED;
        if (!fatal_pending(t) && !stopped && !notify) {
            signo = sigqueue_first(t, ~t->blocked);
            if (signo)
                verdict = judge(t, signo, d);
            else
                signal_recalc(t);
        }
        spin_unlock(&p->signal_lock);

        if (fatal_pending(t))
            thread_exit(0);
        if (stopped)
            stop_wait();
        else if (notify)
            stop_tell_parent(p);
        else if (!signo)
            return false;
        else if (verdict == STOPS)
            stop_begin(signo);
        else if (verdict == KILLS)
            proc_die(&d->info);
        else if (verdict == HANDLED)
            return true;
    }
}

static void restart_call(struct regs *regs, bool handled, bool sa_restart)
{ /* LAB signals:restart begin */
    if (!regs_in_syscall(regs))
        return;
    long nr = regs_syscall_nr(regs);
    switch (regs_result(regs)) {
    case -ERESTARTSYS:
        if (handled && !sa_restart)
            regs_set_result(regs, -EINTR);
        else
            regs_restart_syscall(regs, nr);
        break;
    case -ERESTARTNOINTR: regs_restart_syscall(regs, nr); break;
    case -ERESTARTNOHAND:
        if (handled)
            regs_set_result(regs, -EINTR);
        else
            regs_restart_syscall(regs, nr);
        break;
    case -ERESTART_RESTARTBLOCK:
        if (handled)
            regs_set_result(regs, -EINTR);
        else
            regs_restart_syscall(regs, SYS_restart_syscall);
        break;
    default: return;
    }
    /* The decision has been made; a second signal must not make another. */
    regs_leave_syscall(regs);
} /* LAB signals:restart end */

static void call_handler(struct regs *regs, const struct delivery *d)
{ /* LAB signals:handler begin */
    struct thread *t = current;
    const struct kernel_sigaction *a = &d->action;
    ksigset_t mask = t->restore_blocked ? t->saved_blocked : t->blocked;

    if (sigframe_push(regs, d->signo, &d->info, a, mask)) {
        siginfo_t info = {.si_signo = SIGSEGV, .si_code = SI_KERNEL};
        if (d->signo == SIGSEGV)
            proc_die(&info);
        signal_force(&info);
        return;
    }
    altstack_entered();
    /* The mask to come back to is in the frame now. */
    t->restore_blocked = false;
    atomic_and(&t->work, ~WORK_MASK);
    signal_set_blocked(t->blocked | a->mask | (a->flags & SA_NODEFER ? 0 : SIGMASK(d->signo)));
} /* LAB signals:handler end */

void signal_deliver(struct regs *regs)
{
    struct delivery d;

    if (next_handled(&d)) {
        restart_call(regs, true, d.action.flags & SA_RESTART);
        call_handler(regs, &d);
        return;
    }
    restart_call(regs, false, false);
    if (current->restore_blocked)
        signal_restore_blocked();
}

/* Did a signal end the call that the thread returns from? */
static bool was_interrupted(const struct regs *regs)
{
    if (!regs_in_syscall(regs))
        return false;
    switch (regs_result(regs)) {
    case -EINTR:
    case -ERESTARTSYS:
    case -ERESTARTNOINTR:
    case -ERESTARTNOHAND:
    case -ERESTART_RESTARTBLOCK: return true;
    default: return false;
    }
}

void user_return_work(struct regs *regs)
{
    struct thread *t = current;
    uint32_t work = atomic_load(&t->work);

    if (work & WORK_EXIT)
        thread_exit(0);
    if (work & WORK_LATER) {
        atomic_and(&t->work, ~WORK_LATER);
        later_run();
    }
    if (work & WORK_RESCHED)
        schedule();
    if (work & WORK_START)
        thread_first_steps(t);
    /* ppoll and the like that did not end by a signal: what only their mask let in is not let in any more. */
    if (work & WORK_MASK && !was_interrupted(regs))
        signal_restore_blocked();
    if (READ_ONCE(t->work) & (WORK_SIGNAL | WORK_STOP | WORK_MASK))
        signal_deliver(regs);
}
