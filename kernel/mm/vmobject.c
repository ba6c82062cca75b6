/*
 * Objects of pages, and the race of truncation against page faults.
 *
 * Every page that the object holds is in its radix tree, with one reference; each page-table entry
 * that maps it has another, and so has whoever copies to or from it for a moment. The object also
 * lists the areas that map it, so that pages which leave it can be taken out of page tables.
 *
 * A fault looks at the size, finds the page and stores the entry, all with the object's lock held.
 * A truncation sets the size, clears the entries beyond it in all areas and takes the pages out of
 * the tree, all with the object's lock held. So one comes wholly before the other: a fault that was
 * first is undone, one that comes after sees the new size and fails. What copies private pages from
 * one page table to another (fork, mremap) holds the lock too, with both areas on the list, so no
 * copy escapes behind the truncation's back; and an area's bounds are only changed under the lock.
 *
 * The pages themselves are put only after the lock is dropped and the TLBs of those CPUs have been
 * flushed that may still know the entries. That is done for a bounded number at a time, so that
 * interrupts aren't off for long.
 */
#include "mm/vmobject.h"

#include <abi/fcntl.h>

#include "lib/assert.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/reclaim.h"
#include "mm/slab.h"
#include "x86/paging.h"
#include "x86/tlb.h"

#define BATCH 64         /* entries cleared between two flushes */
#define REMOVE_BATCH 256 /* pages taken out of the tree with the lock held once */

static struct slab_cache *object_cache; /* const after init */
static size_t total_pages;              /* atomic */

void vmobject_init(void)
{
    object_cache = slab_cache_create("vmobject", sizeof(struct vmobject), 0);
}

struct vmobject *vmobject_create(uint64_t size)
{
    struct vmobject *o = slab_zalloc(object_cache);
    if (!o)
        return NULL;
    ref_init(&o->ref, 1);
    spin_init(&o->lock, RANK_VMOBJECT, "vmobject");
    o->size = size;
    list_init(&o->areas);
    return o;
}

size_t vmobject_total_pages(void)
{
    return atomic_load(&total_pages);
}

/* --- pages coming and going: lock held --- */

/*
 * Files outlive whoever wrote them: memory that they fill isn't had back by killing processes. So
 * they are told that there is no space while there is still enough to run what removes them.
 */
static bool charge(struct vm_quota *q)
{
    if (!q)
        return true;
    if (!page_has_room_to_keep())
        return false;
    if (atomic_add(&q->used, 1) <= atomic_load(&q->limit))
        return true;
    atomic_sub(&q->used, 1);
    return false;
}

static void uncharge(struct vm_quota *q)
{
    if (q)
        atomic_sub(&q->used, 1);
}

static struct page *make_page(struct vmobject *o, uint64_t index)
{
    if (!charge(o->quota))
        return err_ptr(-ENOSPC);
    struct page *p = page_alloc(0, ALLOC_ZERO | memory_user_flags());
    if (p && radix_add(&o->pages, index, p) == 0) {
        o->npages++;
        atomic_add(&total_pages, 1);
        return p;
    }
    if (p)
        page_put(p);
    uncharge(o->quota);
    return err_ptr(-ENOMEM);
}

struct page *vmobject_page_locked(struct vmobject *o, uint64_t index, bool create)
{
    assert(spin_is_held(&o->lock));
    struct page *p = radix_get(&o->pages, index);
    return p || !create ? p : make_page(o, index);
}

struct page *vmobject_page(struct vmobject *o, uint64_t index, bool create)
{
    for (bool again = true;; again = false) {
        spin_lock(&o->lock);
        struct page *p = vmobject_page_locked(o, index, create);
        if (p && !is_err(p))
            page_get(p);
        spin_unlock(&o->lock);
        if (p != err_ptr(-ENOMEM) || !again || !irqs_enabled())
            return p;
        memory_drain();
    }
}

bool vmobject_adopt(struct vmobject *o, uint64_t index, struct page *p)
{
    if (ref_read(&p->ref) != 1)
        return false;
    spin_lock(&o->lock);
    bool done = !radix_get(&o->pages, index) && charge(o->quota);
    if (done && radix_add(&o->pages, index, p) != 0) {
        uncharge(o->quota);
        done = false;
    }
    if (done) {
        page_get(p);
        page_clear_anon(p);
        o->npages++;
        atomic_add(&total_pages, 1);
    }
    spin_unlock(&o->lock);
    return done;
}

/*
 * Move up to REMOVE_BATCH pages of [*FIRST, LAST) from the tree to LIST. True when there may be
 * more, from *FIRST.
 */
static bool remove_pages(struct vmobject *o, uint64_t *first, uint64_t last, struct list *list)
{
    for (int i = 0; i < REMOVE_BATCH; i++) {
        struct page *p = radix_next(&o->pages, first);
        if (!p || *first >= last)
            return false;
        radix_remove(&o->pages, *first);
        o->npages--;
        atomic_sub(&total_pages, 1);
        uncharge(o->quota);
        list_push_back(list, &p->link);
    }
    return true;
}

static void put_list(struct list *list)
{
    while (!list_empty(list)) {
        struct page *p = list_entry(list->next, struct page, link);
        list_remove(&p->link);
        page_put(p);
    }
}

void vmobject_put(struct vmobject *o)
{
    if (!o || !ref_put(&o->ref))
        return;
    assert(list_empty(&o->areas));
    uint64_t first = 0;
    bool more = true;
    while (more) {
        struct list list = LIST_INIT(list);
        spin_lock(&o->lock);
        more = remove_pages(o, &first, UINT64_MAX, &list);
        spin_unlock(&o->lock);
        put_list(&list);
    }
    if (o->ops)
        o->ops->release(o);
    slab_free(object_cache, o);
}

