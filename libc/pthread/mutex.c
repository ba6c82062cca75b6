/* The plain mutex is libc's lock; once is a state that the first caller moves from 0 over 1 to 2. */
#include <errno.h>
#include <pthread.h>

#include <abi/futex.h>

#include "internal/lock.h"
#include "internal/syscall.h"

_Static_assert(sizeof(struct lock) == sizeof(pthread_mutex_t), "a mutex is a lock");

int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr)
{
    (void)attr;
    mutex->state = 0;
    return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    return mutex->state ? EBUSY : 0;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    lock_acquire((struct lock *)mutex);
    return 0;
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    int free_state = 0;
    return __atomic_compare_exchange_n(&mutex->state, &free_state, 1, 0, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED)
               ? 0
               : EBUSY;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    lock_release((struct lock *)mutex);
    return 0;
}

int pthread_once(pthread_once_t *once, void (*routine)(void))
{
    int untouched = 0;
    if (__atomic_compare_exchange_n(once, &untouched, 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        routine();
        __atomic_store_n(once, 2, __ATOMIC_RELEASE);
        syscall_raw(SYS_futex, once, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 0x7fffffff);
        return 0;
    }
    while (__atomic_load_n(once, __ATOMIC_ACQUIRE) != 2)
        syscall_raw(SYS_futex, once, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, 0);
    return 0;
}
