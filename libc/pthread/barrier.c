/*
 * Barriers work in rounds: the last to arrive begins the next one and wakes the others, who sleep on the round's
 * number. `__inside` counts who is in the function at all, because a barrier may be destroyed as soon as the first
 * has come out of it: destroy waits for the rest.
 */
#include <errno.h>
#include <pthread.h>

#include "internal/lock.h"
#include "pthread/futex.h"

#define DESTROYING 0x40000000 /* in __inside: destroy sleeps until the rest is 0 */

int pthread_barrier_init(pthread_barrier_t *restrict b, const pthread_barrierattr_t *restrict attr,
                         unsigned count)
{
    if (count == 0 || count > INT_MAX)
        return EINVAL;
    *b = (pthread_barrier_t){.__count = count, .__shared = attr && attr->__shared};
    return 0;
}

int pthread_barrier_destroy(pthread_barrier_t *b)
{
    int inside = __atomic_or_fetch(&b->__inside, DESTROYING, __ATOMIC_ACQ_REL);
    if (b->__arrived) {
        __atomic_and_fetch(&b->__inside, ~DESTROYING, __ATOMIC_ACQ_REL);
        return EBUSY;
    }
    while (inside != DESTROYING) {
        futex_wait(&b->__inside, inside, CLOCK_MONOTONIC, NULL, b->__shared, false);
        inside = __atomic_load_n(&b->__inside, __ATOMIC_ACQUIRE);
    }
    return 0;
}

int pthread_barrier_wait(pthread_barrier_t *b)
{
    bool shared = b->__shared;
    int serial = 0;
    __atomic_fetch_add(&b->__inside, 1, __ATOMIC_ACQ_REL);
    while (__atomic_exchange_n(&b->__lock, 1, __ATOMIC_ACQUIRE))
        sched_yield(); /* held for a few instructions */
    int round = b->__round;
    if (++b->__arrived == b->__count) {
        b->__arrived = 0;
        __atomic_store_n(&b->__round, round + 1, __ATOMIC_RELEASE);
        serial = PTHREAD_BARRIER_SERIAL_THREAD;
    }
    __atomic_store_n(&b->__lock, 0, __ATOMIC_RELEASE);
    if (serial)
        futex_wake(&b->__round, INT_MAX, shared);
    while (__atomic_load_n(&b->__round, __ATOMIC_ACQUIRE) == round)
        futex_wait(&b->__round, round, CLOCK_MONOTONIC, NULL, shared, false);
    if (__atomic_fetch_sub(&b->__inside, 1, __ATOMIC_ACQ_REL) == DESTROYING + 1)
        futex_wake(&b->__inside, 1, shared);
    return serial;
}

int pthread_barrierattr_init(pthread_barrierattr_t *attr)
{
    attr->__shared = PTHREAD_PROCESS_PRIVATE;
    return 0;
}

int pthread_barrierattr_destroy(pthread_barrierattr_t *attr)
{
    (void)attr;
    return 0;
}

int pthread_barrierattr_setpshared(pthread_barrierattr_t *attr, int shared)
{
    if ((unsigned)shared > 1)
        return EINVAL;
    attr->__shared = shared;
    return 0;
}

int pthread_barrierattr_getpshared(const pthread_barrierattr_t *restrict attr, int *restrict shared)
{
    *shared = attr->__shared;
    return 0;
}