/* --- taking pages out of page tables --- */

/* What has been cleared in several address spaces and awaits one flush. */
struct cleared {
    cpumask_t cpus;
    unsigned n;
    struct page *page[BATCH];
};

/*
 * Clear V's entries in [start, end). True when CLEARED is full, and some may be left. Object's lock
 * held.
 */
static bool clear_range(struct vma *v, uintptr_t start, uintptr_t end, bool private_too,
                        struct cleared *c)
{
    struct mm *mm = v->mm;
    unsigned before = c->n;
    spin_lock(&mm->pt_lock);
    pte_t *slot;
    for (uintptr_t at = start; c->n < BATCH && (slot = pt_next(mm->pt_root, &at, end));) {
        uintptr_t stop = min(end, pt_table_end(at));
        for (; at < stop && c->n < BATCH; at += PAGE_SIZE, slot++) {
            pte_t e = *slot;
            if (pte_is_empty(e) || (pte_is_private(e) && !private_too))
                continue;
            pt_set(slot, 0);
            atomic_sub(pte_is_private(e) ? &mm->rss_anon : &mm->rss_file, 1);
            if (!pte_is_private(e))
                page_remove_mapping(pte_page(e));
            c->page[c->n++] = pte_page(e);
        }
    }
    spin_unlock(&mm->pt_lock);
    if (c->n > before)
        c->cpus |= tlb_cpus_of(mm);
    return c->n == BATCH;
}

/* The same for pages [first, last) of the object in all its areas. */
static bool clear_areas(struct vmobject *o, uint64_t first, uint64_t last, bool private_too,
                        struct cleared *c)
{
    struct vma *v;
    list_for_each (v, &o->areas, object_link) {
        uint64_t from = v->offset >> PAGE_SHIFT;
        uint64_t to = from + ((v->end - v->start) >> PAGE_SHIFT);
        uint64_t a = max(first, from), b = min(last, to);
        if (a < b && clear_range(v, v->start + ((a - from) << PAGE_SHIFT),
                                 v->start + ((b - from) << PAGE_SHIFT), private_too, c))
            return true;
    }
    return false;
}

/*
 * Rid the object of pages [first, last); the lock is held at the call and on return, and dropped in
 * between.
 */
static void drop_pages(struct vmobject *o, uint64_t first, uint64_t last, bool private_too)
{
    bool more = true;
    while (more) {
        struct cleared c = {0};
        struct list list = LIST_INIT(list);
        more = clear_areas(o, first, last, private_too, &c);
        if (!more)
            more = remove_pages(o, &first, last, &list);
        spin_unlock(&o->lock);
        if (c.cpus)
            tlb_flush_cpus(c.cpus);
        for (unsigned i = 0; i < c.n; i++)
            page_put(c.page[i]);
        put_list(&list);
        spin_lock(&o->lock);
    }
}

/* Zero [from, to) of one page, when it is there. */
static void zero_part(struct vmobject *o, uint64_t from, uint64_t to)
{
    struct page *p = radix_get(&o->pages, from >> PAGE_SHIFT);
    if (p)
        memset((char *)page_to_virt(p) + (from & (PAGE_SIZE - 1)), 0, to - from);
}

void vmobject_truncate(struct vmobject *o, uint64_t size)
{
    spin_lock(&o->lock);
    uint64_t old = o->size;
    o->size = size;
    uint64_t first = DIV_ROUND_UP(size, PAGE_SIZE), beyond = first;
    if (size < old || radix_next(&o->pages, &beyond))
        drop_pages(o, first, UINT64_MAX, true);
    /* A mapping may have left bytes behind the end in the last page; they must not come back. */
    uint64_t edge = min(size, old);
    if (edge & (PAGE_SIZE - 1))
        zero_part(o, edge, ALIGN_UP(edge, PAGE_SIZE));
    spin_unlock(&o->lock);
}

void vmobject_punch(struct vmobject *o, uint64_t start, uint64_t end)
{
    if (start >= end)
        return;
    uint64_t first = DIV_ROUND_UP(start, PAGE_SIZE), last = end >> PAGE_SHIFT;
    spin_lock(&o->lock);
    if (first > last) {
        zero_part(o, start, end); /* all within one page */
    } else {
        if (start & (PAGE_SIZE - 1))
            zero_part(o, start, first << PAGE_SHIFT);
        if (end & (PAGE_SIZE - 1))
            zero_part(o, last << PAGE_SHIFT, end);
        if (first < last)
            drop_pages(o, first, last, false);
    }
    spin_unlock(&o->lock);
}

bool vmobject_writer_begin(struct vmobject *o)
{
    spin_lock(&o->lock);
    bool allowed = !(o->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE));
    o->writable_maps += allowed;
    spin_unlock(&o->lock);
    return allowed;
}

void vmobject_writer_end(struct vmobject *o)
{
    spin_lock(&o->lock);
    o->writable_maps--;
    spin_unlock(&o->lock);
}

uint64_t vmobject_seek(struct vmobject *o, uint64_t offset, bool data)
{
    spin_lock(&o->lock);
    uint64_t found = o->size;
    uint64_t index = offset >> PAGE_SHIFT;
    if (offset < o->size) {
        bool any = true;
        if (data)
            any = radix_next(&o->pages, &index) != NULL;
        else
            while (radix_get(&o->pages, index))
                index++;
        if (any)
            found = min(max(offset, index << PAGE_SHIFT), o->size);
    }
    spin_unlock(&o->lock);
    return found;
}
