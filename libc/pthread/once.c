/* pthread_once: the first caller moves the word from 0 over 1 to 2; if it is cancelled meanwhile, back to 0. */
#include <pthread.h>

#include "pthread/futex.h"

static void finish(int *once, int state)
{
    __atomic_store_n(once, state, __ATOMIC_RELEASE);
    futex_wake(once, INT_MAX, false);
}

static void undo(void *once)
{
    finish(once, 0);
}

int pthread_once(pthread_once_t *once, void (*routine)(void))
{
    for (;;) {
        int state = 0;
        if (__atomic_load_n(once, __ATOMIC_ACQUIRE) == 2)
            return 0;
        if (__atomic_compare_exchange_n(once, &state, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) {
            pthread_cleanup_push(undo, once);
            routine();
            pthread_cleanup_pop(0);
            finish(once, 2);
            return 0;
        }
        if (state == 1)
            futex_wait(once, 1, CLOCK_MONOTONIC, NULL, false, false);
    }
}
