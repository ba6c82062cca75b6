/*
 * Page faults: the place where a program's pages come from.
 *
 *     untouched private memory     read: the zero page, read-only       write: a zeroed page
 *     object, shared               the object's page, with the area's rights
 *     object, private              read: the object's page, read-only    write: a copy of its own
 *     a private page written to    when nobody shares it: made writable, else a copy
 *
 * The fault takes mm->lock, so areas and tables stand still. Making a page may need memory, and
 * memory may need other processes to die first; for that the lock is dropped and the fault starts
 * over. Against a truncation of the object, which doesn't take mm->lock, see vmobject.c: entries of
 * an object's area are stored with the object's lock held, after a look at its size, and a slot
 * that changed in between is left as it is. The program simply faults again.
 */
#include "lib/assert.h"
#include "lib/string.h"
#include "mm/pages.h"
#include "mm/reclaim.h"
#include "proc/proc.h"
#include "sched/thread.h"
#include "x86/uaccess.h"
#include "x86/upcalls.h"

/* A fault on an object's page maps its neighbours in the same 64 KiB too; on Linux only one that reads. */
#define AROUND_PAGES 16

struct page *zero_page;

void pages_init(void)
{
    zero_page = page_alloc(0, ALLOC_ZERO);
    if (!zero_page)
        panic("out of memory at boot: zero page");
}

static void count_rss(struct mm *mm, size_t *counter)
{
    atomic_add(counter, 1);
    mm->peak_rss = max(mm->peak_rss, mm_rss(mm));
}

/* --- anonymous memory --- */

static int fault_anonymous(struct mm *mm, struct vma *v, pte_t *slot, bool write)
{
    pte_t e;
    if (write) {
        struct page *p = page_alloc(0, ALLOC_ZERO | memory_user_flags());
        if (!p)
            return -ENOMEM;
        page_set_anon(p);
        e = pte_make(p, v->prot, true);
        count_rss(mm, &mm->rss_anon);
    } else {
        e = pte_make(zero_page, vma_prot_unwritten(v), false);
    }
    spin_lock(&mm->pt_lock);
    assert(pte_is_empty(
        *slot)); /* only truncation clears entries without mm->lock, and none sets any */
    pt_set(slot, e);
    spin_unlock(&mm->pt_lock);
    return 0;
}

/* --- objects --- */

/* Does the page at ADDR lie within the object? Object's lock held. */
static bool within_object(const struct vma *v, uintptr_t addr)
{
    return vma_offset(v, addr) < v->object->size;
}

/*
 * Map those neighbours of ADDR that the object has and the table does not. Object's lock and
 * pt_lock held.
 */
static void map_around(struct mm *mm, struct vma *v, uintptr_t addr, pte_t *slot, unsigned prot)
{
    uintptr_t block = AROUND_PAGES * PAGE_SIZE;
    uintptr_t start = max(ALIGN_DOWN(addr, block), v->start);
    uintptr_t end = min(ALIGN_DOWN(addr, block) + block, v->end);
    slot -= (addr - start) >> PAGE_SHIFT;
    size_t n = 0;
    for (uintptr_t at = start; at < end; at += PAGE_SIZE, slot++) {
        if (!pte_is_empty(*slot) || !within_object(v, at))
            continue;
        struct page *p = radix_get(&v->object->pages, vma_offset(v, at) >> PAGE_SHIFT);
        if (!p)
            continue;
        page_get(p);
        page_add_mapping(p);
        pt_set(slot, pte_make(p, prot, false));
        n++;
    }
    atomic_add(&mm->rss_file, n);
}

/* Map the object's own page. */
static int fault_object(struct mm *mm, struct vma *v, uintptr_t addr, pte_t *slot)
{
    struct vmobject *o = v->object;
    int error = 0;
    spin_lock(&o->lock);
    struct page *p = within_object(v, addr)
                         ? vmobject_page_locked(o, vma_offset(v, addr) >> PAGE_SHIFT, true)
                         : err_ptr(-EIO);
    if (is_err(p)) {
        error = ptr_err(p) == -ENOMEM ? -ENOMEM : -EIO;
    } else {
        unsigned prot = v->flags & VMA_SHARED ? v->prot : vma_prot_unwritten(v);
        spin_lock(&mm->pt_lock);
        map_around(mm, v, addr, slot, prot);
        spin_unlock(&mm->pt_lock);
    }
    spin_unlock(&o->lock);
    mm->peak_rss = max(mm->peak_rss, mm_rss(mm));
    return error;
}

/* --- copies --- */

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

/*
 * Replace the entry OLD at SLOT by a private copy of page FROM (NULL: zeroes), a reference to which
 * the caller holds unless it is OLD's own.
 */
static int install_copy(struct mm *mm, struct vma *v, uintptr_t addr, pte_t *slot, pte_t old,
                        struct page *from)
{
    struct page *p = page_alloc(0, (from ? 0 : ALLOC_ZERO) | memory_user_flags());
    if (!p)
        return -ENOMEM;
    page_set_anon(p);
    if (from)
        memcpy(page_to_virt(p), page_to_virt(from), PAGE_SIZE);

    lock_object(v);
    spin_lock(&mm->pt_lock);
    bool changed = *slot != old;
    bool beyond = v->object && !within_object(v, addr);
    if (!changed && !beyond) {
        pt_set(slot, pte_make(p, v->prot, true));
        v->flags |= v->object ? VMA_HAS_PRIVATE : 0;
    }
    spin_unlock(&mm->pt_lock);
    unlock_object(v);
    if (changed || beyond) {
        page_put(p);
        return beyond ? -EIO : 0;
    }

