/*
 * The machine's parts in the order in which they are brought up. boot/ calls x86_start(), which
 * does all that needs no memory and goes on in kernel_main(); kernel_main() calls the rest when
 * their needs are met.
 */
#pragma once

#include "lib/types.h"
#include "x86/boot_parse.h"

/* Boot CPU, from boot/entry.asm: features, GDT, IDT, early log, boot_info. */
_Noreturn void x86_start(enum boot_loader loader, paddr_t info);

/*
 * ACPI tables, APICs, clock, FPU memory. Needs page_init(), slab_init() and mmio_map(). Afterwards
 * irq_register_*(), clock_*() and threads work; interrupts may be turned on after sched_init().
 */
void x86_init(void);

/* Each CPU: MSRs of the system call. */
void syscall_init_cpu(void);

/* Another CPU, from boot/trampoline.asm, on its own stack. */
struct cpu;
_Noreturn void x86_start_ap(struct cpu *c);
