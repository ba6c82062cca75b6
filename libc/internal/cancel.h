/*
 * Cancellation points: calls in which a thread that is to be cancelled ends. The generated stubs of those in
 * POSIX's list go there by themselves; syscall_cancel(SYS_x, up to six arguments) is for functions in C. It
 * returns -1 with errno, as a stub does.
 */
#pragma once

#include "internal/syscall.h"

long __syscall_cancel(long a, long b, long c, long d, long e, long f, long nr);

#define CANCEL_1(nr) __syscall_cancel(0, 0, 0, 0, 0, 0, nr)
#define CANCEL_2(nr, a) __syscall_cancel((long)(a), 0, 0, 0, 0, 0, nr)
#define CANCEL_3(nr, a, b) __syscall_cancel((long)(a), (long)(b), 0, 0, 0, 0, nr)
#define CANCEL_4(nr, a, b, c) __syscall_cancel((long)(a), (long)(b), (long)(c), 0, 0, 0, nr)
#define CANCEL_5(nr, a, b, c, d) \
    __syscall_cancel((long)(a), (long)(b), (long)(c), (long)(d), 0, 0, nr)
#define CANCEL_6(nr, a, b, c, d, e) \
    __syscall_cancel((long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0, nr)
#define CANCEL_7(nr, a, b, c, d, e, f) \
    __syscall_cancel((long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f), nr)
#define syscall_cancel(...)                                                               \
    SYSCALL_PICK(__VA_ARGS__, CANCEL_7, CANCEL_6, CANCEL_5, CANCEL_4, CANCEL_3, CANCEL_2, \
                 CANCEL_1, 0)                                                             \
    (__VA_ARGS__)
