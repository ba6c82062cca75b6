/*
 * Reading and writing an address space that need not be the one loaded: exec fills a new stack this
 * way, /proc reads a process's arguments. One page at a time is looked up (and faulted in) and
 * copied through the direct map with mm->lock held, so that it is still the owner's page when it is
 * written to.
 *
 * These go where the owner could go if it changed the protection: a private page is copied for a
 * write even if its area is read-only, as a debugger needs.
 */
#include "fs/file.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "mm/pages.h"
#include "mm/reclaim.h"
#include "mm/vma.h"
#include "x86/uaccess.h"

/* Is the page behind entry E of V the one that may be read, or written? */
static bool entry_serves(const struct vma *v, pte_t e, bool write)
{
    if (pte_is_empty(e))
        return false;
    if (!write || (v->flags & VMA_SHARED))
        return true;
    return pte_is_private(e) && ref_read(&pte_page(e)->ref) == 1;
}

/* The page of an entry that serves, with a reference; NULL when it doesn't. */
static struct page *get_entry_page(struct mm *mm, const struct vma *v, uintptr_t addr, bool write)
{
    struct page *p = NULL;
    pte_t *slot = pt_slot(mm->pt_root, addr);
    if (!slot)
        return NULL;
    spin_lock(&mm->pt_lock); /* a truncation clears entries and puts pages: not in between */
    if (entry_serves(v, *slot, write)) {
        p = pte_page(*slot);
        page_get(p);
    }
    spin_unlock(&mm->pt_lock);
    return p;
}

/* The page at ADDR with a reference, or err_ptr. mm->lock held. */
static struct page *find_page(struct mm *mm, uintptr_t addr, bool write)
{
    struct vma *v = mm_find(mm, addr);
    if (!v)
        return err_ptr(-EFAULT);
    if (addr < v->start && (!(v->flags & VMA_GROWSDOWN) || stack_grow(mm, v, addr) != 0))
        return err_ptr(-EFAULT);
    if (write ? (v->flags & VMA_SHARED) && !(v->prot & PROT_WRITE) : !(v->max_prot & PROT_READ))
        return err_ptr(-EFAULT);
    for (;;) {
        struct page *p = get_entry_page(mm, v, addr, write);
        if (p)
            return p;
        int error = page_resolve(mm, v, addr, write);
        if (error)
            return err_ptr(error);
    }
}

struct page *mm_page_to_save(struct mm *mm, uintptr_t addr)
{
    struct page *p = NULL;

    mm_lock(mm);
    const struct vma *v = mm_find(mm, addr);
    if (v && v->start <= addr && v->object)
        p = find_page(mm, addr, false);
    else if (v && v->start <= addr)
        p = get_entry_page(mm, v, addr, false);
    mm_unlock(mm);
    return is_err(p) ? NULL : p;
}

struct page *mm_user_page(struct mm *mm, uintptr_t addr)
{
    mm_lock(mm);
    const struct vma *v = addr < USER_END ? mm_find(mm, addr) : NULL;
    bool allowed = v && v->prot & (PROT_READ | PROT_WRITE);
    struct page *p = allowed ? find_page(mm, addr & ~(PAGE_SIZE - 1), false) : err_ptr(-EFAULT);
    mm_unlock(mm);
    return p == err_ptr(-EIO) ? err_ptr(-EFAULT) : p; /* beyond a file's end */
}

/* Up to the end of a page: bytes done, or -errno. */
static ssize_t transfer_part(struct mm *mm, uintptr_t addr, char *buf, size_t n, bool write)
{
    size_t offset = addr & (PAGE_SIZE - 1);
    n = min(n, PAGE_SIZE - offset);
    mm_lock(mm);
    struct page *p = find_page(mm, addr - offset, write);
    if (!is_err(p)) {
        char *memory = (char *)page_to_virt(p) + offset;
        if (write)
            memcpy(memory, buf, n);
        else
            memcpy(buf, memory, n);
        page_put(p);
    }
    mm_unlock(mm);
    return is_err(p) ? ptr_err(p) : (ssize_t)n;
}

static ssize_t transfer(struct mm *mm, uintptr_t addr, char *buf, size_t n, bool write)
{
    size_t done = 0;
    unsigned tries = 0;
    while (done < n && addr + done < USER_END) {
        ssize_t part = transfer_part(mm, addr + done, buf + done, n - done, write);
        if (part == -ENOMEM && memory_make_room(&tries))
            continue;
        if (part < 0)
            break;
        done += (size_t)part;
    }
    return done > 0 || n == 0 ? (ssize_t)done : -EFAULT;
}

ssize_t mm_read(struct mm *mm, uintptr_t addr, void *buf, size_t n)
{
    return transfer(mm, addr, buf, n, false);
}

ssize_t mm_write(struct mm *mm, uintptr_t addr, const void *buf, size_t n)
{
    return transfer(mm, addr, (char *)buf, n, true);
}
