/*
 * inotify(7): a file that can be read for what happened to other files. It has watches, which say where to look
 * (fs/notify.h), and a queue of events, which is bounded: what comes when it is full is lost, and one event says so.
 *
 * An event that is the same as the newest in the queue is not told again.
 */
#include <abi/ioctl.h>
#include <abi/limits.h>
#include <syscall_protos.h>

#include "fs/async.h"
#include "fs/fdtable.h"
#include "fs/inode.h"
#include "fs/notify.h"
#include "fs/poll.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "proc/cred.h"
#include "proc/users.h"
#include "sched/wait.h"
#include "x86/uaccess.h"

#define WATCH_FLAGS \
    (IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ONESHOT)
#define KEPT (IN_ALL_EVENTS | IN_ONESHOT | IN_EXCL_UNLINK) /* of what a program asks */
/* Linux's ALL_INOTIFY_BITS: what may stand in a mask, sense or not. */
#define KNOWN (IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | IN_ISDIR | WATCH_FLAGS)

struct event {
    struct list link; /* the inotify's lock */
    int wd;           /* const, as all below */
    uint32_t mask, cookie;
    size_t len; /* of the name, without zeros */
    char name[];
};

struct inotify {
    uid_t uid;             /* const: whose limits count */
    struct list watches;   /* notify_lock: in order of wd */
    int last_wd;           /* notify_lock */
    struct spinlock lock;  /* RANK_QUEUE */
    struct list events;    /* lock: the oldest first */
    size_t count, bytes;   /* lock: of them, and what FIONREAD says */
    struct event overflow; /* lock: on the list while events were lost */
    struct waitq readable; /* lock */
};

struct inotify_limits inotify_limits = {16384, 128, 65536};

/* --- events --- */

/* A name is filled up with zeros, one at least, to whole structures. */
static size_t padded(size_t len)
{
    return len ? ALIGN_UP(len + 1, sizeof(struct inotify_event)) : 0;
}

static size_t event_size(const struct event *e)
{
    return sizeof(struct inotify_event) + padded(e->len);
}

static struct event *event_create(const struct event *like, const char *name)
{
    struct event *e = page_has_room_to_keep() ? kmalloc(sizeof(*e) + like->len) : NULL;

    if (!e)
        return NULL;
    *e = *like;
    memcpy(e->name, name, like->len);
    return e;
}

static bool is_repeated(struct inotify *in, const struct event *e, const char *name)
{
    struct event *last = list_last(&in->events, struct event, link);

    return last && last->wd == e->wd && last->mask == e->mask && !(e->mask & IN_IGNORED) &&
           last->len == e->len && !memcmp(last->name, name, e->len);
}

void inotify_tell(struct inotify *in, int wd, uint32_t mask, uint32_t cookie, const char *name,
                  size_t len)
{
    const struct event like = {.wd = wd, .mask = mask, .cookie = cookie, .len = len};

    spin_lock(&in->lock);
    if (!is_repeated(in, &like, name)) {
        struct event *e = in->count < READ_ONCE(inotify_limits.max_queued_events)
                              ? event_create(&like, name)
                              : NULL;
        if (!e && list_empty(&in->overflow.link))
            e = &in->overflow;
        if (e) {
            list_push_back(&in->events, &e->link);
            in->count++;
            in->bytes += event_size(e);
            wake_one(&in->readable, POLLIN | POLLRDNORM);
        }
    }
    spin_unlock(&in->lock);
}

/* The oldest event, if it has room in N bytes: NULL when there is none, err_ptr(-EINVAL). lock held. */
static struct event *take_event(struct inotify *in, size_t n)
{
    struct event *e = list_first(&in->events, struct event, link);

    if (!e)
        return NULL;
    if (event_size(e) > n)
        return err_ptr(-EINVAL);
    list_remove(&e->link);
    list_init(&e->link);
    in->count--;
    in->bytes -= event_size(e);
    return e;
}

static ssize_t give_event(struct inotify *in, struct event *e, struct uio *u)
{
    char text[sizeof(struct inotify_event) + NAME_MAX + 1 + sizeof(struct inotify_event)];
    struct inotify_event head = {e->wd, e->mask, e->cookie, (uint32_t)padded(e->len)};
    size_t size = event_size(e);

    memcpy(text, &head, sizeof(head));
    memset(text + sizeof(head), 0, head.len);
    memcpy(text + sizeof(head), e->name, e->len);
    if (e != &in->overflow)
        kfree(e);
    return uio_copy_out(u, text, size) < size ? -EFAULT : (ssize_t)size;
}

