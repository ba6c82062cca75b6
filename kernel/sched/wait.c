/*
 * Sleeping for a condition, and waking who sleeps.
 *
 * The sleeper holds the lock that guards the condition from before its last look until it is on the list
 * and its state says that it sleeps; the waker holds it over the change and the wakeup. What comes without
 * that lock, a signal or the end of the time, is seen by the order of steps that sched.c describes:
 * the state first, then the look.
 *
 * A waiter that is woken by the default wake function leaves the list at that moment. So a waiter that is
 * not on the list any more has been woken, even if it leaves for another reason: if it was exclusive it
 * passes that wakeup on.
 */
#include "sched/wait.h"

#include "sched/sched.h"
#include "sched/thread.h"
#include "x86/clock.h"

static const enum thread_state sleep_state[] = {
    [WAIT_INTERRUPTIBLE] = THREAD_SLEEPING,
    [WAIT_KILLABLE] = THREAD_KILLABLE,
    [WAIT_DEAF] = THREAD_DEAF,
};

void waitq_init(struct waitq *wq, struct spinlock *lock)
{
    wq->lock = lock;
    list_init(&wq->waiters);
}

void waitq_add(struct waitq *wq, struct waiter *w)
{
    assert(spin_is_held(wq->lock));
    if (w->exclusive)
        list_push_back(&wq->waiters, &w->link);
    else
        list_push_front(&wq->waiters, &w->link);
}

void waiter_init(struct waiter *w, bool exclusive)
{
    list_init(&w->link);
    w->thread = current;
    w->wake = NULL;
    w->exclusive = exclusive;
    w->timed = false;
    w->error = 0;
}

/* True when W was woken and that is all the wakeup an exclusive waiter's caller wanted to spend. */
static bool waiter_wake(struct waiter *w, unsigned key)
{
    if (w->wake)
        return w->wake(w, key);
    list_remove(&w->link);
    return sched_wake(w->thread, WAKE_EVENT);
}

void wake_all(struct waitq *wq, unsigned key)
{
    struct waiter *w, *next;

    assert(spin_is_held(wq->lock));
    list_for_each_safe (w, next, &wq->waiters, link)
        waiter_wake(w, key);
}

void wake_one(struct waitq *wq, unsigned key)
{
    struct waiter *w, *next;

    assert(spin_is_held(wq->lock));
    list_for_each_safe (w, next, &wq->waiters, link) {
        bool exclusive = w->exclusive; /* W's owner may be gone once it is woken */
        if (waiter_wake(w, key) && exclusive)
            return;
    }
}

void wake_next(struct waitq *wq)
{
    struct waiter *w, *next;

    assert(spin_is_held(wq->lock));
    list_for_each_safe (w, next, &wq->waiters, link) {
        if (w->exclusive && !w->wake && waiter_wake(w, 0))
            return;
    }
}

/* Does something that is pending for the current thread end a sleep of this kind? */
static inline bool must_not_sleep(enum wait_mode mode)
{
    switch (mode) {
    case WAIT_INTERRUPTIBLE: return signal_pending(current);
    case WAIT_KILLABLE: return fatal_pending(current);
    default: return false;
    }
}

static void enter_state(enum thread_state state)
{
    (void)atomic_xchg(&current->state, state);
}

/* sleep_timer's function. */
static void sleep_timed_out(struct timer *timer)
{
    struct thread *t = container_of(timer, struct thread, sleep_timer);

    atomic_store(&t->timed_out, true);
    sched_wake(t, WAKE_EVENT);
}

/* Arm the current thread's timer. -ETIMEDOUT when DEADLINE has passed already. */
static int sleep_timer_start(nsec_t deadline)
{
    struct thread *t = current;

    if (deadline <= clock_monotonic())
        return -ETIMEDOUT;
    t->timed_out = false;
    t->sleep_timer.fn = sleep_timed_out;
    timer_set(&t->sleep_timer, deadline);
    return 0;
}

static int sleep_timer_stop(void)
{
    timer_cancel_sync(&current->sleep_timer);
    return current->timed_out ? -ETIMEDOUT : 0;
}

int wait_sleep(struct waitq *wq, struct waiter *w, nsec_t deadline, enum wait_mode mode)
{
    assert(spin_is_held(wq->lock));
    if (list_empty(&w->link))
        waitq_add(wq, w);
    if (deadline != DEADLINE_NONE && (w->error = sleep_timer_start(deadline)))
        return w->error;
    enter_state(sleep_state[mode]);
    if (must_not_sleep(mode)) {
        WRITE_ONCE(current->state, THREAD_RUNNING);
        w->error = -ERESTARTSYS;
        if (deadline != DEADLINE_NONE)
            sleep_timer_stop();
        return w->error;
    }
    current->waiting_on = wq;
    spin_unlock(wq->lock);
    schedule();
    w->error = deadline != DEADLINE_NONE ? sleep_timer_stop() : 0;
    spin_lock(wq->lock);
    current->waiting_on = NULL;
    return w->error;
}

void wait_finish(struct waitq *wq, struct waiter *w)
{
    assert(spin_is_held(wq->lock));
    if (!list_empty(&w->link))
        list_remove(&w->link);
    else if (w->exclusive && w->error)
        wake_one(wq, 0);
}

int wait_flag(const bool *flag, nsec_t deadline, enum wait_mode mode)
{
    int error = 0;

    if (atomic_load(flag))
        return 0;
    if (deadline != DEADLINE_NONE && (error = sleep_timer_start(deadline)))
        return error;
    for (;;) {
        enter_state(sleep_state[mode]);
        if (atomic_load(flag))
            break;
        if (must_not_sleep(mode)) {
            error = -ERESTARTSYS;
            break;
        }
        if (deadline != DEADLINE_NONE && atomic_load(&current->timed_out)) {
            error = -ETIMEDOUT;
            break;
        }
        schedule();
    }
    WRITE_ONCE(current->state, THREAD_RUNNING);
    if (deadline != DEADLINE_NONE)
        sleep_timer_stop();
    return error;
}

int sched_sleep_until(nsec_t deadline, enum wait_mode mode)
{
    static const bool never = false;
    int error = wait_flag(&never, deadline, mode);

    return error == -ETIMEDOUT ? 0 : error;
}
