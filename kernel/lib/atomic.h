/*
 * Reference counts and atomic counters, on the compiler's C11-style builtins.
 */
#pragma once

#include "lib/assert.h"
#include "lib/types.h"

struct refcount {
    int count; /* atomic */
};

#define REFCOUNT_INIT(n) \
    {                    \
        n                \
    }

static inline void ref_init(struct refcount *r, int n)
{
    __atomic_store_n(&r->count, n, __ATOMIC_RELAXED);
}

static inline int ref_read(const struct refcount *r)
{
    return __atomic_load_n(&r->count, __ATOMIC_RELAXED);
}

/* Take one more reference to something we already hold one to. */
static inline void ref_get(struct refcount *r)
{
    int old = __atomic_fetch_add(&r->count, 1, __ATOMIC_RELAXED);
    assert(old > 0);
    (void)old;
}

/* Give one back. True when it was the last: the caller frees. */
static inline must_check bool ref_put(struct refcount *r)
{
    int old = __atomic_fetch_sub(&r->count, 1, __ATOMIC_ACQ_REL);
    assert(old > 0);
    return old == 1;
}

#define atomic_load(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define atomic_store(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define atomic_add(p, n) __atomic_add_fetch(p, n, __ATOMIC_RELAXED)
#define atomic_sub(p, n) __atomic_sub_fetch(p, n, __ATOMIC_RELAXED)
#define atomic_or(p, bits) __atomic_fetch_or(p, bits, __ATOMIC_ACQ_REL)
#define atomic_and(p, bits) __atomic_fetch_and(p, bits, __ATOMIC_ACQ_REL)
#define atomic_xchg(p, v) __atomic_exchange_n(p, v, __ATOMIC_ACQ_REL)
