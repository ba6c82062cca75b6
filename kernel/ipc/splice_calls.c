/*
 * splice(2), tee(2) and sendfile(2): which of the two descriptors is a pipe, and where the bytes of the other
 * begin. The work is in splice.c.
 */
#include <syscall_protos.h>

#include "fs/splice.h"
#include "fs/vfs.h"
#include "ipc/splice.h"
#include "x86/uaccess.h"

#define SPLICE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

/* One side of a call: a description, and the program's offset unless the description's own is meant. */
struct side {
    struct file *file;
    struct pipe *pipe;      /* NULL: not a pipe */
    off_t __user *user_pos; /* NULL: the description's own */
    off_t pos;
};

static int side_init(struct side *s, struct file *f, off_t __user *user_pos)
{
    *s = (struct side){.file = f, .pipe = pipe_of(f), .user_pos = user_pos};
    return s->pipe && user_pos ? -ESPIPE : 0;
}

static int side_fetch(struct side *s)
{
    return s->user_pos && get_user(s->pos, s->user_pos) ? -EFAULT : 0;
}

/* Before the transfer of N bytes: find the offset and check it. */
static int side_begin(struct side *s, size_t n)
{
    if (s->user_pos && !s->file->ops->seekable)
        return -EINVAL;
    if (!s->user_pos)
        s->pos = file_pos_get(s->file);
    return file_check_range(s->file, s->pos, n);
}

/* After it: keep what the offset has become. */
static int side_end(const struct side *s)
{
    if (s->pipe)
        return 0;
    if (s->user_pos)
        return put_user(s->pos, s->user_pos) ? -EFAULT : 0;
    if (s->file->ops->seekable)
        file_pos_set(s->file, s->pos);
    return 0;
}

static ssize_t splice_between(struct side *in, struct side *out, size_t n, bool nonblock)
{
    if (!FMODE_READ(in->file) || !FMODE_WRITE(out->file))
        return -EBADF;
    if (in->pipe && out->pipe) {
        nonblock |= (in->file->flags | out->file->flags) & O_NONBLOCK;
        return in->pipe == out->pipe ? -EINVAL
                                     : splice_pipes(in->pipe, out->pipe, n, false, nonblock);
    }
    if (in->pipe) {
        if (out->file->flags & O_APPEND)
            return -EINVAL;
        int error = side_begin(out, n);
        nonblock |= in->file->flags & O_NONBLOCK;
        return error ? error : splice_to_file(in->pipe, out->file, &out->pos, n, nonblock);
    }
    if (out->pipe) {
        int error = side_begin(in, n);
        nonblock |= out->file->flags & O_NONBLOCK;
        return error ? error : splice_from_file(in->file, &in->pos, out->pipe, n, nonblock);
    }
    return -EINVAL;
}

static ssize_t splice_files(struct file *in, off_t __user *in_off, struct file *out,
                            off_t __user *out_off, size_t n, bool nonblock)
{
    struct side from, to;
    int error = side_init(&from, in, in_off);

    if (!error)
        error = side_init(&to, out, out_off);
    if (!error)
        error = side_fetch(&to);
    if (!error)
        error = side_fetch(&from);
    if (error)
        return error;
    ssize_t done = splice_between(&from, &to, n, nonblock);
    if (done >= 0 && (side_end(&to) || side_end(&from)))
        return -EFAULT;
    return done;
}

long sys_splice(int in_fd, off_t __user *in_off, int out_fd, off_t __user *out_off, size_t count,
                unsigned int flags)
{
    if (!count)
        return 0;
    if (flags & ~SPLICE_FLAGS)
        return -EINVAL;
    struct fdref in = fdref_get(in_fd);
    struct fdref out = fdref_get(out_fd);
    long result = -EBADF;
    if (in.file && out.file)
        result = splice_files(in.file, in_off, out.file, out_off, count, flags & SPLICE_F_NONBLOCK);
    fdref_put(out);
    fdref_put(in);
    return result;
}

static ssize_t do_tee(struct file *in, struct file *out, size_t n, bool nonblock)
{
    struct pipe *from = pipe_of(in), *to = pipe_of(out);

    if (!FMODE_READ(in) || !FMODE_WRITE(out))
        return -EBADF;
    if (!from || !to || from == to)
        return -EINVAL;
    return splice_pipes(from, to, n, true, nonblock || (in->flags | out->flags) & O_NONBLOCK);
}

long sys_tee(int in_fd, int out_fd, size_t count, unsigned int flags)
{
    if (flags & ~SPLICE_FLAGS)
        return -EINVAL;
    if (!count)
        return 0;
    struct fdref in = fdref_get(in_fd);
    struct fdref out = fdref_get(out_fd);
    long result = -EBADF;
    if (in.file && out.file)
        result = do_tee(in.file, out.file, count, flags & SPLICE_F_NONBLOCK);
    fdref_put(out);
    fdref_put(in);
    return result;
}

/* ---- sendfile ---- */

static ssize_t sendfile_between(struct side *in, struct side *out, size_t n)
{
    if (out->pipe)
        return splice_from_file(in->file, &in->pos, out->pipe, n, out->file->flags & O_NONBLOCK);
    int error = side_begin(out, n);
    if (error)
        return error;
    if (!in->file->ops->seekable || out->file->flags & O_APPEND || !out->file->ops->splice_to)
        return -EINVAL;
    return file_transfer(in->file, &in->pos, out->file, &out->pos, n);
}

static ssize_t do_sendfile(struct side *in, struct file *out_file, size_t n)
{
    struct side out;

    if (!FMODE_READ(in->file))
        return -EBADF;
    if (in->user_pos && !in->file->ops->seekable)
        return -ESPIPE;
    int error = side_begin(in, n);
    if (error)
        return error;
    if (!out_file || !FMODE_WRITE(out_file))
        return -EBADF;
    (void)side_init(&out, out_file, NULL);
    ssize_t done = sendfile_between(in, &out, min(n, MAX_RW_COUNT));
    if (done > 0)
        (void)side_end(&out);
    return done;
}

long sys_sendfile(int out_fd, int in_fd, off_t __user *offset, size_t count)
{
    struct side in = {.user_pos = offset};

    if (side_fetch(&in))
        return -EFAULT;
    struct fdref from = fdref_get(in_fd);
    struct fdref out = fdref_get(out_fd);
    long result = -EBADF;
    if (from.file) {
        in.file = from.file;
        result = do_sendfile(&in, out.file, count);
        if ((offset || result > 0) && side_end(&in))
            result = -EFAULT;
    }
    fdref_put(out);
    fdref_put(from);
    return result;
}
