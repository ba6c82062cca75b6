/*
 * The pages of an area, for mm/ alone: bringing them in, taking them out, finding one. mm->lock
 * held.
 */
#pragma once

#include "mm/mm.h"
#include "mm/vma.h"
#include "x86/paging.h"
#include "x86/tlb.h"

void pages_init(void);

/*
 * Resolve one page of V as an access would: ADDR page aligned, WRITE: for writing (V->prot isn't
 * looked at). 0, -EIO beyond the object's end or when its quota is used up, -ENOMEM. When it
 * returns 0 the page is there, or another CPU has just changed it: look again.
 */
int page_resolve(struct mm *mm, struct vma *v, uintptr_t addr, bool write);

/*
 * Clear the entries of [start, end), private pages included, put what they held, and free the
 * tables that become empty. Flushes.
 */
void pages_unmap(struct mm *mm, uintptr_t start, uintptr_t end);
/*
 * The same for all areas at once, when the address space dies: what lies between them is not looked
 * at.
 */
void pages_unmap_all(struct mm *mm);

/* Give the entries of V in [start, end) the protection that V now has. Flushes. */
void pages_protect(struct mm *mm, struct vma *v, uintptr_t start, uintptr_t end);

/*
 * Share V's private pages with its COPY in another address space, read-only in both. -ENOMEM. G
 * collects the flush.
 */
int pages_fork(struct vma *v, struct vma *copy, struct tlb_gather *g);

/*
 * Move V's private pages of [start, end) to NEW_START of area TO; other pages are just dropped.
 * -ENOMEM: nothing moved.
 */
int pages_move(struct mm *mm, struct vma *v, uintptr_t start, uintptr_t end, struct vma *to,
               uintptr_t new_start);

/*
 * How the stack grows: make V reach down to ADDR. 0 or -ENOMEM when a limit or a neighbour forbids
 * it.
 */
int stack_grow(struct mm *mm, struct vma *v, uintptr_t addr);

/*
 * May the address space grow by so many pages (RLIMIT_AS), and may so many be writable
 * (RLIMIT_DATA)?
 */
bool mm_may_grow(const struct mm *mm, size_t pages);
bool mm_may_grow_data(const struct mm *mm, size_t pages);
/* May so many more pages be locked? */
bool mm_may_lock(const struct mm *mm, size_t pages);

/* A free place for LEN bytes as mmap would choose it; -ENOMEM. mm->lock held. */
long mm_find_place(struct mm *mm, uintptr_t hint, size_t len);
/*
 * Would that many pages more be a promise that memory can never keep? OBJECT: an object backs them
 * already.
 */
bool mm_overcommits(size_t pages, unsigned prot, unsigned vma_flags, bool object);

/*
 * Unmap and forget [start, end): areas, pages, all. mm->lock held. 0 or -ENOMEM (no memory, or too
 * many areas).
 */
int mm_unmap_locked(struct mm *mm, uintptr_t start, uintptr_t end);
