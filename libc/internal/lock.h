/*
 * The lock that libc's own data is guarded by: a futex with the three states of pthread_mutex_t. A
 * program that never made a second thread pays for one exchange.
 */
#pragma once

struct lock {
    int state; /* atomic: 0 free, 1 held, 2 held and somebody may be waiting */
};

void __lock_acquire(struct lock *lock);
void __lock_release(struct lock *lock);

/* Around fork(): the child must not find the heap half changed by a thread that it doesn't have. */
void __heap_lock(void);
void __heap_unlock(void);
