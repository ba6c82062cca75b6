/*
 * Reading and writing a pipe.
 *
 * A pipe holds up to SLOTS buffers of a page each. A write of up to PIPE_BUF bytes goes into the queue in one
 * piece, behind the bytes of the last buffer when it fits there, else as a buffer of its own: so it is atomic
 * among any number of writers. A longer write is cut: the part beyond a multiple of the page size first,
 * when it fits behind the last buffer, then pages. A free slot therefore always lets any writer go on.
 *
 * Bytes are copied from the program before the lock is taken, into buffers nobody else knows yet: a fault, a
 * sleep for memory or a page that is only half filled never shows to a reader.
 *
 *     program --copy, may fault--> fresh buffers --q->lock: wait for a slot, publish--> queue
 *
 * Readers and writers sleep exclusively. The chain of wakeups doesn't break because who was woken passes it
 * on: a writer wakes the next when there is still a slot, a reader when there are still bytes. Who did not
 * sleep has used up nobody's wakeup and wakes nobody: an edge-triggered epoll would take it for an arrival.
 */
#include "ipc/pipe_io.h"

#include <abi/fcntl.h>
#include <abi/limits.h>

#include "fs/file.h"
#include "fs/inode.h"
#include "fs/poll.h"
#include "ipc/pipe.h"
#include "lib/string.h"
#include "mm/reclaim.h"
#include "proc/proc.h"
#include "signal/signal.h"

#define SMALL_WRITE 64                 /* bytes that take the way over the stack */
#define BATCH 16u                      /* buffers filled before they are published */
#define READ_BATCH (BATCH * PAGE_SIZE) /* bytes copied out without letting go of the lock */

ssize_t pipe_read(struct file *f, struct uio *u, off_t *pos)
{
    struct pipe *p = f->private;
    struct queue *q = &p->q;
    ssize_t done = 0;
    long error = 0;
    bool slept = false;

    (void)pos;
    if (!u->left)
        return 0;
    spin_lock(&q->lock);
    for (;;) {
        if (!queue_is_empty(q)) {
            bool packet = queue_first(q)->flags & BUF_RECORD;
            ssize_t n = queue_read(q, u, min(u->left, READ_BATCH), QUEUE_CUT);
            if (n == -EAGAIN)
                continue;
            error = min(n, (ssize_t)0);
            if (error)
                break;
            done += n;
            if (packet || !u->left)
                break;
            if (!queue_is_empty(q)) {
                spin_unlock(&q->lock);
                spin_lock(&q->lock);
            }
            continue;
        }
        if (done || q->no_writers)
            break;
        error = -EAGAIN;
        if (f->flags & O_NONBLOCK)
            break;
        slept = true;
        error =
            wait_event_exclusive(&q->readable, !queue_is_empty(q) || q->no_writers, DEADLINE_NONE);
        if (error)
            break;
    }
    if (slept && !queue_is_empty(q) && !waitq_is_empty(&q->readable))
        wake_one(&q->readable, POLLIN | POLLRDNORM);
    spin_unlock(&q->lock);
    if (done && p->named)
        inode_accessed(f->path);
    return done ? done : error;
}

/* SIGPIPE, as if the program had sent it to itself. */
static void signal_broken_pipe(void)
{
    siginfo_t info = {.si_signo = SIGPIPE, .si_code = SI_USER};

    info.si_pid = current_proc()->pid->nr;
    info.si_uid = current_cred()->uid;
    (void)signal_send_info(current_proc(), current, &info);
}

/* The tail of a stream that N more bytes may be written behind, for a writer that isn't making packets. */
static struct buf *appendable(struct queue *q, const struct file *f, size_t n)
{
    return f->flags & O_DIRECT ? NULL : queue_appendable(q, n);
}

/*
 * Wait until N bytes (at most a page) can go into the queue: 0, -EPIPE when nobody will read them, -EAGAIN,
 * -ERESTARTSYS. Sets *SLEPT when it had to. q->lock held.
 */
static int wait_for_room(struct queue *q, const struct file *f, size_t n, bool *slept)
{
    if (q->no_readers)
        return -EPIPE;
    if (!queue_is_full(q) || appendable(q, f, n))
        return 0;
    if (f->flags & O_NONBLOCK)
        return -EAGAIN;
    *slept = true;
    int error = wait_event_exclusive(
        &q->writable, q->no_readers || !queue_is_full(q) || appendable(q, f, n), DEADLINE_NONE);
    return q->no_readers ? -EPIPE : error;
}

/* The end of every write that slept: let the next writer have what is left. q->lock held. */
static void pass_on(struct queue *q, bool slept)
{
    if (slept && !queue_is_full(q) && !waitq_is_empty(&q->writable))
        wake_one(&q->writable, POLLOUT | POLLWRNORM);
}

