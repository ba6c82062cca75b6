/*
 * The words every file of the kernel uses: fixed-width integers, a few macros, and the two markers
 * that pointers carry across the border to user programs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/errno.h>
#include <abi/types.h>

/* A pointer into the calling process's memory. It is never dereferenced: see x86/uaccess.h. */
#define __user

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096UL
#define PAGE_MASK (~(PAGE_SIZE - 1))

typedef uint64_t paddr_t; /* a physical address */
typedef uint64_t pfn_t;   /* a page frame number: paddr_t >> PAGE_SHIFT */
typedef int64_t
    nsec_t; /* nanoseconds; a point in time is on CLOCK_MONOTONIC unless said otherwise */

#define NSEC_PER_SEC 1000000000LL
#define NSEC_PER_MSEC 1000000LL
#define NSEC_PER_USEC 1000LL

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define ALIGN_UP(x, a) ALIGN_DOWN((x) + (__typeof__(x))(a)-1, a)
#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))

#define min(a, b)               \
    ({                          \
        __typeof__(a) _a = (a); \
        __typeof__(b) _b = (b); \
        _a < _b ? _a : _b;      \
    })
#define max(a, b)               \
    ({                          \
        __typeof__(a) _a = (a); \
        __typeof__(b) _b = (b); \
        _a > _b ? _a : _b;      \
    })

/* The structure of TYPE whose member MEMBER stands at PTR. */
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define noinline __attribute__((noinline))
#define packed __attribute__((packed))
#define aligned(n) __attribute__((aligned(n)))
#define must_check __attribute__((warn_unused_result))
#define format_printf(f, a) __attribute__((format(printf, f, a)))

/* One load or store that the compiler neither splits, repeats nor drops. */
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

/*
 * Functions that return a pointer or an error return the errno as a pointer: the last 4095
 * addresses are never valid, so -errno fits there.
 */
#define MAX_ERRNO 4095
static inline void *err_ptr(long error)
{
    return (void *)error;
}
static inline long ptr_err(const void *p)
{
    return (long)p;
}
static inline bool is_err(const void *p)
{
    return (uintptr_t)p >= (uintptr_t)-MAX_ERRNO;
}
