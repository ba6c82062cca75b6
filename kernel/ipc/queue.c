/*
 * The queue of ipc/queue.h: who may wait for what is the caller's business (a pipe and a terminal differ);
 * here bytes move in and out and the right sleepers are woken.
 *
 * Sleepers that take or put wait exclusively: one wakeup for one buffer. Who was woken and leaves something
 * behind for the next passes the wakeup on, so none is lost when it can't use all (see ipc/pipe.c).
 *
 * Copying to user memory happens under the spinlock, hence without faulting. When a page isn't there, the
 * lock is dropped, the page fetched, and the caller looks at the queue afresh. A buffer's bytes move all
 * that were asked for or none: a fault half way takes nothing out.
 */
#include "ipc/queue.h"

#include "fs/file.h"
#include "fs/poll.h"
#include "lib/string.h"
#include "mm/page.h"

void queue_init(struct queue *q, size_t limit, unsigned slots)
{
    spin_init(&q->lock, RANK_QUEUE, "queue");
    list_init(&q->bufs);
    q->bytes = 0;
    q->limit = limit;
    q->slots = slots;
    q->nbufs = 0;
    q->no_readers = q->no_writers = false;
    waitq_init(&q->readable, &q->lock);
    waitq_init(&q->writable, &q->lock);
}

static struct buf *detach_first(struct queue *q)
{
    struct buf *b = queue_first(q);

    if (b) {
        list_remove(&b->link);
        q->nbufs--;
        q->bytes -= b->len;
    }
    return b;
}

void queue_destroy(struct queue *q)
{
    struct buf *b;

    while ((b = detach_first(q)))
        buf_free(b);
}

static void wake_reader(struct queue *q)
{
    if (!waitq_is_empty(&q->readable))
        wake_one(&q->readable, POLLIN | POLLRDNORM);
}

static void wake_writer(struct queue *q)
{
    if (!waitq_is_empty(&q->writable))
        wake_one(&q->writable, POLLOUT | POLLWRNORM);
}

void queue_put(struct queue *q, struct buf *b)
{
    assert(spin_is_held(&q->lock));
    list_push_back(&q->bufs, &b->link);
    q->nbufs++;
    q->bytes += b->len;
    wake_reader(q);
}

struct buf *queue_take(struct queue *q)
{
    assert(spin_is_held(&q->lock));
    struct buf *b = detach_first(q);
    if (b)
        wake_writer(q);
    return b;
}

void queue_put_back(struct queue *q, struct buf *b)
{
    assert(spin_is_held(&q->lock));
    list_push_front(&q->bufs, &b->link);
    q->nbufs++;
    q->bytes += b->len;
    wake_reader(q);
}

void queue_moved(struct queue *from, struct queue *to)
{
    wake_writer(from);
    wake_reader(to);
}

void queue_flush(struct queue *q)
{
    assert(spin_is_held(&q->lock));
    queue_destroy(q);
    wake_all(&q->writable, POLLOUT | POLLWRNORM);
}

struct buf *queue_appendable(struct queue *q, size_t n)
{
    struct buf *b = queue_last(q);

    if (!b || b->flags || b->cargo || b->off + b->len + n > b->room)
        return NULL;
    return b;
}

void queue_append(struct queue *q, struct buf *b, const void *data, size_t n)
{
    memcpy(b->base + b->off + b->len, data, n);
    b->len += (uint32_t)n;
    q->bytes += n;
    wake_reader(q);
}

/* Fetch the user page that the copy to *AT stumbled over. The lock is dropped meanwhile. */
static int fetch_user_page(struct queue *q, struct uio *at)
{
    spin_unlock(&q->lock);
    int error = uio_fault_in(at, true);
    spin_lock(&q->lock);
    return error ? -EFAULT : -EAGAIN;
}

/* Take N bytes, or with CUT all that is left, off the front of B, the first; true when B is gone. */
static bool consume(struct queue *q, struct buf *b, size_t n, bool cut)
{
    if (n == b->len || cut) {
        detach_first(q);
        buf_free(b);
        return true;
    }
    b->off += (uint32_t)n;
    b->len -= (uint32_t)n;
    q->bytes -= n;
    return false;
}

static struct buf *next_buf(struct queue *q, struct buf *b)
{
    return b->link.next == &q->bufs ? NULL : list_entry(b->link.next, struct buf, link);
}

ssize_t queue_read(struct queue *q, struct uio *u, size_t n, unsigned how)
{
    size_t moved = 0;
    bool freed = false, record = false;
    struct buf *b = queue_first(q);

    assert(spin_is_held(&q->lock));
    while (b && !record && moved < n) {
        size_t want = min((size_t)b->len, n - moved);
        struct uio before = *u;
        if (uio_copy_out_nofault(u, b->base + b->off, want) < want) {
            if (!moved) {
                struct uio bad = *u;
                *u = before;
                return fetch_user_page(q, &bad);
            }
            *u = before;
            break;
        }
        moved += want;
        record = b->flags & BUF_RECORD;
        struct buf *next = next_buf(q, b);
        if (!(how & QUEUE_PEEK))
            freed |= consume(q, b, want, record && (how & QUEUE_CUT));
        b = next;
    }
    if (freed)
        wake_writer(q);
    return (ssize_t)moved;
}

size_t queue_write_kernel(struct queue *q, const void *data, size_t n)
{
    size_t space = q->bytes < q->limit ? q->limit - q->bytes : 0;
    size_t done = 0;

    n = min(n, space);
    while (done < n) {
        struct buf *b = queue_appendable(q, 1);
        bool fresh = !b;
        if (fresh && (queue_is_full(q) || !(b = buf_alloc_small(max(n - done, (size_t)256)))))
            break;
        size_t chunk = min(n - done, (size_t)(b->room - b->off - b->len));
        const char *from = (const char *)data + done;
        if (fresh) {
            memcpy(b->base, from, chunk);
            b->len = (uint32_t)chunk;
            queue_put(q, b);
        } else {
            queue_append(q, b, from, chunk);
        }
        done += chunk;
    }
    return done;
}

bool queue_write_record(struct queue *q, const void *data, size_t n)
{
    assert(n <= PAGE_SIZE);
    struct buf *b = buf_alloc_small(n);
    if (!b)
        return false;
    memcpy(b->base, data, n);
    b->len = (uint32_t)n;
    b->flags = BUF_RECORD;
    queue_put(q, b);
    return true;
}

size_t queue_read_kernel(struct queue *q, void *data, size_t n)
{
    size_t done = 0;
    bool freed = false;

    while (done < n && !queue_is_empty(q)) {
        struct buf *b = queue_first(q);
        size_t chunk = min(n - done, (size_t)b->len);
        memcpy((char *)data + done, b->base + b->off, chunk);
        freed |= consume(q, b, chunk, false);
        done += chunk;
    }
    if (freed)
        wake_writer(q);
    return done;
}
