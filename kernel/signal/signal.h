/*
 * Signals: the software interrupt. They are marked pending anywhere (send) and acted on in one place, on
 * the way back to user mode (deliver). See signal/README.md for the way of one kill from call to action.
 *
 * proc->signal_lock guards pending sets, queues and masks; struct sigactions has a lock of its own because
 * clone(CLONE_SIGHAND) shares it between processes.
 */
#pragma once

#include <abi/signal.h>

#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/string.h"
#include "lib/types.h"
#include "sched/lock.h"

struct proc;
struct thread;
struct pid;
struct posix_timer;
struct regs;

/* What a process does about each signal. A handler's address alone may be read without the lock. */
struct sigactions {
    struct refcount ref;                /* atomic */
    struct spinlock lock;               /* RANK_SIGACTIONS: inside signal_lock */
    struct kernel_sigaction action[64]; /* lock; index signo - 1 */
};

/* One queued siginfo. */
struct sigqueue {
    struct list link; /* the owner's signal_lock */
    bool own;       /* const: it is somebody's own, a timer's or a thread's: not freed when taken */
    siginfo_t info; /* const while queued */
    uid_t charged;  /* const: whose RLIMIT_SIGPENDING it counts against */
    struct posix_timer *timer; /* const: whose own it is; NULL for all others */
};

/* What the program's own instructions bring about: acted on before all others. */
#define SET_FAULTS                                                                               \
    (SIGMASK(SIGSEGV) | SIGMASK(SIGBUS) | SIGMASK(SIGILL) | SIGMASK(SIGTRAP) | SIGMASK(SIGFPE) | \
     SIGMASK(SIGSYS))
/* Would leave a core file, so that the thread that gets them has to die of them itself. */
#define SET_CORE \
    (SET_FAULTS | SIGMASK(SIGQUIT) | SIGMASK(SIGABRT) | SIGMASK(SIGXCPU) | SIGMASK(SIGXFSZ))

/*
 * The part of a siginfo that means something. Behind it the kernel's own copies hold anything: what goes to a
 * program goes by siginfo_to_user().
 */
static inline void siginfo_copy(siginfo_t *to, const siginfo_t *from)
{
    memcpy(to, from, SIGINFO_USED);
}
static inline void siginfo_clear(siginfo_t *info)
{
    memset(info, 0, SIGINFO_USED);
}
int must_check siginfo_to_user(siginfo_t __user *to, const siginfo_t *from);

void signal_init(void); /* needs slabs; before the first process */

/*
 * The kernel's own: sent with si_code SI_KERNEL. Callable from anywhere that may take RANK_SIGNAL, interrupt
 * handlers included.
 */
void signal_send_proc(struct proc *p, int signo);
void signal_send_thread(struct thread *t, int signo);
/*
 * With siginfo, to the process or to one thread of it. 0, or -EAGAIN when a real-time signal's queue is full.
 * No permission check. Signal 0 is no signal.
 */
int signal_send_info(struct proc *p, struct thread *t_or_null, const siginfo_t *info);
/*
 * For rt_sigtimedwait and signalfd: take one of SET that is pending for the current thread, blocked or not. Its
 * number, 0 when there is none. signal_lock held.
 */
int signal_take_locked(ksigset_t set, siginfo_t *info);
/*
 * A timer's: Q, with siginfo, for the process or one thread of it. Its signal_lock held. True when Q is queued now:
 * its timer hears of it when it leaves the queue. Else the signal was ignored, or nobody is there.
 */
bool signal_send_own_locked(struct proc *p, struct thread *t_or_null, struct sigqueue *q);
/* Take Q, which is perhaps queued, back; its timer is not told. signal_lock held. */
void sigqueue_withdraw(struct proc *p, struct thread *t_or_null, struct sigqueue *q);
/* With P's signal_lock held, T of P or NULL; INFO NULL: the kernel's own. 0 or -EAGAIN. */
int signal_send_locked(struct proc *p, struct thread *t, int signo, const siginfo_t *info);
/* To every process of a group; PID's group list. Kernel's own. For the tty: proc_tree_lock not held. */
void signal_send_group(struct pid *group, int signo);
/* The same with proc_tree_lock already held (exit, session teardown). */
void signal_send_group_locked(struct pid *group, int signo);

/* Act on what is pending for the current thread; part of user_return_work. */
void signal_deliver(struct regs *regs);

/* Masks: change the current thread's and recompute what is deliverable. */
void signal_set_blocked(ksigset_t set);
/*
 * For sigsuspend, ppoll, pselect, epoll_pwait: set now; the old one returns by the frame of the handler that ended
 * the call (it returned -EINTR or -ERESTARTx), or at the return to user mode.
 */
void signal_set_blocked_until_return(ksigset_t set);
/*
 * Recompute WORK_SIGNAL of T. Its signal_lock held. The bit is only ever cleared for the current thread:
 * another may be about to return -ERESTARTSYS because of it, and by the bit alone comes to signal_deliver(),
 * which understands that.
 */
void signal_recalc(struct thread *t);

/* fork, exec, exit. */
struct sigactions *sigactions_create(void);
struct sigactions *sigactions_copy(struct sigactions *a);
void sigactions_put(struct sigactions *a);
/* exec, of the current process: handlers to default, alternate stack gone, actions unshared. */
void signal_exec(struct proc *p);
/*
 * The current thread T has just been taken off its process's list; proc_tree_lock and signal_lock held. Shared
 * signals that were meant for it go to others, and a stop does not wait for it any more.
 */
void signal_thread_leaves(struct thread *t);
/* Free what is pending for T, or for P, which get nothing any more. */
void signal_flush_thread(struct thread *t);
void signal_flush_proc(struct proc *p);
