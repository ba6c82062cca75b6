/*
 * epoll(7): a set of descriptors that the kernel keeps between calls, so that waiting costs by what
 * happens and not by what is watched.
 *
 * A set has an item for each (open description, descriptor) that it watches. When the item is made it
 * joins the wait queues of its file, once, by the same poll operation that poll(2) uses, and stays there.
 * A wakeup on such a queue puts the item on the set's ready list and wakes who waits for the set:
 *
 *     file's wait queue --wake--> item --> set->ready --> epoll_wait
 *                                              |
 *                                              +--> set->pollers: another set, or poll(2)
 *
 * epoll_wait takes the items off the ready list one by one and asks each file what is true now; who has
 * nothing to say is forgotten until its next wakeup. A level-triggered item that had something goes back to
 * the list's end, to be asked again the next time; an edge-triggered one doesn't.
 *
 * A set is a file itself and can be watched. Such nestings are kept short and free of circles: a chain of
 * wakeups runs from the innermost set outwards, each set's lock taken inside the one before it.
 *
 * An item holds no reference to its file: when the last one goes, epoll_forget() takes the items out. It
 * finds the sets by file->epoll_items, and keeps a set from being freed by a reference while it waits for
 * the set's mutex.
 */
#include "fs/epoll.h"

#include "fs/epoll_set.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "lib/printf.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "x86/uaccess.h"

/* What a poll operation gets while an item joins. */
struct epoll_joining {
    struct poll_table table;
    struct epoll_item *item;
    int error; /* -ENOMEM: an entry couldn't be made */
};

static struct slab_cache *item_cache, *entry_cache; /* const after init */
static size_t items, max_items; /* items: atomic, in all sets; max_items: const */

struct mutex nest_mutex;

static const struct file_ops epoll_file_ops;

void epoll_init(void)
{
    item_cache = slab_cache_create("epoll_item", sizeof(struct epoll_item), 0);
    entry_cache = slab_cache_create("epoll_entry", sizeof(struct epoll_entry), 0);
    mutex_init(&nest_mutex, RANK_EPOLL_NEST, "epoll nesting");
    /* A twenty-fifth of memory, as Linux. */
    max_items =
        page_total() * PAGE_SIZE / 25 / (sizeof(struct epoll_item) + sizeof(struct epoll_entry));
}

size_t epoll_max_items(void)
{
    return max_items;
}

struct epoll *set_of(const struct file *f)
{
    return f->ops == &epoll_file_ops ? f->private : NULL;
}

static void set_put(struct epoll *set)
{
    if (ref_put(&set->ref))
        kfree(set);
}

static struct epoll_item *item_of(struct tree_node *n)
{
    return tree_entry(n, struct epoll_item, node);
}

/* ---- wakeups ---- */

/* ITEM may have something to say. Wakes who waits for that. set->lock held. True: somebody was woken. */
static bool make_ready(struct epoll_item *item)
{
    struct epoll *set = item->set;
    bool somebody = !waitq_is_empty(&set->waiters) || !waitq_is_empty(&set->pollers);

    if (!list_empty(&item->ready))
        return somebody;
    list_push_back(&set->ready, &item->ready);
    wake_one(&set->waiters, POLLIN | POLLRDNORM);
    wake_all(&set->pollers, POLLIN | POLLRDNORM);
    return somebody;
}

/* Something happened to the file. Its queue's lock is held, so the entry and the item are there. */
static bool entry_wake(struct waiter *waiter, unsigned key)
{
    struct epoll_entry *e = container_of(waiter, struct epoll_entry, waiter);
    struct epoll_item *item = e->item;
    unsigned events = READ_ONCE(item->event.events);

    if (!(events & ~BEHAVIOUR) || (key && !(key & events)))
        return false;
    /* The queue may be another set's, with that one's lock of the same rank held. */
    spin_lock_nested(&item->set->lock);
    bool somebody = make_ready(item);
    spin_unlock(&item->set->lock);
    return somebody;
}

