/*
 * Keeping what CPUs remember of page tables (their TLBs) true.
 *
 * mm->cpus says which CPUs have an address space loaded. Who takes something away from a page table
 * first changes the entry, then looks at that set and tells those CPUs; who loads a table first
 * joins the set, then loads. Each side has a full barrier between its two steps, so either the
 * flusher sees the CPU, or the CPU sees the entry.
 *
 * A CPU that runs a kernel thread or idles keeps what it has loaded, so a process that sleeps and
 * wakes on an idle machine costs no reload. When such a CPU is told to flush it gives the address
 * space up instead and is not bothered again.
 */
#pragma once

#include "lib/list.h"
#include "lib/types.h"
#include "mm/page.h"
#include "x86/cpu.h"
#include "x86/paging.h"

struct mm;

#define GATHER_ADDRS 32
#define GATHER_PAGES 64

/*
 * What an operation on a range of an address space has taken out of its page table: the addresses
 * to flush, and the pages and tables that may be released only after that. Owner only.
 */
struct tlb_gather {
    struct mm *mm;
    unsigned naddrs; /* more than GATHER_ADDRS: flush everything */
    unsigned npages;
    uintptr_t addr[GATHER_ADDRS];
    struct page *page[GATHER_PAGES]; /* a reference each */
    struct list tables;              /* by page->link */
};

static inline void tlb_gather_init(struct tlb_gather *g, struct mm *mm)
{
    g->mm = mm;
    g->naddrs = 0;
    g->npages = 0;
    list_init(&g->tables);
}

/* The entry at ADDR was changed. */
static inline void tlb_gather_addr(struct tlb_gather *g, uintptr_t addr)
{
    if (g->naddrs < GATHER_ADDRS)
        g->addr[g->naddrs] = addr;
    g->naddrs += g->naddrs <= GATHER_ADDRS;
}

/*
 * P's reference is to be dropped after the flush. True when no more pages fit: time to
 * tlb_gather_finish().
 */
static inline bool tlb_gather_page(struct tlb_gather *g, struct page *p)
{
    g->page[g->npages++] = p;
    return g->npages == GATHER_PAGES;
}

/* Flush, release, and be empty again. No spinlock held, interrupts on. */
void tlb_gather_finish(struct tlb_gather *g);

/* One page of MM changed. No spinlock held, interrupts on. */
void tlb_flush_page(struct mm *mm, uintptr_t addr);
/* This CPU only, for an entry that now grants more than it did. */
void tlb_flush_page_here(uintptr_t addr);

/* All user entries on these CPUs: for the union of several address spaces' sets. */
void tlb_flush_cpus(cpumask_t cpus);
/* The set of CPUs that must hear of changes already made to MM's table. */
cpumask_t tlb_cpus_of(struct mm *mm);

/* A range of the kernel's half, on every CPU. */
void tlb_flush_kernel(uintptr_t start, uintptr_t end);

/* No CPU uses MM's table any more when this returns: it is about to be freed. */
void tlb_forget_mm(struct mm *mm);
