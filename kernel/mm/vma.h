/*
 * The tree of areas, for mm/ alone. All of these want mm->lock held. They keep the tree, the gaps,
 * the totals of struct mm and the objects' lists of areas right; page tables are others' business.
 */
#pragma once

#include <abi/mman.h>

#include "mm/mm.h"

#define MMAP_MIN_ADDR 0x10000UL /* vm.mmap_min_addr */
#define MAX_AREAS 65530         /* vm.max_map_count */
#define STACK_GUARD_GAP (256 * PAGE_SIZE)

void vma_init(void);
void vma_tree_init(struct mm *mm);

void mm_lock(struct mm *mm);
void mm_unlock(struct mm *mm); /* and puts what dead areas hold */

static inline struct vma *vma_next(const struct vma *v)
{
    struct tree_node *n = tree_next(&v->node);
    return n ? tree_entry(n, struct vma, node) : NULL;
}
static inline struct vma *vma_prev(const struct vma *v)
{
    struct tree_node *n = tree_prev(&v->node);
    return n ? tree_entry(n, struct vma, node) : NULL;
}
static inline struct vma *vma_first(const struct mm *mm)
{
    struct tree_node *n = tree_first(&mm->areas);
    return n ? tree_entry(n, struct vma, node) : NULL;
}
static inline size_t vma_pages(const struct vma *v)
{
    return (v->end - v->start) >> PAGE_SHIFT;
}

/* Private memory that a program can write: what RLIMIT_DATA counts. */
static inline bool vma_is_data(unsigned prot, unsigned flags)
{
    return (prot & PROT_WRITE) && !(flags & (VMA_SHARED | VMA_GROWSDOWN));
}
/*
 * The rights of a page of V that may not be written yet. x86 reads whatever it may write, so an
 * area that is only writable is readable meanwhile.
 */
static inline unsigned vma_prot_unwritten(const struct vma *v)
{
    if (v->prot & PROT_WRITE)
        return (v->prot & ~(unsigned)PROT_WRITE) | PROT_READ;
    return v->prot;
}

/* The offset in the object that ADDR stands for. */
static inline uint64_t vma_offset(const struct vma *v, uintptr_t addr)
{
    return v->offset + (addr - v->start);
}

/* A fresh area, on no tree, holding no references. NULL when out of memory. */
struct vma *vma_alloc(struct mm *mm);
void vma_free(struct vma *v); /* one that was never inserted; puts object and file */

void vma_insert(struct mm *mm, struct vma *v);
/* The same when V lies above all that is there: for fork. */
void vma_append(struct mm *mm, struct vma *v, struct vma *last);
/* Take V out; it goes to mm->dead. Its page-table entries are gone already. */
void vma_remove(struct mm *mm, struct vma *v);
/* The same without mending the tree: all of it is going. */
void vma_bury(struct mm *mm, struct vma *v);
/* Move the bounds of V, which stays between the same neighbours. */
void vma_resize(struct mm *mm, struct vma *v, uintptr_t start, uintptr_t end);
/* Change protection and flags, keeping the totals right. */
void vma_change(struct mm *mm, struct vma *v, unsigned prot, unsigned flags);

/* A copy of V for MM, with references of its own, on no tree; NULL. */
struct vma *vma_copy(struct mm *mm, const struct vma *v);

/* Cut V in two at ADDR: V keeps the lower part; the upper is returned, or err_ptr(-ENOMEM). */
struct vma *vma_split(struct mm *mm, struct vma *v, uintptr_t addr);
/* Make ADDR a border between areas. 0 or -ENOMEM. */
int vma_split_at(struct mm *mm, uintptr_t addr);
/* Join V with its neighbours where they agree in everything; returns the area that now covers V. */
struct vma *vma_merge(struct mm *mm, struct vma *v);

/* The highest place for LEN bytes within [LOW, HIGH), 0 when there is none. LOW > 0. */
uintptr_t vma_find_hole(struct mm *mm, size_t len, uintptr_t low, uintptr_t high);
/* No area in [START, END), and none above that may not come closer. */
bool vma_range_is_free(struct mm *mm, uintptr_t start, uintptr_t end);