    if (!pte_is_private(old))
        count_rss(mm, &mm->rss_anon);
    if (pte_is_empty(old))
        return 0;
    tlb_flush_page(mm, addr);
    if (pte_page(old) == zero_page)
        return 0;
    if (!pte_is_private(old)) {
        atomic_sub(&mm->rss_file, 1);
        page_remove_mapping(pte_page(old));
    }
    page_put(pte_page(old));
    return 0;
}

/* The first touch of a private object area is a write: copy the object's page at once. */
static int fault_object_copy(struct mm *mm, struct vma *v, uintptr_t addr, pte_t *slot)
{
    spin_lock(&v->object->lock);
    struct page *from =
        within_object(v, addr)
            ? vmobject_page_locked(v->object, vma_offset(v, addr) >> PAGE_SHIFT, true)
            : err_ptr(-EIO);
    if (!is_err(from))
        page_get(from);
    spin_unlock(&v->object->lock);
    if (is_err(from))
        return ptr_err(from) == -ENOMEM ? -ENOMEM : -EIO;
    int error = install_copy(mm, v, addr, slot, 0, from);
    page_put(from);
    return error;
}

/*
 * Keep the page of entry E from going while it is copied: a truncation may drop the entry's
 * reference.
 */
static bool hold_object_page(struct vma *v, const pte_t *slot, pte_t e)
{
    spin_lock(&v->object->lock);
    bool same = READ_ONCE(*slot) == e;
    if (same)
        page_get(pte_page(e));
    spin_unlock(&v->object->lock);
    return same;
}

/* A write to an entry that does not allow it. */
static int fault_copy(struct mm *mm, struct vma *v, uintptr_t addr, pte_t *slot, pte_t e)
{
    struct page *p = pte_page(e);
    if (pte_is_private(e) && ref_read(&p->ref) == 1) {
        /* Ours alone. */
        spin_lock(&mm->pt_lock);
        if (*slot == e)
            pt_set(slot, pte_make(p, v->prot, true));
        spin_unlock(&mm->pt_lock);
        tlb_flush_page_here(addr);
        return 0;
    }
    if (!v->object)
        return install_copy(mm, v, addr, slot, e, p == zero_page ? NULL : p);
    if (!hold_object_page(v, slot, e))
        return 0;
    int error = install_copy(mm, v, addr, slot, e, p);
    page_put(p);
    return error;
}

int page_resolve(struct mm *mm, struct vma *v, uintptr_t addr, bool write)
{
    pte_t *slot = pt_slot_create(mm->pt_root, addr);
    if (!slot)
        return -ENOMEM;
    pte_t e = READ_ONCE(*slot);
    bool copy = write && !(v->flags & VMA_SHARED);
    if (pte_is_empty(e)) {
        if (!v->object)
            return fault_anonymous(mm, v, slot, write);
        return copy ? fault_object_copy(mm, v, addr, slot) : fault_object(mm, v, addr, slot);
    }
    if (copy && !pte_is_writable(e))
        return fault_copy(mm, v, addr, slot, e);
    /* Another thread was faster, and this CPU has an old entry. */
    tlb_flush_page_here(addr);
    return 0;
}

/* --- the stack --- */

int stack_grow(struct mm *mm, struct vma *v, uintptr_t addr)
{
    if (addr < MMAP_MIN_ADDR || v->end - addr > proc_rlimit(RLIMIT_STACK))
        return -ENOMEM;
    struct vma *prev = vma_prev(v);
    if (prev && prev->prot && !(prev->flags & VMA_GROWSDOWN) && addr - prev->end < STACK_GUARD_GAP)
        return -ENOMEM;
    size_t pages = (v->start - addr) >> PAGE_SHIFT;
    if (!mm_may_grow(mm, pages) || ((v->flags & VMA_LOCKED) && !mm_may_lock(mm, pages)))
        return -ENOMEM;
    vma_resize(mm, v, addr, v->end);
    return 0;
}

/* --- the fault --- */

/*
 * May an access of this kind be made in an area with PROT? x86 reads whatever it may write or
 * execute.
 */
static bool access_allowed(unsigned prot, unsigned flags)
{
    if (flags & FAULT_WRITE)
        return prot & PROT_WRITE;
    if (flags & FAULT_EXEC)
        return prot & PROT_EXEC;
    return prot & (PROT_READ | PROT_WRITE | PROT_EXEC);
}

static int fault_locked(struct mm *mm, uintptr_t addr, unsigned flags, int *sigcode)
{
    struct vma *v = mm_find(mm, addr);
    *sigcode = SEGV_MAPERR;
    if (!v)
        return -EFAULT;
    if (addr < v->start && (!(v->flags & VMA_GROWSDOWN) || stack_grow(mm, v, addr) != 0))
        return -EFAULT;
    *sigcode = SEGV_ACCERR;
    if (!access_allowed(v->prot, flags))
        return -EFAULT;
    return page_resolve(mm, v, addr, flags & FAULT_WRITE);
}

int mm_fault(uintptr_t addr, unsigned flags, int *sigcode)
{
    struct mm *mm = current->mm;
    *sigcode = SEGV_MAPERR;
    if (!mm || addr >= USER_END)
        return -EFAULT;
    current->usage.minor_faults++;
    for (unsigned tries = 0;;) {
        mm_lock(mm);
        int error = fault_locked(mm, ALIGN_DOWN(addr, PAGE_SIZE), flags, sigcode);
        mm_unlock(mm);
        if (error != -ENOMEM || !memory_make_room(&tries))
            return error;
    }
}
