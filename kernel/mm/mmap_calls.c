/*
 * The system calls of memory: what they check and translate before the functions of mm.h do the
 * work.
 */
#include <abi/fcntl.h>
#include <abi/mman.h>
#include <abi/mount.h>

#include <syscall_protos.h>

#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/path.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/pages.h"
#include "mm/vma.h"
#include "sched/thread.h"
#include "x86/uaccess.h"

/*
 * Flags that MAP_SHARED_VALIDATE accepts: the old ones, which MAP_SHARED ignores when it doesn't
 * know them.
 */
#define VALIDATED_FLAGS                                                                      \
    (MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_32BIT | MAP_GROWSDOWN | MAP_DENYWRITE |      \
     MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | \
     MAP_HUGETLB | MAP_HUGE_2MB | MAP_HUGE_1GB)

#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)

/* --- mmap --- */

static bool is_shared(unsigned flags)
{
    return (flags & MAP_TYPE) == MAP_SHARED || (flags & MAP_TYPE) == MAP_SHARED_VALIDATE;
}

/* May F be mapped this way, and what may mprotect make of it later? 0 or -errno. */
static int check_file(const struct file *f, unsigned prot, unsigned flags, unsigned *max_prot)
{
    unsigned type = flags & MAP_TYPE;
    *max_prot = PROT_ALL;
    if (type != MAP_PRIVATE && !is_shared(flags))
        return -EINVAL;
    if (type == MAP_SHARED_VALIDATE && (flags & ~(unsigned)VALIDATED_FLAGS))
        return -EOPNOTSUPP;
    if (is_shared(flags) && !FMODE_WRITE(f)) {
        if (prot & PROT_WRITE)
            return -EACCES;
        *max_prot &= ~(unsigned)PROT_WRITE;
    }
    if (!FMODE_READ(f))
        return -EACCES;
    if (f->path && (f->path->mnt->flags & MS_NOEXEC)) {
        if (prot & PROT_EXEC)
            return -EPERM;
        *max_prot &= ~(unsigned)PROT_EXEC;
    }
    if (!f->ops->mmap_object)
        return -ENODEV;
    return flags & MAP_GROWSDOWN ? -EINVAL : 0;
}

static long map_file(struct file *f, uintptr_t addr, size_t len, unsigned prot, unsigned flags,
                     uint64_t offset)
{
    size_t bytes = ALIGN_UP(len, PAGE_SIZE);
    if (len == 0 || (flags & MAP_HUGETLB))
        return -EINVAL;
    if (bytes == 0)
        return -ENOMEM;
    if (offset > INT64_MAX || bytes > INT64_MAX - offset)
        return -EOVERFLOW;
    unsigned max_prot;
    int error = check_file(f, prot, flags, &max_prot);
    if (error)
        return error;
    struct vmobject *object = f->ops->mmap_object(f);
    if (is_err(object))
        return ptr_err(object);
    /* No object: it is made with the area, and nobody else knows it. */
    bool writer = object && is_shared(flags) && (max_prot & PROT_WRITE);
    if (writer && !vmobject_writer_begin(object)) {
        if (prot & PROT_WRITE)
            return -EPERM;
        max_prot &= ~(unsigned)PROT_WRITE;
        writer = false;
    }
    long at = mm_map(current->mm, addr, len, prot, max_prot, flags, object, offset, f, NULL);
    if (writer)
        vmobject_writer_end(object);
    return at;
}

static long map_anonymous(uintptr_t addr, size_t len, unsigned prot, unsigned flags)
{
    unsigned type = flags & MAP_TYPE;
    if (flags & MAP_HUGETLB)
        return -ENOMEM; /* the pool of huge pages is empty */
    if (len != 0 && type != MAP_PRIVATE && (type != MAP_SHARED || (flags & MAP_GROWSDOWN)))
        return -EINVAL;
    return mm_map(current->mm, addr, len, prot, PROT_ALL, flags, NULL, 0, NULL, NULL);
}

long sys_mmap(unsigned long addr, size_t length, unsigned long prot, unsigned long flags, int fd,
              off_t offset)
{
    if (offset & (off_t)(PAGE_SIZE - 1))
        return -EINVAL;
    if (flags & MAP_ANONYMOUS)
        return map_anonymous(addr, length, (unsigned)prot, (unsigned)flags);
    struct file *f = fd_get_real(fd);
    if (!f)
        return -EBADF;
    long result = map_file(f, addr, length, (unsigned)prot, (unsigned)flags, (uint64_t)offset);
    file_put(f);
    return result;
}

