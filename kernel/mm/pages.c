/*
 * Entries of the page table, many at a time: unmapping, protecting, copying for fork, moving for
 * mremap.
 *
 * Each operation visits the leaf tables that have entries and does one table at a time with pt_lock
 * held, so that interrupts are never off for long. Pages that lose their entry keep its reference
 * in a tlb_gather until the CPUs that may still use it have been told.
 *
 * A private page (its entry is marked so) belongs to page tables alone: its count is the number of
 * entries it has, in this address space and in relatives. It is writable only while that is one.
 * Other entries are of an object's pages, or of the zero page, which is not counted.
 */
#include "mm/pages.h"

#include "lib/assert.h"
#include "lib/string.h"
#include "mm/vma.h"
#include "sched/lock.h"

static void lock_object(const struct vma *v)
{
    if (v->object)
        spin_lock(&v->object->lock);
}

static void unlock_object(const struct vma *v)
{
    if (v->object)
        spin_unlock(&v->object->lock);
}

/* --- unmapping --- */

/*
 * Clear entries from *AT up to STOP, all in one table. Stops early when the gather is full. pt_lock
 * held.
 */
static bool clear_table(struct mm *mm, pte_t *slot, uintptr_t *at, uintptr_t stop,
                        struct tlb_gather *g)
{
    size_t anon = 0, file = 0;
    bool full = false;
    struct page *table = virt_to_page(slot);
    for (; *at < stop && !full && table->users > 0; *at += PAGE_SIZE, slot++) {
        pte_t e = *slot;
        if (pte_is_empty(e))
            continue;
        WRITE_ONCE(*slot, 0);
        table->users--;
        tlb_gather_addr(g, *at);
        struct page *p = pte_page(e);
        if (p == zero_page)
            continue;
        if (pte_is_private(e)) {
            anon++;
        } else {
            file++;
            page_remove_mapping(p);
        }
        full = tlb_gather_page(g, p);
    }
    atomic_sub(&mm->rss_anon, anon);
    atomic_sub(&mm->rss_file, file);
    return full;
}

static void unmap_range(struct mm *mm, uintptr_t start, uintptr_t end, struct tlb_gather *g)
{
    pte_t *slot;
    for (uintptr_t at = start; (slot = pt_next(mm->pt_root, &at, end));) {
        uintptr_t table = at;
        uintptr_t stop = min(end, pt_table_end(at));
        spin_lock(&mm->pt_lock);
        bool full = clear_table(mm, slot, &at, stop, g);
        if (pt_table_is_empty((pte_t *)ALIGN_DOWN((uintptr_t)slot, PAGE_SIZE))) {
            pt_prune(mm->pt_root, table, &g->tables);
            at = stop;
        }
        spin_unlock(&mm->pt_lock);
        if (full)
            tlb_gather_finish(g);
    }
}

void pages_unmap(struct mm *mm, uintptr_t start, uintptr_t end)
{
    struct tlb_gather g;
    tlb_gather_init(&g, mm);
    unmap_range(mm, start, end, &g);
    tlb_gather_finish(&g);
}

void pages_unmap_all(struct mm *mm)
{
    struct tlb_gather g;
    tlb_gather_init(&g, mm);
    for (struct vma *v = vma_first(mm); v; v = vma_next(v))
        unmap_range(mm, v->start, v->end, &g);
    tlb_gather_finish(&g);
}

/* --- protecting --- */

/*
 * What an entry of V may grant: a private area's pages are writable only when they are its alone.
 */
static unsigned entry_prot(const struct vma *v, pte_t e)
{
    if ((v->flags & VMA_SHARED) || (pte_is_private(e) && ref_read(&pte_page(e)->ref) == 1))
        return v->prot;
    return vma_prot_unwritten(v);
}

void pages_protect(struct mm *mm, struct vma *v, uintptr_t start, uintptr_t end)
{
    struct tlb_gather g;
    tlb_gather_init(&g, mm);
    pte_t *slot;
    for (uintptr_t at = start; (slot = pt_next(mm->pt_root, &at, end));) {
        uintptr_t stop = min(end, pt_table_end(at));
        spin_lock(&mm->pt_lock);
        for (; at < stop; at += PAGE_SIZE, slot++) {
            pte_t e = *slot;
            if (pte_is_empty(e))
                continue;
            pte_t changed = pte_change_prot(e, entry_prot(v, e));
            if (changed == e)
                continue;
            WRITE_ONCE(*slot, changed);
            if (pte_is_present(e))
                tlb_gather_addr(&g, at);
        }
        spin_unlock(&mm->pt_lock);
    }
    tlb_gather_finish(&g);
}

/* --- fork --- */

/*
 * Copy the private entries of one table's part; SRC and DST are the slots of AT in the two tables.
 * Both locks held.
 */
