/*
 * The table of processors, and the small things a processor does alone.
 */
#include "x86/cpu.h"

#include "x86/context.h"
#include "x86/gdt.h"

/* Where assembly (regs.inc) and the inline functions of cpu.h look. */
_Static_assert(offsetof(struct cpu, self) == 0 && offsetof(struct cpu, running) == 8 &&
                   offsetof(struct cpu, kstack_top) == 16 && offsetof(struct cpu, user_rsp) == 24 &&
                   offsetof(struct cpu, event_next) == 32 && offsetof(struct cpu, events) == 128,
               "x86/regs.inc says the same");

struct cpu cpus[MAX_CPUS];
int num_cpus = 1;

void cpu_wait_for_interrupt(void)
{
    struct cpu *c = this_cpu();

    c->halted = true;
    /* sti takes effect after the next instruction: an interrupt can't come before the hlt. */
    asm volatile("sti; hlt" ::: "memory");
    c->halted = false;
}
