/*
 * How a program's bytes get into a queue: what pipes and stream sockets have in common.
 *
 * A pipe holds up to SLOTS buffers of a page each, a socket up to LIMIT bytes. A write of up to PIPE_BUF bytes
 * goes into the queue in one piece, behind the bytes of the last buffer when it fits there, else as a
 * buffer of its own: so it is atomic among any number of writers. A longer write is cut: the part beyond a
 * multiple of the page size first, when it fits behind the last buffer, then pages. Room for one buffer
 * therefore always lets any writer go on.
 *
 * Bytes are copied from the program before the lock is taken, into buffers nobody else knows yet: a fault, a
 * sleep for memory or a page that is only half filled never shows to a reader.
 *
 *     program --copy, may fault--> fresh buffers --q->lock: wait for room, publish--> queue
 *
 * Writers sleep exclusively; one that slept and leaves room behind wakes the next.
 */
#include "fs/file.h"
#include "fs/poll.h"
#include "ipc/queue.h"
#include "lib/string.h"
#include "mm/reclaim.h"

#define SMALL_WRITE 64 /* bytes that take the way over the stack */
#define BATCH 16u      /* buffers filled before they are published */

/* The tail of a stream that N more bytes may be written behind, for a writer that isn't making packets. */
static struct buf *appendable(struct queue *q, const struct queue_manner *how, size_t n)
{
    return how->record || how->cargo ? NULL : queue_appendable(q, n);
}

static noinline int sleep_for_room(struct queue *q, const struct queue_manner *how, size_t n,
                                   bool *slept)
{ /* LAB pipe:room begin */
    if (q->no_readers)
        return -EPIPE;
    if (appendable(q, how, n))
        return 0;
    if (how->nonblock)
        return -EAGAIN;
    *slept = true;
    int error = wait_event_exclusive(
        &q->writable, q->no_readers || !queue_is_full(q) || appendable(q, how, n), how->deadline);
    if (q->no_readers)
        return -EPIPE;
    return error == -ETIMEDOUT ? -EAGAIN : error;
}

/*
 * Wait until N bytes (at most a page) can go into the queue: 0, -EPIPE when nobody will read them, -EAGAIN,
 * -ERESTARTSYS. Sets *SLEPT when it had to. q->lock held.
 */
static inline int wait_for_room(struct queue *q, const struct queue_manner *how, size_t n,
                                bool *slept)
{
    if (likely(!q->no_readers && !queue_is_full(q)))
        return 0;
    return sleep_for_room(q, how, n, slept);
}

/* The end of every write that slept: let the next writer have what is left. q->lock held. */
static void pass_on(struct queue *q, bool slept)
{
    if (slept && !queue_is_full(q) && !waitq_is_empty(&q->writable))
        wake_one(&q->writable, POLLOUT | POLLWRNORM);
} /* LAB pipe:room end */

/* B is filled: mark it as HOW says and put it in. q->lock held. */
static void put_marked(struct queue *q, const struct queue_manner *how, struct buf *b)
{
    if (how->record)
        b->flags |= BUF_RECORD;
    if (how->cargo) {
        ref_get(&how->cargo->ref);
        b->cargo = how->cargo;
    }
    queue_put(q, b);
}

/* Put N bytes at DATA into the queue, which has room for them. q->lock held. */
static int publish_small(struct queue *q, const struct queue_manner *how, const void *data,
                         size_t n)
{ /* LAB pipe:small begin */
    struct buf *b = appendable(q, how, n);

    if (b) {
        queue_append(q, b, data, n);
        return 0;
    }
    b = buf_alloc();
    if (!b)
        return -ENOMEM;
    memcpy(b->base, data, n);
    b->len = (uint32_t)n;
    put_marked(q, how, b);
    return 0;
}

static ssize_t write_small(struct queue *q, const struct queue_manner *how, struct uio *u)
{
    char bytes[SMALL_WRITE];
    size_t n = u->left;
    bool fault = uio_copy_in(u, bytes, n) < n;
    unsigned tries = 0;
    bool slept = false;
    int error;

    do {
        spin_lock(&q->lock);
        error = wait_for_room(q, how, n, &slept);
        if (!error)
            error = fault ? -EFAULT : publish_small(q, how, bytes, n);
        pass_on(q, slept);
        spin_unlock(&q->lock);
    } while (unlikely(error == -ENOMEM) && memory_make_room(&tries));
    return error ? error : (ssize_t)n;
} /* LAB pipe:small end */