/* --- the rest --- */

long sys_munmap(unsigned long addr, size_t length)
{
    return mm_unmap(current->mm, addr, length);
}

long sys_mprotect(unsigned long addr, size_t length, unsigned long prot)
{
    if (prot > UINT32_MAX)
        return -EINVAL;
    return mm_protect(current->mm, addr, length, (unsigned)prot);
}

long sys_brk(unsigned long addr)
{
    return mm_brk(current->mm, addr);
}

long sys_mremap(unsigned long addr, size_t old_length, size_t new_length, unsigned long flags,
                unsigned long new_addr)
{
    if (flags > UINT32_MAX)
        return -EINVAL;
    return mm_remap(current->mm, addr, old_length, new_length, (unsigned)flags, new_addr);
}

long sys_madvise(unsigned long addr, size_t length, int advice)
{
    return mm_advise(current->mm, addr, length, advice);
}

/*
 * There is no disk behind any object: what is in memory is what there is, and only the arguments
 * count.
 */
long sys_msync(unsigned long addr, size_t length, int flags)
{
    if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) || (addr & (PAGE_SIZE - 1)) ||
        (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
        return -EINVAL;
    uintptr_t end = addr + ALIGN_UP(length, PAGE_SIZE);
    if (end < addr)
        return -ENOMEM;

    struct mm *mm = current->mm;
    int error = 0;
    bool hole = false;
    mm_lock(mm);
    for (uintptr_t at = addr; at < end && !error;) {
        struct vma *v = mm_find(mm, at);
        hole |= !v || v->start > at;
        if (!v || v->start >= end)
            break;
        if ((flags & MS_INVALIDATE) && (v->flags & VMA_LOCKED))
            error = -EBUSY;
        at = v->end;
    }
    mm_unlock(mm);
    return error ? error : hole ? -ENOMEM : 0;
}

/* --- mincore --- */

#define MINCORE_BATCH 256

/* One byte for each page of V from ADDR on: is it in memory? */
static void residence(struct mm *mm, struct vma *v, uintptr_t addr, size_t pages, uint8_t *vec)
{
    for (size_t i = 0; i < pages; i++, addr += PAGE_SIZE) {
        pte_t *slot = pt_slot(mm->pt_root, addr);
        bool present = slot && !pte_is_empty(READ_ONCE(*slot));
        if (!present && v->object) {
            spin_lock(&v->object->lock);
            present = vmobject_page_locked(v->object, vma_offset(v, addr) >> PAGE_SHIFT, false);
            spin_unlock(&v->object->lock);
        }
        vec[i] = present;
    }
}

long sys_mincore(unsigned long addr, size_t length, unsigned char __user *vec)
{
    if (addr & (PAGE_SIZE - 1))
        return -EINVAL;
    if (!user_range_ok((void __user *)addr, length))
        return -ENOMEM;
    size_t pages = DIV_ROUND_UP(length, PAGE_SIZE);
    if (!user_range_ok(vec, pages))
        return -EFAULT;

    struct mm *mm = current->mm;
    uint8_t part[MINCORE_BATCH];
    while (pages > 0) {
        mm_lock(mm);
        struct vma *v = mm_find(mm, addr);
        size_t n = v && v->start <= addr ? min((v->end - addr) >> PAGE_SHIFT, pages) : 0;
        n = min(n, (size_t)MINCORE_BATCH);
        residence(mm, v, addr, n, part);
        mm_unlock(mm);
        if (n == 0)
            return -ENOMEM;
        if (copy_to_user(vec, part, n) != 0)
            return -EFAULT;
        vec += n;
        addr += n << PAGE_SHIFT;
        pages -= n;
    }
    return 0;
}

/* --- mlock --- */

long sys_mlock(unsigned long addr, size_t length)
{
    return mm_lock_range(current->mm, addr, length, true, 0);
}

long sys_mlock2(unsigned long addr, size_t length, int flags)
{
    if (flags & ~MLOCK_ONFAULT)
        return -EINVAL;
    return mm_lock_range(current->mm, addr, length, true,
                         flags & MLOCK_ONFAULT ? VMA_LOCKONFAULT : 0);
}

long sys_munlock(unsigned long addr, size_t length)
{
    return mm_lock_range(current->mm, addr, length, false, 0);
}

long sys_mlockall(int flags)
{
    if (flags == 0 || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) || flags == MCL_ONFAULT)
        return -EINVAL;
    return mm_lock_all(current->mm, (unsigned)flags);
}

long sys_munlockall(void)
{
    return mm_lock_all(current->mm, 0);
}