static void share_table(pte_t *src, pte_t *dst, uintptr_t at, uintptr_t stop, struct vma *copy,
                        struct tlb_gather *g)
{
    unsigned n = 0;
    struct page *dst_table = virt_to_page(dst);
    for (; at < stop; at += PAGE_SIZE, src++, dst++) {
        pte_t e = *src;
        if (!pte_is_private(e))
            continue;
        page_get(pte_page(e));
        if (pte_is_writable(e)) {
            e = pte_write_protect(e);
            WRITE_ONCE(*src, e);
            tlb_gather_addr(g, at);
        }
        assert(pte_is_empty(*dst));
        WRITE_ONCE(*dst, e);
        n++;
    }
    dst_table->users = (uint16_t)(dst_table->users + n);
    atomic_add(&copy->mm->rss_anon, n);
}

int pages_fork(struct vma *v, struct vma *copy, struct tlb_gather *g)
{
    struct mm *from = v->mm, *to = copy->mm;
    pte_t *src, *dst;
    uintptr_t stop;
    for (uintptr_t at = v->start; (src = pt_next(from->pt_root, &at, v->end)); at = stop) {
        stop = min(v->end, pt_table_end(at));
        if (pt_table_is_empty(src))
            continue;
        dst = pt_slot_create(to->pt_root, at);
        if (!dst)
            return -ENOMEM;
        lock_object(v);
        spin_lock(&from->pt_lock);
        spin_lock_nested(&to->pt_lock); /* the child's, which nobody else knows but the object */
        share_table(src, dst, at, stop, copy, g);
        spin_unlock(&to->pt_lock);
        spin_unlock(&from->pt_lock);
        unlock_object(v);
    }
    return 0;
}

/* --- moving --- */

/*
 * Make the tables that [start, end) moved to NEW_START will need, so that the move itself can't
 * fail.
 */
static int create_tables(struct mm *mm, uintptr_t start, uintptr_t end, uintptr_t new_start)
{
    pte_t *slot;
    uintptr_t stop;
    for (uintptr_t at = start; (slot = pt_next(mm->pt_root, &at, end)); at = stop) {
        stop = min(end, pt_table_end(at));
        if (pt_table_is_empty(slot))
            continue;
        if (!pt_slot_create(mm->pt_root, new_start + (at - start)) ||
            !pt_slot_create(mm->pt_root, new_start + (stop - PAGE_SIZE - start)))
            return -ENOMEM;
    }
    return 0;
}

/*
 * Give back the tables that [start, end) has left empty. Only when all has been moved: an emptied table may
 * be the one that later pages are to go to.
 */
static void prune_tables(struct mm *mm, uintptr_t start, uintptr_t end, struct tlb_gather *g)
{
    for (uintptr_t at = start; pt_next(mm->pt_root, &at, end); at = pt_table_end(at)) {
        spin_lock(&mm->pt_lock);
        pt_prune(mm->pt_root, at, &g->tables);
        spin_unlock(&mm->pt_lock);
    }
}

/* One entry on its way to DST. True when the gather is full. Locks held. */
static bool move_entry(struct mm *mm, pte_t *src, pte_t *dst, uintptr_t at, struct tlb_gather *g)
{
    pte_t e = *src;
    pt_set(src, 0);
    tlb_gather_addr(g, at);
    if (pte_is_private(e)) {
        pt_set(dst, e);
        return false;
    }
    if (pte_page(e) == zero_page)
        return false;
    atomic_sub(&mm->rss_file, 1);
    page_remove_mapping(pte_page(e));
    return tlb_gather_page(g, pte_page(e));
}

int pages_move(struct mm *mm, struct vma *v, uintptr_t start, uintptr_t end, struct vma *to,
               uintptr_t new_start)
{
    (void)to; /* on the object's list already: a truncation finds the pages wherever they are */
    if (create_tables(mm, start, end, new_start) != 0)
        return -ENOMEM;

    struct tlb_gather g;
    tlb_gather_init(&g, mm);
    pte_t *slot;
    for (uintptr_t at = start; (slot = pt_next(mm->pt_root, &at, end));) {
        uintptr_t stop = min(end, pt_table_end(at));
        bool full = false;
        lock_object(v);
        spin_lock(&mm->pt_lock);
        for (; at < stop && !full; at += PAGE_SIZE, slot++)
            if (!pte_is_empty(*slot))
                full = move_entry(mm, slot, pt_slot(mm->pt_root, new_start + (at - start)), at, &g);
        spin_unlock(&mm->pt_lock);
        unlock_object(v);
        if (full)
            tlb_gather_finish(&g);
    }
    prune_tables(mm, start, end, &g);
    tlb_gather_finish(&g);
    return 0;
}
