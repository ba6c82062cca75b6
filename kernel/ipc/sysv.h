/*
 * What System V's segments, semaphore sets and message queues have in common: a table of objects with an id,
 * maybe a key, owners, a mode.
 *
 * An id is an index with a sequence number above it. Indices go round, and every time they begin anew the
 * sequence number rises, so the id of an object that was removed does not soon mean another one.
 *
 * The table's lock guards which objects it holds, and under which keys; an object's lock all that is in the
 * object. An object is removed under both: who has found it and takes its lock must ask ->removed.
 */
#pragma once

#include <abi/ipc.h>

#include "lib/atomic.h"
#include "lib/tree.h"
#include "lib/types.h"
#include "sched/lock.h"

struct cred;

#define SYSV_INDICES 32768 /* Linux's IPCMNI */

struct sysv {
    struct refcount ref;   /* atomic: the table's, and who works with it */
    struct spinlock lock;  /* RANK_SYSV: all of the object it begins */
    struct tree_node node; /* table lock */
    int id;                /* const once in the table */
    uid_t cuid;            /* const */
    gid_t cgid;            /* const */
    key_t key;             /* table lock; read without for show */
    uid_t uid;             /* lock */
    gid_t gid;             /* lock */
    mode_t mode;           /* lock: permissions, and a segment's SHM_DEST and SHM_LOCKED */
    time_t ctime;          /* lock */
    bool removed;          /* lock */
};

struct sysv_table {
    struct spinlock lock;         /* RANK_SYSV_TABLE */
    struct tree objects;          /* lock: by index */
    unsigned count;               /* lock */
    unsigned last;                /* lock: the index given last */
    unsigned seq;                 /* lock: goes up when last goes down */
    bool any;                     /* lock: last has been given */
    void (*free)(struct sysv *o); /* const: the last reference went; no lock held */
};

#define SYSV_TABLE_INIT(name, free_fn)                                                        \
    {                                                                                         \
        .lock = SPINLOCK_INIT(RANK_SYSV_TABLE, name), .objects = TREE_INIT, .free = (free_fn) \
    }

/* The limits, all in /proc/sys/kernel; written there. atomic */
struct sysv_limits {
    uint64_t shmmax, shmall, shmmni;
    uint64_t semmsl, semmns, semopm, semmni;
    uint64_t msgmax, msgmnb, msgmni;
};
extern struct sysv_limits sysv_limits;

/* What get calls want: who makes an object, and what is asked of one that is there already. */
struct sysv_request {
    key_t key;
    int flags;     /* IPC_CREAT, IPC_EXCL, mode */
    uint64_t size; /* bytes or semaphores */
    uint64_t max;  /* so many objects */
    /* A new object, by sysv_setup(); err_ptr. The table's lock is held. */
    struct sysv *(*create)(const struct sysv_request *rq);
    /* May one that exists be had with these arguments? NULL: any. The table's lock is held. */
    int (*check)(struct sysv *o, const struct sysv_request *rq);
};
/* The bodies of shmget, semget and msgget: an id or -errno. */
long sysv_open(struct sysv_table *t, const struct sysv_request *rq);
/* Fill what is common of a new object. */
void sysv_setup(struct sysv *o, const struct sysv_request *rq, const char *name);

static inline void sysv_get(struct sysv *o)
{
    ref_get(&o->ref);
}
void sysv_put(struct sysv_table *t, struct sysv *o);

/* The object of an id, with a reference and locked: err_ptr(-EINVAL), or -EIDRM when it is just being removed. */
struct sysv *sysv_lock(struct sysv_table *t, int id);
/* The same by index, for *_STAT. */
struct sysv *sysv_lock_index(struct sysv_table *t, int index);
void sysv_unlock_put(struct sysv_table *t, struct sysv *o);
/* Highest index in use, 0 when there is none; how many are in use. */
int sysv_highest(struct sysv_table *t, unsigned *count);

/* Take O, which is locked, out of the table and drop the table's reference: nobody finds it any more. */
void sysv_remove(struct sysv_table *t, struct sysv *o);
/* Nobody finds O by its key any more, but by its id. O is locked. */
void sysv_forget_key(struct sysv_table *t, struct sysv *o);

/* MODE bits in all three places (0444, 0222): 0 or -EACCES, to the caller or to who has C. O is locked. */
int sysv_permission(const struct sysv *o, mode_t mode);
int sysv_permission_of(const struct sysv *o, const struct cred *c, mode_t mode);
/* May the caller remove or change it? 0 or -EPERM. O is locked. */
int sysv_owner(const struct sysv *o);
/* IPC_SET's part. O is locked. -EINVAL: no such ids. */
int sysv_set(struct sysv *o, const struct ipc_perm *p);
void sysv_stat(const struct sysv *o, struct ipc_perm *p);

/* Visit all, each locked in turn. */
void sysv_for_each(struct sysv_table *t, void (*visit)(void *ctx, struct sysv *o), void *ctx);

static inline int sysv_index(const struct sysv *o)
{
    return o->id % SYSV_INDICES;
}
time_t sysv_now(void);

/* A line of text for each object: /proc/sysvipc/. EMIT may be called below locks. */
void shm_show(void (*emit)(void *ctx, const char *line), void *ctx);
void sem_show(void (*emit)(void *ctx, const char *line), void *ctx);
void msg_show(void (*emit)(void *ctx, const char *line), void *ctx);
