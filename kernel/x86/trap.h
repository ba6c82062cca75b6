/* Vectors and the functions that assembly calls for them. For kernel/x86 alone. */
#pragma once

#include "lib/types.h"

struct regs;

enum trap_vector {
    TRAP_DIVIDE = 0,
    TRAP_DEBUG = 1,
    TRAP_NMI = 2,
    TRAP_BREAKPOINT = 3,
    TRAP_OVERFLOW = 4,
    TRAP_BOUND = 5,
    TRAP_OPCODE = 6,
    TRAP_NO_FPU = 7,
    TRAP_DOUBLE_FAULT = 8,
    TRAP_TSS = 10,
    TRAP_SEGMENT = 11,
    TRAP_STACK = 12,
    TRAP_PROTECTION = 13,
    TRAP_PAGE_FAULT = 14,
    TRAP_X87 = 16,
    TRAP_ALIGNMENT = 17,
    TRAP_MACHINE_CHECK = 18,
    TRAP_SIMD = 19,
    TRAP_CONTROL = 21,
};

/* Device interrupts lie between; the rest belongs to the local APIC. */
#define VECTOR_DEVICE_FIRST 0x20
#define VECTOR_DEVICE_LAST 0xdf
#define VECTOR_PIC \
    0xe0 /* where the masked 8259s would deliver what they can't hold back: 0xe0..0xef */
#define VECTOR_RESCHED 0xf0
#define VECTOR_CALL 0xf1
#define VECTOR_TIMER 0xf2
#define VECTOR_ERROR 0xfe
#define VECTOR_SPURIOUS 0xff

/* trap.c: what vector TRAPNO, below 32, is called. */
const char *trap_name(unsigned trapno);
/* irq.c: any vector from VECTOR_DEVICE_FIRST up. Interrupts are off, and stay off. */
void interrupt_dispatch(struct regs *r);

/* trap.asm: one entry a vector, 16 bytes each. */
extern const char trap_entries[256][16];
