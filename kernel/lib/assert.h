/*
 * assert states what we believe, never what a program, a device or a packet can cause. In a release
 * build it costs nothing; panic() is for what must stop the machine in both.
 */
#pragma once

#include "lib/types.h"

/* Print the message, every CPU's registers and stack, stop all CPUs and end QEMU. Never returns. */
_Noreturn void panic(const char *format, ...) format_printf(1, 2);

#ifdef CONFIG_DEBUG
#define assert(cond)                                                                        \
    do {                                                                                    \
        if (unlikely(!(cond)))                                                              \
            panic("assertion failed: %s (%s:%d, %s)", #cond, __FILE__, __LINE__, __func__); \
    } while (0)
#else
#define assert(cond) ((void)sizeof(!(cond)))
#endif
