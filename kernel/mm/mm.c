/*
 * The life of an address space: made empty for exec, or as a copy for fork; borrowed and put; torn
 * down when the last user has gone. And a few questions others ask about it.
 *
 * fork shares the private pages, read-only in both, and copies nothing else: what an object backs
 * is found again by the next fault. So a fork costs what has been written, not what is mapped.
 */
#include "mm/mm.h"

#include "dev/random.h"
#include "fs/file.h"
#include "fs/inode.h"
#include "lib/assert.h"
#include "lib/cmdline.h"
#include "lib/string.h"
#include "mm/pages.h"
#include "mm/reclaim.h"
#include "mm/slab.h"
#include "mm/vma.h"
#include "proc/cred.h"
#include "proc/proc.h"
#include "sched/thread.h"
#include "x86/tlb.h"
#include "x86/uaccess.h"

#define MIN_STACK_ROOM (128UL << 20) /* kept free for the stack, whatever its limit */
#define MAX_STACK_ROOM (USER_END / 6 * 5)
#define STACK_RANDOM_ROOM (0x3fffffUL << PAGE_SHIFT) /* how far exec may move the stack down */
#define MMAP_RANDOM_BITS 28

static struct slab_cache *mm_cache; /* const after init */
static bool randomize;              /* const after init */

void mm_init(void)
{
    mm_cache = slab_cache_create("mm", sizeof(struct mm), 0);
    vma_init();
    radix_init_subsystem();
    vmobject_init();
    pages_init();
    randomize = !cmdline_has("norandmaps");
}

uintptr_t mm_random_offset(unsigned bits)
{
    if (!randomize || (current->proc && (current->proc->personality & PERSONALITY_NO_RANDOMIZE)))
        return 0;
    return (random_u64() & ((1UL << bits) - 1)) << PAGE_SHIFT;
}

static struct mm *mm_alloc(void)
{
    struct mm *mm = slab_zalloc(mm_cache);
    if (!mm)
        return NULL;
    mm->pt_root = pt_create();
    if (!mm->pt_root) {
        slab_free(mm_cache, mm);
        return NULL;
    }
    ref_init(&mm->ref, 1);
    mutex_init(&mm->lock, RANK_MM, "mm");
    spin_init(&mm->pt_lock, RANK_PAGETABLE, "page table");
    vma_tree_init(mm);
    mm->dumpable = 1;
    return mm;
}

struct mm *mm_create(void)
{
    struct mm *mm = mm_alloc();
    if (!mm)
        return NULL;
    uintptr_t room = proc_rlimit(RLIMIT_STACK);
    if (room < MAX_STACK_ROOM)
        room += STACK_GUARD_GAP + (randomize ? STACK_RANDOM_ROOM : 0);
    room = min(max(room, MIN_STACK_ROOM), MAX_STACK_ROOM);
    mm->mmap_top = ALIGN_UP(USER_END - room - mm_random_offset(MMAP_RANDOM_BITS), PAGE_SIZE);
    return mm;
}

void mm_activate(struct mm *mm)
{
    irq_push_off();
    current->mm = mm;
    mm_switch(NULL, mm);
    irq_pop_off();
}

/* --- the end --- */

/* All areas at once: nobody will look at the tree again, so it need not be kept in shape. */
static void forget_areas(struct mm *mm)
{
    for (struct vma *v = vma_first(mm), *next; v; v = next) {
        next = vma_next(v);
        vma_bury(mm, v);
    }
    mm->areas.root = NULL;
    mm->cached = NULL;
}

void mm_put(struct mm *mm)
{
    if (!mm || !ref_put(&mm->ref))
        return;
    tlb_forget_mm(mm);
    mm_lock(mm);
    pages_unmap_all(mm);
    forget_areas(mm);
    mm_unlock(mm);
    assert(mm->rss_anon == 0 && mm->rss_file == 0);
    pt_destroy(mm->pt_root);
    if (mm->exe) {
        inode_allow_write(mm->exe->inode);
        file_put(mm->exe);
    }
    slab_free(mm_cache, mm);
}

/* --- fork --- */

static void copy_description(struct mm *to, const struct mm *from)
{
    to->brk_start = from->brk_start;
    to->brk = from->brk;
    to->mmap_top = from->mmap_top;
    to->stack_top = from->stack_top;
    to->arg_start = from->arg_start;
    to->arg_end = from->arg_end;
    to->env_start = from->env_start;
    to->env_end = from->env_end;
    to->code_start = from->code_start;
    to->code_end = from->code_end;
    to->data_start = from->data_start;
    to->data_end = from->data_end;
    memcpy(to->auxv, from->auxv, sizeof(to->auxv));
    to->dumpable = from->dumpable;
    if (from->exe && inode_deny_write(from->exe->inode) == 0) {
        file_get(from->exe);
        to->exe = from->exe;
    }
}

/* Does V have pages that are nowhere but in the page table, and that a child gets? */
static bool has_private_pages(const struct vma *v)
{
    return !(v->flags & (VMA_SHARED | VMA_WIPEONFORK)) &&
           (!v->object || (v->flags & VMA_HAS_PRIVATE));
}

static int fork_areas(struct mm *child, struct mm *mm)
{
    struct tlb_gather g;
    tlb_gather_init(&g, mm);
    int error = 0;
    struct vma *last = NULL;
    for (struct vma *v = vma_first(mm); v && !error; v = vma_next(v)) {
        if (v->flags & VMA_DONTFORK)
            continue;
        struct vma *copy = vma_copy(child, v);
        if (!copy) {
            error = -ENOMEM;
            break;
        }
        copy->flags &= ~(VMA_LOCKED | VMA_LOCKONFAULT);
        vma_append(child, copy, last);
        last = copy;
        if (has_private_pages(v))
            error = pages_fork(v, copy, &g);
    }
    tlb_gather_finish(&g); /* also after a failure: what was write-protected stays so */
    return error;
}

