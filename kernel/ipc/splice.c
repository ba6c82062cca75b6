/*
 * splice: the bytes of a pipe change hands by reference. A pipe's buffer is a view of a page, so moving it to
 * another pipe is moving a list entry, and a part of it, or a copy (tee), is one more view of the same page.
 *
 *     pipe a  [page 7: 0..4096]                   tee 100         pipe b  [page 7: 0..100, shared]
 *
 * Nobody writes to a page that others look at: views that are made here are BUF_SHARED, behind which
 * queue_appendable never lets a write go, and a page is only used again when its count says that it is alone
 * (buf_free). The first view may still be written behind, for that is beyond what the others see. Counts
 * can't overflow: each costs a buffer.
 *
 * Two queues are locked by address. Between a pipe and a file no lock is held over the file's work, which may
 * sleep: a buffer that goes to a file leaves the pipe first, and what the file did not take is put back in
 * front. What a file gave goes in though others may have filled the pipe meanwhile: it is over its limit
 * by a batch then, which is better than bytes that are lost.
 *
 * Sleepers here aren't exclusive: they use up nobody's wakeup and have none to pass on.
 */
#include "ipc/splice.h"

#include "fs/file.h"
#include "fs/splice.h"
#include "fs/vfs.h"
#include "ipc/pipe.h"
#include "ipc/pipe_io.h"
#include "mm/page.h"
#include "mm/reclaim.h"

#define BUFS_AT_ONCE 64 /* buffers moved without letting go of the locks */

struct pipe *pipe_of(const struct file *f)
{
    return f->ops == &pipe_file_ops ? f->private : NULL;
}

/* 1 when Q has bytes, 0 when it never will again, or the error. q->lock held. */
static int wait_for_bytes(struct queue *q, bool nonblock)
{
    if (queue_is_empty(q) && !q->no_writers) {
        if (nonblock)
            return -EAGAIN;
        int error = wait_event(&q->readable, !queue_is_empty(q) || q->no_writers, DEADLINE_NONE);
        if (error)
            return error;
    }
    return !queue_is_empty(q);
}

/* Free slots of Q, or the error. q->lock held. */
static int wait_for_slots(struct queue *q, bool nonblock)
{
    if (!q->no_readers && queue_is_full(q)) {
        if (nonblock)
            return -EAGAIN;
        int error = wait_event(&q->writable, q->no_readers || !queue_is_full(q), DEADLINE_NONE);
        if (error)
            return error;
    }
    return q->no_readers ? -EPIPE : (int)(q->slots - q->nbufs);
}

int splice_wait_room(struct pipe *to, bool nonblock)
{
    spin_lock(&to->q.lock);
    int room = wait_for_slots(&to->q, nonblock);
    spin_unlock(&to->q.lock);
    if (room == -EPIPE)
        signal_broken_pipe();
    return room;
}

/* ---- file to pipe ---- */

static struct buf *view_of(struct page *p, uint32_t off, uint32_t len)
{
    unsigned tries = 0;
    struct buf *b;

    while (!(b = buf_from_page(p, off, len)) && memory_make_room(&tries))
        ;
    return b;
}

size_t splice_put_pages(struct pipe *to, const struct page_batch *batch)
{
    struct list fresh = LIST_INIT(fresh);
    size_t done = 0;
    struct buf *b;

    for (unsigned i = 0; i < batch->count; i++) {
        const struct page_piece *p = &batch->piece[i];
        b = view_of(p->page, p->off, p->len);
        if (!b)
            break;
        list_push_back(&fresh, &b->link);
        done += p->len;
    }
    spin_lock(&to->q.lock);
    while ((b = list_first(&fresh, struct buf, link))) {
        list_remove(&b->link);
        queue_put(&to->q, b);
    }
    spin_unlock(&to->q.lock);
    return done;
}

ssize_t splice_from_file(struct file *in, off_t *pos, struct pipe *to, size_t n, bool nonblock)
{
    struct page_batch batch;
    size_t done = 0;
    ssize_t got = 0;

    n = min(n, MAX_RW_COUNT);
    while (done < n) {
        int room = splice_wait_room(to, nonblock || done);
        if (room < 0)
            return done ? (ssize_t)done : room;
        off_t at = *pos;
        got = file_read_pages(in, &batch, min(n - done, (size_t)room * PAGE_SIZE), (unsigned)room,
                              &at, nonblock);
        if (got <= 0)
            break;
        size_t put = splice_put_pages(to, &batch);
        page_batch_put(&batch);
        *pos += (off_t)put;
        done += put;
        if (put < (size_t)got)
            got = -ENOMEM;
        /* A file with an offset has more or is at its end; any other may make us wait. */
        if (got < 0 || !in->ops->seekable || long_work_must_end())
            break;
    }
    return done ? (ssize_t)done : got;
}

/* ---- pipe to file ---- */

/* The oldest buffer, taken out of the pipe; NULL with *WHY 0 at the end, or the error. */
static struct buf *take_buf(struct queue *q, bool nonblock, int *why)
{
    struct buf *b = NULL;

    spin_lock(&q->lock);
    *why = wait_for_bytes(q, nonblock);
    if (*why > 0)
        b = queue_take(q);
    spin_unlock(&q->lock);
    return b;
}

