/*
 * Numbers for threads, processes, groups and sessions: one name space. A struct pid is one number in use;
 * it lives as long as anything bears the number, so that a group outlives its leader and a held struct pid
 * never comes to mean another process.
 */
#pragma once

#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/types.h"
#include "sched/wait.h"

#define PID_MAX 32768

struct pid {
    struct refcount ref;   /* atomic: the bearers below, and holders (pidfd, tty, F_SETOWN) */
    int nr;                /* const */
    struct list hash_link; /* proc_tree_lock */
    struct thread *thread; /* proc_tree_lock: the thread with this id, NULL when it is gone */
    struct proc *proc;     /* proc_tree_lock: the process with this id, zombies included */
    struct list group;     /* proc_tree_lock: struct proc by ->group_link */
    struct waitq changed;  /* proc_tree_lock: who polls a pidfd sleeps here */
    struct list session;   /* proc_tree_lock: struct proc by ->session_link */
};

extern struct spinlock proc_tree_lock; /* RANK_PROC_TREE */

void pid_init(void);
struct pid *pid_alloc(
    void); /* the next free number, reference 1; err_ptr(-EAGAIN: too many, -ENOMEM) */
void pid_get(struct pid *p);
void pid_put(struct pid *p);         /* takes proc_tree_lock; the last put frees the number */
void pid_put_locked(struct pid *p);  /* proc_tree_lock held */
struct pid *pid_find_locked(int nr); /* proc_tree_lock held; no reference taken; NULL */
/* Smallest number in use that is >= NR and names a process (for readdir of /proc); NULL at the end. */
struct pid *pid_next_proc_locked(int nr);
/* For /proc: the number given last, and how many have been given since boot. */
void pid_counts(int *last, uint64_t *total);
