/* What the files of signal/ share among themselves. Other folders use signal.h. */
#pragma once

#include <abi/signal.h>

#include "lib/atomic.h"
#include "proc/proc.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "signal/signal.h"
#include "x86/event.h"

/* Sets of signals by what they mean. */
#define SET_UNBLOCKABLE (SIGMASK(SIGKILL) | SIGMASK(SIGSTOP))
#define SET_STOP (SIGMASK(SIGSTOP) | SIGMASK(SIGTSTP) | SIGMASK(SIGTTIN) | SIGMASK(SIGTTOU))
#define SET_IGNORED_BY_DEFAULT \
    (SIGMASK(SIGCONT) | SIGMASK(SIGCHLD) | SIGMASK(SIGWINCH) | SIGMASK(SIGURG))
static inline bool signo_is_valid(int signo)
{
    return signo > 0 && signo < _NSIG;
}

static inline sighandler_t handler_of(const struct proc *p, int signo)
{
    return READ_ONCE(p->actions->action[signo - 1].handler);
}

/* What T would not be woken for. Its signal_lock held, or T is current. */
static inline ksigset_t signal_closed_to(const struct thread *t)
{
    return t->blocked & ~t->awaited;
}

/* queue.c: pending sets and their queues. All with the process's signal_lock held. */
void sigqueue_init(void);
/* Make SIGNO pending for T, or for the process when T is NULL. INFO NULL: the kernel's own. 0 or -EAGAIN. */
int sigqueue_put(struct proc *p, struct thread *t, int signo, const siginfo_t *info);
/* For T, of its own doing: with the entry that is kept for that, which takes no memory and counts against no limit. */
void sigqueue_put_fault(struct thread *t, const siginfo_t *info);
/* The same with an entry that is the sender's own. */
void sigqueue_put_own(struct proc *p, struct thread *t, struct sigqueue *q);
/* The signal among WANTED that T should act on next, 0 when there is none. */
int sigqueue_first(const struct thread *t, ksigset_t wanted);
/* Take it off, T's own before the process's. */
void sigqueue_take(struct thread *t, int signo, siginfo_t *info);
/* Forget all of SET, wherever in the process it is pending. */
void sigqueue_discard(struct proc *p, ksigset_t set);

/* send.c. signal_lock held. */
/* Every thread of P is to exit, with wait status SIGNO, unless P is on its way out already. */
void signal_kill_proc_locked(struct proc *p, int signo);
void signal_wake(struct thread *t);
/* Shared signals of SET are pending and the current thread will not take them: wake others that will. */
void signal_hand_over(struct proc *p, ksigset_t set);

/* stop.c */
/* SIGCONT: P goes on, if it was stopped or stopping. signal_lock held. */
void stop_undo_locked(struct proc *p);
/* The current thread found SIGNO, whose action is to stop, pending: take it and act on it. No lock held. */
void stop_begin(int signo);
/* The current thread's process is stopped: be so too until it is continued or killed. No lock held. */
void stop_wait(void);
/* Tell the parent what p->notify says. No lock held. */
void stop_tell_parent(struct proc *p);

/* fault.c: the current thread gets INFO's signal now, or dies of it if it does not want to know. */
void signal_force(const siginfo_t *info);

/* mask.c: the mask from before sigsuspend, ppoll... comes back. */
void signal_restore_blocked(void);

/* altstack.c: a frame has been built on the current thread's stack: SS_AUTODISARM. */
void altstack_entered(void);
