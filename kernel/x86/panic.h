/* The end, when the kernel finds itself wrong. panic() itself is declared in lib/assert.h. */
#pragma once

#include "lib/types.h"

struct regs;

/*
 * The value that a panic writes to QEMU's isa-debug-exit port; QEMU then exits with (value << 1) |
 * 1: 85.
 */
#define PANIC_EXIT_PORT 0xf4
#define PANIC_EXIT_VALUE 0x2a

/* The same as panic(), for a trap: its registers are printed and its stack walked. */
_Noreturn void panic_regs(const struct regs *r, const char *format, ...) format_printf(2, 3);
