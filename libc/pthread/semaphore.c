/*
 * Semaphores. One 64-bit word holds the count below and the number of those who wait above, so that a post learns
 * from its one addition whether to wake: the next moment a waiter may have destroyed the semaphore.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

#include "pthread/futex.h"

#define ONE_WAITER (1L << 32)

static int fail(int error)
{
    errno = error;
    return -1;
}

int sem_init(sem_t *sem, int shared, unsigned value)
{
    if (value > SEM_VALUE_MAX)
        return fail(EINVAL);
    *sem = (sem_t){value, shared != 0};
    return 0;
}

int sem_destroy(sem_t *sem)
{
    (void)sem;
    return 0;
}

int sem_getvalue(sem_t *restrict sem, int *restrict value)
{
    *value = (int)__atomic_load_n(&sem->__value, __ATOMIC_RELAXED);
    return 0;
}

int sem_post(sem_t *sem)
{
    bool shared = sem->__shared;
    long value = __atomic_load_n(&sem->__value, __ATOMIC_RELAXED);
    do
        if ((int)value == SEM_VALUE_MAX)
            return fail(EOVERFLOW);
    while (!__atomic_compare_exchange_n(&sem->__value, &value, value + 1, 0, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED));
    if (value >= ONE_WAITER)
        futex_wake((int *)&sem->__value, 1, shared);
    return 0;
}

/* Count down, and with LESS leave those who wait. */
static bool take(sem_t *sem, long less)
{
    long value = __atomic_load_n(&sem->__value, __ATOMIC_RELAXED);
    while ((int)value > 0)
        if (__atomic_compare_exchange_n(&sem->__value, &value, value - 1 - less, 0,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return true;
    return false;
}

int sem_trywait(sem_t *sem)
{
    return take(sem, 0) ? 0 : fail(EAGAIN);
}

static void leave(void *sem)
{
    __atomic_fetch_sub(&((sem_t *)sem)->__value, ONE_WAITER, __ATOMIC_RELAXED);
}

int sem_timedwait(sem_t *restrict sem, const struct timespec *restrict deadline)
{
    int error = 0;
    if (take(sem, 0))
        return 0;
    if (!time_is_valid(deadline))
        return fail(EINVAL);
    __atomic_fetch_add(&sem->__value, ONE_WAITER, __ATOMIC_RELAXED);
    while (!take(sem, ONE_WAITER)) {
        if (error == ETIMEDOUT || error == EINTR) {
            leave(sem);
            return fail(error);
        }
        pthread_cleanup_push(leave, sem);
        error = futex_wait((int *)&sem->__value, 0, CLOCK_REALTIME, deadline, sem->__shared, true);
        pthread_cleanup_pop(0);
    }
    return 0;
}

int sem_wait(sem_t *sem)
{
    return sem_timedwait(sem, NULL);
}