static ssize_t inotify_read(struct file *f, struct uio *u, off_t *pos)
{
    struct inotify *in = f->private;
    ssize_t done = 0, n = 0;

    (void)pos;
    do {
        spin_lock(&in->lock);
        if (list_empty(&in->events) && !done)
            n = f->flags & O_NONBLOCK
                    ? -EAGAIN
                    : wait_event_exclusive(&in->readable, !list_empty(&in->events), DEADLINE_NONE);
        struct event *e = n < 0 ? NULL : take_event(in, u->left);
        /* Whoever was woken with us, or by one event of several, finds the rest. */
        if (!list_empty(&in->events) && !waitq_is_empty(&in->readable))
            wake_next(&in->readable);
        spin_unlock(&in->lock);
        if (!e || n < 0)
            break;
        n = is_err(e) ? ptr_err(e) : give_event(in, e, u);
        if (n > 0)
            done += n;
    } while (n > 0);
    return done ? done : n;
}

static unsigned inotify_poll(struct file *f, struct poll_table *pt)
{
    struct inotify *in = f->private;

    spin_lock(&in->lock);
    poll_wait(pt, &in->readable);
    unsigned ready = list_empty(&in->events) ? 0 : POLLIN | POLLRDNORM;
    spin_unlock(&in->lock);
    return ready;
}

static long inotify_ioctl(struct file *f, unsigned cmd, unsigned long arg)
{
    struct inotify *in = f->private;

    if (cmd != FIONREAD)
        return -ENOTTY;
    return put_user((int)READ_ONCE(in->bytes), (int __user *)arg);
}

static void inotify_show_fdinfo(struct file *f, void (*emit)(void *ctx, const char *text),
                                void *ctx)
{
    struct inotify *in = f->private;
    struct watch *w;
    char line[128];

    spin_lock(&notify_lock);
    list_for_each (w, &in->watches, link) {
        snprintf(line, sizeof(line), "inotify wd:%x ino:%lx sdev:%lx mask:%x ignored_mask:0 \n",
                 (unsigned)w->wd, w->inode->ino, (unsigned long)w->inode->sb->dev, w->mask);
        emit(ctx, line);
    }
    spin_unlock(&notify_lock);
}

static void inotify_release(struct file *f)
{
    struct inotify *in = f->private;
    struct list dead = LIST_INIT(dead);
    struct watch *w;
    struct event *e;

    spin_lock(&notify_lock);
    while ((w = list_first(&in->watches, struct watch, link)))
        watch_remove_locked(w, &dead);
    spin_unlock(&notify_lock);
    watches_bury(&dead);
    while ((e = list_first(&in->events, struct event, link))) {
        list_remove(&e->link);
        if (e != &in->overflow)
            kfree(e);
    }
    user_count_down(USER_INOTIFIES, in->uid);
    kfree(in);
}

static const struct file_ops inotify_file_ops = {
    .name = "inotify",
    .read = inotify_read,
    .lseek = file_lseek_null,
    .poll = inotify_poll,
    .ioctl = inotify_ioctl,
    .async_owner = async_no_owner,
    .show_fdinfo = inotify_show_fdinfo,
    .release = inotify_release,
};

/* --- calls --- */

static struct inotify *inotify_create(void)
{
    struct inotify *in = kzalloc(sizeof(*in));

    if (!in)
        return NULL;
    in->uid = current_cred()->uid;
    list_init(&in->watches);
    list_init(&in->events);
    spin_init(&in->lock, RANK_QUEUE, "inotify");
    waitq_init(&in->readable, &in->lock);
    list_init(&in->overflow.link);
    in->overflow.wd = -1;
    in->overflow.mask = IN_Q_OVERFLOW;
    return in;
}

