/*
 * System calls from C: syscall_raw(SYS_x, ...) takes up to six arguments and returns what the kernel
 * left in RAX, a negative errno on failure; __syscall_ret() turns that into -1 and errno. Most of libc's
 * plain calls need neither: tools/gensyscalls makes them in assembly.
 */
#pragma once

#include <abi/types.h>
#include <syscall_nr.h>

#define MAX_ERRNO 4095

static inline long syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static inline long syscall3(long nr, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(nr), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

#define SYSCALL_1(nr) syscall3(nr, 0, 0, 0)
#define SYSCALL_2(nr, a) syscall3(nr, (long)(a), 0, 0)
#define SYSCALL_3(nr, a, b) syscall3(nr, (long)(a), (long)(b), 0)
#define SYSCALL_4(nr, a, b, c) syscall3(nr, (long)(a), (long)(b), (long)(c))
#define SYSCALL_5(nr, a, b, c, d) syscall6(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SYSCALL_6(nr, a, b, c, d, e) \
    syscall6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define SYSCALL_7(nr, a, b, c, d, e, f) \
    syscall6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define SYSCALL_PICK(a, b, c, d, e, f, g, name, ...) name
#define syscall_raw(...)                                                                        \
    SYSCALL_PICK(__VA_ARGS__, SYSCALL_7, SYSCALL_6, SYSCALL_5, SYSCALL_4, SYSCALL_3, SYSCALL_2, \
                 SYSCALL_1, 0)                                                                  \
    (__VA_ARGS__)

/* A raw result as libc's functions return it: errno set and -1, or the result itself. */
long __syscall_ret(long raw);
