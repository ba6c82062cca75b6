/*
 * Calls about when and how bytes reach a disk. All file systems here are memory: what has been
 * written is as safe as it will ever be, and advice about reading ahead is heard and has nothing to
 * improve.
 */
#include <syscall_protos.h>

#include "fs/vfs.h"

static long sync_file(int fd)
{
    struct fdref r = fdref_get(fd);
    if (!r.file)
        return -EBADF;
    long result = r.file->ops->fsync ? r.file->ops->fsync(r.file) : -EINVAL;
    fdref_put(r);
    return result;
}

long sys_fsync(int fd)
{
    return sync_file(fd);
}

long sys_fdatasync(int fd)
{
    return sync_file(fd);
}

static long check_advice(const struct file *f, off_t length, int advice)
{
    if (f->inode && S_ISFIFO(f->inode->mode))
        return -ESPIPE;
    if (length < 0 || advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE)
        return -EINVAL;
    return 0;
}

long sys_fadvise64(int fd, off_t offset, size_t length, int advice)
{
    (void)offset;
    struct fdref r = fdref_get(fd);
    if (!r.file)
        return -EBADF;
    long result = check_advice(r.file, (off_t)length, advice);
    fdref_put(r);
    return result;
}

long sys_readahead(int fd, off_t offset, size_t size)
{
    (void)offset, (void)size;
    struct fdref r = fdref_get(fd);
    if (!r.file)
        return -EBADF;
    struct file *f = r.file;
    long result = !FMODE_READ(f) ? -EBADF : f->inode && S_ISREG(f->inode->mode) ? 0 : -EINVAL;
    fdref_put(r);
    return result;
}
