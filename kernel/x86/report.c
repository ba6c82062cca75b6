/*
 * The report, and how the CPUs are made to stand still for it.
 *
 * The first CPU to want one owns it. It asks the others to stop, by a flag each and an NMI, which no lock
 * and no loop with interrupts off keeps out. A CPU that is stopped leaves its registers where the owner
 * finds them, and does nothing but wait; it looks at nothing that could fault, since the return from a
 * fault inside an NMI lets the next NMI in, on the same stack. The owner prints for all.
 *
 * Nothing here allocates, sleeps or takes a lock: with the others stopped nobody could give it back. What is
 * looked at may be broken, or half changed; it is read word by word, with limits on every walk.
 */
#include "x86/report.h"

#include "lib/atomic.h"
#include "lib/log.h"
#include "sched/thread.h"
#include "x86/backtrace.h"
#include "x86/context.h"
#include "x86/cpu.h"
#include "x86/event.h"
#include "x86/extable.h"
#include "x86/ipi.h"
#include "x86/msr.h"
#include "x86/upcalls.h"
#include "x86/watchdog.h"

#define NOBODY (-1)
#define STOP_CYCLES 20000000000UL /* some seconds for a CPU to stop: a busy host may leave it standing */
#define EVENTS_SHOWN 64

/* How a CPU stands. */
static struct stand {
    const struct regs *regs; /* its CPU, before it is here */
    uint64_t cr2, cr3;       /* the same */
    bool wanted;             /* atomic: the owner wants it to stand still */
    bool here;               /* atomic: it does */
} stands[MAX_CPUS];

static int owner = NOBODY; /* atomic: the CPU that reports */
static bool final;         /* atomic: and it is a panic, one way */

/* --- stopping --- */

void report_stop_others(void)
{
    int me = cpu_id();

    for (int i = 0; i < num_cpus; i++)
        if (i != me && atomic_load(&cpus[i].online))
            atomic_store(&stands[i].wanted, true);
    ipi_stop_others();
    for (int i = 0; i < num_cpus; i++) {
        if (i == me || !atomic_load(&stands[i].wanted))
            continue;
        for (uint64_t start = rdtsc(); !atomic_load(&stands[i].here);) {
            if (rdtsc() - start > STOP_CYCLES)
                break;
            cpu_relax();
        }
    }
}

static void release_others(void)
{
    for (int i = 0; i < num_cpus; i++)
        atomic_store(&stands[i].wanted, false);
    for (int i = 0; i < num_cpus; i++)
        while (atomic_load(&stands[i].here))
            cpu_relax();
}

static void note_faults(struct stand *s)
{
    s->cr2 = read_cr2();
    s->cr3 = read_cr3();
}

bool report_nmi(const struct regs *r)
{
    struct stand *s = &stands[cpu_id()];

    if (!atomic_load(&s->wanted))
        return false;
    s->regs = r;
    note_faults(s);
    atomic_store(&s->here, true);
    while (atomic_load(&s->wanted)) {
        if (atomic_load(&final))
            asm volatile("cli; hlt" ::: "memory");
        cpu_relax();
    }
    atomic_store(&s->here, false);
    return true;
}