long sys_inotify_init1(int flags)
{
    if (flags & ~(IN_CLOEXEC | IN_NONBLOCK))
        return -EINVAL;
    struct inotify *in = inotify_create();
    if (!in)
        return -ENOMEM;
    if (!user_count_up(USER_INOTIFIES, in->uid, READ_ONCE(inotify_limits.max_user_instances))) {
        kfree(in);
        return -EMFILE;
    }
    struct file *f = file_alloc_anon(&inotify_file_ops, O_RDONLY | (flags & O_NONBLOCK), in);
    if (is_err(f)) {
        user_count_down(USER_INOTIFIES, in->uid);
        kfree(in);
        return ptr_err(f);
    }
    int fd = fd_open(f, flags & IN_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}

long sys_inotify_init(void)
{
    return sys_inotify_init1(0);
}

void inotify_forget(struct inotify *in)
{
    user_count_down(USER_WATCHES, in->uid);
}

/* IN has a watch on I already: let it look for MASK too, or instead. Its number, or -errno; 0: it has none. */
static int watch_change_locked(struct inotify *in, struct inode *i, uint32_t mask)
{
    struct watch *w = i->watches;

    while (w && w->owner != in)
        w = w->next;
    if (!w)
        return 0;
    if (mask & IN_MASK_CREATE)
        return -EEXIST;
    w->mask = (mask & KEPT) | (mask & IN_MASK_ADD ? w->mask : 0);
    return w->wd;
}

/* FRESH is used up when it is wanted. */
static int watch_set(struct inotify *in, struct inode *i, uint32_t mask, struct watch **fresh)
{
    struct watch *w = *fresh;

    spin_lock(&notify_lock);
    int wd = watch_change_locked(in, i, mask);
    if (wd)
        goto out;
    wd = -ENOSPC;
    if (in->last_wd == INT32_MAX ||
        !user_count_up(USER_WATCHES, in->uid, READ_ONCE(inotify_limits.max_user_watches)))
        goto out;
    wd = ++in->last_wd;
    inode_get(i);
    *w = (struct watch){.inode = i, .owner = in, .mask = mask & KEPT, .wd = wd};
    list_push_back(&in->watches, &w->link);
    watch_add_locked(w);
    *fresh = NULL;
out:
    spin_unlock(&notify_lock);
    return wd;
}

static long add_watch(struct inotify *in, const char __user *path, uint32_t mask)
{
    struct path p;
    unsigned lookup =
        (mask & IN_DONT_FOLLOW ? 0 : LOOKUP_FOLLOW) | (mask & IN_ONLYDIR ? LOOKUP_DIRECTORY : 0);
    long result = path_lookup_user(AT_FDCWD, path, lookup, &p);

    if (result)
        return result;
    result = path_permission(&p, MAY_READ);
    if (!result) {
        struct watch *fresh = kmalloc(sizeof(*fresh));
        result = fresh ? watch_set(in, p.dentry->inode, mask, &fresh) : -ENOMEM;
        kfree(fresh);
    }
    path_put(&p);
    return result;
}

/* The inotify of descriptor FD, with R to put; NULL with *ERROR. */
static struct inotify *inotify_get(int fd, struct fdref *r, long *error)
{
    *r = fdref_get(fd);
    if (!r->file) {
        *error = -EBADF;
        return NULL;
    }
    if (r->file->ops == &inotify_file_ops)
        return r->file->private;
    fdref_put(*r);
    *error = -EINVAL;
    return NULL;
}

long sys_inotify_add_watch(int fd, const char __user *path, uint32_t mask)
{
    struct fdref r;
    long result;

    if (mask & ~KNOWN || !(mask & KNOWN))
        return -EINVAL;
    struct inotify *in = inotify_get(fd, &r, &result);
    if (!in)
        return result;
    if ((mask & (IN_MASK_ADD | IN_MASK_CREATE)) == (IN_MASK_ADD | IN_MASK_CREATE))
        result = -EINVAL;
    else
        result = add_watch(in, path, mask);
    fdref_put(r);
    return result;
}

long sys_inotify_rm_watch(int fd, int wd)
{
    struct list dead = LIST_INIT(dead);
    struct watch *w;
    struct fdref r;
    long result;
    struct inotify *in = inotify_get(fd, &r, &result);

    if (!in)
        return result;
    result = -EINVAL;
    spin_lock(&notify_lock);
    list_for_each (w, &in->watches, link) {
        if (w->wd == wd) {
            watch_remove_locked(w, &dead);
            result = 0;
            break;
        }
    }
    spin_unlock(&notify_lock);
    watches_bury(&dead);
    fdref_put(r);
    return result;
}