/* Put N bytes at DATA into the queue, which has room for them. q->lock held. */
static int publish_small(struct queue *q, const struct file *f, const void *data, size_t n)
{
    struct buf *b = appendable(q, f, n);

    if (b) {
        queue_append(q, b, data, n);
        return 0;
    }
    b = buf_alloc();
    if (!b)
        return -ENOMEM;
    memcpy(b->base, data, n);
    b->len = (uint32_t)n;
    if (f->flags & O_DIRECT)
        b->flags = BUF_RECORD;
    queue_put(q, b);
    return 0;
}

static ssize_t write_small(struct queue *q, const struct file *f, struct uio *u)
{
    char bytes[SMALL_WRITE];
    size_t n = u->left;
    bool fault = uio_copy_in(u, bytes, n) < n;
    unsigned tries = 0;
    bool slept = false;
    int error;

    do {
        spin_lock(&q->lock);
        error = wait_for_room(q, f, n, &slept);
        if (!error)
            error = fault ? -EFAULT : publish_small(q, f, bytes, n);
        pass_on(q, slept);
        spin_unlock(&q->lock);
    } while (unlikely(error == -ENOMEM) && memory_make_room(&tries));
    return error ? error : (ssize_t)n;
}

/* How many bytes of LEFT to fetch from the program next. q->lock held; there is room for at least a buffer. */
static size_t next_chunk(struct queue *q, const struct file *f, size_t left)
{
    size_t odd = left % PAGE_SIZE;
    unsigned room = queue_is_full(q) ? 1 : q->slots - q->nbufs;

    if (odd && odd < left && appendable(q, f, odd))
        return odd;
    return min(left, min(room, BATCH) * PAGE_SIZE);
}

/* Copy N bytes into fresh buffers. Returns the bytes in whole buffers; *ERROR says why it was less. */
static size_t fill_buffers(struct list *fresh, struct uio *u, size_t n, int *error)
{
    size_t done = 0;

    while (done < n) {
        size_t chunk = min(n - done, PAGE_SIZE);
        unsigned tries = 0;
        struct buf *b = buf_alloc();
        while (!b && memory_make_room(&tries))
            b = buf_alloc();
        if (!b) {
            *error = -ENOMEM;
            break;
        }
        if (uio_copy_in(u, b->base, chunk) < chunk) {
            buf_free(b);
            *error = -EFAULT;
            break;
        }
        b->len = (uint32_t)chunk;
        list_push_back(fresh, &b->link);
        done += chunk;
    }
    return done;
}

/* Move the buffers of FRESH into the queue while there is room, waiting for it. Returns bytes. q->lock held. */
static size_t publish(struct queue *q, const struct file *f, struct list *fresh, bool *slept,
                      int *error)
{
    size_t done = 0;
    struct buf *b;

    while ((b = list_first(fresh, struct buf, link))) {
        size_t n = b->len;
        int failed = wait_for_room(q, f, n, slept);
        if (failed) {
            *error = failed;
            break;
        }
        list_remove(&b->link);
        struct buf *tail = n < PAGE_SIZE ? appendable(q, f, n) : NULL;
        if (tail) {
            queue_append(q, tail, b->base, n);
            buf_free(b);
        } else {
            if (f->flags & O_DIRECT)
                b->flags = BUF_RECORD;
            queue_put(q, b);
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

static ssize_t write_pages(struct queue *q, const struct file *f, struct uio *u)
{
    struct list fresh = LIST_INIT(fresh);
    size_t done = 0, total = u->left;
    bool slept = false;
    int error = 0;

    spin_lock(&q->lock);
    while (done < total && !error) {
        size_t odd = (total - done) % PAGE_SIZE;
        error = wait_for_room(q, f, odd ? odd : PAGE_SIZE, &slept);
        if (error)
            break;
        size_t chunk = next_chunk(q, f, total - done);
        spin_unlock(&q->lock);
        (void)fill_buffers(&fresh, u, chunk, &error);
        spin_lock(&q->lock);
        done += publish(q, f, &fresh, &slept, &error);
    }
    pass_on(q, slept);
    spin_unlock(&q->lock);
    discard(&fresh);
    if (error == -EPIPE && done)
        signal_broken_pipe();
    return done ? (ssize_t)done : error;
}

ssize_t pipe_write(struct file *f, struct uio *u, off_t *pos)
{
    struct pipe *p = f->private;
    ssize_t done;

    (void)pos;
    if (!u->left)
        return 0;
    if (u->left <= SMALL_WRITE)
        done = write_small(&p->q, f, u);
    else
        done = write_pages(&p->q, f, u);
    if (done == -EPIPE)
        signal_broken_pipe();
    if (done > 0 && p->named)
        inode_touch(f->inode, TOUCH_M | TOUCH_C);
    return done;
}
