/* See pollwait.h. */
#include "fs/pollwait.h"

#include <abi/time.h>

#include "fs/vfs.h"
#include "mm/slab.h"
#include "sched/lock.h"
#include "sched/sched.h"
#include "signal/signal.h"
#include "x86/clock.h"
#include "x86/uaccess.h"

#define CHUNK_ENTRIES 28 /* fits into 2 KiB */

struct poll_chunk {
    struct poll_chunk *next;
    unsigned used;
    struct poll_entry entries[CHUNK_ENTRIES];
};

/* The queue's lock is held, so W is still there; it goes only when its owner has left the queue. */
static bool entry_wake(struct waiter *waiter, unsigned key)
{
    struct poll_entry *e = container_of(waiter, struct poll_entry, waiter);
    if (key && !(key & e->key))
        return false;
    WRITE_ONCE(e->waits->woken, true);
    sched_wake(waiter->thread, WAKE_EVENT);
    return true;
}

static struct poll_entry *entry_alloc(struct poll_waits *w)
{
    if (w->used < POLL_INLINE)
        return &w->entries[w->used++];
    if (!w->chunks || w->chunks->used == CHUNK_ENTRIES) {
        struct poll_chunk *c = kmalloc(sizeof(*c));
        if (!c)
            return NULL;
        c->next = w->chunks;
        c->used = 0;
        w->chunks = c;
    }
    return &w->chunks->entries[w->chunks->used++];
}

/* Called by a poll operation with the queue's lock held. */
static void join_queue(struct poll_table *pt, struct waitq *wq)
{
    struct poll_waits *w = container_of(pt, struct poll_waits, table);
    struct poll_entry *e = entry_alloc(w);
    if (!e) {
        w->error = -ENOMEM;
        return;
    }
    waiter_init(&e->waiter, false);
    e->waiter.wake = entry_wake;
    e->wq = wq;
    e->waits = w;
    e->key = w->key;
    e->file = NULL;
    if (w->ref.owned) {
        e->file = w->ref.file;
        file_get(e->file);
    }
    list_push_back(&wq->waiters, &e->waiter.link);
}

void poll_waits_init(struct poll_waits *w)
{
    w->table.queue = join_queue;
    w->woken = false;
    w->error = 0;
    w->used = 0;
    w->chunks = NULL;
}

static void entries_leave(struct poll_entry *e, unsigned n)
{
    for (; n > 0; n--, e++) {
        spin_lock(e->wq->lock);
        list_remove(&e->waiter.link);
        spin_unlock(e->wq->lock);
        if (e->file)
            file_put(e->file);
    }
}

void poll_waits_end(struct poll_waits *w)
{
    entries_leave(w->entries, w->used);
    while (w->chunks) {
        struct poll_chunk *c = w->chunks;
        w->chunks = c->next;
        entries_leave(c->entries, c->used);
        kfree(c);
    }
}

int poll_sleep(struct poll_waits *w, nsec_t deadline)
{
    if (w->error)
        return w->error;
    int error = wait_flag(&w->woken, deadline, WAIT_INTERRUPTIBLE);
    WRITE_ONCE(w->woken, false);
    return error;
}

/* ---- time ---- */

nsec_t poll_deadline_in(nsec_t ns)
{
    nsec_t deadline;
    if (ns <= 0)
        return 0;
    return __builtin_add_overflow(clock_monotonic(), ns, &deadline) ? DEADLINE_NONE : deadline;
}

int poll_deadline(const struct timespec __user *t, nsec_t *deadline)
{
    struct timespec ts;
    *deadline = DEADLINE_NONE;
    if (!t)
        return 0;
    if (copy_from_user(&ts, t, sizeof(ts)))
        return -EFAULT;
    if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= NSEC_PER_SEC)
        return -EINVAL;
    nsec_t ns;
    if (__builtin_mul_overflow(ts.tv_sec, NSEC_PER_SEC, &ns) ||
        __builtin_add_overflow(ns, ts.tv_nsec, &ns))
        return 0;
    *deadline = poll_deadline_in(ns);
    return 0;
}

int poll_store_left(struct timespec __user *t, nsec_t deadline)
{
    if (!t || deadline == 0 || deadline == DEADLINE_NONE)
        return 0;
    nsec_t left = max(deadline - clock_monotonic(), (nsec_t)0);
    struct timespec ts = {left / NSEC_PER_SEC, left % NSEC_PER_SEC};
    return copy_to_user(t, &ts, sizeof(ts));
}
