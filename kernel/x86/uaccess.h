/*
 * The only way to user memory. Every function checks that the range lies in the user half, opens
 * the SMAP gate for just the copy, and recovers from a fault that can't be resolved.
 *
 * The plain functions may sleep (a page may have to be made): no spinlock may be held. The _nofault
 * ones never sleep and stop at the first page that isn't there: for use under a spinlock, the
 * caller then drops the lock, calls user_fault_in() and tries again.
 */
#pragma once

#include "lib/string.h"
#include "lib/types.h"
#include "x86/extable.h"

#define USER_END \
    0x00007ffffffff000UL /* first address above what a program may map (Linux's TASK_SIZE) */

static inline bool user_range_ok(const void __user *p, size_t n)
{
    return n <= USER_END && (uintptr_t)p <= USER_END - n;
}

/*
 * One load or store of 1, 2, 4 or 8 bytes at an address that was checked. False when the page can't
 * be made.
 */
#define USER_ACCESSORS(bits)                                                \
    static inline bool load_user_##bits(uint##bits##_t *value, uintptr_t p) \
    {                                                                       \
        uint##bits##_t v;                                                   \
        asm goto(STAC "1:\tmov (%1), %0\n\t" CLAC EXTABLE("1b", "%l2", 0)   \
                 : "=r"(v)                                                  \
                 : "r"(p)                                                   \
                 : "memory"                                                 \
                 : fault);                                                  \
        *value = v;                                                         \
        return true;                                                        \
    fault:                                                                  \
        asm volatile(CLAC ::: "memory");                                    \
        return false;                                                       \
    }                                                                       \
    static inline bool store_user_##bits(uintptr_t p, uint##bits##_t value) \
    {                                                                       \
        asm goto(STAC "1:\tmov %1, (%0)\n\t" CLAC EXTABLE("1b", "%l2", 0)   \
                 :                                                          \
                 : "r"(p), "r"(value)                                       \
                 : "memory"                                                 \
                 : fault);                                                  \
        return true;                                                        \
    fault:                                                                  \
        asm volatile(CLAC ::: "memory");                                    \
        return false;                                                       \
    }
USER_ACCESSORS(8)
USER_ACCESSORS(16)
USER_ACCESSORS(32)
USER_ACCESSORS(64)
#undef USER_ACCESSORS

/* Four words, as most structures are that cross the border often: the gate is opened once. */
static inline bool load_user_four(uint64_t value[4], uintptr_t p)
{
    uint64_t a, b, c, d;
    asm goto(STAC "1:\tmov (%4), %0\n2:\tmov 8(%4), %1\n"
                  "3:\tmov 16(%4), %2\n4:\tmov 24(%4), %3\n\t" CLAC EXTABLE("1b", "%l5", 0)
                      EXTABLE("2b", "%l5", 0) EXTABLE("3b", "%l5", 0) EXTABLE("4b", "%l5", 0)
             : "=&r"(a), "=&r"(b), "=&r"(c), "=&r"(d)
             : "r"(p)
             : "memory"
             : fault);
    value[0] = a, value[1] = b, value[2] = c, value[3] = d;
    return true;
fault:
    asm volatile(CLAC ::: "memory");
    return false;
}

int must_check copy_from_user_any(void *dst, const void __user *src, size_t n);
int must_check copy_to_user_any(void __user *dst, const void *src, size_t n);
void uaccess_assert_may_sleep(void);

