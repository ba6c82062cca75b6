/* What the files of System V semaphores share, and what a process's birth and end need of them. */
#pragma once

#include <abi/sem.h>

#include "ipc/parked.h"
#include "ipc/sysv.h"

struct proc;

#define SEMVMX 32767
#define SEMAEM 32767

struct sem {
    int value; /* the set's lock, as all below */
    pid_t pid; /* who changed it last */
};

struct sem_set {
    struct sysv o;       /* its lock guards all below */
    unsigned nsems;      /* const */
    time_t otime;        /* of the last semop */
    struct list waiters; /* struct sem_waiter by ->parked.link, in order of arrival */
    struct list undos;   /* struct sem_undo by ->in_set */
    struct sem sems[];
};

/* What a process's end will add to the semaphores of one set. */
struct sem_undo {
    struct list in_owner;        /* undo lock (semundo.c) */
    struct list in_set;          /* the set's lock */
    struct sem_undo_list *owner; /* const once linked */
    struct sem_set *set;         /* const once linked; it outlives this */
    short adjust[];              /* the set's lock: one for each semaphore */
};

/* One semop, from its first try to its end. */
struct sem_waiter {
    struct parked parked;
    const struct sembuf *ops; /* const, as all but blocking */
    unsigned nops;
    struct sem_undo *undo; /* NULL: no operation has SEM_UNDO */
    pid_t pid;
    bool alters;                   /* one of them is no wait for zero */
    const struct sembuf *blocking; /* the set's lock: which can't be done */
};

extern struct sysv_table sem_sets;

static inline struct sem_set *set_of(struct sysv *o)
{
    return container_of(o, struct sem_set, o);
}

/* All below: the set is locked. */
/* Do all operations of W or none: 0, -EAGAIN, -ERANGE; 1: they must wait, for W->blocking. */
int sem_try(struct sem_set *set, struct sem_waiter *w);
/* Do what those who wait can do now. */
void sem_wake(struct sem_set *set);
/* Remove it; who waits gets -EIDRM. */
void sem_remove(struct sem_set *set);
size_t sem_total(void); /* of all sets */

/* semundo.c. Where the current process's undo for SET is; the lock may be dropped: err_ptr(-ENOMEM, -EIDRM). */
struct sem_undo *sem_undo_get(struct sem_set *set);
void sem_undo_clear(struct sem_set *set, unsigned first, unsigned n); /* SETVAL, SETALL */
void sem_undo_drop(struct sem_set *set);                              /* the set goes */

/* No lock held. CLONE_SYSVSEM: CHILD undoes together with the current process. 0 or -ENOMEM. */
int sem_undo_share(struct proc *child);
/* P ends, or was never born: what it asked to undo is undone, when it was the last to share it. */
void sem_undo_exit(struct proc *p);
