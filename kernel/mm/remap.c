/*
 * mremap: an area shrinks, grows in place, or moves with its pages. Moving makes a new area that
 * shows the same bytes, carries the private pages' entries over and removes the old area; an
 * object's other pages are found again by faults. Errors and their order are Linux's (mm/mremap.c
 * is the reference, mremap(2) the contract).
 */
#include "fs/file.h"
#include "lib/assert.h"
#include "mm/pages.h"
#include "mm/vma.h"
#include "proc/cred.h"
#include "proc/proc.h"
#include "x86/uaccess.h"

struct remap {
    uintptr_t old;
    size_t old_len;
    size_t new_len;
    unsigned flags;
    uintptr_t new_addr;
};

/* The area that [old, old+old_len) lies in, when it may get the new length; or err_ptr. */
static struct vma *check_area(struct mm *mm, const struct remap *r)
{
    struct vma *v = mm_find(mm, r->old);
    if (!v || v->start > r->old)
        return err_ptr(-EFAULT);
    if (r->old_len == 0 && !(v->flags & VMA_SHARED))
        return err_ptr(-EINVAL); /* only what others can see too may be mapped a second time */
    if (r->old_len > v->end - r->old)
        return err_ptr(-EFAULT);
    if (r->new_len == r->old_len)
        return v;
    if (v->object && vma_offset(v, r->old) + r->new_len < r->new_len)
        return err_ptr(-EINVAL);
    size_t more = (r->new_len - r->old_len) >> PAGE_SHIFT;
    if ((v->flags & VMA_LOCKED) && !mm_may_lock(mm, more))
        return err_ptr(-EAGAIN);
    if (!mm_may_grow(mm, more))
        return err_ptr(-ENOMEM);
    if (vma_is_data(v->prot, v->flags) &&
        (!mm_may_grow_data(mm, more) || mm_overcommits(more, v->prot, v->flags, v->object)))
        return err_ptr(-ENOMEM);
    return v;
}

/*
 * Put a new area for [r->old, +old_len) of V at NEW_ADDR, with all pages; the old one goes, or is
 * left empty.
 */
static long move_area(struct mm *mm, struct vma *v, const struct remap *r, uintptr_t new_addr)
{
    if (mm->nareas >= MAX_AREAS - 3)
        return -ENOMEM;
    struct vma *to = vma_copy(mm, v);
    if (!to)
        return -ENOMEM;
    to->offset = vma_offset(v, r->old);
    to->start = new_addr;
    to->end = new_addr + r->new_len;
    /*
     * Cut the old area first: nothing may fail once pages have moved. A length of 0 makes a second
     * view.
     */
    int error = r->old_len ? vma_split_at(mm, r->old) : 0;
    if (!error && r->old_len)
        error = vma_split_at(mm, r->old + r->old_len);
    if (error) {
        list_push_back(&mm->dead, &to->object_link);
        return error;
    }
    vma_insert(mm, to);
    if (r->old_len) {
        v = mm_find(mm, r->old);
        error = pages_move(mm, v, r->old, r->old + r->old_len, to, new_addr);
        if (error) {
            vma_remove(mm, to);
            pages_unmap(mm, new_addr, new_addr + r->new_len); /* tables made for nothing */
            return error;
        }
        if (r->flags & MREMAP_DONTUNMAP)
            vma_change(mm, v, v->prot, v->flags & ~(VMA_LOCKED | VMA_LOCKONFAULT));
        else
            vma_remove(mm, v);
    }
    vma_merge(mm, to);
    return (long)new_addr;
}

