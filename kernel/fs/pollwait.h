/*
 * Waiting on many descriptors at once, as poll(2) and select(2) do: each file's poll operation puts
 * an entry of ours on the queues that matter to it, and any of them sets one flag and wakes us.
 */
#pragma once

#include "fs/fdtable.h"
#include "fs/poll.h"

#define POLL_INLINE 8

struct poll_entry {
    struct waiter waiter;     /* the queue's lock */
    struct waitq *wq;         /* const while queued */
    struct poll_waits *waits; /* const */
    struct file *file;        /* const: keeps wq alive when others could close it; a reference */
    unsigned key;             /* const while queued: the events that matter */
};

struct poll_chunk;

struct poll_waits {
    struct poll_table table;   /* what poll operations get */
    bool woken;                /* atomic: something happened since it was last cleared */
    int error;                 /* -ENOMEM: an entry couldn't be made */
    unsigned key;              /* events asked of the file that is being polled */
    struct fdref ref;          /* that file */
    unsigned used;             /* of the inline entries */
    struct poll_chunk *chunks; /* further ones */
    struct poll_entry entries[POLL_INLINE];
};

void poll_waits_init(struct poll_waits *w);
void poll_waits_end(struct poll_waits *w);
/*
 * Poll R, joining its queues when JOIN. EVENTS is what the caller would like to hear of, besides
 * POLLERR and POLLHUP.
 */
static inline unsigned poll_one(struct poll_waits *w, struct fdref r, unsigned events, bool join)
{
    struct file *f = r.file;
    if (unlikely(!f->ops->poll))
        return POLL_DEFAULT;
    if (!join)
        return f->ops->poll(f, NULL);
    w->key = events | POLLERR | POLLHUP;
    w->ref = r;
    return f->ops->poll(f, &w->table);
}
/*
 * Sleep until an entry was woken: 0, -ETIMEDOUT or -ERESTARTSYS; whatever it was, look once more.
 * Or the error that kept an entry from being made.
 */
int poll_sleep(struct poll_waits *w, nsec_t deadline);

struct timespec;
struct timeval;
/* Time arguments: NULL is never. -EFAULT, -EINVAL. *DEADLINE 0 means: don't wait. */
int poll_deadline(const struct timespec __user *t, nsec_t *deadline);
nsec_t poll_deadline_in(nsec_t ns);
/* Write what is left of a wait back. */
int poll_store_left(struct timespec __user *t, nsec_t deadline);
