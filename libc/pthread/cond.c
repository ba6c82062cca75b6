/*
 * Condition variables. The futex counts signals: who waits notes the count while it still holds the mutex, and
 * sleeps only while the count is that. A signal between unlocking and sleeping changes the count, so the sleep ends
 * at once; nothing is lost. `__waiters` lets a signal that nobody waits for be free, and tells destroy when the last
 * one has left: POSIX allows to destroy right after a broadcast.
 */
#include <errno.h>
#include <pthread.h>

#include "internal/thread.h"
#include "pthread/futex.h"

#define DESTROYING 0x40000000 /* in __waiters: destroy sleeps until the rest is 0 */

int pthread_cond_init(pthread_cond_t *restrict c, const pthread_condattr_t *restrict attr)
{
    *c = (pthread_cond_t){0};
    if (attr) {
        c->__clock = attr->__clock;
        c->__shared = attr->__shared;
    }
    return 0;
}

int pthread_cond_destroy(pthread_cond_t *c)
{
    int waiters = __atomic_or_fetch(&c->__waiters, DESTROYING, __ATOMIC_ACQ_REL);
    while (waiters != DESTROYING) {
        futex_wait(&c->__waiters, waiters, CLOCK_MONOTONIC, NULL, c->__shared, false);
        waiters = __atomic_load_n(&c->__waiters, __ATOMIC_ACQUIRE);
    }
    c->__waiters = 0;
    return 0;
}

struct waiter {
    pthread_cond_t *cond;
    pthread_mutex_t *mutex;
    int error; /* of locking again */
};

static void leave(void *arg)
{
    struct waiter *w = arg;
    bool shared = w->cond->__shared;
    if (__atomic_fetch_sub(&w->cond->__waiters, 1, __ATOMIC_ACQ_REL) == DESTROYING + 1)
        futex_wake(&w->cond->__waiters, 1, shared);
    w->error = pthread_mutex_lock(w->mutex);
}

int pthread_cond_timedwait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m,
                           const struct timespec *restrict deadline)
{
    struct waiter w = {c, m, 0};
    if (!time_is_valid(deadline))
        return EINVAL;
    pthread_testcancel();
    __atomic_fetch_add(&c->__waiters, 1, __ATOMIC_SEQ_CST);
    int sequence = __atomic_load_n(&c->__sequence, __ATOMIC_SEQ_CST);
    int error = pthread_mutex_unlock(m);
    if (error) { /* not ours, and so we did not wait */
        __atomic_fetch_sub(&c->__waiters, 1, __ATOMIC_ACQ_REL);
        return error;
    }
    pthread_cleanup_push(leave, &w);
    error = futex_wait(&c->__sequence, sequence, c->__clock, deadline, c->__shared, true);
    pthread_cleanup_pop(1);
    return w.error ? w.error : error == ETIMEDOUT ? ETIMEDOUT : 0;
}

int pthread_cond_wait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m)
{
    return pthread_cond_timedwait(c, m, NULL);
}

static int wake(pthread_cond_t *c, int count)
{
    bool shared = c->__shared;
    __atomic_fetch_add(&c->__sequence, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&c->__waiters, __ATOMIC_SEQ_CST))
        futex_wake(&c->__sequence, count, shared);
    return 0;
}

int pthread_cond_signal(pthread_cond_t *c)
{
    return wake(c, 1);
}

int pthread_cond_broadcast(pthread_cond_t *c)
{
    return wake(c, INT_MAX);
}

int pthread_condattr_init(pthread_condattr_t *attr)
{
    *attr = (pthread_condattr_t){CLOCK_REALTIME, PTHREAD_PROCESS_PRIVATE};
    return 0;
}

int pthread_condattr_destroy(pthread_condattr_t *attr)
{
    (void)attr;
    return 0;
}

/* A futex knows two clocks. */
int pthread_condattr_setclock(pthread_condattr_t *attr, clockid_t clock)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
        return EINVAL;
    attr->__clock = clock;
    return 0;
}

int pthread_condattr_getclock(const pthread_condattr_t *restrict attr, clockid_t *restrict clock)
{
    *clock = attr->__clock;
    return 0;
}

int pthread_condattr_setpshared(pthread_condattr_t *attr, int shared)
{
    if ((unsigned)shared > 1)
        return EINVAL;
    attr->__shared = shared;
    return 0;
}

int pthread_condattr_getpshared(const pthread_condattr_t *restrict attr, int *restrict shared)
{
    *shared = attr->__shared;
    return 0;
}
