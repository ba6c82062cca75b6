/*
 * pipe(2): making a pipe, closing it, and the small questions (poll, ioctl, fcntl). Reading and writing are
 * in pipe_io.c, opening by name in fifo.c.
 *
 * Both ends are open descriptions of one inode, which has the pipe. While a description exists it counts
 * among readers or writers; when a count falls to zero the other side is told: readers find the end of the
 * file behind the last byte, writers get SIGPIPE.
 *
 * poll must not report HUP on the reading end of a FIFO that never had a writer since it was opened. f->pos,
 * of no other use in a pipe, holds what write_opens was when a non-blocking open found no writer, and 0
 * otherwise; as long as they are equal nobody has come.
 */
#include "ipc/pipe.h"

#include <abi/fcntl.h>
#include <abi/ioctl.h>
#include <abi/limits.h>
#include <syscall_protos.h>

#include "fs/async.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/inode.h"
#include "fs/poll.h"
#include "ipc/pipe_io.h"
#include "ipc/pipe_limits.h"
#include "mm/slab.h"
#include "x86/uaccess.h"

static struct slab_cache *pipe_cache; /* const after init */

void pipe_init(void)
{
    pipe_cache = slab_cache_create("pipe", sizeof(struct pipe), 0);
}

static struct pipe *pipe_alloc(bool named)
{
    struct pipe *p = slab_zalloc(pipe_cache);

    if (!p)
        return NULL;
    queue_init(&p->q, SIZE_MAX, PIPE_SLOTS);
    waitq_init(&p->opened, &p->q.lock);
    p->q.no_readers = p->q.no_writers = true;
    p->named = named;
    if (pipe_limits_begin(p)) {
        slab_free(pipe_cache, p);
        return NULL;
    }
    return p;
}

static void pipe_free(struct pipe *p)
{
    queue_destroy(&p->q);
    pipe_limits_end(p);
    slab_free(pipe_cache, p);
}

struct pipe *pipe_attach(struct inode *inode, bool named)
{
    struct pipe *fresh = NULL;

    for (;;) {
        spin_lock(&inode->spin);
        struct pipe *p = inode->pipe;
        if (!p && fresh) {
            p = inode->pipe = fresh;
            fresh = NULL;
        }
        if (p)
            p->files++;
        spin_unlock(&inode->spin);
        if (p) {
            if (fresh)
                pipe_free(fresh);
            return p;
        }
        fresh = pipe_alloc(named);
        if (!fresh)
            return NULL;
    }
}

void pipe_detach(struct inode *inode)
{
    spin_lock(&inode->spin);
    struct pipe *p = inode->pipe;
    bool last = --p->files == 0;
    if (last)
        inode->pipe = NULL;
    spin_unlock(&inode->spin);
    if (last)
        pipe_free(p);
}

void pipe_open_side(struct pipe *p, bool reads, bool writes)
{
    if (reads) {
        p->readers++;
        p->read_opens++;
        p->q.no_readers = false;
    }
    if (writes) {
        p->writers++;
        p->write_opens++;
        p->q.no_writers = false;
    }
    wake_all(&p->opened, 0);
}

void pipe_close_side(struct pipe *p, bool reads, bool writes)
{ /* LAB pipe:close begin */
    if (reads && --p->readers == 0) {
        p->q.no_readers = true;
        wake_all(&p->q.writable, POLLOUT | POLLWRNORM | POLLERR);
    }
    if (writes && --p->writers == 0) {
        p->q.no_writers = true;
        wake_all(&p->q.readable, POLLIN | POLLRDNORM | POLLHUP);
    }
} /* LAB pipe:close end */

static void pipe_release(struct file *f)
{
    struct pipe *p = f->private;

    spin_lock(&p->q.lock);
    pipe_close_side(p, FMODE_READ(f), FMODE_WRITE(f));
    spin_unlock(&p->q.lock);
    pipe_detach(f->inode);
}

