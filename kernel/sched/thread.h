/*
 * A thread: what the scheduler runs. It has a kernel stack, registers, and the parts of a POSIX thread that
 * are its own: signal mask, private pending signals, name. All else belongs to its process.
 *
 * States: RUNNING is on a CPU or in a run queue; SLEEPING and the rest wait for sched_wake(). A thread
 * that has exited is DEAD and stays in memory until the last reference goes.
 */
#pragma once

#include <abi/sched.h>
#include <abi/signal.h>

#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/tree.h"
#include "lib/types.h"
#include "sched/lock.h"
#include "sched/timer.h"
#include "x86/context.h"

struct cred;
struct futex_waiter;
struct proc;
struct mm;
struct pid;
struct sigqueue;

enum thread_state {
    THREAD_RUNNING,
    THREAD_SLEEPING, /* a signal wakes it */
    THREAD_KILLABLE, /* only a fatal signal wakes it */
    THREAD_DEAF,     /* nothing but its event wakes it */
    THREAD_STOPPED,  /* job control; SIGCONT or SIGKILL wakes it */
    THREAD_DEAD,
};

/* Bits of thread->work: what to do before going back to user mode. */
#define WORK_RESCHED 1u /* somebody better wants this CPU */
#define WORK_SIGNAL 2u  /* a signal may have to be acted on: see signal_pending() */
#define WORK_EXIT 4u /* the process is exiting: this thread too (fatal: wakes KILLABLE sleepers) */
#define WORK_STOP \
    8u /* the process is stopping: wait until continued. signal_lock to set and clear */
#define WORK_START 16u /* a new thread's first steps in its own context: CLONE_CHILD_SETTID */
#define WORK_MASK \
    32u /* restore_blocked is set: the signal mask from before sigsuspend, ppoll... returns */

#define WORK_LATER 64u /* something was put off until no lock is held: see sched/later.h */

/* Why a restartable call with a time was interrupted: see sys_restart_syscall. */
struct restart_block {
    long (*fn)(struct restart_block *rb); /* owner only */
    nsec_t deadline;                      /* owner only */
    uint64_t arg[4];                      /* owner only */
};

/* CPU time of one thread, in nanoseconds and events. */
struct thread_usage {
    nsec_t user, system; /* owner's CPU, read by others without lock */
    uint64_t voluntary_switches, involuntary_switches, minor_faults, major_faults;
};

struct thread {
    uint32_t work;           /* atomic; must stay first: the return to user mode looks at it */
    struct arch_thread arch; /* see there */
    void *kstack;            /* const; NULL once the thread is dead and switched away from */
    struct mm *mm; /* owner (exec changes it); NULL for kernel threads: no reference, proc has it */

    /* sched/ : the run queue's lock unless said otherwise */
    enum thread_state state; /* the lock of the run queue of ->cpu */
    bool on_rq;              /* in the tree of ->cpu's run queue, or running there */
    bool on_cpu;             /* atomic: still on its stack; waker on another CPU must wait */
    int cpu;                 /* whose run queue it is in, or ran on last */
    struct tree_node rq_node;
    uint64_t vruntime;  /* weighted time received */
    nsec_t slice_start; /* when it was last put on the CPU */
    nsec_t unsplit;     /* time received that no tick has called user or system yet */
    uint32_t user_ticks, system_ticks; /* where the ticks found it: how unsplit time is divided */
    int policy;                        /* SCHED_* */
    int rt_priority;                   /* 1..99 for SCHED_FIFO and SCHED_RR, else 0 */
    int lent;                          /* the highest of those who wait for a lock of ours, or 0 */
    int prio;                          /* the higher of these two: what the queue goes by */
    int nice;                          /* -20..19 */
    bool reset_on_fork;
    cpumask_t allowed;        /* sched_setaffinity */
    struct timer sleep_timer; /* owner */
    bool timed_out;           /* atomic: sleep_timer fired */
    struct thread_usage usage;
    const char
        *waiting_for; /* owner, for the debugger and /proc/PID/wchan: text of the condition */
    void *waiting_on; /* owner, for the debugger: the wait queue */
    struct mutex *blocked_on; /* owner, for the report: the mutex that it sleeps for */
#ifdef CONFIG_DEBUG
    struct list held_mutexes; /* owner */
#endif

    /* proc/ and signal/ */
    struct refcount ref;     /* atomic */
    const struct cred *cred; /* owner swaps it; a reference is held. Others look at proc->cred */
    struct proc *proc;       /* const: NULL for kernel threads. A reference is held */
    struct list proc_link;   /* proc->threads: both locks to change, either to read (proc/proc.h) */
    struct pid *pid;         /* const but for a non-leader's exec (proc_tree_lock): its thread id */
    uint64_t timer_slack;    /* owner: PR_SET_TIMERSLACK, 0 for the default */
    char comm[16];           /* owner writes, readers tolerate tearing */
    ksigset_t blocked;       /* proc->signal_lock; owner may read */
    ksigset_t awaited;       /* proc->signal_lock: taken by rt_sigtimedwait although blocked */
    ksigset_t saved_blocked; /* owner: mask to put back after sigsuspend, ppoll... */
    bool restore_blocked;    /* owner */
    ksigset_t pending;       /* proc->signal_lock: private pending set */
    struct list sigqueue;    /* proc->signal_lock: struct sigqueue, private */
    struct sigqueue *fault_entry; /* proc->signal_lock: kept for faults; NULL before the first */
    stack_t altstack;             /* owner */
    struct restart_block restart; /* owner */
    int __user *set_child_tid; /* owner: written when the thread first runs (CLONE_CHILD_SETTID) */
    int __user *clear_child_tid; /* owner: zeroed and futex-woken at exit */
    void __user *robust_list;    /* owner: set_robust_list */
    size_t robust_list_len;      /* owner */
    struct list
        pi_waiters; /* pi_spin (futex_pi.c): struct futex_waiter, of all locks that we hold */
    struct futex_waiter *pi_wait; /* pi_spin: how we wait for a lock; NULL: we don't */
    bool pi_dead;                 /* pi_spin: we hold no lock any more, whatever a word says */
    struct waitq
        *vfork_done; /* proc_tree_lock: a vfork parent sleeps there until our exec or exit */
};

/* The thread has something that must be acted on: interruptible sleeps end. */
static inline bool signal_pending(const struct thread *t)
{
    return READ_ONCE(t->work) & (WORK_SIGNAL | WORK_EXIT | WORK_STOP);
}
static inline bool fatal_pending(const struct thread *t)
{
    return READ_ONCE(t->work) & WORK_EXIT;
}

/* sched/thread.c: memory and kernel stack; fields of sched/ initialised, ref 1. NULL when out of memory. */
struct thread *thread_alloc(void);
static inline void thread_get(struct thread *t)
{
    ref_get(&t->ref);
}
void thread_put(struct thread *t); /* the last put frees stack and memory */
/* T has run for the last time: its stack goes at once, whoever still refers to it. By the scheduler alone. */
void thread_free_stack(struct thread *t);
void thread_init(void); /* needs slabs */
/* A kernel thread, started. err_ptr. */
struct thread *kthread_create(const char *name, void (*fn)(void *), void *arg);
