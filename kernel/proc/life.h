/*
 * What the files of proc/ share among themselves: the steps of a process's birth and death that only
 * fork.c, exec.c, exit.c and proc.c put together. Other folders use proc.h.
 */
#pragma once

#include "lib/types.h"
#include "proc/proc.h"

void pid_init(void);

/* An empty process, reference 1, in no list; NULL when out of memory. proc_put() frees it. */
struct proc *proc_alloc(void);
void proc_set_default_limits(struct proc *p);
void proc_free_parts(struct proc *p);

/* Into and out of the tree. proc_tree_lock held; for threads the process's signal_lock too. */
void proc_link(struct proc *p, struct proc *parent);
void proc_unlink(struct proc *p);
void thread_link(struct thread *t, struct proc *p);
void thread_unlink(struct thread *t);
void proc_set_group(struct proc *p, struct pid *group);
void proc_set_session(struct proc *p, struct pid *session);
void proc_leave_group(struct proc *p);
void proc_leave_session(struct proc *p);

/* All threads of P but the current one are to leave. P's signal_lock held. */
void proc_expel_others(struct proc *p);

/*
 * May PARENT have one more child or thread? False while memory is short and it has lost many
 * children to the killing that makes room: the next would only live by another's death.
 */
bool oom_allows_child(struct proc *parent);

/* T, new and current, does what can only be done in its own memory: clone(CLONE_CHILD_SETTID). */
void thread_first_steps(struct thread *t);

/* T left its old memory, by exec or exit: a parent that waits in vfork goes on. proc_tree_lock not held. */
void vfork_finish(struct thread *t);

/*
 * Tell CHILD's parent, by signal and by waking who waits, that CHILD stopped, continued or died: CODE is
 * CLD_x, STATUS the signal or the exit status. proc_tree_lock held, no signal_lock. True when it died and the
 * parent has said that it will not wait (SIGCHLD ignored, or SA_NOCLDWAIT).
 */
bool proc_notify_parent(struct proc *child, int code, int status);
/* The same with CHILD's signal_lock held as well. */
bool proc_notify_locked(struct proc *child, int code, int status);

/*
 * core.c: write a core file that says that the process died of INFO's signal. The process is exiting after this,
 * with that status. False when there is none, for whatever reason.
 */
bool core_dump(const siginfo_t *info);
/* The current thread is to exit, but a core file is to tell of it first. */
void core_park(void);

/*
 * exec: make the current thread the only one of its process, with the process's own id. 0, or -EINTR when it
 * is to die itself, or -EAGAIN when another thread is at it already.
 */
int proc_become_single(void);

/*
 * A zombie that has been waited for goes, in two steps: proc_reap, with proc_tree_lock held, takes it out of
 * the tree; proc_dispose, with no lock held, gives back the tree's references.
 */
void proc_reap(struct proc *p);
void proc_dispose(struct proc *p);

/*
 * POSIX 3.264: a process group is orphaned when no member has a parent in another group of the same
 * session. IGNORED counts as gone already. proc_tree_lock held.
 */
bool group_is_orphaned(const struct pid *group, const struct proc *ignored);
