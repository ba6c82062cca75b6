/*
 * Read-write locks: the word counts readers, or has WRITER; WAITERS in it says that somebody may sleep, and who
 * makes the lock free takes that off and wakes all of them. Readers come in while others read, whoever waits: a
 * thread may then lock for reading twice. Spin locks stand here too, since there is nothing to say of them.
 */
#include <errno.h>
#include <pthread.h>

#include "internal/thread.h"
#include "pthread/futex.h"

#define WAITERS 0x40000000
#define WRITER 0x3fffffff

int pthread_rwlock_init(pthread_rwlock_t *restrict l, const pthread_rwlockattr_t *restrict attr)
{
    *l = (pthread_rwlock_t){.__shared = attr && attr->__shared};
    return 0;
}

int pthread_rwlock_destroy(pthread_rwlock_t *l)
{
    return __atomic_load_n(&l->__state, __ATOMIC_RELAXED) ? EBUSY : 0;
}

/* Wait until the lock has not the STATE that was seen in it. 0, or why we may not wait longer. */
static int wait_for_change(pthread_rwlock_t *l, int state, const struct timespec *deadline)
{
    if (!time_is_valid(deadline))
        return EINVAL;
    if (!(state & WAITERS) && !__atomic_compare_exchange_n(&l->__state, &state, state | WAITERS, 0,
                                                           __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return 0;
    int error =
        futex_wait(&l->__state, state | WAITERS, CLOCK_REALTIME, deadline, l->__shared, false);
    return error == ETIMEDOUT ? error : 0;
}

static bool is_writer(const pthread_rwlock_t *l)
{
    return __atomic_load_n(&l->__writer, __ATOMIC_RELAXED) == thread_self()->tid;
}

static int read_lock(pthread_rwlock_t *l, bool wait, const struct timespec *deadline)
{
    int error = 0;
    while (error == 0) {
        int state = __atomic_load_n(&l->__state, __ATOMIC_RELAXED);
        int readers = state & ~WAITERS;
        if (readers == WRITER - 1)
            return EAGAIN;
        if (readers != WRITER) {
            if (__atomic_compare_exchange_n(&l->__state, &state, state + 1, 0, __ATOMIC_ACQUIRE,
                                            __ATOMIC_RELAXED))
                return 0;
        } else if (!wait) {
            return EBUSY;
        } else {
            error = is_writer(l) ? EDEADLK : wait_for_change(l, state, deadline);
        }
    }
    return error;
}

static int write_lock(pthread_rwlock_t *l, bool wait, const struct timespec *deadline)
{
    int error = 0;
    while (error == 0) {
        int state = __atomic_load_n(&l->__state, __ATOMIC_RELAXED);
        if ((state & ~WAITERS) == 0) {
            if (__atomic_compare_exchange_n(&l->__state, &state, WRITER | state, 0,
                                            __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
                __atomic_store_n(&l->__writer, thread_self()->tid, __ATOMIC_RELAXED);
                return 0;
            }
        } else if (!wait) {
            return EBUSY;
        } else {
            error = is_writer(l) ? EDEADLK : wait_for_change(l, state, deadline);
        }
    }
    return error;
}

int pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
    return read_lock(l, true, NULL);
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t *l)
{
    return read_lock(l, false, NULL);
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t *restrict l,
                               const struct timespec *restrict deadline)
{
    return read_lock(l, true, deadline);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
    return write_lock(l, true, NULL);
}

int pthread_rwlock_trywrlock(pthread_rwlock_t *l)
{
    return write_lock(l, false, NULL);
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t *restrict l,
                               const struct timespec *restrict deadline)
{
    return write_lock(l, true, deadline);
}

int pthread_rwlock_unlock(pthread_rwlock_t *l)
{
    bool shared = l->__shared; /* once it is free, it may be gone */
    int state = __atomic_load_n(&l->__state, __ATOMIC_RELAXED), after;
    if ((state & ~WAITERS) == WRITER)
        __atomic_store_n(&l->__writer, 0, __ATOMIC_RELAXED);
    do {
        int readers = state & ~WAITERS;
        if (readers == 0)
            return EPERM;
        after = readers == WRITER || readers == 1 ? 0 : state - 1;
    } while (!__atomic_compare_exchange_n(&l->__state, &state, after, 0, __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED));
    if (after == 0 && state & WAITERS)
        futex_wake(&l->__state, INT_MAX, shared);
    return 0;
}

int pthread_rwlockattr_init(pthread_rwlockattr_t *attr)
{
    attr->__shared = PTHREAD_PROCESS_PRIVATE;
    return 0;
}

int pthread_rwlockattr_destroy(pthread_rwlockattr_t *attr)
{
    (void)attr;
    return 0;
}

int pthread_rwlockattr_setpshared(pthread_rwlockattr_t *attr, int shared)
{
    if ((unsigned)shared > 1)
        return EINVAL;
    attr->__shared = shared;
    return 0;
}

int pthread_rwlockattr_getpshared(const pthread_rwlockattr_t *restrict attr, int *restrict shared)
{
    *shared = attr->__shared;
    return 0;
}

int pthread_spin_init(pthread_spinlock_t *lock, int shared)
{
    (void)shared;
    *lock = 0;
    return 0;
}

int pthread_spin_destroy(pthread_spinlock_t *lock)
{
    (void)lock;
    return 0;
}

int pthread_spin_trylock(pthread_spinlock_t *lock)
{
    return __atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE) ? EBUSY : 0;
}

int pthread_spin_lock(pthread_spinlock_t *lock)
{
    while (pthread_spin_trylock(lock))
        while (__atomic_load_n(lock, __ATOMIC_RELAXED))
            __builtin_ia32_pause();
    return 0;
}

int pthread_spin_unlock(pthread_spinlock_t *lock)
{
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
    return 0;
}