/* N bytes of B were used: put back the rest, if there is one. */
static void finish_buf(struct queue *q, struct buf *b, size_t n)
{
    if (n == b->len) {
        buf_free(b);
        return;
    }
    b->off += (uint32_t)n;
    b->len -= (uint32_t)n;
    spin_lock(&q->lock);
    queue_put_back(q, b);
    spin_unlock(&q->lock);
}

ssize_t splice_to_file(struct pipe *from, struct file *out, off_t *pos, size_t n, bool nonblock)
{
    size_t done = 0;
    ssize_t put = 0;

    if (!out->ops->splice_to)
        return -EINVAL;
    while (done < n) {
        int why;
        struct buf *b = take_buf(&from->q, nonblock || done, &why);
        if (!b)
            return done ? (ssize_t)done : why;
        size_t len = min((size_t)b->len, n - done);
        assert(b->page);
        put = file_write_page(out, b->page, b->off, len, pos);
        finish_buf(&from->q, b, put > 0 ? (size_t)put : 0);
        if (put > 0)
            done += (size_t)put;
        if (put < (ssize_t)len || long_work_must_end())
            break;
    }
    return done ? (ssize_t)done : put;
}

/* ---- pipe to pipe ---- */

static void lock_both(struct queue *a, struct queue *b)
{
    spin_lock(a < b ? &a->lock : &b->lock);
    spin_lock_nested(a < b ? &b->lock : &a->lock);
}

static void unlock_both(struct queue *a, struct queue *b)
{
    spin_unlock(a < b ? &b->lock : &a->lock);
    spin_unlock(a < b ? &a->lock : &b->lock);
}

/* Wait until FROM has something or is at its end, and TO has room or is broken. */
static int wait_for_both(struct queue *from, struct queue *to, bool nonblock)
{
    spin_lock(&from->lock);
    int error = wait_for_bytes(from, nonblock);
    spin_unlock(&from->lock);
    if (error < 0)
        return error;
    spin_lock(&to->lock);
    error = wait_for_slots(to, nonblock);
    spin_unlock(&to->lock);
    return min(error, 0);
}

/* A view of the first N bytes of B, a record when B is one. */
static struct buf *part_of(const struct buf *b, size_t n)
{
    assert(b->page);
    struct buf *part = buf_from_page(b->page, b->off, (uint32_t)n);
    if (part)
        part->flags |= b->flags & BUF_RECORD;
    return part;
}

/* Move up to N bytes, as far as there are bytes, slots and memory. Both locks held. */
static size_t move_bufs(struct queue *from, struct queue *to, size_t n)
{
    size_t done = 0;
    bool moved = false;

    for (int i = 0; i < BUFS_AT_ONCE && done < n; i++) {
        struct buf *b = queue_first(from);
        if (!b || queue_is_full(to))
            break;
        size_t len = min((size_t)b->len, n - done);
        if (len == b->len) {
            queue_move_first(from, to);
            moved = true;
        } else {
            struct buf *part = part_of(b, len);
            if (!part)
                break;
            b->off += (uint32_t)len;
            b->len -= (uint32_t)len;
            from->bytes -= len;
            queue_put(to, part);
        }
        done += len;
    }
    if (moved)
        queue_moved(from, to);
    return done;
}

/* The same, and the bytes stay in FROM. */
static size_t copy_bufs(struct queue *from, struct queue *to, size_t n)
{
    size_t done = 0;
    struct buf *b;

    list_for_each (b, &from->bufs, link) {
        if (done == n || queue_is_full(to))
            break;
        size_t len = min((size_t)b->len, n - done);
        struct buf *part = part_of(b, len);
        if (!part)
            break;
        queue_put(to, part);
        done += len;
    }
    return done;
}

/* One step under both locks: bytes moved, 0 at the end, -EPIPE, -EAGAIN: somebody was faster. */
static ssize_t step(struct queue *from, struct queue *to, size_t n, bool keep)
{
    ssize_t done;

    lock_both(from, to);
    if (to->no_readers)
        done = -EPIPE;
    else if (queue_is_empty(from))
        done = from->no_writers ? 0 : -EAGAIN;
    else if (queue_is_full(to))
        done = -EAGAIN;
    else
        done = (ssize_t)(keep ? copy_bufs(from, to, n) : move_bufs(from, to, n));
    bool starved = !done && !queue_is_empty(from);
    unlock_both(from, to);
    return starved ? -ENOMEM : done;
}

ssize_t splice_pipes(struct pipe *from, struct pipe *to, size_t n, bool keep, bool nonblock)
{
    size_t done = 0;
    unsigned tries = 0;

    for (;;) {
        int error = done ? 0 : wait_for_both(&from->q, &to->q, nonblock);
        ssize_t moved = error ? error : step(&from->q, &to->q, n - done, keep);
        if (moved == -EPIPE)
            signal_broken_pipe();
        if (moved > 0)
            done += (size_t)moved;
        if (!done &&
            ((moved == -EAGAIN && !nonblock) || (moved == -ENOMEM && memory_make_room(&tries))))
            continue;
        if (moved <= 0)
            return done ? (ssize_t)done : moved;
        if (keep || done == n || long_work_must_end())
            return (ssize_t)done;
    }
}
