/*
 * madvise. Advice that only speaks of speed changes nothing here: there is no paging, no read-ahead
 * and no large page that it could steer. What has a visible effect is done: DONTNEED and FREE drop
 * private pages, REMOVE punches a hole into the object, the FORK advices change what a child gets,
 * POPULATE brings pages in.
 *
 * FREE means "may be dropped until written to again". Dropping them at once is one of the outcomes
 * that a program must expect, and the only one that needs no later decision.
 */
#include <abi/fcntl.h>

#include "fs/file.h"
#include "lib/assert.h"
#include "mm/pages.h"
#include "mm/reclaim.h"
#include "mm/vma.h"
#include "sched/thread.h"

/* Which advice exists at all; the large-page and merging ones do not without their mechanisms. */
static bool is_known(int advice)
{
    switch (advice) {
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_WILLNEED:
    case MADV_DONTNEED:
    case MADV_FREE:
    case MADV_REMOVE:
    case MADV_DONTFORK:
    case MADV_DOFORK:
    case MADV_DONTDUMP:
    case MADV_DODUMP:
    case MADV_WIPEONFORK:
    case MADV_KEEPONFORK:
    case MADV_COLD:
    case MADV_PAGEOUT:
    case MADV_POPULATE_READ:
    case MADV_POPULATE_WRITE: return true;
    default: return false;
    }
}

/*
 * Change flags of the part [start, end) of V. Returns the area that now ends at END or behind it.
 */
static int change_flags(struct mm *mm, struct vma *v, uintptr_t start, uintptr_t end, unsigned set,
                        unsigned clear)
{
    unsigned flags = (v->flags & ~clear) | set;
    if (flags == v->flags)
        return 0;
    if (vma_split_at(mm, start) != 0 || vma_split_at(mm, end) != 0)
        return -ENOMEM;
    v = mm_find(mm, start);
    vma_change(mm, v, v->prot, flags);
    vma_merge(mm, v);
    return 0;
}

static int drop_pages(struct mm *mm, struct vma *v, uintptr_t start, uintptr_t end, int advice)
{
    if (advice == MADV_FREE && v->object)
        return -EINVAL;
    if (v->flags & VMA_LOCKED)
        return -EINVAL;
    pages_unmap(mm, start, end);
    return 0;
}

/* One area's part. mm->lock held. */
static int advise_part(struct mm *mm, struct vma *v, uintptr_t start, uintptr_t end, int advice)
{
    bool private_anonymous = !v->object && !(v->flags & VMA_SHARED);
    switch (advice) {
    case MADV_DONTNEED:
    case MADV_FREE: return drop_pages(mm, v, start, end, advice);
    case MADV_COLD:
    case MADV_PAGEOUT: return v->flags & VMA_LOCKED ? -EINVAL : 0;
    case MADV_DONTFORK: return change_flags(mm, v, start, end, VMA_DONTFORK, 0);
    case MADV_DOFORK: return change_flags(mm, v, start, end, 0, VMA_DONTFORK);
    case MADV_DONTDUMP: return change_flags(mm, v, start, end, VMA_DONTDUMP, 0);
    case MADV_DODUMP: return change_flags(mm, v, start, end, 0, VMA_DONTDUMP);
    case MADV_WIPEONFORK:
        return private_anonymous ? change_flags(mm, v, start, end, VMA_WIPEONFORK, 0) : -EINVAL;
    case MADV_KEEPONFORK: return change_flags(mm, v, start, end, 0, VMA_WIPEONFORK);
    default: return 0;
    }
}

/* Punch a hole into O, which F, if it isn't NULL, is a file of: seals and times are the file's. */
static int punch(struct vmobject *o, struct file *f, uint64_t from, uint64_t to)
{
    const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    int error = f ? file_allocate(f, mode, from, to - from) : -EOPNOTSUPP;

    if (error != -EOPNOTSUPP)
        return error;
    vmobject_punch(o, from, to); /* anonymous, a segment, or /dev/zero */
    return 0;
}

/*
 * MADV_REMOVE: punching a hole looks at all areas of the object, ours too, so mm->lock is dropped
 * for it.
 */
static int remove_part(struct mm *mm, struct vma *v, uintptr_t start, uintptr_t end)
{
    if (v->flags & VMA_LOCKED || !v->object)
        return -EINVAL;
    if (!(v->flags & VMA_SHARED) || !(v->max_prot & PROT_WRITE))
        return -EACCES;
    struct vmobject *o = v->object;
    struct file *f = v->file;
    uint64_t from = vma_offset(v, start);
    vmobject_get(o);
    if (f)
        file_get(f);
    mm_unlock(mm);
    int error = punch(o, f, from, from + (end - start));
    if (f)
        file_put(f);
    vmobject_put(o);
    mm_lock(mm);
    return error;
}

/* Visit the range area by area. Holes are skipped and give -ENOMEM in the end. */
static int advise_range(struct mm *mm, uintptr_t start, uintptr_t end, int advice)
{
    bool hole = false;
    mm_lock(mm);
    int error = 0;
    while (start < end && !error) {
        struct vma *v = mm_find(mm, start);
        if (!v || v->start >= end) {
            hole = true;
            break;
        }
        hole |= v->start > start;
        start = max(start, v->start);
        uintptr_t stop = min(end, v->end);
        error = advice == MADV_REMOVE ? remove_part(mm, v, start, stop)
                                      : advise_part(mm, v, start, stop, advice);
        start = stop;
    }
    mm_unlock(mm);
    return error ? error : hole ? -ENOMEM : 0;
}

/* MADV_POPULATE_*: every page as an access of that kind would find it. */
static int populate_range(struct mm *mm, uintptr_t start, uintptr_t end, bool write)
{
    unsigned tries = 0;
    while (start < end) {
        int error = 0;
        mm_lock(mm);
        struct vma *v = mm_find(mm, start);
        if (!v || v->start > start)
            error = -ENOMEM;
        else if (!(v->prot & (write ? PROT_WRITE : PROT_READ | PROT_WRITE | PROT_EXEC)))
            error = -EINVAL;
        bool hole = error;
        for (uintptr_t stop = v ? min(v->end, end) : end; !error && start < stop;
             start += PAGE_SIZE) {
            error = fatal_pending(current) ? -EINTR : page_resolve(mm, v, start, write);
            if (error)
                break;
        }
        mm_unlock(mm);
        if (error == -ENOMEM && !hole && memory_make_room(&tries))
            continue;
        if (error)
            return error == -EIO ? -EFAULT : error;
    }
    return 0;
}

int mm_advise(struct mm *mm, uintptr_t addr, size_t len, int advice)
{
    if (!is_known(advice) || (addr & (PAGE_SIZE - 1)))
        return -EINVAL;
    size_t bytes = ALIGN_UP(len, PAGE_SIZE);
    if (bytes < len || addr + bytes < addr)
        return -EINVAL;
    if (bytes == 0)
        return 0;
    if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
        return populate_range(mm, addr, addr + bytes, advice == MADV_POPULATE_WRITE);
    return advise_range(mm, addr, addr + bytes, advice);
}
