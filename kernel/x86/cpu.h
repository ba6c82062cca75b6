/*
 * One struct cpu a processor, reached through the GS base while in the kernel. What other folders
 * keep per CPU they keep in arrays indexed by cpu_id().
 */
#pragma once

#include "lib/assert.h"
#include "lib/types.h"

#define MAX_CPUS 32
#define EVENT_WORDS 256 /* event_next wraps by itself */

struct thread;

/* The first fields stand where kernel/x86/entry.asm expects them (static asserts in cpu.c). */
struct cpu {
    struct cpu *self;       /* +0  const after init */
    struct thread *running; /* +8  this CPU only: the thread that runs */
    uintptr_t kstack_top;   /* +16 this CPU only: where a system call's stack begins */
    uintptr_t user_rsp;     /* +24 this CPU only: scratch of the system call entry */
    uint8_t event_next;     /* +32 this CPU only: where the event ring goes on (x86/event.h) */
    uint8_t event_seen;     /* this CPU only: up to where event_seen_progress() has looked */
    int id;                 /* const after init: 0 is the boot CPU; dense */
    uint32_t apic_id;       /* const after init */
    int irq_off_depth;      /* this CPU only: nesting of irq_push_off() */
    bool irq_were_on;       /* this CPU only: interrupts were on at the outermost irq_push_off() */
    bool in_interrupt;      /* this CPU only: an interrupt handler is running */
    bool online;            /* written once by its CPU, atomic */
    bool halted;            /* this CPU only (the watchdog reads): it waits for an interrupt */
    uint64_t interrupts;    /* this CPU only (others may read): for /proc/stat */
    uint64_t tsc_offset;    /* const after init: added to the TSC to agree with CPU 0's */
    void *arch;             /* const after init: GDT, TSS, IST stacks */
    uint64_t events[EVENT_WORDS] aligned(64); /* +128 this CPU only: see x86/event.h */
};

extern struct cpu cpus[MAX_CPUS];
extern int num_cpus; /* const after the APs are up */

static inline struct cpu *this_cpu(void)
{
    struct cpu *c;
    asm volatile("mov %%gs:0, %0" : "=r"(c));
    return c;
}

static inline int cpu_id(void)
{
    return this_cpu()->id;
}

/* The running thread. Never NULL after sched_init(). Constant for the code that reads it. */
static inline struct thread *current_thread(void)
{
    struct thread *t;
    asm("mov %%gs:8, %0" : "=r"(t) : :);
    return t;
}
#define current current_thread()

static inline bool irqs_enabled(void)
{
    uint64_t flags;
    asm volatile("pushfq; popq %0" : "=r"(flags));
    return flags & (1 << 9);
}
static inline void irq_disable(void)
{
    asm volatile("cli" ::: "memory");
}
static inline void irq_enable(void)
{
    asm volatile("sti" ::: "memory");
}

/*
 * Interrupts stay off until as many pop as push; the state before the first push comes back. That
 * state belongs to the thread: context_switch() carries it along.
 */
static inline void irq_push_off(void)
{
    bool were_on = irqs_enabled();
    irq_disable();
    struct cpu *c = this_cpu();
    if (c->irq_off_depth++ == 0)
        c->irq_were_on = were_on;
}
static inline void irq_pop_off(void)
{
    struct cpu *c = this_cpu();
    assert(!irqs_enabled() && c->irq_off_depth > 0);
    if (--c->irq_off_depth == 0 && c->irq_were_on)
        irq_enable();
}

static inline void cpu_relax(void)
{
    asm volatile("pause" ::: "memory");
}

/*
 * Enable interrupts and halt until one comes, without a window between the two. Returns with them
 * on.
 */
void cpu_wait_for_interrupt(void);

/* Make CPU pass through sched_ipi(). Harmless when it is this one. */
void cpu_send_resched(int cpu);

/*
 * Run fn(arg) in interrupt context on every CPU of MASK but this one, and return when all have. The
 * caller has interrupts on or holds no lock that a handler may want (it answers calls while it
 * waits).
 */
typedef uint64_t cpumask_t;
void cpu_call(cpumask_t mask, void (*fn)(void *arg), void *arg);

/*
 * Run what others have asked of this CPU by cpu_call(). For loops that wait with interrupts off (a
 * spinlock's): who holds what they wait for may be waiting for their answer. The functions called
 * take no locks.
 */
void cpu_answer_calls(void);

/* CPUID features as /proc/cpuinfo and auxv want them. */
uint64_t cpu_hwcap(void);  /* AT_HWCAP: CPUID.1:EDX */
uint64_t cpu_hwcap2(void); /* AT_HWCAP2 */
void cpu_describe(int cpu, void (*emit)(void *ctx, const char *text),
                  void *ctx); /* /proc/cpuinfo text */

/* Start the other processors; each runs sched_start_ap() (an upcall) on its own stack. */
void cpu_start_all(void);

/* Leave the machine. power_off tries ACPI S5, restart the reset register, then the old ways. */
_Noreturn void machine_power_off(void);
_Noreturn void machine_restart(void);
_Noreturn void machine_halt(void);

/* Hardware randomness (RDSEED, RDRAND, else TSC jitter) into BUF: never all by itself enough. */
void cpu_entropy(void *buf, size_t size);