/* ---- items ---- */

/* By a poll operation, with the queue's lock held. */
static void join_queue(struct poll_table *pt, struct waitq *wq)
{
    struct epoll_joining *j = container_of(pt, struct epoll_joining, table);
    struct epoll_entry *e = slab_alloc(entry_cache);

    if (!e) {
        j->error = -ENOMEM;
        return;
    }
    waiter_init(&e->waiter, j->item->event.events & EPOLLEXCLUSIVE);
    e->waiter.wake = entry_wake;
    e->wq = wq;
    e->item = j->item;
    e->next = j->item->joined;
    j->item->joined = e;
    waitq_add(wq, &e->waiter);
}

static void leave_queues(struct epoll_item *item)
{
    struct epoll_entry *e;

    while ((e = item->joined)) {
        item->joined = e->next;
        spin_lock(e->wq->lock);
        list_remove(&e->waiter.link);
        spin_unlock(e->wq->lock);
        slab_free(entry_cache, e);
    }
}

static int item_order(const struct epoll_item *item, const struct file *f, int fd)
{
    if (item->file != f)
        return item->file < f ? -1 : 1;
    return item->fd < fd ? -1 : item->fd > fd;
}

/* The first item not below (F, FD), or NULL. set->mutex held. */
static struct epoll_item *item_find_from(struct epoll *set, const struct file *f, int fd)
{
    struct epoll_item *found = NULL;

    for (struct tree_node *n = set->items.root; n;) {
        if (item_order(item_of(n), f, fd) < 0) {
            n = n->right;
        } else {
            found = item_of(n);
            n = n->left;
        }
    }
    return found;
}

struct epoll_item *item_find(struct epoll *set, const struct file *f, int fd)
{
    struct epoll_item *item = item_find_from(set, f, fd);
    return item && item->file == f && item->fd == fd ? item : NULL;
}

static bool item_less(const struct tree_node *a, const struct tree_node *b)
{
    const struct epoll_item *x = tree_entry(a, struct epoll_item, node);
    const struct epoll_item *y = tree_entry(b, struct epoll_item, node);
    return item_order(x, y->file, y->fd) < 0;
}

void item_remove(struct epoll_item *item)
{
    struct epoll *set = item->set;

    leave_queues(item); /* from here on nothing makes it ready */
    spin_lock(&item->file->lock);
    list_remove(&item->file_link);
    spin_unlock(&item->file->lock);
    spin_lock(&set->lock);
    list_remove(&item->ready);
    spin_unlock(&set->lock);
    if (set_of(item->file)) {
        list_remove(&item->inner_link);
        list_remove(&item->outer_link);
    }
    tree_remove(&set->items, &item->node);
    slab_free(item_cache, item);
    atomic_sub(&items, 1);
}

/* Ask the file of ITEM what it waits for; make it ready if that is true already. set->mutex held. */
static int item_join(struct epoll_item *item)
{
    struct epoll_joining j = {.table.queue = join_queue, .item = item};
    unsigned got = item->file->ops->poll(item->file, &j.table);

    if (j.error)
        return j.error;
    if (got & item->event.events) {
        spin_lock(&item->set->lock);
        make_ready(item);
        spin_unlock(&item->set->lock);
    }
    return 0;
}

int item_add(struct epoll *set, struct file *f, int fd, const struct epoll_event *event)
{
    if (atomic_add(&items, 1) > max_items) {
        atomic_sub(&items, 1);
        return -ENOSPC;
    }
    struct epoll_item *item = slab_alloc(item_cache);
    if (!item) {
        atomic_sub(&items, 1);
        return -ENOMEM;
    }
    item->set = set;
    item->file = f;
    item->fd = fd;
    item->event = *event;
    item->joined = NULL;
    list_init(&item->ready);
    tree_insert(&set->items, &item->node, item_less);
    spin_lock(&f->lock);
    list_push_back(&f->epoll_items, &item->file_link);
    spin_unlock(&f->lock);
    if (set_of(f)) {
        list_push_back(&set->inner, &item->inner_link);
        list_push_back(&set_of(f)->outer, &item->outer_link);
    }
    int error = item_join(item);
    if (error)
        item_remove(item);
    return error;
}

