/*
 * The files' side of splice: pages out of a file, and pages into one (fs/splice.h).
 *
 * What comes out of a file that gives its own pages is not a copy: a later write to the file is seen by who
 * reads the pipe, as on Linux. What goes into a file is copied by its write operation, unless that knows
 * how to keep the page: the uio says which page the bytes lie in.
 */
#include "fs/splice.h"

#include "fs/notify.h"
#include "fs/vfs.h"
#include "mm/page.h"
#include "mm/reclaim.h"
#include "sched/lock.h"

void page_batch_put(struct page_batch *b)
{
    while (b->count)
        page_put(b->piece[--b->count].page);
}

void page_batch_add(struct page_batch *b, struct page *p, uint32_t off, uint32_t len)
{
    assert(b->count < PAGE_BATCH);
    page_get(p);
    b->piece[b->count++] = (struct page_piece){p, off, len};
}

/* Fresh pages for N bytes, and a vector over them: how many bytes they hold. */
static size_t batch_alloc(struct page_batch *b, struct iovec *iov, size_t n, unsigned max)
{
    size_t got = 0;

    while (got < n && b->count < max) {
        unsigned tries = 0;
        struct page *p = page_alloc(0, memory_user_flags());
        while (!p && memory_make_room(&tries))
            p = page_alloc(0, memory_user_flags());
        if (!p)
            break;
        size_t len = min(n - got, PAGE_SIZE);
        iov[b->count] = (struct iovec){page_to_virt(p), len};
        b->piece[b->count++] = (struct page_piece){p, 0, (uint32_t)len};
        got += len;
    }
    return got;
}

/* Only the first N bytes were filled. */
static void batch_trim(struct page_batch *b, size_t n)
{
    unsigned kept = (unsigned)DIV_ROUND_UP(n, PAGE_SIZE);

    while (b->count > kept)
        page_put(b->piece[--b->count].page);
    if (n % PAGE_SIZE)
        b->piece[kept - 1].len = n % PAGE_SIZE;
}

ssize_t file_read_copies(struct file *f, struct page_batch *b, size_t n, unsigned max, off_t *pos,
                         bool nonblock)
{
    struct iovec iov[PAGE_BATCH];
    struct uio u = {.iov = iov, .kernel = true, .flags = nonblock ? RWF_NOWAIT : 0};

    u.left = batch_alloc(b, iov, n, max);
    u.count = b->count;
    if (!u.left)
        return -ENOMEM;
    ssize_t got = f->ops->read(f, &u, pos);
    batch_trim(b, got > 0 ? (size_t)got : 0);
    return got;
}

ssize_t file_read_pages(struct file *f, struct page_batch *b, size_t n, unsigned max, off_t *pos,
                        bool nonblock)
{
    off_t none = 0;

    b->count = 0;
    if (!f->ops->splice_from)
        return -EINVAL;
    if (!f->ops->seekable)
        pos = &none;
    max = min(max, PAGE_BATCH);
    ssize_t got = f->ops->read_pages ? f->ops->read_pages(f, b, n, max, pos, nonblock)
                                     : file_read_copies(f, b, n, max, pos, nonblock);
    if (got > 0)
        notify_file(f, IN_ACCESS);
    return got;
}

ssize_t file_write_page(struct file *f, struct page *p, uint32_t off, size_t n, off_t *pos)
{
    struct iovec one;
    struct uio u;
    off_t none = 0;

    if (!f->ops->splice_to)
        return -EINVAL;
    uio_init_kernel(&u, &one, (char *)page_to_virt(p) + off, n);
    u.page = p;
    if (!f->ops->seekable) {
        ssize_t written = f->ops->write(f, &u, &none);
        if (written > 0)
            notify_file(f, IN_MODIFY);
        return written;
    }
    ssize_t done = file_pwrite(f, &u, *pos);
    if (done > 0)
        *pos += done;
    return done;
}

int file_check_range(const struct file *f, off_t pos, size_t n)
{
    if ((ssize_t)n < 0)
        return -EINVAL;
    if (!f->ops->seekable)
        return 0;
    return pos < 0 || (off_t)((uint64_t)pos + n) < 0 ? -EINVAL : 0;
}

off_t file_pos_get(struct file *f)
{
    mutex_lock(&f->pos_lock);
    off_t pos = f->pos;
    mutex_unlock(&f->pos_lock);
    return pos;
}

void file_pos_set(struct file *f, off_t pos)
{
    mutex_lock(&f->pos_lock);
    f->pos = pos;
    mutex_unlock(&f->pos_lock);
}
