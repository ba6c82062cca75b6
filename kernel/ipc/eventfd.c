/*
 * eventfd(2): a 64-bit counter as a file. Writing adds to it; reading takes all of it, or one in semaphore
 * mode, and waits while it is zero. The smallest way to tell another thread that something has happened,
 * in a form that poll and epoll can wait for.
 */
#include <abi/eventfd.h>
#include <abi/fcntl.h>
#include <syscall_protos.h>

#include "fs/fdtable.h"
#include "fs/poll.h"
#include "lib/printf.h"
#include "mm/slab.h"
#include "sched/lock.h"
#include "sched/wait.h"

#define COUNT_MAX (UINT64_MAX - 1)

struct eventfd {
    struct spinlock lock;  /* RANK_QUEUE */
    uint64_t count;        /* lock */
    bool semaphore;        /* const */
    struct waitq readable; /* lock: count is zero */
    struct waitq writable; /* lock: what is to be added doesn't fit */
};

/* Wait for COND on WQ, or don't, as F says. e->lock held. */
#define wait_or_again(f, wq, cond)         \
    ((cond)                      ? 0       \
     : ((f)->flags & O_NONBLOCK) ? -EAGAIN \
                                 : wait_event_exclusive(wq, cond, DEADLINE_NONE))

static ssize_t eventfd_read(struct file *f, struct uio *u, off_t *pos)
{
    struct eventfd *e = f->private;
    uint64_t value;

    (void)pos;
    if (u->left < sizeof(value))
        return -EINVAL;
    spin_lock(&e->lock);
    int error = wait_or_again(f, &e->readable, e->count > 0);
    if (!error) {
        value = e->semaphore ? 1 : e->count;
        e->count -= value;
        wake_all(&e->writable, POLLOUT | POLLWRNORM);
        if (e->count)
            wake_next(&e->readable);
    }
    spin_unlock(&e->lock);
    if (error)
        return error;
    return uio_copy_out(u, &value, sizeof(value)) < sizeof(value) ? -EFAULT
                                                                  : (ssize_t)sizeof(value);
}

static ssize_t eventfd_write(struct file *f, struct uio *u, off_t *pos)
{
    struct eventfd *e = f->private;
    uint64_t value;

    (void)pos;
    if (u->left != sizeof(value))
        return -EINVAL;
    if (uio_copy_in(u, &value, sizeof(value)) < sizeof(value))
        return -EFAULT;
    if (value > COUNT_MAX)
        return -EINVAL;
    spin_lock(&e->lock);
    int error = wait_or_again(f, &e->writable, e->count <= COUNT_MAX - value);
    if (!error && value) {
        e->count += value;
        wake_one(&e->readable, POLLIN | POLLRDNORM);
    }
    spin_unlock(&e->lock);
    return error ? error : (ssize_t)sizeof(value);
}

static unsigned eventfd_poll(struct file *f, struct poll_table *pt)
{
    struct eventfd *e = f->private;
    unsigned ready = 0;

    spin_lock(&e->lock);
    poll_wait(pt, &e->readable);
    poll_wait(pt, &e->writable);
    if (e->count > 0)
        ready |= POLLIN;
    if (e->count < COUNT_MAX)
        ready |= POLLOUT;
    spin_unlock(&e->lock);
    return ready;
}

static void eventfd_show_fdinfo(struct file *f, void (*emit)(void *ctx, const char *text),
                                void *ctx)
{
    struct eventfd *e = f->private;
    char line[64];

    spin_lock(&e->lock);
    uint64_t count = e->count;
    spin_unlock(&e->lock);
    snprintf(line, sizeof(line), "eventfd-count: %16lx\n", count);
    emit(ctx, line);
}

static void eventfd_release(struct file *f)
{
    kfree(f->private);
}

static const struct file_ops eventfd_file_ops = {
    .name = "[eventfd]",
    .read = eventfd_read,
    .write = eventfd_write,
    .lseek = file_lseek_null,
    .poll = eventfd_poll,
    .show_fdinfo = eventfd_show_fdinfo,
    .release = eventfd_release,
};

long sys_eventfd2(unsigned count, int flags)
{
    if (flags & ~(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK))
        return -EINVAL;
    struct eventfd *e = kzalloc(sizeof(*e));
    if (!e)
        return -ENOMEM;
    spin_init(&e->lock, RANK_QUEUE, "eventfd");
    waitq_init(&e->readable, &e->lock);
    waitq_init(&e->writable, &e->lock);
    e->count = count;
    e->semaphore = flags & EFD_SEMAPHORE;
    struct file *f = file_alloc_anon(&eventfd_file_ops, O_RDWR | (flags & O_NONBLOCK), e);
    if (is_err(f)) {
        kfree(e);
        return ptr_err(f);
    }
    int fd = fd_open(f, flags & EFD_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}

long sys_eventfd(unsigned count)
{
    return sys_eventfd2(count, 0);
}
