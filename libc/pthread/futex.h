/* Waiting for a word of memory to change, with what POSIX's functions need around it. */
#pragma once

#include <abi/futex.h>
#include <abi/time.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>

#include "internal/cancel.h"
#include "internal/syscall.h"

/* Is this a time that a caller may give? */
static inline bool time_is_valid(const struct timespec *t)
{
    return !t || (t->tv_nsec >= 0 && t->tv_nsec < 1000000000);
}

/*
 * Sleep while *WORD is VALUE, until CLOCK shows DEADLINE (NULL: for ever). 0, ETIMEDOUT, or another error when the
 * caller should look again. SHARED: other processes have the word too. CANCELLABLE: a cancellation point.
 */
static inline int futex_wait(int *word, int value, clockid_t clock, const struct timespec *deadline,
                             bool shared, bool cancellable)
{
    long op = FUTEX_WAIT_BITSET | (shared ? 0 : FUTEX_PRIVATE_FLAG) |
              (clock == CLOCK_REALTIME ? FUTEX_CLOCK_REALTIME : 0);
    if (deadline && deadline->tv_sec < 0)
        return ETIMEDOUT;
    if (!cancellable)
        return (int)-syscall_raw(SYS_futex, word, op, value, deadline, 0, FUTEX_BITSET_MATCH_ANY);
    return syscall_cancel(SYS_futex, word, op, value, deadline, 0, FUTEX_BITSET_MATCH_ANY) < 0
               ? errno
               : 0;
}

/* Wake up to COUNT who sleep on WORD. It isn't read: it may be gone by now. */
static inline void futex_wake(int *word, int count, bool shared)
{
    syscall_raw(SYS_futex, word, FUTEX_WAKE | (shared ? 0 : FUTEX_PRIVATE_FLAG), count);
}
