/*
 * Which watches an event concerns (fs/notify.h). An inode has a list of those that look at it, and each of them
 * belongs to one inotify. One lock guards all of it: events are rare where they are watched, and where nobody
 * watches it is not taken.
 *
 * A watch holds a reference on the inode, not on a name: a file whose last name has gone, and which nobody has
 * open any more, is gone for its watchers too.
 */
#include "fs/notify.h"

#include "fs/inode.h"
#include "fs/vfs.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "sched/lock.h"

#define ALWAYS (IN_UNMOUNT | IN_IGNORED)

struct spinlock notify_lock = SPINLOCK_INIT(RANK_NOTIFY, "notify");
unsigned notify_watches;
static struct list all_watches = LIST_INIT(all_watches); /* notify_lock */
static uint32_t last_cookie;                             /* atomic */

uint32_t notify_cookie(void)
{
    return atomic_add(&last_cookie, 1);
}

void watch_add_locked(struct watch *w)
{
    w->next = w->inode->watches;
    w->inode->watches = w;
    list_push_back(&all_watches, &w->all);
    WRITE_ONCE(notify_watches, notify_watches + 1);
}

void watch_remove_locked(struct watch *w, struct list *dead)
{
    struct watch **at = &w->inode->watches;

    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    list_remove(&w->link);
    list_remove(&w->all);
    WRITE_ONCE(notify_watches, notify_watches - 1);
    inotify_tell(w->owner, w->wd, IN_IGNORED, 0, NULL, 0);
    inotify_forget(w->owner);
    list_push_back(dead, &w->link);
}

void watches_bury(struct list *dead)
{
    struct watch *w;

    while ((w = list_first(dead, struct watch, link))) {
        list_remove(&w->link);
        inode_put(w->inode);
        kfree(w);
    }
}

/* MASK happened to I, or to its entry NAME. UNLINKED: that has gone already. notify_lock held. */
static void tell_locked(struct inode *i, uint32_t mask, uint32_t cookie, const char *name,
                        size_t len, bool unlinked, struct list *dead)
{
    struct watch *w, *next;

    for (w = i->watches; w; w = next) {
        next = w->next;
        if (!(mask & (w->mask | ALWAYS) & ~(uint32_t)IN_ISDIR))
            continue;
        if (unlinked && w->mask & IN_EXCL_UNLINK)
            continue;
        inotify_tell(w->owner, w->wd, mask, cookie, name, len);
        if (w->mask & IN_ONESHOT)
            watch_remove_locked(w, dead);
    }
}

static uint32_t with_kind(uint32_t mask, const struct inode *i)
{
    return S_ISDIR(i->mode) ? mask | IN_ISDIR : mask;
}

void notify_dentry(struct dentry *d, uint32_t mask)
{
    struct list dead = LIST_INIT(dead);
    struct dentry *parent = NULL;
    char name[NAME_MAX + 1];
    size_t len = 0;
    bool unlinked = false;

    mask = with_kind(mask, d->inode);
    spin_lock(&dcache_lock);
    if (d->parent != d && d->parent->inode->watches) {
        parent = d->parent;
        dentry_get(parent);
        len = d->name_len;
        memcpy(name, d->name, len);
        unlinked = d->unlinked;
    }
    spin_unlock(&dcache_lock);
    spin_lock(&notify_lock);
    if (parent)
        tell_locked(parent->inode, mask, 0, name, len, unlinked, &dead);
    tell_locked(d->inode, mask, 0, NULL, 0, false, &dead);
    spin_unlock(&notify_lock);
    watches_bury(&dead);
    dentry_put(parent);
}

static void tell(struct inode *i, uint32_t mask, uint32_t cookie, const char *name, size_t len)
{
    struct list dead = LIST_INIT(dead);

    spin_lock(&notify_lock);
    tell_locked(i, mask, cookie, name, len, false, &dead);
    spin_unlock(&notify_lock);
    watches_bury(&dead);
}

void notify_name(struct inode *dir, const char *name, size_t len, struct inode *i, uint32_t mask,
                 uint32_t cookie)
{
    if (notify_wanted())
        tell(dir, with_kind(mask, i), cookie, name, len);
}

void notify_inode(struct inode *i, uint32_t mask)
{
    if (notify_wanted())
        tell(i, mask, 0, NULL, 0);
}

void notify_gone(struct inode *i)
{
    struct list dead = LIST_INIT(dead);

    spin_lock(&notify_lock);
    tell_locked(i, IN_DELETE_SELF, 0, NULL, 0, false, &dead);
    while (i->watches)
        watch_remove_locked(i->watches, &dead);
    spin_unlock(&notify_lock);
    watches_bury(&dead);
}

void notify_unmount(struct superblock *sb)
{
    struct list dead = LIST_INIT(dead);
    struct watch *w, *next;

    spin_lock(&notify_lock);
    list_for_each_safe (w, next, &all_watches, all) {
        if (w->inode->sb != sb)
            continue;
        inotify_tell(w->owner, w->wd, IN_UNMOUNT, 0, NULL, 0);
        watch_remove_locked(w, &dead);
    }
    spin_unlock(&notify_lock);
    watches_bury(&dead);
}