/* What F's doors can do now. A snapshot: who holds q.lock only makes it last longer. */
static inline unsigned pipe_ready(const struct file *f, const struct pipe *p)
{ /* LAB pipe:poll begin */
    unsigned ready = 0;

    if (FMODE_READ(f)) {
        if (!queue_is_empty(&p->q))
            ready |= POLLIN | POLLRDNORM;
        if (READ_ONCE(p->q.no_writers) && (unsigned)f->pos != p->write_opens)
            ready |= POLLHUP;
    }
    if (FMODE_WRITE(f)) {
        if (!queue_is_full(&p->q))
            ready |= POLLOUT | POLLWRNORM;
        if (READ_ONCE(p->q.no_readers))
            ready |= POLLERR;
    }
    return ready;
}

static noinline unsigned pipe_poll_join(struct file *f, struct poll_table *pt)
{
    struct pipe *p = f->private;

    spin_lock(&p->q.lock);
    if (FMODE_READ(f))
        poll_wait(pt, &p->q.readable);
    if (FMODE_WRITE(f))
        poll_wait(pt, &p->q.writable);
    unsigned ready = pipe_ready(f, p);
    spin_unlock(&p->q.lock);
    return ready;
} /* LAB pipe:poll end */

static unsigned pipe_poll(struct file *f, struct poll_table *pt)
{
    return likely(!pt) ? pipe_ready(f, f->private) : pipe_poll_join(f, pt);
}

static long pipe_ioctl(struct file *f, unsigned cmd, unsigned long arg)
{
    struct pipe *p = f->private;

    if (cmd != FIONREAD)
        return -ENOTTY;
    spin_lock(&p->q.lock);
    int bytes = (int)p->q.bytes;
    spin_unlock(&p->q.lock);
    return put_user(bytes, (int __user *)arg);
}

static long pipe_fcntl(struct file *f, int cmd, unsigned long arg)
{
    struct pipe *p = f->private;

    if (cmd == F_SETPIPE_SZ)
        return pipe_limits_resize(p, (unsigned)arg);
    if (cmd == F_GETPIPE_SZ) {
        spin_lock(&p->q.lock);
        unsigned slots = p->q.slots;
        spin_unlock(&p->q.lock);
        return (long)(slots * PAGE_SIZE);
    }
    return -EINVAL;
}

const struct file_ops pipe_file_ops = {
    .read = pipe_read,
    .write = pipe_write,
    .poll = pipe_poll,
    .ioctl = pipe_ioctl,
    .fcntl = pipe_fcntl,
    .async_owner = async_no_owner,
    .release = pipe_release,
};

/* One end of the pipe that INODE has got; the caller keeps its own reference on the inode. */
static struct file *pipe_end(struct inode *inode, unsigned flags)
{
    struct pipe *p = pipe_attach(inode, false);
    if (!p)
        return err_ptr(-ENFILE);
    struct file *f = file_alloc(&pipe_file_ops, flags, p);
    if (is_err(f)) {
        pipe_detach(inode);
        return f;
    }
    inode_get(inode);
    f->inode = inode;
    spin_lock(&p->q.lock);
    pipe_open_side(p, FMODE_READ(f), FMODE_WRITE(f));
    spin_unlock(&p->q.lock);
    return f;
}

/* Both ends: ends[0] reads, ends[1] writes. */
static int pipe_create(struct file *ends[2], unsigned flags)
{
    struct inode *inode = inode_alloc_anon(S_IFIFO | 0600);
    int error = 0;

    if (!inode)
        return -ENOMEM;
    ends[0] = pipe_end(inode, O_RDONLY | (flags & O_NONBLOCK));
    if (is_err(ends[0])) {
        error = (int)ptr_err(ends[0]);
        goto out_inode;
    }
    ends[1] = pipe_end(inode, O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)));
    if (is_err(ends[1])) {
        error = (int)ptr_err(ends[1]);
        file_put(ends[0]);
    }
out_inode:
    inode_put(inode);
    return error;
}

long sys_pipe2(int __user *fds, int flags)
{
    struct file *ends[2] = {NULL, NULL};
    bool cloexec = flags & O_CLOEXEC;

    if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
        return -EINVAL;
    int error = pipe_create(ends, (unsigned)flags);
    if (error)
        return error;
    return fd_open_pair(ends, cloexec, fds);
}

long sys_pipe(int __user *fds)
{
    return sys_pipe2(fds, 0);
}
