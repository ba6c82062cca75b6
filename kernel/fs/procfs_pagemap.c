/*
 * /proc/PID/pagemap: what lies behind each page of a process, in 8 bytes a page (proc(5)). The offset in
 * the file is the address, by pages. Which page of memory it is, only the superuser is told.
 */
#include "fs/file.h"
#include "fs/inode.h"
#include "fs/procfs_internal.h"
#include "fs/vfs.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "proc/proc.h"
#include "x86/paging.h"
#include "x86/uaccess.h"

#define ENTRY sizeof(uint64_t)
#define BATCH 32 /* entries between two looks at user memory */

#define MAPPED_ONCE (1UL << 56)
#define OF_OBJECT (1UL << 61) /* a page of a file, or of shared memory */
#define PRESENT (1UL << 63)

static uint64_t entry_of(const struct page_place *place, bool numbers)
{
    if (!place->page)
        return 0;
    return PRESENT | (place->object ? OF_OBJECT : 0) | (place->sole ? MAPPED_ONCE : 0) |
           (numbers ? page_to_pfn(place->page) : 0);
}

/* Entries from page FIRST on, until U is full or the address space ends. Bytes done. */
static ssize_t copy_entries(struct mm *mm, struct uio *u, uint64_t first)
{
    struct page_place places[BATCH];
    uint64_t entries[BATCH];
    bool numbers = fs_capable(CAP_SYS_ADMIN);
    ssize_t done = 0;

    while (u->left && first < USER_END >> PAGE_SHIFT) {
        size_t n = min(u->left / ENTRY, (size_t)BATCH);
        n = min(n, (USER_END >> PAGE_SHIFT) - first);
        mm_page_places(mm, first << PAGE_SHIFT, n, places);
        for (size_t i = 0; i < n; i++)
            entries[i] = entry_of(&places[i], numbers);
        size_t copied = uio_copy_out(u, entries, n * ENTRY);
        if (copied < n * ENTRY)
            return -EFAULT;
        done += (ssize_t)copied;
        first += n;
        if (long_work_must_end())
            break;
    }
    return done;
}

static ssize_t pagemap_read(struct file *f, struct uio *u, off_t *pos)
{
    struct subject who;

    if (*pos % (off_t)ENTRY || u->left % ENTRY)
        return -EINVAL;
    if (subject_get(f->inode->private, &who))
        return 0; /* it has ended: there is no memory any more */
    struct mm *mm = proc_mm_get(who.proc);
    subject_put(&who);
    if (!mm)
        return 0;
    ssize_t n = copy_entries(mm, u, (uint64_t)*pos / ENTRY);
    mm_put(mm);
    if (n > 0)
        *pos += n;
    return n;
}

static off_t pagemap_lseek(struct file *f, off_t offset, int whence)
{
    if (whence == SEEK_CUR)
        offset += f->pos;
    else if (whence != SEEK_SET)
        return -EINVAL;
    if (offset < 0)
        return -EINVAL;
    return f->pos = offset;
}

const struct file_ops proc_pagemap_ops = {
    .read = pagemap_read,
    .lseek = pagemap_lseek,
    .seekable = true,
};
