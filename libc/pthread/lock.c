/*
 * The futex lock under everything: 0 free, 1 held, 2 held and somebody may sleep. Who must wait writes 2
 * before it sleeps, so the holder, on release, knows whether to wake (Drepper, "Futexes are tricky").
 */
#include "internal/lock.h"
#include "internal/syscall.h"

#include <abi/futex.h>

void __lock_acquire(struct lock *lock)
{
    int free_state = 0;
    if (__atomic_compare_exchange_n(&lock->state, &free_state, 1, 0, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
        return;
    while (__atomic_exchange_n(&lock->state, 2, __ATOMIC_ACQUIRE) != 0)
        syscall_raw(SYS_futex, &lock->state, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 2, 0);
}

void __lock_release(struct lock *lock)
{
    if (__atomic_exchange_n(&lock->state, 0, __ATOMIC_RELEASE) == 2)
        syscall_raw(SYS_futex, &lock->state, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
}