/* MREMAP_FIXED and MREMAP_DONTUNMAP. */
static long remap_to(struct mm *mm, struct remap *r)
{
    if ((r->new_addr & (PAGE_SIZE - 1)) || r->new_len > USER_END ||
        r->new_addr > USER_END - r->new_len)
        return -EINVAL;
    if (r->old + r->old_len > r->new_addr && r->new_addr + r->new_len > r->old)
        return -EINVAL; /* old and new place overlap */
    if (mm->nareas >= MAX_AREAS - 3)
        return -ENOMEM;
    int error;
    if (r->flags & MREMAP_FIXED) {
        if (r->new_addr < MMAP_MIN_ADDR && !capable(CAP_SYS_RAWIO))
            return -EPERM;
        error = mm_unmap_locked(mm, r->new_addr, r->new_addr + r->new_len);
        if (error)
            return error;
    }
    if (r->old_len > r->new_len) {
        error = mm_unmap_locked(mm, r->old + r->new_len, r->old + r->old_len);
        if (error)
            return error;
        r->old_len = r->new_len;
    }
    struct vma *v = check_area(mm, r);
    if (is_err(v))
        return ptr_err(v);
    if ((r->flags & MREMAP_DONTUNMAP) && !mm_may_grow(mm, r->old_len >> PAGE_SHIFT))
        return -ENOMEM;
    if (r->flags & MREMAP_FIXED)
        return move_area(mm, v, r, r->new_addr);
    long at = mm_find_place(mm, r->new_addr, r->new_len);
    return at < 0 ? at : move_area(mm, v, r, (uintptr_t)at);
}

static long remap_resize(struct mm *mm, struct remap *r)
{
    struct vma *at_old = mm_find(mm, r->old);
    if (!at_old || at_old->start > r->old)
        return -EFAULT;
    if (r->old_len == r->new_len)
        return (long)r->old;
    if (r->old_len > r->new_len) {
        int error = mm_unmap_locked(mm, r->old + r->new_len, r->old + r->old_len);
        return error ? error : (long)r->old;
    }
    struct vma *v = check_area(mm, r);
    if (is_err(v))
        return ptr_err(v);
    uintptr_t new_end = r->old + r->new_len;
    if (r->old_len && r->old + r->old_len == v->end && new_end > r->old && new_end <= USER_END &&
        vma_range_is_free(mm, v->end, new_end)) {
        vma_resize(mm, v, v->start, new_end);
        vma_merge(mm, v);
        return (long)r->old;
    }
    if (!(r->flags & MREMAP_MAYMOVE))
        return -ENOMEM;
    long at = mm_find_place(mm, 0, r->new_len);
    return at < 0 ? at : move_area(mm, v, r, (uintptr_t)at);
}

/* Is the address a locked area's, so that what it gained must be made present? */
static bool is_locked(struct mm *mm, uintptr_t addr)
{
    struct vma *v = mm_find(mm, addr);
    return v && (v->flags & (VMA_LOCKED | VMA_LOCKONFAULT)) == VMA_LOCKED;
}

long mm_remap(struct mm *mm, uintptr_t old, size_t old_len, size_t new_len, unsigned flags,
              uintptr_t new_addr)
{
    struct remap r = {old, ALIGN_UP(old_len, PAGE_SIZE), ALIGN_UP(new_len, PAGE_SIZE), flags,
                      new_addr};
    if (flags & ~(unsigned)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
        return -EINVAL;
    if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(flags & MREMAP_MAYMOVE))
        return -EINVAL;
    if ((flags & MREMAP_DONTUNMAP) && r.old_len != r.new_len)
        return -EINVAL;
    if ((old & (PAGE_SIZE - 1)) || r.new_len == 0)
        return -EINVAL;
    if (old > USER_END || r.old_len > USER_END - old || old_len > r.old_len)
        return -EFAULT; /* no area reaches so far */

    size_t grown = r.new_len > r.old_len ? r.new_len - r.old_len : 0;
    mm_lock(mm);
    long at = flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) ? remap_to(mm, &r) : remap_resize(mm, &r);
    bool populate = at >= 0 && grown && is_locked(mm, (uintptr_t)at);
    mm_unlock(mm);
    if (populate)
        (void)mm_populate(mm, (uintptr_t)at + r.new_len - grown, grown);
    return at;
}
