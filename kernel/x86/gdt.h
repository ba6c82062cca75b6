/*
 * Segments and task state, one set a CPU, and the CPU's interrupt stacks. The selectors have the
 * values that programs see on Linux (a signal frame and /proc show them).
 */
#pragma once

#include "lib/types.h"
#include "x86/cpu.h"

#define KERNEL_CS 0x10
#define KERNEL_DS 0x18
#define USER_DS 0x2b
#define USER_CS 0x33
#define TSS_SELECTOR 0x40
/* SYSRET loads CS from this plus 16 and SS from this plus 8. The entry itself stays empty. */
#define SYSRET_BASE 0x23

#define GDT_ENTRIES 10

/*
 * Traps that can't trust the stack they come on get one of their own: index + 1 is the IDT's IST
 * field.
 */
enum ist { IST_DOUBLE_FAULT, IST_NMI, IST_MACHINE_CHECK, IST_COUNT };
#define IST_STACK_SIZE 8192

/* SDM volume 3, figure 8-11. */
struct tss {
    uint32_t reserved0;
    uint64_t rsp0; /* this CPU only: the stack for traps from user mode */
    uint64_t rsp1, rsp2;
    uint64_t reserved1;
    uint64_t ist[7]; /* const after init */
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t iomap_base; /* const: beyond the limit, so no port is open to programs */
} packed;

/* What cpu->arch points to. */
struct arch_cpu {
    uint64_t gdt[GDT_ENTRIES]; /* const after init */
    struct tss tss;
    uint64_t loaded_fs; /* this CPU only: FS and GS bases last loaded, where there is no FSGSBASE */
    uint64_t loaded_gs;
    uint8_t ist[IST_COUNT][IST_STACK_SIZE] aligned(16); /* this CPU only */
};

static inline struct arch_cpu *arch_of(const struct cpu *c)
{
    return c->arch;
}

/* Fill C's tables, then load them on this CPU, which is C. */
void gdt_init_cpu(struct cpu *c);

/* Fill the interrupt table, shared by all CPUs; load it on this CPU. */
void idt_init(void);
void idt_load(void);