struct mm *mm_fork(struct mm *mm)
{
    if (unlikely(!page_has_room()))
        memory_drain();
    struct mm *child = page_has_room() ? mm_alloc() : NULL;
    if (!child)
        return err_ptr(-ENOMEM);
    mm_lock(mm);
    copy_description(child, mm);
    int error = fork_areas(child, mm);
    child->peak_rss = mm_rss(child);
    mm_unlock(mm);
    if (error) {
        mm_put(child);
        return err_ptr(error);
    }
    return child;
}

/* --- limits --- */

/* Do COUNT pages more still fit under a limit in bytes, of which USED are gone? */
static bool fits(size_t used, size_t count, uint64_t limit)
{
    limit >>= PAGE_SHIFT;
    return count <= limit && used <= limit - count;
}

bool mm_may_grow(const struct mm *mm, size_t pages)
{
    return fits(mm->pages_mapped, pages, proc_rlimit(RLIMIT_AS));
}

bool mm_may_grow_data(const struct mm *mm, size_t pages)
{
    return fits(mm->pages_data, pages, proc_rlimit(RLIMIT_DATA));
}

bool mm_may_lock(const struct mm *mm, size_t pages)
{
    return fits(mm->pages_locked, pages, proc_rlimit(RLIMIT_MEMLOCK)) || capable(CAP_IPC_LOCK);
}

/* --- questions --- */

void mm_for_each_area(struct mm *mm, void (*emit)(void *ctx, const struct vma *v), void *ctx)
{
    mm_lock(mm);
    for (struct vma *v = vma_first(mm); v; v = vma_next(v))
        emit(ctx, v);
    mm_unlock(mm);
}

/* How often the page of E is mapped. A private page has as many references as entries. */
static size_t map_count(pte_t e)
{
    const struct page *p = pte_page(e);
    return pte_is_private(e) ? (size_t)ref_read(&p->ref) : max((size_t)READ_ONCE(p->users), 1ul);
}

void mm_area_usage(const struct vma *v, struct area_usage *u)
{
    struct mm *mm = v->mm;
    assert(mutex_is_held(&mm->lock));
    *u = (struct area_usage){0};
    pte_t *slot;
    for (uintptr_t at = v->start; (slot = pt_next(mm->pt_root, &at, v->end));) {
        uintptr_t stop = min(v->end, pt_table_end(at));
        spin_lock(&mm->pt_lock);
        for (; at < stop; at += PAGE_SIZE, slot++) {
            pte_t e = *slot;
            if (pte_is_empty(e) || pte_page(e) == zero_page)
                continue;
            size_t count = map_count(e);
            u->rss++;
            u->anonymous += pte_is_private(e);
            u->pss += PAGE_PARTS / count;
            u->pss_anonymous += pte_is_private(e) ? PAGE_PARTS / count : 0;
            *(count == 1 ? &u->private_pages : &u->shared_pages) += 1;
        }
        spin_unlock(&mm->pt_lock);
    }
}

void mm_page_places(struct mm *mm, uintptr_t addr, size_t n, struct page_place *places)
{
    mm_lock(mm);
    for (size_t i = 0; i < n; i++, addr += PAGE_SIZE) {
        pte_t *slot = pt_slot(mm->pt_root, addr);
        places[i] = (struct page_place){0};
        if (!slot)
            continue;
        spin_lock(&mm->pt_lock);
        pte_t e = *slot;
        if (!pte_is_empty(e)) {
            struct page *p = pte_page(e);
            places[i].page = p;
            places[i].object = !pte_is_private(e) && p != zero_page;
            places[i].sole = p != zero_page && map_count(e) == 1;
        }
        spin_unlock(&mm->pt_lock);
    }
    mm_unlock(mm);
}

size_t mm_tables(const struct mm *mm)
{
    return pt_count(mm->pt_root);
}

/*
 * Where is the word at ADDR of V one that others may know? In V's object if V is shared, or shows it without
 * ever writing; nowhere else (*OBJECT is NULL) if it is private and may be written. A private word that may
 * not even be written can't change: -EFAULT, as on Linux.
 */
static int object_of_word(struct mm *mm, const struct vma *v, uintptr_t addr,
                          struct vmobject **object)
{
    *object = v->object;
    if (v->flags & VMA_SHARED)
        return 0;
    if (v->prot & PROT_WRITE) {
        *object = NULL;
        return 0;
    }
    if (!v->object)
        return -EFAULT;
    spin_lock(&mm->pt_lock);
    pte_t *slot = pt_slot(mm->pt_root, addr);
    bool own = slot && !pte_is_empty(*slot) && pte_is_private(*slot);
    spin_unlock(&mm->pt_lock);
    return own ? -EFAULT : 0;
}

int mm_shared_key(struct mm *mm, uintptr_t addr, struct vmobject **object, uint64_t *offset)
{
    int error = -EFAULT;
    mm_lock(mm);
    struct vma *v = mm_find(mm, addr);
    if (v && addr >= v->start && v->prot &&
        !(v->object && vma_offset(v, addr) >= v->object->size)) {
        error = object_of_word(mm, v, addr, object);
        *offset = vma_offset(v, addr);
        if (error)
            *object = NULL;
        else if (*object)
            vmobject_get(*object);
    }
    mm_unlock(mm);
    return error;
}
