/*
 * The TLB shootdown of tlb.h, and the switch from one address space to another.
 *
 * loaded[cpu] is the address space whose table the CPU has in CR3, NULL for the kernel's own. The
 * CPU is in that mm's set of CPUs exactly as long; both change only on that CPU with interrupts
 * off, the set first when one is taken on and last when it is given up.
 *
 * An mm whose last user goes is taken off all CPUs that still have it loaded (tlb_forget_mm) before
 * its tables are freed, so a borrowed address space can't disappear under its borrower.
 */
#include "x86/tlb.h"

#include "lib/assert.h"
#include "mm/mm.h"
#include "mm/reclaim.h"
#include "sched/thread.h"
#include "x86/msr.h"

#define FLUSH_ALL_ABOVE 32 /* kernel pages: beyond that, flush everything */

static struct mm *loaded[MAX_CPUS]; /* that CPU only, interrupts off */

static inline cpumask_t cpu_bit(int cpu)
{
    return (cpumask_t)1 << cpu;
}

static inline void invalidate_page(uintptr_t addr)
{
    asm volatile("invlpg (%0)" : : "r"(addr) : "memory");
}

/* All entries but the kernel's global ones. */
static inline void flush_user_entries(void)
{
    write_cr3(read_cr3());
}

static void flush_everything(void)
{
    uint64_t cr4 = read_cr4();
    if (!(cr4 & CR4_PGE)) {
        flush_user_entries();
        return;
    }
    write_cr4(cr4 & ~CR4_PGE);
    write_cr4(cr4);
}

/* Interrupts off. */
static void give_up_loaded(int cpu)
{
    struct mm *old = loaded[cpu];
    write_cr3(paging_kernel_root());
    loaded[cpu] = NULL;
    atomic_and(&old->cpus, ~cpu_bit(cpu));
}

void mm_switch(struct mm *prev, struct mm *next)
{
    (void)prev;
    assert(!irqs_enabled());
    int cpu = cpu_id();
    struct mm *old = loaded[cpu];
    if (!next || next == old)
        return;
    atomic_or(&next->cpus, cpu_bit(cpu)); /* a full barrier: see tlb.h */
    write_cr3(next->pt_root);
    loaded[cpu] = next;
    if (old)
        atomic_and(&old->cpus, ~cpu_bit(cpu));
}

/* --- what the flushing CPU does, and what it asks of others --- */

static void flush_gathered(const struct tlb_gather *g)
{
    if (g->naddrs > GATHER_ADDRS) {
        flush_user_entries();
        return;
    }
    for (unsigned i = 0; i < g->naddrs; i++)
        invalidate_page(g->addr[i]);
}

/*
 * A CPU that only borrows the address space gives it up instead: the next flush won't interrupt it.
 */
static void flush_gathered_ipi(void *arg)
{
    const struct tlb_gather *g = arg;
    int cpu = cpu_id();
    if (loaded[cpu] != g->mm)
        return;
    if (current->mm != g->mm)
        give_up_loaded(cpu);
    else
        flush_gathered(g);
}

cpumask_t tlb_cpus_of(struct mm *mm)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the changed entries are visible before we look */
    return atomic_load(&mm->cpus);
}

static void flush_mm(struct tlb_gather *g)
{
    irq_push_off(); /* we stay on this CPU until all have answered */
    cpumask_t cpus = tlb_cpus_of(g->mm);
    cpumask_t here = cpu_bit(cpu_id());
    if (cpus & here)
        flush_gathered(g);
    if (cpus & ~here)
        cpu_call(cpus & ~here, flush_gathered_ipi, g);
    irq_pop_off();
}

void tlb_gather_finish(struct tlb_gather *g)
{
    /* A table may be remembered though no page in it ever was: then everything goes. */
    if (!list_empty(&g->tables))
        g->naddrs = GATHER_ADDRS + 1;
    if (g->naddrs > 0)
        flush_mm(g);
    g->naddrs = 0;

    for (unsigned i = 0; i < g->npages; i++)
        page_put(g->page[i]);
    g->npages = 0;
    while (!list_empty(&g->tables)) {
        struct page *p = list_entry(g->tables.next, struct page, link);
        list_remove(&p->link);
        page_put(p);
    }
}

void tlb_flush_page(struct mm *mm, uintptr_t addr)
{
    struct tlb_gather g;
    tlb_gather_init(&g, mm);
    tlb_gather_addr(&g, addr);
    flush_mm(&g);
}

void tlb_flush_page_here(uintptr_t addr)
{
    invalidate_page(addr);
}

static void flush_user_ipi(void *arg)
{
    (void)arg;
    flush_user_entries();
}

void tlb_flush_cpus(cpumask_t cpus)
{
    irq_push_off();
    cpumask_t here = cpu_bit(cpu_id());
    if (cpus & here)
        flush_user_entries();
    if (cpus & ~here)
        cpu_call(cpus & ~here, flush_user_ipi, NULL);
    irq_pop_off();
}

struct kernel_range {
    uintptr_t start, end;
};

static void flush_kernel_here(void *arg)
{
    const struct kernel_range *r = arg;
    if ((r->end - r->start) / PAGE_SIZE > FLUSH_ALL_ABOVE) {
        flush_everything();
        return;
    }
    for (uintptr_t a = r->start; a < r->end; a += PAGE_SIZE)
        invalidate_page(a);
}

void tlb_flush_kernel(uintptr_t start, uintptr_t end)
{
    struct kernel_range r = {start, end};
    memory_on_each_cpu(flush_kernel_here, &r);
}

static void forget_ipi(void *arg)
{
    int cpu = cpu_id();
    if (loaded[cpu] == arg)
        give_up_loaded(cpu);
}

void tlb_forget_mm(struct mm *mm)
{
    assert(current->mm != mm);
    irq_push_off();
    forget_ipi(mm);
    cpumask_t cpus = tlb_cpus_of(mm);
    if (cpus)
        cpu_call(cpus, forget_ipi, mm);
    irq_pop_off();
}