/* How many bytes of LEFT to fetch from the program next. q->lock held; there is room for at least a buffer. */
static size_t next_chunk(struct queue *q, const struct queue_manner *how, size_t left)
{
    size_t odd = left % PAGE_SIZE;
    unsigned room = queue_is_full(q) ? 1 : min(q->slots - q->nbufs, BATCH);

    if (odd && odd < left && appendable(q, how, odd))
        return odd;
    return min(left, room * PAGE_SIZE);
}

/*
 * A buffer with the next N bytes of U, at most a page's: a view of U's page when all of U lies in one that
 * may be kept (file_write_page), else a copy. NULL with *ERROR: -ENOMEM, -EFAULT.
 */
static struct buf *fill_buffer(struct uio *u, size_t n, int *error)
{
    unsigned tries = 0;
    struct buf *b;

    do {
        if (u->page) {
            uint32_t off = (uint32_t)(((uintptr_t)u->iov->iov_base + u->done) % PAGE_SIZE);
            b = buf_from_page(u->page, off, (uint32_t)n);
        } else {
            b = buf_alloc();
        }
    } while (!b && memory_make_room(&tries));
    if (!b) {
        *error = -ENOMEM;
    } else if (u->page) {
        uio_skip(u, n);
    } else if (uio_copy_in(u, b->base, n) < n) {
        buf_free(b);
        b = NULL;
        *error = -EFAULT;
    } else {
        b->len = (uint32_t)n;
    }
    return b;
}

/* Put N bytes into fresh buffers. Returns the bytes in whole buffers; *ERROR says why it was less. */
static size_t fill_buffers(struct list *fresh, struct uio *u, size_t n, int *error)
{
    size_t done = 0;

    while (done < n) {
        size_t chunk = min(n - done, PAGE_SIZE);
        struct buf *b = fill_buffer(u, chunk, error);
        if (!b)
            break;
        list_push_back(fresh, &b->link);
        done += chunk;
    }
    return done;
}

/* Move the buffers of FRESH into the queue while there is room, waiting for it. Returns bytes. q->lock held. */
static size_t publish(struct queue *q, const struct queue_manner *how, struct list *fresh,
                      bool *slept, int *error)
{ /* LAB pipe:pages begin */
    size_t done = 0;
    struct buf *b;

    while ((b = list_first(fresh, struct buf, link))) {
        size_t n = b->len;
        int failed = wait_for_room(q, how, n, slept);
        if (failed) {
            *error = failed;
            break;
        }
        list_remove(&b->link);
        struct buf *tail = n < PAGE_SIZE ? appendable(q, how, n) : NULL;
        if (tail) {
            queue_append(q, tail, b->base, n);
            buf_free(b);
        } else {
            put_marked(q, how, b);
        }
        done += n;
    }
    return done;
}

static void discard(struct list *fresh)
{
    struct buf *b;

    while ((b = list_first(fresh, struct buf, link))) {
        list_remove(&b->link);
        buf_free(b);
    }
}

static ssize_t write_pages(struct queue *q, struct queue_manner *how, struct uio *u)
{
    struct list fresh = LIST_INIT(fresh);
    size_t done = 0, total = u->left;
    bool slept = false;
    int error = 0;

    spin_lock(&q->lock);
    while (done < total && !error) {
        size_t odd = (total - done) % PAGE_SIZE;
        error = wait_for_room(q, how, odd ? odd : PAGE_SIZE, &slept);
        if (error)
            break;
        size_t chunk = next_chunk(q, how, total - done);
        spin_unlock(&q->lock);
        (void)fill_buffers(&fresh, u, chunk, &error);
        spin_lock(&q->lock);
        done += publish(q, how, &fresh, &slept, &error);
    }
    pass_on(q, slept);
    spin_unlock(&q->lock);
    discard(&fresh);
    how->broken = error == -EPIPE;
    return done ? (ssize_t)done : error;
} /* LAB pipe:pages end */

ssize_t queue_write_user(struct queue *q, struct uio *u, struct queue_manner *how)
{
    ssize_t done = u->left <= SMALL_WRITE ? write_small(q, how, u) : write_pages(q, how, u);

    if (done == -EPIPE)
        how->broken = true;
    return done;
}
