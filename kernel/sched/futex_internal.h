/*
 * The table of those who wait for futexes, for the files that are futex(2): futex.c has the plain
 * operations, futex_pi.c the words that are locks and lend priority.
 */
#pragma once

#include <abi/futex.h>

#include "lib/list.h"
#include "lib/types.h"
#include "sched/lock.h"
#include "sched/thread.h"

struct vmobject;

struct futex_key {
    const void *space;       /* struct mm, or a struct vmobject to which a reference is held */
    uint64_t offset;         /* the address, or the offset in the object */
    struct vmobject *object; /* the reference; NULL for private memory */
};

struct futex_bucket {
    struct spinlock lock; /* RANK_FUTEX */
    struct list waiters;  /* lock: struct futex_waiter */
};

enum futex_kind {
    FUTEX_PLAIN,  /* FUTEX_WAIT: woken by whoever wakes */
    FUTEX_MOVING, /* FUTEX_WAIT_REQUEUE_PI: to be moved to the lock that it has named */
    FUTEX_LOCK,   /* waits for a lock; see futex_pi.c */
};

struct futex_waiter {
    struct list link;            /* bucket->lock */
    struct futex_key key;        /* bucket->lock: a requeue changes it */
    struct futex_bucket *bucket; /* bucket->lock; the waiter itself reads it to find the lock */
    struct thread *thread;       /* const */
    uint32_t bitset;             /* const */
    enum futex_kind kind;        /* bucket->lock */
    bool woken;                  /* atomic; set under bucket->lock */

    /* of locks alone */
    const struct futex_key *target; /* const: where a MOVING one wants to go */
    struct thread *owner;           /* pi_spin: who has the lock; NULL: nobody, or it is ours */
    struct list owner_link;         /* pi_spin: owner->pi_waiters */
    bool
        inherited; /* bucket->lock: the owner died and it is ours, which the word doesn't say yet */
    bool locked;   /* bucket->lock: it is ours, and the word says so */
};

int futex_key_get(struct futex_key *key, const uint32_t __user *word, bool shared);
void futex_key_put(struct futex_key *key);
static inline bool futex_key_equal(const struct futex_key *a, const struct futex_key *b)
{
    return a->space == b->space && a->offset == b->offset;
}
struct futex_bucket *futex_bucket_of(const struct futex_key *key);
void futex_lock_two(struct futex_bucket *a, struct futex_bucket *b);
void futex_unlock_two(struct futex_bucket *a, struct futex_bucket *b);

/* W, off its list, has what it waited for; its bucket is locked, and W may be gone once it is not. */
void futex_waiter_wake(struct futex_waiter *w);
/* Queue W if *WORD still is VALUE. -EAGAIN when it isn't. */
int futex_waiter_queue(struct futex_waiter *w, const uint32_t __user *word, uint32_t value);
/* Lock the bucket that W is in, wherever it has been moved to. */
struct futex_bucket *futex_waiter_lock(struct futex_waiter *w);
/* W, already off its list, goes to bucket TO under the name KEY. Both buckets are locked. */
void futex_waiter_move(struct futex_waiter *w, struct futex_bucket *to,
                       const struct futex_key *key);

/* futex_pi.c: the operations on locks. */
long futex_lock(uint32_t __user *word, bool shared, nsec_t deadline, bool try);
long futex_unlock(uint32_t __user *word, bool shared);
long futex_wait_moving(uint32_t __user *word, bool shared, uint32_t value, nsec_t deadline,
                       uint32_t __user *lock);
long futex_move(uint32_t __user *word, uint32_t __user *lock, bool shared, int max_wake,
                int max_move, uint32_t expected);
