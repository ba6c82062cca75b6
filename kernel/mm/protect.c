/*
 * Changing what areas allow (mprotect) and whether their pages must stay (mlock). Both walk a range
 * area by area, cut at its ends, change each and join what has become alike. A hole in the range is
 * an error, found when it is reached: what comes before it has been changed, as on Linux.
 *
 * Nothing is ever paged out here, so a locked page is simply one that is present; the count is
 * kept, and limited, all the same.
 */
#include "fs/file.h"
#include "lib/assert.h"
#include "mm/pages.h"
#include "mm/vma.h"
#include "proc/cred.h"
#include "proc/proc.h"
#include "x86/uaccess.h"

/* Cut so that [start, end) of V is an area of its own. Returns it, or err_ptr(-ENOMEM). */
static struct vma *isolate(struct mm *mm, struct vma *v, uintptr_t start, uintptr_t end)
{
    if (v->start < start) {
        v = vma_split(mm, v, start);
        if (is_err(v))
            return v;
    }
    if (v->end > end) {
        struct vma *upper = vma_split(mm, v, end);
        if (is_err(upper))
            return upper;
    }
    return v;
}

/*
 * Call CHANGE for the part of each area in [start, end), cut out before and merged after. -ENOMEM
 * for a hole.
 */
static int for_each_part(struct mm *mm, uintptr_t start, uintptr_t end,
                         int (*check)(struct mm *mm, const struct vma *v, size_t pages,
                                      unsigned arg),
                         void (*change)(struct mm *mm, struct vma *v, unsigned arg), unsigned arg)
{
    while (start < end) {
        struct vma *v = mm_find(mm, start);
        if (!v || v->start > start)
            return -ENOMEM;
        uintptr_t stop = min(v->end, end);
        int error = check ? check(mm, v, (stop - start) >> PAGE_SHIFT, arg) : 0;
        if (error)
            return error;
        v = isolate(mm, v, start, stop);
        if (is_err(v))
            return (int)ptr_err(v);
        change(mm, v, arg);
        vma_merge(mm, v);
        start = stop;
    }
    return 0;
}

/* --- mprotect --- */

static int check_protect(struct mm *mm, const struct vma *v, size_t pages, unsigned prot)
{
    if (prot & ~v->max_prot)
        return -EACCES;
    if (vma_is_data(prot, v->flags) && !vma_is_data(v->prot, v->flags) &&
        (!mm_may_grow_data(mm, pages) || mm_overcommits(pages, prot, v->flags, v->object)))
        return -ENOMEM;
    return 0;
}

static void change_protection(struct mm *mm, struct vma *v, unsigned prot)
{
    if (v->prot == prot)
        return;
    vma_change(mm, v, prot, v->flags);
    pages_protect(mm, v, v->start, v->end);
}

/* Where PROT_GROWSDOWN says that the range begins: at the bottom of the area that grows. */
static int extend_down(struct mm *mm, uintptr_t *start, uintptr_t end)
{
    struct vma *v = mm_find(mm, *start);
    if (!v || v->start >= end)
        return -ENOMEM;
    if (!(v->flags & VMA_GROWSDOWN))
        return -EINVAL;
    *start = v->start;
    return 0;
}

int mm_protect(struct mm *mm, uintptr_t addr, size_t len, unsigned prot)
{
    unsigned grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
    prot &= ~grows;
    if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || (addr & (PAGE_SIZE - 1)))
        return -EINVAL;
    if (len == 0)
        return 0;
    len = ALIGN_UP(len, PAGE_SIZE);
    uintptr_t end = addr + len;
    if (end <= addr)
        return -ENOMEM;
    if (prot & ~(unsigned)(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM))
        return -EINVAL;
    prot &= PROT_READ | PROT_WRITE | PROT_EXEC;

    mm_lock(mm);
    int error = 0;
    if (grows == PROT_GROWSUP)
        error = -EINVAL; /* nothing grows upwards on this machine */
    else if (grows == PROT_GROWSDOWN)
        error = extend_down(mm, &addr, end);
    if (!error)
        error = for_each_part(mm, addr, end, check_protect, change_protection, prot);
    mm_unlock(mm);
    return error;
}

/* --- mlock --- */

static void change_locking(struct mm *mm, struct vma *v, unsigned flags)
{
    vma_change(mm, v, v->prot, (v->flags & ~(VMA_LOCKED | VMA_LOCKONFAULT)) | flags);
}

/* How many pages of [start, end) are not locked yet. */
static size_t unlocked_pages(struct mm *mm, uintptr_t start, uintptr_t end)
{
    size_t pages = 0;
    for (struct vma *v = mm_find(mm, start); v && v->start < end; v = vma_next(v))
        if (!(v->flags & VMA_LOCKED))
            pages += (min(v->end, end) - max(v->start, start)) >> PAGE_SHIFT;
    return pages;
}

int mm_lock_range(struct mm *mm, uintptr_t addr, size_t len, bool lock, unsigned flags)
{
    if (lock && proc_rlimit(RLIMIT_MEMLOCK) == 0 && !capable(CAP_IPC_LOCK))
        return -EPERM;
    uintptr_t start = ALIGN_DOWN(addr, PAGE_SIZE);
    len = ALIGN_UP(len + (addr - start), PAGE_SIZE);
    uintptr_t end = start + len;
    if (end < start)
        return -EINVAL;
    if (end == start)
        return 0;

    mm_lock(mm);
    int error = lock && !mm_may_lock(mm, unlocked_pages(mm, start, end)) ? -ENOMEM : 0;
    if (!error)
        error = for_each_part(mm, start, end, NULL, change_locking, lock ? VMA_LOCKED | flags : 0);
    mm_unlock(mm);
    if (error || !lock || (flags & VMA_LOCKONFAULT))
        return error;
    error = mm_populate(mm, start, len);
    if (error == -EFAULT || error == -EIO)
        return -ENOMEM; /* POSIX: no valid part of the address space */
    return error == -ENOMEM ? -EAGAIN : error;
}

int mm_lock_all(struct mm *mm, unsigned mcl_flags)
{
    unsigned flags = mcl_flags ? VMA_LOCKED | (mcl_flags & MCL_ONFAULT ? VMA_LOCKONFAULT : 0) : 0;
    bool current_too = mcl_flags & MCL_CURRENT || mcl_flags == 0;
    if (mcl_flags && proc_rlimit(RLIMIT_MEMLOCK) == 0 && !capable(CAP_IPC_LOCK))
        return -EPERM;

    mm_lock(mm);
    if ((mcl_flags & MCL_CURRENT) && !mm_may_lock(mm, mm->pages_mapped - mm->pages_locked)) {
        mm_unlock(mm);
        return -ENOMEM;
    }
    mm->default_flags = mcl_flags & MCL_FUTURE ? flags : 0;
    if (current_too)
        for (struct vma *v = vma_first(mm); v; v = vma_next(v)) {
            change_locking(mm, v, flags);
            v = vma_merge(mm, v);
        }
    mm_unlock(mm);

    if (!(flags & VMA_LOCKED) || (flags & VMA_LOCKONFAULT) || !current_too)
        return 0;
    for (uintptr_t at = 0; at < USER_END;) {
        mm_lock(mm);
        struct vma *v = mm_find(mm, at);
        uintptr_t start = v ? v->start : USER_END, end = v ? v->end : USER_END;
        mm_unlock(mm);
        if (v)
            (void)mm_populate(mm, start, end - start); /* as far as it goes, as Linux */
        at = end;
    }
    return 0;
}
