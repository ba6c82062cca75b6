/*
 * What happens to files, told to those who watch (inotify(7)). The file layer says it here, in a line each: an
 * open, a read, a change, a name that comes or goes. Nobody watches most of the time, and then it costs a look at
 * one counter.
 *
 *     read, chmod, rename... --notify--> the inode's watches, and its directory's --inotify.c--> queue of events
 *
 * An event on a file is one of its directory too, with the name there. Callers hold no spinlock, mutexes as they
 * like.
 */
#pragma once

#include <abi/inotify.h>

#include "fs/file.h"
#include "fs/path.h"
#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/types.h"

struct inotify;

/* One file, watched by one inotify. */
struct watch {
    struct watch *next;    /* notify_lock: another of the same inode */
    struct list link;      /* notify_lock: the inotify's watches; dead ones: their finder's list */
    struct list all;       /* notify_lock: every watch there is */
    struct inode *inode;   /* const: a reference */
    struct inotify *owner; /* const: outlives its watches */
    uint32_t mask;         /* notify_lock: IN_* */
    int wd;                /* const */
};

extern struct spinlock notify_lock; /* RANK_NOTIFY */
extern unsigned notify_watches;     /* notify_lock, read without: how many there are */

/* MASK happened to what D names. */
void notify_dentry(struct dentry *d, uint32_t mask);
/* A name in directory DIR came or went; I is what it led to. */
void notify_name(struct inode *dir, const char *name, size_t len, struct inode *i, uint32_t mask,
                 uint32_t cookie);
/* MASK happened to I, whatever its names. */
void notify_inode(struct inode *i, uint32_t mask);
/* I, or all of SB, is gone: its watches go too. */
void notify_gone(struct inode *i);
void notify_unmount(struct superblock *sb);
/* What joins the two halves of one rename. */
uint32_t notify_cookie(void);

static inline bool notify_wanted(void)
{
    return unlikely(READ_ONCE(notify_watches));
}
static inline void notify(struct dentry *d, uint32_t mask)
{
    if (notify_wanted())
        notify_dentry(d, mask);
}
static inline void notify_path(const struct path *p, uint32_t mask)
{
    if (notify_wanted() && p)
        notify_dentry(p->dentry, mask);
}
static inline void notify_file(const struct file *f, uint32_t mask)
{
    notify_path(f->path, mask);
}

/* --- between notify.c and inotify.c; notify_lock held --- */

void watch_add_locked(struct watch *w);
/* Off all lists and onto DEAD, for watches_bury with no lock held; its end is told. */
void watch_remove_locked(struct watch *w, struct list *dead);
void watches_bury(struct list *dead);

void inotify_tell(struct inotify *in, int wd, uint32_t mask, uint32_t cookie, const char *name,
                  size_t len);
void inotify_forget(struct inotify *in); /* one watch less */

/* Limits, in /proc/sys/fs/inotify. */
struct inotify_limits {
    uint64_t max_queued_events, max_user_instances, max_user_watches; /* atomic */
};
extern struct inotify_limits inotify_limits;