static bool become_owner(void)
{
    int nobody = NOBODY;

    return __atomic_compare_exchange_n(&owner, &nobody, cpu_id(), false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

bool report_is_mine(void)
{
    return atomic_load(&owner) == cpu_id();
}

bool report_take_over(void)
{
    bool mine = report_is_mine();

    /* Somebody else's live report will end. Somebody else's panic won't, and its NMI stops us here. */
    while (!mine && !become_owner())
        cpu_relax();
    atomic_store(&final, true);
    return mine;
}

/* --- printing --- */

/* Where no trap saved them (trapno is -1) only those are known that calls keep: see regs_snapshot(). */
static void print_regs(int cpu, const struct regs *r)
{
    log_at(LOG_EMERG, "rip %016lx  rsp %016lx  rflags %08lx  cs %02lx  ss %02lx", r->rip, r->rsp,
           r->rflags, r->cs, r->ss);
    log_at(LOG_EMERG, "rbx %016lx  rbp %016lx  r12 %016lx  r13 %016lx", r->rbx, r->rbp, r->r12,
           r->r13);
    log_at(LOG_EMERG, "r14 %016lx  r15 %016lx", r->r14, r->r15);
    if (r->trapno < 256) {
        log_at(LOG_EMERG, "rax %016lx  rcx %016lx  rdx %016lx  rsi %016lx", r->rax, r->rcx, r->rdx,
               r->rsi);
        log_at(LOG_EMERG, "rdi %016lx  r8  %016lx  r9  %016lx  r10 %016lx", r->rdi, r->r8, r->r9,
               r->r10);
        log_at(LOG_EMERG, "r11 %016lx  trap %lu, error code %#lx", r->r11, r->trapno, r->error);
    }
    log_at(LOG_EMERG, "cr2 %016lx  cr3 %016lx  cr0 %08lx  cr4 %08lx", stands[cpu].cr2,
           stands[cpu].cr3, read_cr0(), read_cr4());
}

/* The thread may be part of what is broken, so its name is read with care. */
void report_cpu(int cpu, const struct regs *r, bool called)
{
    struct thread *t = cpus[cpu].running;

    if (cpu == cpu_id())
        note_faults(&stands[cpu]);
    uint64_t name[3] = {0};

    if (t && kernel_read_word(&name[0], (uintptr_t)t->comm))
        (void)kernel_read_word(&name[1], (uintptr_t)t->comm + 8);
    log_at(LOG_EMERG, "CPU %d, thread %p (%s)%s", cpu, (void *)t, t ? (const char *)name : "none",
           cpus[cpu].in_interrupt ? ", in an interrupt" : "");
    print_regs(cpu, r);
    backtrace(r, called);
}

void report_print(const struct regs *r, bool called)
{
    int me = cpu_id();

    report_cpu(me, r, called);
    for (int i = 0; i < num_cpus; i++) {
        if (i == me || !cpus[i].online)
            continue;
        if (atomic_load(&stands[i].here))
            report_cpu(i, stands[i].regs, false);
        else
            log_at(LOG_EMERG, "CPU %d does not answer", i);
    }
    for (int i = 0; i < num_cpus; i++)
        event_print(i, EVENTS_SHOWN);
    report_locks();
    report_threads();
}

/* What can be said of registers where no trap saved them: those that calls keep. */
struct regs regs_snapshot(uintptr_t ip, uintptr_t bp)
{
    struct regs r = {.rip = ip, .rbp = bp, .trapno = (uint64_t)-1};

    asm volatile("mov %%rbx, %0" : "=m"(r.rbx));
    asm volatile("mov %%r12, %0" : "=m"(r.r12));
    asm volatile("mov %%r13, %0" : "=m"(r.r13));
    asm volatile("mov %%r14, %0" : "=m"(r.r14));
    asm volatile("mov %%r15, %0" : "=m"(r.r15));
    asm volatile("mov %%rsp, %0" : "=m"(r.rsp));
    asm volatile("mov %%cs, %0" : "=r"(r.cs));
    asm volatile("mov %%ss, %0" : "=r"(r.ss));
    asm volatile("pushfq; popq %0" : "=r"(r.rflags));
    return r;
}

void report_live(const struct regs *r, const char *why)
{
    bool were_on = irqs_enabled();
    uintptr_t *frame = __builtin_frame_address(0);
    struct regs mine = regs_snapshot(frame[1], frame[0]);

    irq_disable();
    if (become_owner()) {
        report_stop_others();
        watchdog_pause();
        log_enter_report();
        log_at(LOG_EMERG, "report: %s", why);
        report_print(r ? r : &mine, !r);
        log_at(LOG_EMERG, "end of report");
        log_leave_report();
        release_others();
        watchdog_resume();
        atomic_store(&owner, NOBODY);
    }
    if (were_on)
        irq_enable();
}