/* What was missed since the file was last asked counts too. */
void item_modify(struct epoll_item *item, const struct epoll_event *event)
{
    WRITE_ONCE(item->event.events, event->events);
    item->event.data = event->data;
    /* Either a wakeup from here on sees the new events, or what it tells of is seen by the poll below. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    unsigned got = item->file->ops->poll(item->file, NULL);
    if (got & event->events) {
        spin_lock(&item->set->lock);
        make_ready(item);
        spin_unlock(&item->set->lock);
    }
}

/* ---- asking ---- */

/* What is true of ITEM's file now, of what the item waits for. set->mutex held. */
static unsigned item_poll(struct epoll_item *item)
{
    return item->file->ops->poll(item->file, NULL) & item->event.events;
}

/* The first item of LIST, off it: a wakeup from now on puts it on the ready list. set->lock not held. */
static struct epoll_item *pop(struct epoll *set, struct list *list)
{
    spin_lock(&set->lock);
    struct epoll_item *item = list_first(list, struct epoll_item, ready);
    if (item)
        list_remove(&item->ready);
    spin_unlock(&set->lock);
    return item;
}

static void put_back(struct epoll_item *item)
{
    spin_lock(&item->set->lock);
    if (list_empty(&item->ready))
        list_push_back(&item->set->ready, &item->ready);
    spin_unlock(&item->set->lock);
}

/* ITEM was reported: is it to be asked again the next time, without a wakeup? */
static bool stays_ready(struct epoll_item *item)
{
    unsigned events = item->event.events;

    if (events & EPOLLONESHOT)
        WRITE_ONCE(item->event.events, events & BEHAVIOUR);
    return !(events & (EPOLLONESHOT | EPOLLET));
}

/* Two stores: the structure is packed, and 12 bytes are no size that is quickly copied. */
static int give(struct epoll_event __user *to, unsigned got, const struct epoll_item *item)
{
    uint64_t data = item->event.data.u64;

    return put_user(got, &to->events) || put_user(data, (uint64_t __user *)&to->data) ? -EFAULT : 0;
}

int set_report(struct epoll *set, struct epoll_event __user *events, int max)
{
    struct list scan = LIST_INIT(scan);
    struct epoll_item *item, *again = NULL; /* again: goes back to the ready list */
    int n = 0, error = 0;

    mutex_lock(&set->mutex);
    spin_lock(&set->lock);
    list_splice_back(&scan, &set->ready);
    for (;;) {
        if (again && list_empty(&again->ready))
            list_push_back(&set->ready, &again->ready);
        again = NULL;
        item = n < max && !error ? list_first(&scan, struct epoll_item, ready) : NULL;
        if (!item)
            break;
        list_remove(&item->ready); /* a wakeup from now on puts it on the ready list */
        spin_unlock(&set->lock);
        unsigned got = item_poll(item);
        if (got) {
            error = give(&events[n], got, item);
            n += !error;
            if (error || stays_ready(item))
                again = item;
        }
        spin_lock(&set->lock);
    }
    list_splice_front(&set->ready, &scan);
    if (unlikely(!waitq_is_empty(&set->waiters)) && !list_empty(&set->ready))
        wake_one(&set->waiters, POLLIN | POLLRDNORM);
    spin_unlock(&set->lock);
    mutex_unlock(&set->mutex);
    return n ? n : error;
}

int set_wait(struct epoll *set, nsec_t deadline)
{
    spin_lock(&set->lock);
    int error = wait_event_exclusive(&set->waiters, set_may_have_events(set), deadline);
    spin_unlock(&set->lock);
    return error == -ERESTARTSYS ? -EINTR : error;
}

/* ---- the set as a file ---- */

/* Is there an item with something to say? Those with nothing are taken off the list on the way. */
static bool set_is_readable(struct epoll *set)
{
    struct list scan = LIST_INIT(scan);
    struct epoll_item *item;
    bool found = false;

    mutex_lock_nested(&set->mutex); /* the asker may be a set that watches this one */
    spin_lock(&set->lock);
    list_splice_back(&scan, &set->ready);
    spin_unlock(&set->lock);
    while (!found && (item = pop(set, &scan))) {
        found = item_poll(item) != 0;
        if (found)
            put_back(item);
    }
    spin_lock(&set->lock);
    list_splice_front(&set->ready, &scan);
    spin_unlock(&set->lock);
    mutex_unlock(&set->mutex);
    return found;
}

static unsigned epoll_poll(struct file *f, struct poll_table *pt)
{
    struct epoll *set = f->private;

    spin_lock(&set->lock);
    poll_wait(pt, &set->pollers);
    bool maybe = set_may_have_events(set);
    spin_unlock(&set->lock);
    return maybe && set_is_readable(set) ? POLLIN | POLLRDNORM : 0;
}

static void epoll_release(struct file *f)
{
    struct epoll *set = f->private;
    struct tree_node *n;

    mutex_lock(&nest_mutex);
    mutex_lock(&set->mutex);
    while ((n = tree_first(&set->items)))
        item_remove(item_of(n));
    mutex_unlock(&set->mutex);
    mutex_unlock(&nest_mutex);
    set_put(set);
}

static void epoll_show_fdinfo(struct file *f, void (*emit)(void *ctx, const char *text), void *ctx)
{
    struct epoll *set = f->private;
    char line[160];

    mutex_lock(&set->mutex);
    for (struct tree_node *n = tree_first(&set->items); n; n = tree_next(n)) {
        const struct epoll_item *item = item_of(n);
        const struct inode *i = item->file->inode;
        snprintf(line, sizeof(line), "tfd: %8d events: %8x data: %16lx  pos:%ld ino:%lx sdev:%lx\n",
                 item->fd, item->event.events, item->event.data.u64, item->file->pos,
                 i ? i->ino : 0, i ? (unsigned long)i->sb->dev : 0);
        emit(ctx, line);
    }
    mutex_unlock(&set->mutex);
}

static const struct file_ops epoll_file_ops = {
    .name = "[eventpoll]",
    .lseek = file_lseek_null,
    .poll = epoll_poll,
    .show_fdinfo = epoll_show_fdinfo,
    .release = epoll_release,
};

struct file *set_create(void)
{
    struct epoll *set = kzalloc(sizeof(*set));
    if (!set)
        return err_ptr(-ENOMEM);
    ref_init(&set->ref, 1);
    mutex_init(&set->mutex, RANK_EPOLL_MUTEX, "epoll set");
    spin_init(&set->lock, RANK_EPOLL, "epoll");
    list_init(&set->ready);
    waitq_init(&set->waiters, &set->lock);
    waitq_init(&set->pollers, &set->lock);
    list_init(&set->inner);
    list_init(&set->outer);
    struct file *f = file_alloc_anon(&epoll_file_ops, O_RDWR, set);
    if (is_err(f))
        kfree(set);
    return f;
}

void epoll_forget(struct file *f)
{
    bool is_set = set_of(f);
    struct epoll_item *item;

    if (is_set)
        mutex_lock(&nest_mutex);
    for (;;) {
        spin_lock(&f->lock);
        item = list_first(&f->epoll_items, struct epoll_item, file_link);
        struct epoll *set = item ? item->set : NULL;
        /* The item is there, so its set's file hasn't been released: the set is not freed yet. */
        if (set)
            ref_get(&set->ref);
        spin_unlock(&f->lock);
        if (!set)
            break;
        mutex_lock(&set->mutex);
        while ((item = item_find_from(set, f, 0)) && item->file == f)
            item_remove(item);
        mutex_unlock(&set->mutex);
        set_put(set);
    }
    if (is_set)
        mutex_unlock(&nest_mutex);
}
