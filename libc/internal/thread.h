/*
 * What libc keeps for each thread. FS points at this structure: the ABI wants its own address in the
 * first word and the stack protector's canary at 0x28. The thread's copy of the program's __thread
 * variables (the ELF segment PT_TLS) lies directly below it.
 *
 *      mapping                                                      FS
 *      | guard page | stack ... grows down <- | TLS variables | struct __pthread |
 */
#pragma once

#include <abi/types.h>

struct __pthread {
    struct __pthread *self; /* const after init */
    void *dtv;              /* unused: the program is static */
    void *unused[3];
    uint64_t canary;        /* const after init; 0x28, the ABI's place */
    int tid;                /* the kernel's id; set by clone */
    int alive;              /* futex: the kernel writes 0 and wakes when the thread has ended */
    int detached;           /* atomic: 0 joinable, 1 detached or ended (see thread_end) */
    void *map;              /* const after init: stack and TLS, NULL for the first thread */
    size_t map_size;        /* const after init */
    void *(*start)(void *); /* const after init */
    void *arg;              /* const after init */
    void *result;           /* owner only until it has ended */
};

_Static_assert(__builtin_offsetof(struct __pthread, canary) == 0x28,
               "the ABI's place for the canary");

static inline struct __pthread *thread_self(void)
{
    struct __pthread *self;
    __asm__("mov %%fs:0, %0" : "=r"(self));
    return self;
}

/* Bytes for TLS and struct __pthread together. */
size_t tls_size(void);
/* Lay both out at the end of [mem, mem+size), copy the TLS image, and return what FS must be. */
struct __pthread *tls_layout(void *mem, size_t size);
