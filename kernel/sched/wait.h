/*
 * How a thread sleeps until something is true.
 *
 * A wait queue is a list of sleepers and a pointer to the spinlock that guards the condition they
 * sleep for. The rule that makes lost wakeups impossible: the sleeper tests the condition and joins the
 * list under that lock; who makes the condition true does so, and wakes, under the same lock.
 *
 *     spin_lock(&q->lock);
 *     error = wait_event(&q->readable, queue_has_data(q), DEADLINE_NONE);
 *     if (!error) ... take the data: the lock is still held ...
 *     spin_unlock(&q->lock);
 *
 * poll, select and epoll join the same lists with a wake function of their own.
 */
#pragma once

#include "lib/list.h"
#include "lib/types.h"
#include "sched/lock.h"

struct waiter {
    struct list link;      /* wq->lock */
    struct thread *thread; /* const while queued: whom the default wake function wakes */
    /*
     * Called with wq->lock held. KEY says what happened (POLLIN...; 0: look for yourself). Returns true
     * when this counts as the one wakeup of an exclusive waiter. NULL: wake ->thread.
     */
    bool (*wake)(struct waiter *w, unsigned key);
    bool exclusive; /* const while queued: wake_one stops after one of these */
    bool timed;     /* owner: its thread's sleep timer serves this wait */
    int error;      /* owner: what wait_sleep last returned */
};

struct waitq {
    struct spinlock *lock; /* const after init: guards the list and the condition */
    struct list waiters;   /* *lock */
};

void waitq_init(struct waitq *wq, struct spinlock *lock);

/* All need *wq->lock held. wake_one wakes non-exclusive waiters and the first exclusive one that takes it. */
void wake_all(struct waitq *wq, unsigned key);
void wake_one(struct waitq *wq, unsigned key);
/*
 * Pass a wakeup on: who was woken leaves something for the next thread that sleeps in an exclusive wait. Nothing
 * has happened, so the wake functions of poll, epoll and SIGIO hear nothing.
 */
void wake_next(struct waitq *wq);
/* Join WQ: the exclusive stand behind all others, so that wake_one may stop at the first of them. */
void waitq_add(struct waitq *wq, struct waiter *w);
static inline bool waitq_is_empty(const struct waitq *wq)
{
    return list_empty(&wq->waiters);
}

#define DEADLINE_NONE INT64_MAX

enum wait_mode {
    WAIT_INTERRUPTIBLE, /* a signal that must be acted on ends it: -ERESTARTSYS */
    WAIT_KILLABLE,      /* only a fatal one does */
    WAIT_DEAF,          /* none: for short waits that end by the kernel's own doing */
};

/*
 * Sleep until COND holds. *wq->lock is held at the call, whenever COND is evaluated, and on return; it is
 * free while asleep. DEADLINE is absolute CLOCK_MONOTONIC nanoseconds, or DEADLINE_NONE. Yields 0,
 * -ETIMEDOUT, or -ERESTARTSYS; COND is looked at first, so a deadline that has passed still succeeds.
 */
#define wait_event(wq, cond, deadline) \
    wait_event_mode(wq, cond, deadline, WAIT_INTERRUPTIBLE, false)
#define wait_event_exclusive(wq, cond, deadline) \
    wait_event_mode(wq, cond, deadline, WAIT_INTERRUPTIBLE, true)
#define wait_event_killable(wq, cond, deadline) \
    wait_event_mode(wq, cond, deadline, WAIT_KILLABLE, false)
#define wait_event_deaf(wq, cond) ((void)wait_event_mode(wq, cond, DEADLINE_NONE, WAIT_DEAF, false))

#define wait_event_mode(wq, cond, deadline, mode, excl)                            \
    ({                                                                             \
        int _error = 0;                                                            \
        if (!(cond)) {                                                             \
            struct waiter _w;                                                      \
            struct waitq *_wq = (wq);                                              \
            nsec_t _deadline = (deadline);                                         \
            waiter_init(&_w, (excl));                                              \
            while (!(cond) && !(_error = wait_sleep(_wq, &_w, _deadline, (mode)))) \
                ;                                                                  \
            if (_error && (cond))                                                  \
                _error = 0;                                                        \
            wait_finish(_wq, &_w);                                                 \
        }                                                                          \
        _error;                                                                    \
    })

/*
 * The macro's parts. wait_sleep joins the list (if not on it), drops the lock, sleeps, retakes it and
 * returns 0 for "look again" or the error. An exclusive waiter that leaves with an error passes a
 * wakeup it may have swallowed on to the next (wait_finish).
 */
void waiter_init(struct waiter *w, bool exclusive);
int wait_sleep(struct waitq *wq, struct waiter *w, nsec_t deadline, enum wait_mode mode);
void wait_finish(struct waitq *wq, struct waiter *w);

/*
 * Sleep with no condition but "somebody set *FLAG" (poll's own flag, written by its wake function): no
 * lock. The flag is tested after the state is set and before the sleep.
 */
int wait_flag(const bool *flag, nsec_t deadline, enum wait_mode mode);
