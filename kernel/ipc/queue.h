/*
 * The queue: bytes or messages in transit. It is a list of buffers with a limit, and two wait queues, one for
 * those who want to take and one for those who want to put. A pipe is one queue, a socket is two, a terminal
 * is two with a line discipline between.
 *
 * q->lock guards everything here and the buffers on the list. A wakeup is sent with the lock held and after the
 * state has changed.
 *
 *   put ->  [tail buf] ... [buf] [head buf]  -> take
 *           sleepers: q->writable             sleepers: q->readable
 *
 * A buffer is a view of bytes [off, off+len) in storage: a page, which may be shared (splice, later network
 * fragments), or a small piece that came with the buffer itself. Bytes of a shared storage are never written.
 */
#pragma once

#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/types.h"
#include "sched/lock.h"
#include "sched/wait.h"

struct page;
struct uio;

/*
 * What travels with bytes without being bytes: descriptors and credentials on a local socket. Shared by the
 * buffers of one write. Freeing it may close files: the last reference is never dropped with a lock held.
 */
struct buf_cargo {
    struct refcount ref;               /* atomic */
    void (*free)(struct buf_cargo *c); /* const */
};
static inline void cargo_put(struct buf_cargo *c)
{
    if (c && ref_put(&c->ref))
        c->free(c);
}

struct buf {
    struct list link; /* the queue's lock */
    struct page
        *page;     /* const: the storage, a reference is held; NULL: the bytes follow this struct */
    char *base;    /* const: the storage's first byte */
    uint32_t off;  /* the queue's lock: first byte, from base */
    uint32_t len;  /* the queue's lock: bytes */
    uint32_t room; /* const: size of the storage */
    uint32_t flags;          /* the queue's lock: BUF_* */
    struct buf_cargo *cargo; /* const while queued: a reference; NULL: none */
};
#define BUF_RECORD 1u /* ends a record: a read stops here (packet pipes, datagrams, tty lines) */
#define BUF_SHARED 2u /* the storage has other users: don't append, don't write */

struct queue {
    struct spinlock lock;  /* RANK_QUEUE */
    struct list bufs;      /* lock: head is the oldest */
    size_t bytes;          /* lock: in all bufs */
    size_t limit;          /* lock: bytes that may wait, a little more or less */
    unsigned slots;        /* lock: bufs that may wait (a pipe's pages) */
    unsigned nbufs;        /* lock */
    bool no_readers;       /* lock: nobody will ever take: writers get EPIPE */
    bool no_writers;       /* lock: nobody will ever put: readers get end of file */
    struct waitq readable; /* lock */
    struct waitq writable; /* lock */
};

void queue_init(struct queue *q, size_t limit, unsigned slots);
void queue_destroy(struct queue *q); /* drops what is inside; nobody uses the queue any more */

/* All below need q->lock. */
static inline bool queue_is_empty(const struct queue *q)
{
    return q->nbufs == 0;
}
static inline bool queue_is_full(const struct queue *q)
{
    return q->nbufs >= q->slots || q->bytes >= q->limit;
}
static inline struct buf *queue_first(struct queue *q)
{
    return list_first(&q->bufs, struct buf, link);
}
static inline struct buf *queue_last(struct queue *q)
{
    return list_last(&q->bufs, struct buf, link);
}

/* Append a buffer; the queue takes it over. Wakes one reader, and all who poll. */
void queue_put(struct queue *q, struct buf *b);
/* Detach the oldest buffer: the caller owns it. Wakes one writer. NULL when empty. */
struct buf *queue_take(struct queue *q);
/* Put back in front what is left of a buffer that was taken. Wakes one reader. */
void queue_put_back(struct queue *q, struct buf *b);
/*
 * The oldest buffer of FROM becomes the newest of TO. Wakes nobody yet: queue_moved does, once for all that
 * were moved, since who is woken passes it on. Both locks held.
 */
static inline void queue_move_first(struct queue *from, struct queue *to)
{
    struct buf *b = queue_first(from);

    list_remove(&b->link);
    list_push_back(&to->bufs, &b->link);
    from->nbufs--;
    to->nbufs++;
    from->bytes -= b->len;
    to->bytes += b->len;
}
void queue_moved(struct queue *from, struct queue *to);
void queue_flush(struct queue *q); /* drop all; wakes writers */

/* The last buffer, when N more bytes may be written behind its own; else NULL. */
struct buf *queue_appendable(struct queue *q, size_t n);
/* Write behind the bytes of B, which queue_appendable gave. Wakes one reader. */
void queue_append(struct queue *q, struct buf *b, const void *data, size_t n);

/*
 * Move up to N bytes to U without sleeping; stops at a record's end. Returns the bytes moved; wakes a
 * writer when a buffer came free. User memory that isn't there: the lock is dropped, the memory fetched,
 * the lock taken again, and the answer is -EAGAIN ("look again") or -EFAULT; nothing has moved then.
 */
ssize_t queue_read(struct queue *q, struct uio *u, size_t n, unsigned how);
#define QUEUE_PEEK 1u /* leave it where it is */
#define QUEUE_CUT 2u  /* what a record holds beyond N bytes is dropped */

/* Kernel bytes, for interrupts too: as many as fit below the limit, or out of it. Wake as above. */
size_t queue_write_kernel(struct queue *q, const void *data, size_t n);
size_t queue_read_kernel(struct queue *q, void *data, size_t n);
/* All of it as one record, whatever the limit says; an empty one is a mark in the stream. False: no memory. */
bool queue_write_record(struct queue *q, const void *data, size_t n);

/* How a program wants to write, and what it ought to hear besides the result. */
struct queue_manner {
    bool nonblock; /* -EAGAIN rather than sleep */
    bool record;   /* each buffer is a record: a pipe's packets */
    struct buf_cargo
        *cargo;      /* travels with each buffer; the caller's reference stays his. NULL: none */
    nsec_t deadline; /* for the whole write; -EAGAIN when it has passed */
    bool broken;     /* out: it ended because nobody will read any more (SIGPIPE) */
};
/*
 * Write U, at least one byte, sleeping for room as HOW says: the bytes written, -EAGAIN, -EPIPE,
 * -ERESTARTSYS, -EFAULT, -ENOMEM. No lock held.
 */
ssize_t queue_write_user(struct queue *q, struct uio *u, struct queue_manner *how);

/* Buffers; NULL when out of memory. Any context. */
struct buf *buf_alloc(void);              /* with a page of its own */
struct buf *buf_alloc_small(size_t room); /* at most 1 KiB, or a page's */
struct buf *buf_from_page(struct page *p, uint32_t off,
                          uint32_t len); /* takes a reference, BUF_SHARED */
void buf_free(struct buf *b);
/* Give back the buffers that are kept ready on each CPU: for leak checks. Interrupts on, no lock held. */
void buf_drain(void);
void queue_init_subsystem(void);