#define COPY_SCALAR_FROM_USER(bits)                                                               \
    if (__builtin_constant_p(n) && n == bits / 8) {                                               \
        uint##bits##_t v = 0;                                                                     \
        int error = -EFAULT;                                                                      \
        if (likely(user_range_ok(src, bits / 8)) && likely(load_user_##bits(&v, (uintptr_t)src))) \
            error = 0;                                                                            \
        __builtin_memcpy(dst, &v, bits / 8);                                                      \
        return error;                                                                             \
    }
#define COPY_SCALAR_TO_USER(bits)                                                                 \
    if (__builtin_constant_p(n) && n == bits / 8) {                                               \
        uint##bits##_t v;                                                                         \
        __builtin_memcpy(&v, src, bits / 8);                                                      \
        if (likely(user_range_ok(dst, bits / 8)) && likely(store_user_##bits((uintptr_t)dst, v))) \
            return 0;                                                                             \
        return -EFAULT;                                                                           \
    }

/*
 * 0, or -EFAULT with an unspecified part copied (the rest of a kernel destination is zeroed). Sizes
 * known to the compiler and of one register are one instruction, four words are four.
 */
static inline __attribute__((always_inline)) int must_check copy_from_user(void *dst,
                                                                           const void __user *src,
                                                                           size_t n)
{
#ifdef CONFIG_DEBUG
    uaccess_assert_may_sleep();
#endif
    COPY_SCALAR_FROM_USER(64)
    COPY_SCALAR_FROM_USER(32)
    COPY_SCALAR_FROM_USER(16)
    COPY_SCALAR_FROM_USER(8)
    if (__builtin_constant_p(n) && n == 4 * sizeof(uint64_t)) {
        uint64_t v[4] = {0};
        bool ok = likely(user_range_ok(src, n)) && likely(load_user_four(v, (uintptr_t)src));
        __builtin_memcpy(dst, v, n);
        return ok ? 0 : -EFAULT;
    }
    return copy_from_user_any(dst, src, n);
}

static inline __attribute__((always_inline)) int must_check copy_to_user(void __user *dst,
                                                                         const void *src, size_t n)
{
#ifdef CONFIG_DEBUG
    uaccess_assert_may_sleep();
#endif
    COPY_SCALAR_TO_USER(64)
    COPY_SCALAR_TO_USER(32)
    COPY_SCALAR_TO_USER(16)
    COPY_SCALAR_TO_USER(8)
    return copy_to_user_any(dst, src, n);
}
#undef COPY_SCALAR_FROM_USER
#undef COPY_SCALAR_TO_USER

/*
 * How many bytes were NOT copied: 0 is success. A copy that stops early has copied all before the
 * bad page.
 */
size_t must_check copy_from_user_partial(void *dst, const void __user *src, size_t n);
size_t must_check copy_to_user_partial(void __user *dst, const void *src, size_t n);
size_t must_check copy_to_user_nofault(void __user *dst, const void *src, size_t n);

/* Zero user memory; bytes not zeroed. */
size_t must_check clear_user(void __user *dst, size_t n);

/* Make the first page of the range present (for writing): 0 or -EFAULT/-ENOMEM. May sleep. */
int must_check user_fault_in(const void __user *p, bool write);

/*
 * Copy a string into DST of SIZE bytes. Returns its length without NUL, -EFAULT, or -ENAMETOOLONG
 * when no NUL was found in SIZE bytes.
 */
long must_check strncpy_from_user(char *dst, const char __user *src, size_t size);

/* One scalar: get_user(x, ptr) and put_user(x, ptr), 0 or -EFAULT. */
#define get_user(x, ptr) copy_from_user(&(x), (ptr), sizeof(*(ptr)))
#define put_user(x, ptr)                      \
    ({                                        \
        __typeof__(*(ptr)) _v = (x);          \
        copy_to_user((ptr), &_v, sizeof(_v)); \
    })

/*
 * Atomically: if *P == OLD, *P = NEW. *SEEN gets what was there. Never sleeps: -EFAULT when the
 * page is absent.
 */
int must_check cmpxchg_user_u32(uint32_t __user *p, uint32_t old, uint32_t new_value,
                                uint32_t *seen);
/*
 * One aligned load that doesn't sleep: -EFAULT when the page is absent. For futex, under its bucket
 * lock.
 */
int must_check load_user_u32_nofault(uint32_t *value, const uint32_t __user *p);
