/*
 * read(2), write(2) and their relatives. Each makes a uio of what the program named and hands it to
 * file.c.
 */
#include <syscall_protos.h>

#include "fs/vfs.h"
#include "mm/slab.h"
#include "sched/lock.h"
#include "x86/uaccess.h"

/* One buffer at the description's own offset: the way that has to be short. */
static inline ssize_t rw_one(int fd, void __user *buf, size_t n, bool write)
{
    struct fdref r = fdref_get(fd);
    if (unlikely(!r.file))
        return -EBADF;
    struct file *f = r.file;
    ssize_t result = file_rw_check(f, write);
    if (likely(!result)) {
        struct iovec one;
        struct uio u;
        uio_init_user(&u, &one, buf, min(n, MAX_RW_COUNT));
        result =
            likely(user_range_ok(buf, n)) ? file_rw_checked(f, &u, write, file_sole(r)) : -EFAULT;
    }
    fdref_put(r);
    return result;
}

long sys_read(int fd, void __user *buf, size_t count)
{
    return rw_one(fd, buf, count, false);
}

long sys_write(int fd, const void __user *buf, size_t count)
{
    return rw_one(fd, (void __user *)buf, count, true);
}

static long rw_one_at(int fd, void __user *buf, size_t n, off_t pos, bool write)
{
    if (pos < 0)
        return -EINVAL;
    struct fdref r = fdref_get(fd);
    if (!r.file)
        return -EBADF;
    long result = -EFAULT;
    if (!r.file->ops->seekable) {
        result = -ESPIPE;
    } else if (!(write ? FMODE_WRITE(r.file) : FMODE_READ(r.file))) {
        result = -EBADF;
    } else if (user_range_ok(buf, n)) {
        struct iovec one;
        struct uio u;
        uio_init_user(&u, &one, buf, min(n, MAX_RW_COUNT));
        result = write ? file_pwrite(r.file, &u, pos) : file_pread(r.file, &u, pos);
    }
    fdref_put(r);
    return result;
}

long sys_pread64(int fd, void __user *buf, size_t count, off_t offset)
{
    return rw_one_at(fd, buf, count, offset, false);
}

long sys_pwrite64(int fd, const void __user *buf, size_t count, off_t offset)
{
    return rw_one_at(fd, (void __user *)buf, count, offset, true);
}

/* ---- vectors ---- */

/* Check the elements and cut what is beyond the longest transfer. */
static int vector_check(struct user_vector *v, unsigned long count)
{
    size_t total = 0;
    for (unsigned long i = 0; i < count; i++) {
        struct iovec *e = &v->iov[i];
        if ((ssize_t)e->iov_len < 0)
            return -EINVAL;
        if (!user_range_ok(e->iov_base, e->iov_len))
            return -EFAULT;
        e->iov_len = min(e->iov_len, MAX_RW_COUNT - total);
        total += e->iov_len;
    }
    v->u = (struct uio){.iov = v->iov, .count = (unsigned)count, .left = total};
    return 0;
}

void vector_put(struct user_vector *v)
{
    if (v->iov != v->small)
        kfree(v->iov);
}

int vector_get(struct user_vector *v, const struct iovec __user *iov, unsigned long count)
{
    v->iov = v->small;
    if (count > IOV_MAX)
        return -EINVAL;
    if (count > UIO_FASTIOV && !(v->iov = kmalloc(count * sizeof(*iov))))
        return -ENOMEM;
    int error = -EFAULT;
    if (!copy_from_user(v->iov, iov, count * sizeof(*iov)))
        error = vector_check(v, count);
    if (error)
        vector_put(v);
    return error;
}

#define POS_CURRENT (-1) /* preadv2's way to say: at the description's own offset */

static long move_vector(struct fdref r, struct uio *u, off_t pos, unsigned flags, bool write)
{
    if (flags & ~(unsigned)RWF_SUPPORTED || flags & RWF_NOWAIT)
        return -EOPNOTSUPP; /* no file here can promise not to wait */
    u->flags = flags;
    if (pos == POS_CURRENT)
        return file_rw(r.file, u, write, file_sole(r));
    return write ? file_pwrite(r.file, u, pos) : file_pread(r.file, u, pos);
}

static long rw_vector(int fd, const struct iovec __user *iov, unsigned long count, off_t pos,
                      unsigned flags, bool write)
{
    struct fdref r = fdref_get(fd);
    if (!r.file)
        return -EBADF;
    struct file *f = r.file;
    struct user_vector v;
    long result;
    if (pos != POS_CURRENT && !f->ops->seekable)
        result = -ESPIPE;
    else if (!(write ? FMODE_WRITE(f) : FMODE_READ(f)))
        result = -EBADF;
    else if (!(write ? f->ops->write : f->ops->read))
        result = -EINVAL;
    else if (!(result = vector_get(&v, iov, count))) {
        if (v.u.left)
            result = move_vector(r, &v.u, pos, flags, write);
        vector_put(&v);
    }
    fdref_put(r);
    return result;
}

long sys_readv(int fd, const struct iovec __user *iov, unsigned long iovcnt)
{
    return rw_vector(fd, iov, iovcnt, POS_CURRENT, 0, false);
}

long sys_writev(int fd, const struct iovec __user *iov, unsigned long iovcnt)
{
    return rw_vector(fd, iov, iovcnt, POS_CURRENT, 0, true);
}

/* The offset comes in one register; the second half is for machines whose registers are small. */
long sys_preadv(int fd, const struct iovec __user *iov, unsigned long iovcnt, unsigned long pos_low,
                unsigned long pos_high)
{
    (void)pos_high;
    off_t pos = (off_t)pos_low;
    return pos < 0 ? -EINVAL : rw_vector(fd, iov, iovcnt, pos, 0, false);
}

long sys_pwritev(int fd, const struct iovec __user *iov, unsigned long iovcnt,
                 unsigned long pos_low, unsigned long pos_high)
{
    (void)pos_high;
    off_t pos = (off_t)pos_low;
    return pos < 0 ? -EINVAL : rw_vector(fd, iov, iovcnt, pos, 0, true);
}

long sys_preadv2(int fd, const struct iovec __user *iov, unsigned long iovcnt,
                 unsigned long pos_low, unsigned long pos_high, int flags)
{
    (void)pos_high;
    off_t pos = (off_t)pos_low;
    return pos < POS_CURRENT ? -EINVAL : rw_vector(fd, iov, iovcnt, pos, (unsigned)flags, false);
}

long sys_pwritev2(int fd, const struct iovec __user *iov, unsigned long iovcnt,
                  unsigned long pos_low, unsigned long pos_high, int flags)
{
    (void)pos_high;
    off_t pos = (off_t)pos_low;
    return pos < POS_CURRENT ? -EINVAL : rw_vector(fd, iov, iovcnt, pos, (unsigned)flags, true);
}

/* ---- lseek ---- */

long sys_lseek(int fd, off_t offset, int whence)
{
    struct fdref r = fdref_get(fd);
    if (!r.file)
        return -EBADF;
    struct file *f = r.file;
    long result = -EINVAL;
    if (whence >= SEEK_SET && whence <= SEEK_HOLE) {
        bool sole = file_sole(r);
        if (!sole)
            mutex_lock(&f->pos_lock);
        result = f->ops->lseek ? f->ops->lseek(f, offset, whence) : -ESPIPE;
        if (!sole)
            mutex_unlock(&f->pos_lock);
    }
    fdref_put(r);
    return result;
}
