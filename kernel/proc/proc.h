/*
 * A process: what POSIX means by the word. It owns an address space, a descriptor table, a place in the
 * file system, signal actions, ids and limits; its threads run in it. It is alive while it has threads, a
 * zombie until its parent has waited, and memory until the last reference goes.
 *
 *   proc_tree_lock (spin, global) guards who is whose parent, child, group and session member.
 *   The list of threads and its count change under both locks, so either is enough to read them.
 *   signal_lock (spin, per process) guards actions, pending sets and the exit and stop state.
 */
#pragma once

#include <abi/resource.h>
#include <abi/signal.h>

#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/types.h"
#include "proc/cred.h"
#include "proc/pid.h"
#include "proc/timers.h"
#include "sched/thread.h"
#include "sched/wait.h"

struct fdtable;
struct fs_context;
struct tty;
struct sem_undo_list;
struct sigactions;

struct proc {
    struct refcount ref;  /* atomic: threads, the zombie itself, readers of /proc */
    struct pid *pid;      /* const: its number; the leader thread's too */
    struct list all_link; /* proc_tree_lock: proc_list */

    /* the tree: proc_tree_lock */
    struct proc *parent; /* never NULL but for process 1 */
    struct list children;
    struct list child_link;
    struct list threads; /* both locks: live struct threads by ->proc_link */
    struct thread *
        leader; /* both locks: has the process's id; may be dead while others run. A reference is held */
    unsigned nthreads; /* both locks: live ones; a thread may read it for "am I alone" */
    struct pid *group; /* process group */
    struct list group_link;
    struct pid *session;
    struct list session_link;
    struct tty *tty; /* controlling terminal, NULL when none; a reference is held */
    int parent_tid;  /* const but for reparenting: the thread that made it, for __WNOTHREAD */
    bool did_exec;   /* since fork: setpgid by the parent gives EACCES */
    bool is_reaper;  /* PR_SET_CHILD_SUBREAPER */
    struct waitq child_wait; /* proc_tree_lock: parents sleep here in wait4 */
    int exit_signal;         /* sent to the parent: SIGCHLD, or clone's choice, 0 for none */
    bool zombie;             /* no threads left; waits to be reaped */

    /* what it owns: pointers const but where noted; shared by reference when clone says so */
    struct mm *mm; /* leader of exec alone changes it, under signal_lock; NULL once exited */
    struct fdtable *fdtable; /* signal_lock for the pointer (unshare, exec, exit) */
    struct fs_context *fs;   /* signal_lock for the pointer */
    struct sem_undo_list
        *undos; /* ipc/semundo.c's lock, until it is set; NULL: no SEM_UNDO so far */
    const struct cred
        *cred; /* signal_lock for the pointer: the leader's, as others see it; see current_cred() */

    /* signals: signal_lock */
    struct spinlock signal_lock; /* RANK_SIGNAL */
    struct sigactions
        *actions;             /* pointer const but for exec; contents under ITS lock: see signal/ */
    ksigset_t pending;        /* shared pending set */
    struct list sigqueue;     /* struct sigqueue, shared */
    struct waitq signal_wait; /* signal_lock: readers and pollers of signalfds sleep here */
    int exit_code;            /* wait status as wait4 returns it, once exiting */
    bool exiting;             /* exit_group or a fatal signal: all threads are to go */
    bool dumping_core;        /* one thread writes a core file, the others wait until it has */
    unsigned dump_parked;     /* of these, so many do */
    struct waitq core_wait;   /* signal_lock: both sleep here */
    struct thread *exec_thread; /* a thread in exec waits for all others to be gone */
    struct waitq exec_wait;     /* signal_lock: that thread sleeps here */
    bool stopped;               /* all threads stopped or on their way */
    unsigned
        stop_count; /* threads still to stop before the parent hears of it: those with WORK_STOP */
    int notify; /* CLD_STOPPED or CLD_CONTINUED: the parent is to be told by the next thread that can; 0 */
    int stop_signal;           /* that stopped it */
    bool stop_reported;        /* the parent has waited for this stop */
    bool continued_unreported; /* WCONTINUED has something to say */
    int pdeath_signal;         /* PR_SET_PDEATHSIG */
    struct proc_timers timers; /* see proc/timers.h */

