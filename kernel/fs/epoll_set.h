/*
 * An epoll set as its two halves see it: epoll.c, where items become ready and are asked, and
 * epoll_calls.c, the system calls and the rules for sets that watch sets. For those two alone.
 */
#pragma once

#include <abi/epoll.h>

#include "fs/file.h"
#include "lib/list.h"
#include "lib/tree.h"
#include "sched/lock.h"
#include "sched/wait.h"

#define MAX_NESTING 4 /* sets around a set around ... a file: so many steps from set to set */
/* How an item behaves, as opposed to what it waits for. */
#define BEHAVIOUR (EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)

struct epoll {
    struct refcount ref;  /* atomic: the set's file, and who is about to take its mutex */
    struct mutex mutex;   /* RANK_EPOLL_MUTEX: changes of the set, and asking its files */
    struct tree items;    /* mutex: struct epoll_item by (file, descriptor) */
    struct spinlock lock; /* RANK_EPOLL */
    struct list ready;    /* lock: items that may have something to say, oldest first */
    struct waitq waiters; /* lock: epoll_wait */
    struct waitq pollers; /* lock: sets and polls that watch this set */
    struct list inner;    /* nest_mutex: items of this set that watch a set */
    struct list outer;    /* nest_mutex: items of other sets that watch this one */
    uint64_t visited;     /* nest_mutex: the walk that has last been here */
    int height;           /* nest_mutex: what that walk found */
};

struct epoll_item {
    struct tree_node node;      /* set->mutex */
    struct epoll *set;          /* const */
    struct file *file;          /* const: no reference, see above */
    int fd;                     /* const */
    struct epoll_event event;   /* set->mutex; a wakeup may look at the events without it */
    struct list ready;          /* set->lock: on set->ready or a scan's list; else empty */
    struct list file_link;      /* file->lock: on file->epoll_items */
    struct epoll_entry *joined; /* set->mutex: the wait queues it stands on */
    struct list inner_link;     /* nest_mutex: on set->inner, if it watches a set */
    struct list outer_link;     /* nest_mutex: on that set's outer */
};

/* One item on one wait queue. */
struct epoll_entry {
    struct waiter waiter;     /* the queue's lock */
    struct waitq *wq;         /* const while queued */
    struct epoll_item *item;  /* const */
    struct epoll_entry *next; /* set->mutex */
};

/* Sets within sets change under this, so that a circle can't close from two sides at once. */
extern struct mutex nest_mutex; /* RANK_EPOLL_NEST */

/* The set that F is, or NULL: it is something else. */
struct epoll *set_of(const struct file *f);
/* A new set with its file; err_ptr. */
struct file *set_create(void);

/* The item of (F, FD), or NULL. set->mutex held. */
struct epoll_item *item_find(struct epoll *set, const struct file *f, int fd);
/* The next three: set->mutex held; nest_mutex too, if F is a set. 0, -ENOSPC, -ENOMEM. */
int item_add(struct epoll *set, struct file *f, int fd, const struct epoll_event *event);
void item_modify(struct epoll_item *item, const struct epoll_event *event);
void item_remove(struct epoll_item *item);

/* Is it worth asking? A look without the lock. */
static inline bool set_may_have_events(const struct epoll *set)
{
    return !list_empty(&set->ready);
}
/*
 * Report up to MAX items that have something to say: how many, or -EFAULT. Those that were ready at the
 * start are looked at once each, so a level-triggered one is not reported twice.
 */
int set_report(struct epoll *set, struct epoll_event __user *events, int max);
/* Wait until the set may have something: 0, -ETIMEDOUT, -EINTR. */
int set_wait(struct epoll *set, nsec_t deadline);
