/*
 * What libc keeps for each thread. FS points at this structure: the ABI wants its own address in the
 * first word and the stack protector's canary at 0x28. The thread's copy of the program's __thread
 * variables (the ELF segment PT_TLS) lies directly below it.
 *
 *      mapping                                                      FS
 *      | guard page | stack ... grows down <- | TLS variables | struct __pthread |
 */
#pragma once

#include <abi/futex.h>
#include <abi/types.h>
#include <stdbool.h>

#include "internal/lock.h"

/* struct __pthread's `cancel`. Its owner acts on a request when (cancel & 3) == CANCEL_REQUESTED. */
#define CANCEL_REQUESTED 1
#define CANCEL_DISABLED 2
#define CANCEL_ASYNCHRONOUS 4

/* Whose it is to free a thread that has ended. */
enum { THREAD_JOINABLE, THREAD_DETACHED, THREAD_ENDED };

/* Signals of the library's own, which programs can't have. */
#define SIGCANCEL 32
#define LIBRARY_SIGNALS (7UL << 31) /* 32, 33, 34 as bits of a mask */

struct __pthread {
    struct __pthread *self; /* const after init */
    void *dtv;              /* unused: the program is static */
    void *unused[3];
    uint64_t canary;      /* const after init; 0x28, the ABI's place */
    int cancel;           /* atomic: CANCEL_ bits; 0x30, __cancel_point looks there */
    int tid;              /* set by clone; ending (to 0) under tid_lock */
    struct lock tid_lock; /* who holds it may send the thread a signal */
    int alive;            /* futex: the kernel writes 0 and wakes when the thread has ended */
    int state;            /* atomic: THREAD_ */
    bool unblock_cancel;  /* const after init: SIGCANCEL was blocked in its creator */
    void *map;       /* const after init: stack and TLS; NULL when they are not ours to unmap */
    size_t map_size; /* const after init */
    void *(*start)(void *);         /* const after init */
    void *arg;                      /* const after init */
    void *result;                   /* owner only until it has ended */
    struct __cleanup *cleanup;      /* owner only: the handlers of pthread_cleanup_push */
    struct key_value *values;       /* owner only: of keys; NULL until the first */
    struct robust_list_head robust; /* owner only, and the kernel when the thread dies */
};

_Static_assert(__builtin_offsetof(struct __pthread, canary) == 0x28,
               "the ABI's place for the canary");
_Static_assert(__builtin_offsetof(struct __pthread, cancel) == 0x30, "what cancel.asm looks at");

/* How many threads there are. */
extern int __threads; /* atomic */
/* What a thread does that is cancelled. */
extern void (*__cancelled)(void);

static inline struct __pthread *thread_self(void)
{
    struct __pthread *self;
    __asm__("mov %%fs:0, %0" : "=r"(self));
    return self;
}

/* Bytes for TLS and struct __pthread together. */
size_t __tls_size(void);
/* Lay both out at the end of [mem, mem+size), copy the TLS image, and return what FS must be. */
struct __pthread *__tls_layout(void *mem, size_t size);

/* A key's values at the thread's end (key.c; NULL in programs without keys). */
__attribute__((weak)) void __run_key_destructors(struct __pthread *self);
/* pthread_atfork()'s functions (atfork.c; NULL in programs without). */
enum { FORK_PREPARE, FORK_PARENT, FORK_CHILD };
__attribute__((weak)) void __run_atfork(int when);