    /* limits and use: limit_lock */
    struct spinlock limit_lock; /* RANK_PROC */
    struct rlimit limits[RLIM_NLIMITS];
    struct thread_usage dead_usage; /* of threads that have exited */
    struct rusage children_usage;   /* of children that were waited for */
    size_t peak_rss;                /* once the memory has gone: in pages */
    size_t peak_rss_children;       /* the largest among children that were waited for, in pages */
    nsec_t start_time;              /* const: CLOCK_MONOTONIC */
    bool no_new_privs;              /* one way; atomic */
    bool keep_caps;                 /* atomic */
    bool oom_victim;      /* atomic: killed for its memory: may use the last reserve to exit */
    unsigned personality; /* atomic: personality(2): 0 or PERSONALITY_NO_RANDOMIZE */
    unsigned oom_children; /* atomic: children killed for their memory since it was last plentiful */
    const void *
        membarrier_mm; /* atomic: the address space that registered for membarrier(2); only compared */
};

#define PERSONALITY_NO_RANDOMIZE \
    0x0040000UL /* Linux's ADDR_NO_RANDOMIZE: exec places nothing at random */

extern struct list proc_list;  /* proc_tree_lock: every process by ->all_link, zombies included */
extern struct proc *init_proc; /* const after boot: process 1 */

#define current_proc() (current->proc)

void proc_init(void);
void proc_get(struct proc *p);
void proc_put(struct proc *p);

/* By number, with a reference, NULL when there is none. A zombie counts. */
struct proc *proc_find(int pid);
struct thread *thread_find(int tid);

/* Its cred, with a reference. */
const struct cred *proc_cred_get(struct proc *p);
/* As ptrace and /proc ask: the caller's ids own P entirely and P is dumpable, or CAP_SYS_PTRACE. */
bool proc_may_inspect(struct proc *p);
/* Its mm, with a reference; NULL once it has exited. */
struct mm *proc_mm_get(struct proc *p);

/* Current process's soft limit for RLIMIT_x; RLIM_INFINITY possible. Never blocks. */
uint64_t proc_rlimit(int resource);

/*
 * Make process 1: alone in its session and group, root, with an empty descriptor table, at the root of the file
 * system and without memory of its own. Its thread, started, runs fn(NULL) in the kernel, which ends in
 * exec_kernel() and arch_enter_user(). Panics when out of memory.
 */
void proc_create_first(void (*fn)(void *));

/* End the current process (all threads) with a wait status (exit: code << 8; signal: number, | 0x80 core). */
_Noreturn void proc_exit_group(int status);
/* The same because of a signal whose default action is that; first a core file, if there is to be one. */
_Noreturn void proc_die(const siginfo_t *info);
_Noreturn void thread_exit(int status); /* this thread; the process too when it is the last */
/* From user_return_work: the process is exiting, this thread leaves. */

/* Usage sums, for times, getrusage, /proc. limit_lock and proc_tree_lock not held. */
void proc_times(struct proc *p, nsec_t *user, nsec_t *system);
void proc_times_locked(struct proc *p, nsec_t *user,
                       nsec_t *system); /* proc_tree_lock or signal_lock held */
size_t proc_count(void);

/* Is A's real/effective id allowed to signal P (kill(2) rules)?  Same session SIGCONT is checked by kill. */
bool proc_may_signal(struct proc *p, int signo);

/*
 * proc/limits.c: what P's threads have used (_locked: proc_tree_lock held), what its children that were waited
 * for have, and the sum of two such. A dying child's usage, its own children's included, is added to what
 * its parent's children used: proc_tree_lock held.
 */
void proc_rusage(struct proc *p, struct rusage *out);
void proc_rusage_locked(struct proc *p, struct rusage *out);
void proc_children_rusage(struct proc *p, struct rusage *out);
void rusage_add(struct rusage *sum, const struct rusage *more);
void proc_add_child_usage(struct proc *parent, struct proc *child);
