/*
 * vmsplice(2): memory of the program in a pipe, and back.
 *
 * Into a pipe go the pages themselves. They stay the program's, so what it writes to them before the reader
 * comes is what is read; who makes a gift of them (SPLICE_F_GIFT) promises not to. A page outlives the
 * mapping: the pipe has a reference. Out of a pipe the bytes are copied, as read does.
 */
#include <syscall_protos.h>

#include "fs/splice.h"
#include "fs/vfs.h"
#include "ipc/pipe.h"
#include "ipc/pipe_io.h"
#include "ipc/splice.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "mm/reclaim.h"

#define SPLICE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

static struct page *user_page(uintptr_t at)
{
    unsigned tries = 0;
    struct page *p;

    do
        p = mm_user_page(current->proc->mm, at);
    while (p == err_ptr(-ENOMEM) && memory_make_room(&tries));
    return p;
}

/* The pages of the next bytes of U, at most MAX of them. Their bytes; *ERROR says why they are few. */
static size_t gather(struct uio *u, struct page_batch *b, unsigned max, int *error)
{
    size_t done = 0;

    b->count = 0;
    while (u->left && b->count < min(max, PAGE_BATCH)) {
        uio_skip(u, 0); /* over empty pieces */
        uintptr_t at = (uintptr_t)u->iov->iov_base + u->done;
        size_t off = at % PAGE_SIZE;
        size_t n = min(PAGE_SIZE - off, u->iov->iov_len - u->done);
        struct page *p = user_page(at);
        if (is_err(p)) {
            *error = (int)ptr_err(p);
            break;
        }
        page_batch_add(b, p, (uint32_t)off, (uint32_t)n);
        page_put(p);
        uio_skip(u, n);
        done += n;
    }
    return done;
}

static ssize_t give(struct pipe *to, struct uio *u, bool nonblock)
{
    struct page_batch batch;
    size_t done = 0;
    int error = 0;

    while (u->left && !error) {
        int room = splice_wait_room(to, nonblock || done);
        if (room < 0) {
            error = room;
            break;
        }
        size_t n = gather(u, &batch, (unsigned)room, &error);
        size_t put = splice_put_pages(to, &batch);
        page_batch_put(&batch);
        done += put;
        if (put < n)
            error = -ENOMEM;
        if (long_work_must_end())
            break;
    }
    return done ? (ssize_t)done : error;
}

static ssize_t do_vmsplice(struct file *f, const struct iovec __user *iov, unsigned long count,
                           bool nonblock)
{
    struct pipe *p = pipe_of(f);
    struct user_vector v;

    if (!FMODE_READ(f) && !FMODE_WRITE(f))
        return -EBADF;
    ssize_t result = vector_get(&v, iov, count);
    if (result)
        return result;
    if (v.u.left && !p)
        result = -EBADF;
    else if (v.u.left)
        result = FMODE_WRITE(f) ? give(p, &v.u, nonblock) : pipe_read_bytes(p, &v.u, nonblock);
    vector_put(&v);
    return result;
}

long sys_vmsplice(int fd, const struct iovec __user *iov, unsigned long iovcnt, unsigned int flags)
{
    if (flags & ~SPLICE_FLAGS)
        return -EINVAL;
    struct fdref r = fdref_get(fd);
    if (!r.file)
        return -EBADF;
    long result = do_vmsplice(r.file, iov, iovcnt, flags & SPLICE_F_NONBLOCK);
    fdref_put(r);
    return result;
}
