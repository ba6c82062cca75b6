/*
 * From one file to another without passing through the program: the loop that sendfile(2) shares
 * (ipc/splice_calls.c), and copy_file_range(2). The pages of the source, as fs/splice.h gives them, are
 * what the destination writes from, so bytes are copied once at most. The source is seekable: what the
 * destination did not take is simply read again.
 */
#include <syscall_protos.h>

#include "fs/splice.h"
#include "fs/vfs.h"
#include "sched/lock.h"
#include "x86/uaccess.h"

/* Write the pieces of B: bytes, or the error when none; fewer than all when the file takes no more. */
static ssize_t write_batch(struct file *out, const struct page_batch *b, off_t *pos)
{
    ssize_t done = 0;

    for (unsigned i = 0; i < b->count; i++) {
        const struct page_piece *p = &b->piece[i];
        ssize_t put = file_write_page(out, p->page, p->off, p->len, pos);
        if (put < 0)
            return done ? done : put;
        done += put;
        if (put < p->len)
            break;
    }
    return done;
}

ssize_t file_transfer(struct file *in, off_t *in_pos, struct file *out, off_t *out_pos, size_t n)
{
    struct page_batch batch;
    size_t total = 0;
    ssize_t error = 0;

    while (total < n) {
        off_t at = *in_pos;
        ssize_t got = file_read_pages(in, &batch, n - total, PAGE_BATCH, &at, false);
        if (got <= 0) {
            error = got;
            break;
        }
        ssize_t put = write_batch(out, &batch, out_pos);
        page_batch_put(&batch);
        if (put < 0) {
            error = put;
            break;
        }
        *in_pos += put;
        total += (size_t)put;
        if (put < got || long_work_must_end())
            break;
    }
    return total ? (ssize_t)total : error;
}

/* ---- copy_file_range ---- */

/* One side of a call: a description and, unless it is the description's own, an offset. */
struct end {
    struct file *file;
    off_t pos;
    bool own; /* at the description's offset */
};

static int copy_check(const struct end *in, const struct end *out, size_t n)
{
    struct inode *from = in->file->inode, *to = out->file->inode;
    if (!from || !to)
        return -EINVAL;
    if (S_ISDIR(from->mode) || S_ISDIR(to->mode))
        return -EISDIR;
    if (!S_ISREG(from->mode) || !S_ISREG(to->mode))
        return -EINVAL;
    if (from->sb != to->sb)
        return -EXDEV;
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
    return file_transfer(in->file, &in->pos, out->file, &out->pos, min(n, MAX_RW_COUNT));
}

/* An offset given by the program or the description's own. */
static int end_init(struct end *e, struct file *f, const off_t __user *offset)
{
    *e = (struct end){.file = f, .own = !offset};
    if (offset)
        return get_user(e->pos, offset) ? -EFAULT : 0;
    e->pos = file_pos_get(f);
    return 0;
}

static int end_store(const struct end *e, off_t __user *offset)
{
    if (offset)
        return put_user(e->pos, offset) ? -EFAULT : 0;
    file_pos_set(e->file, e->pos);
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
