/*
 * From one description to another without passing through the program: sendfile(2) and
 * copy_file_range(2). The bytes go through a few pages of the kernel's; the source must be
 * seekable, so that what the destination did not take is simply read again.
 */
#include <syscall_protos.h>

#include "fs/vfs.h"
#include "mm/slab.h"
#include "sched/lock.h"
#include "x86/uaccess.h"

#define CHUNK (8 * PAGE_SIZE)

/*
 * Where a transfer reads or writes: a description and, unless it is the description's own, an
 * offset.
 */
struct end {
    struct file *file;
    off_t pos;
    bool own; /* at the description's offset */
};

static ssize_t end_write(struct end *e, char *buf, size_t n)
{
    struct iovec one;
    struct uio u;
    uio_init_kernel(&u, &one, buf, n);
    if (e->own)
        return file_write(e->file, &u);
    ssize_t done = file_pwrite(e->file, &u, e->pos);
    if (done > 0)
        e->pos += done;
    return done;
}

/*
 * Move up to N bytes; the count, or the error when nothing was moved. IN's pos advances by as much.
 */
static ssize_t transfer(struct end *in, struct end *out, size_t n)
{
    char *buf = kmalloc(min(n, CHUNK) ? min(n, CHUNK) : 1);
    if (!buf)
        return -ENOMEM;
    size_t total = 0;
    ssize_t error = 0;
    while (total < n) {
        ssize_t got = file_read_kernel(in->file, buf, min(n - total, CHUNK), in->pos);
        if (got <= 0) {
            error = got;
            break;
        }
        ssize_t put = end_write(out, buf, (size_t)got);
        if (put < 0) {
            error = put;
            break;
        }
        in->pos += put;
        total += (size_t)put;
        if (put < got || long_work_must_end())
            break;
        if (signal_pending(current) && total < n)
            break;
    }
    kfree(buf);
    return total ? (ssize_t)total : error;
}

/* Take the description's offset for IN and put it back after. */
static off_t own_pos(struct file *f)
{
    mutex_lock(&f->pos_lock);
    off_t pos = f->pos;
    mutex_unlock(&f->pos_lock);
    return pos;
}

static void set_own_pos(struct file *f, off_t pos)
{
    mutex_lock(&f->pos_lock);
    f->pos = pos;
    mutex_unlock(&f->pos_lock);
}

static ssize_t do_sendfile(struct file *out, struct file *in, off_t *offset, size_t n)
{
    if (!FMODE_READ(in))
        return -EBADF;
    if (offset && !in->ops->seekable)
        return -ESPIPE;
    if (!FMODE_WRITE(out))
        return -EBADF;
    if (!in->ops->read || !out->ops->write || !in->ops->seekable || in->ops->readdir)
        return -EINVAL;
    if (out->flags & O_APPEND)
        return -EINVAL;
    struct end from = {in, offset ? *offset : own_pos(in), !offset};
    struct end to = {out, 0, true};
    if (from.pos < 0 || (ssize_t)n < 0)
        return -EINVAL;
    ssize_t done = transfer(&from, &to, min(n, MAX_RW_COUNT));
    if (offset)
        *offset = from.pos;
    else if (done > 0)
        set_own_pos(in, from.pos);
    return done;
}

long sys_sendfile(int out_fd, int in_fd, off_t __user *offset, size_t count)
{
    off_t pos = 0;
    if (offset && get_user(pos, offset))
        return -EFAULT;
    struct fdref in = fdref_get(in_fd);
    struct fdref out = fdref_get(out_fd);
    long result = -EBADF;
    if (in.file && out.file) {
        result = do_sendfile(out.file, in.file, offset ? &pos : NULL, count);
        if (offset && put_user(pos, offset))
            result = -EFAULT;
    }
    fdref_put(out);
    fdref_put(in);
    return result;
}

/* ---- copy_file_range ---- */

static int copy_check(const struct end *in, const struct end *out, size_t n)
{
    struct inode *from = in->file->inode, *to = out->file->inode;
    if (!from || !to)
        return -EINVAL;
    if (S_ISDIR(from->mode) || S_ISDIR(to->mode))
        return -EISDIR;
    if (!S_ISREG(from->mode) || !S_ISREG(to->mode))
        return -EINVAL;
    if (!FMODE_READ(in->file) || !FMODE_WRITE(out->file) || out->file->flags & O_APPEND)
        return -EBADF;
    if ((uint64_t)in->pos + n < n || (uint64_t)out->pos + n < n)
        return -EOVERFLOW;
    return in->pos < 0 || out->pos < 0 ? -EINVAL : 0;
}

static ssize_t do_copy_range(struct end *in, struct end *out, size_t n)
{
    int error = copy_check(in, out, n);
    if (error)
        return error;
    uint64_t size = READ_ONCE(in->file->inode->size);
    n = (uint64_t)in->pos >= size ? 0 : min(n, (size_t)(size - (uint64_t)in->pos));
    n = min(n, (size_t)(INT64_MAX - out->pos));
    if (in->file->inode == out->file->inode && out->pos < in->pos + (off_t)n &&
        out->pos + (off_t)n > in->pos)
        return -EINVAL;
    if (n == 0)
        return 0;
    struct end to = {out->file, out->pos, false};
    ssize_t done = transfer(in, &to, min(n, MAX_RW_COUNT));
    out->pos = to.pos;
    return done;
}

/* An offset given by the program or the description's own. */
static int end_init(struct end *e, struct file *f, const off_t __user *offset)
{
    *e = (struct end){.file = f, .own = !offset};
    if (offset)
        return get_user(e->pos, offset) ? -EFAULT : 0;
    e->pos = own_pos(f);
    return 0;
}

static int end_store(const struct end *e, off_t __user *offset)
{
    if (offset)
        return put_user(e->pos, offset) ? -EFAULT : 0;
    set_own_pos(e->file, e->pos);
    return 0;
}

long sys_copy_file_range(int in_fd, off_t __user *in_off, int out_fd, off_t __user *out_off,
                         size_t count, unsigned int flags)
{
    struct fdref in = fdref_get(in_fd);
    struct fdref out = fdref_get(out_fd);
    struct end from, to;
    long result = -EBADF;
    if (in.file && out.file) {
        result = end_init(&from, in.file, in_off);
        if (!result)
            result = end_init(&to, out.file, out_off);
        if (!result)
            result = flags ? -EINVAL : do_copy_range(&from, &to, count);
        if (result > 0 && (end_store(&from, in_off) || end_store(&to, out_off)))
            result = -EFAULT;
    }
    fdref_put(out);
    fdref_put(in);
    return result;
}
