/*
 * Locks that programs put on files: flock(2)'s, which cover the whole file and belong to an open
 * description; POSIX record locks (fcntl F_SETLK), which cover ranges, belong to a process's
 * descriptor table, and go at the first close of any descriptor of the file; and open file
 * description locks (F_OFD_SETLK), which cover ranges and belong to a description. The last two
 * kinds conflict with each other, flock's only among themselves.
 *
 * One spinlock guards all of it: the list on each inode, and the list of those who wait. Who waits
 * sleeps on its file's wait queue, which every unlocking wakes. A process that waits with F_SETLKW
 * is looked for in a circle first: if the owner of what it wants waits, over any number of steps,
 * for it, the answer is EDEADLK.
 */
#include "fs/locks.h"

#include <syscall_protos.h>

#include "fs/vfs.h"
#include "mm/slab.h"
#include "sched/lock.h"
#include "sched/wait.h"
#include "signal/signal.h"
#include "x86/uaccess.h"

#define RANGE_END INT64_MAX

enum lock_kind { KIND_FLOCK, KIND_POSIX, KIND_OFD };

struct file_lock {
    struct list link; /* locks_lock: file_locks.held, POSIX and OFD locks of one owner by start */
    enum lock_kind kind; /* const */
    const void *owner;   /* const: the description, or for KIND_POSIX the descriptor table */
    int pid;             /* const: who set it; -1 for OFD locks */
    bool write;          /* locks_lock */
    off_t start, end;    /* locks_lock: inclusive */
};

/* The locks of one inode; there while any are held or waited for. */
struct file_locks {
    struct inode *inode;  /* const */
    struct list all_link; /* locks_lock: all_files */
    struct list held;     /* locks_lock */
    unsigned waiters;     /* locks_lock */
    struct waitq changed; /* locks_lock */
};

/* Somebody who waits with F_SETLKW, on its own stack. */
struct lock_waiter {
    struct list link;              /* locks_lock: waiting */
    struct file_locks *on;         /* const */
    const struct file_lock *wants; /* const */
};

static struct spinlock locks_lock = SPINLOCK_INIT(RANK_FILE_LOCKS, "file locks");
static struct list all_files = LIST_INIT(all_files); /* locks_lock */
static struct list waiting = LIST_INIT(waiting);     /* locks_lock */

/* ---- one inode's list; locks_lock held in all of these ---- */

static bool same_owner(const struct file_lock *a, const struct file_lock *b)
{
    return a->kind == b->kind && a->owner == b->owner;
}

static bool overlap(const struct file_lock *a, const struct file_lock *b)
{
    return a->start <= b->end && b->start <= a->end;
}

static bool conflicts(const struct file_lock *held, const struct file_lock *wants)
{
    if ((held->kind == KIND_FLOCK) != (wants->kind == KIND_FLOCK) || same_owner(held, wants))
        return false;
    return (held->write || wants->write) && overlap(held, wants);
}

static struct file_lock *find_conflict(struct file_locks *l, const struct file_lock *wants)
{
    struct file_lock *held;
    list_for_each (held, &l->held, link)
        if (conflicts(held, wants))
            return held;
    return NULL;
}

static void drop(struct file_lock *l)
{
    list_remove(&l->link);
    kfree(l);
}

/* Put L among its owner's locks by start. */
static void insert(struct file_locks *l, struct file_lock *new)
{
    struct file_lock *at;
    list_for_each (at, &l->held, link)
        if (same_owner(at, new) && at->start > new->start)
            break;
    list_insert_after(at->link.prev, &new->link);
}

/*
 * L, of the same owner as NEW and of another type, gives NEW the range they share. SPARE is for the
 * rest of a split.
 */
static void carve(struct file_locks *l, struct file_lock *old, const struct file_lock *new,
                  struct file_lock **spare)
{
    if (old->start < new->start && old->end > new->end) {
        struct file_lock *right = *spare;
        *spare = NULL;
        *right = *old;
        right->start = new->end + 1;
        old->end = new->start - 1;
        list_init(&right->link);
        insert(l, right);
    } else if (old->start < new->start) {
        old->end = new->start - 1;
    } else if (old->end > new->end) {
        old->start = new->end + 1;
    } else {
        drop(old);
    }
}

/* Do two ranges overlap or touch? */
static bool mergeable(const struct file_lock *a, const struct file_lock *b)
{
    return (a->end == RANGE_END || a->end + 1 >= b->start) &&
           (b->end == RANGE_END || b->end + 1 >= a->start);
}

/*
 * The owner's range NEW becomes what NEW says, or, with UNLOCK, free. NEW itself goes into the list
 * unless UNLOCK. What changes is told to all who wait.
 */
static void apply(struct file_locks *l, struct file_lock *new, bool unlock,
                  struct file_lock **spare)
{
    struct file_lock *old, *tmp;
    list_for_each_safe (old, tmp, &l->held, link) {
        if (!same_owner(old, new))
            continue;
        if (!unlock && old->write == new->write) {
            if (mergeable(old, new)) {
                new->start = min(new->start, old->start);
                new->end = max(new->end, old->end);
                drop(old);
            }
        } else if (overlap(old, new)) {
            carve(l, old, new, spare);
        }
    }
    if (!unlock)
        insert(l, new);
    wake_all(&l->changed, 0);
}

/* ---- the record of an inode ---- */

/* I's record, made from *FRESH (which then is taken) if there is none. */
static struct file_locks *record_of(struct inode *i, struct file_locks **fresh)
{
    if (!i->locks && *fresh) {
        struct file_locks *l = *fresh;
        *fresh = NULL;
        l->inode = i;
        l->waiters = 0;
        list_init(&l->held);
        waitq_init(&l->changed, &locks_lock);
        list_push_back(&all_files, &l->all_link);
        i->locks = l;
    }
    return i->locks;
}

static void record_put_if_unused(struct file_locks *l)
{
    if (l->waiters || !list_empty(&l->held))
        return;
    l->inode->locks = NULL;
    list_remove(&l->all_link);
    kfree(l);
}

/* ---- waiting ---- */

static const struct lock_waiter *waiter_of(const void *owner)
{
    struct lock_waiter *w;
    list_for_each (w, &waiting, link)
        if (w->wants->owner == owner)
            return w;
    return NULL;
}

/*
 * Would ME, by waiting for BLOCKER, close a circle? Only POSIX locks have owners that wait as a
 * whole.
 */
static bool would_deadlock(const struct file_lock *me, const struct file_lock *blocker)
{
    for (int steps = 0; steps < 64 && blocker && blocker->kind == KIND_POSIX; steps++) {
        if (blocker->owner == me->owner)
            return true;
        const struct lock_waiter *w = waiter_of(blocker->owner);
        if (!w)
            return false;
        blocker = find_conflict(w->on, w->wants);
    }
    return false;
}

/* Until nothing conflicts with WANTS: 0, -EDEADLK, -ERESTARTSYS. */
static int wait_for(struct file_locks *l, const struct file_lock *wants)
{
    int error = 0;
    l->waiters++;
    struct file_lock *blocker;
    while (!error && (blocker = find_conflict(l, wants))) {
        if (wants->kind == KIND_POSIX && would_deadlock(wants, blocker)) {
            error = -EDEADLK;
            break;
        }
        struct lock_waiter me = {.on = l, .wants = wants};
        if (wants->kind == KIND_POSIX)
            list_push_back(&waiting, &me.link);
        error = wait_event(&l->changed, find_conflict(l, wants) != blocker, DEADLINE_NONE);
        if (wants->kind == KIND_POSIX)
            list_remove(&me.link);
    }
    l->waiters--;
    return error;
}

/*
 * Set (or clear) a lock like WANTS on I. Two spare locks and a record are made first, since memory
 * isn't asked for under the lock in the middle of a change.
 */
static int set_lock(struct inode *i, const struct file_lock *wants, bool unlock, bool wait)
{
    struct file_lock *new = kmalloc(sizeof(*new)), *spare = kmalloc(sizeof(*spare));
    struct file_locks *fresh = unlock ? NULL : kmalloc(sizeof(*fresh));
    int error = new &&spare && (fresh || unlock) ? 0 : -ENOLCK;
    if (!error) {
        *new = *wants;
        list_init(&new->link);
        spin_lock(&locks_lock);
        struct file_locks *l = record_of(i, &fresh);
        if (l && !unlock && find_conflict(l, new))
            error = wait ? wait_for(l, new) : -EAGAIN;
        if (l && !error) {
            apply(l, new, unlock, &spare);
            if (!unlock)
                new = NULL;
        }
        if (l)
            record_put_if_unused(l);
        spin_unlock(&locks_lock);
    }
    kfree(fresh);
    kfree(spare);
    kfree(new);
    return error;
}

/* All locks on I of OWNER and of a kind in KINDS (bits) go. */
static void drop_all(struct inode *i, const void *owner, unsigned kinds)
{
    spin_lock(&locks_lock);
    struct file_locks *l = i->locks;
    if (l) {
        bool any = false;
        struct file_lock *held, *tmp;
        list_for_each_safe (held, tmp, &l->held, link)
            if (held->owner == owner && kinds >> held->kind & 1) {
                drop(held);
                any = true;
            }
        if (any)
            wake_all(&l->changed, 0);
        record_put_if_unused(l);
    }
    spin_unlock(&locks_lock);
}

void file_locks_close(struct file *f, struct fdtable *t)
{
    drop_all(f->inode, t, 1u << KIND_POSIX);
}

void file_locks_release(struct file *f)
{
    drop_all(f->inode, f, 1u << KIND_FLOCK | 1u << KIND_OFD);
}

/* ---- flock(2) ---- */

static int current_pid(void)
{
    return current->proc->pid->nr;
}

/*
 * Has F this very lock already? Changing one lets the old go first, and loses it if the new can't
 * be had.
 */
static bool flock_release_other(struct file *f, bool write)
{
    bool same = false;
    spin_lock(&locks_lock);
    struct file_locks *l = f->inode->locks;
    struct file_lock *held;
    if (l)
        list_for_each (held, &l->held, link)
            same |= held->kind == KIND_FLOCK && held->owner == f && held->write == write;
    spin_unlock(&locks_lock);
    if (!same)
        drop_all(f->inode, f, 1u << KIND_FLOCK);
    return same;
}

static long do_flock(struct file *f, unsigned operation)
{
    if (!f->inode)
        return -EBADF;
    if ((operation & ~(unsigned)LOCK_NB) == LOCK_UN) {
        drop_all(f->inode, f, 1u << KIND_FLOCK);
        return 0;
    }
    bool write = (operation & ~(unsigned)LOCK_NB) == LOCK_EX;
    if (flock_release_other(f, write))
        return 0;
    struct file_lock wants = {
        .kind = KIND_FLOCK,
        .owner = f,
        .pid = current_pid(),
        .write = write,
        .end = RANGE_END,
    };
    return set_lock(f->inode, &wants, false, !(operation & LOCK_NB));
}

long sys_flock(int fd, unsigned int operation)
{
    unsigned kind = operation & ~(unsigned)LOCK_NB;
    if (operation & LOCK_MAND)
        return 0; /* locks that never kept anybody out: flock(2) only says yes to them */
    if (kind != LOCK_SH && kind != LOCK_EX && kind != LOCK_UN)
        return -EINVAL;
    struct fdref r = fdref_get(fd);
    if (!r.file)
        return -EBADF;
    long result = do_flock(r.file, operation);
    fdref_put(r);
    return result;
}

/* ---- fcntl(2) ---- */

/* A struct flock's range, which may count from three places and backwards, as [start, end]. */
static int range_from_user(struct file *f, const struct flock *fl, struct file_lock *l)
{
    off_t start;
    switch (fl->l_whence) {
    case SEEK_SET: start = 0; break;
    case SEEK_CUR: start = READ_ONCE(f->pos); break;
    case SEEK_END: start = (off_t)READ_ONCE(f->inode->size); break;
    default: return -EINVAL;
    }
    if (__builtin_add_overflow(start, fl->l_start, &start))
        return -EOVERFLOW;
    if (start < 0)
        return -EINVAL;
    l->end = RANGE_END;
    if (fl->l_len > 0) {
        if (__builtin_add_overflow(start, fl->l_len - 1, &l->end))
            return -EOVERFLOW;
    } else if (fl->l_len < 0) {
        l->end = start - 1;
        if (__builtin_add_overflow(start, fl->l_len, &start) || start < 0)
            return -EINVAL;
    }
    l->start = start;
    return 0;
}

static int lock_from_user(struct file *f, int cmd, const struct flock *fl, struct file_lock *l)
{
    bool ofd = cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
    if (ofd && fl->l_pid)
        return -EINVAL;
    if (!f->inode)
        return -EINVAL;
    *l = (struct file_lock){
        .kind = ofd ? KIND_OFD : KIND_POSIX,
        .owner = ofd ? (const void *)f : current->proc->fdtable,
        .pid = ofd ? -1 : current_pid(),
        .write = fl->l_type == F_WRLCK,
    };
    if (fl->l_type != F_RDLCK && fl->l_type != F_WRLCK && fl->l_type != F_UNLCK)
        return -EINVAL;
    return range_from_user(f, fl, l);
}

/*
 * The lock that F_GETLK speaks of: one in the way, or for F_OFD_GETLK with F_UNLCK one of the
 * asker's own.
 */
static struct file_lock *find_asked(struct file_locks *l, const struct file_lock *wants, bool own)
{
    if (!own)
        return find_conflict(l, wants);
    struct file_lock *held;
    list_for_each (held, &l->held, link)
        if (same_owner(held, wants) && overlap(held, wants))
            return held;
    return NULL;
}

long file_lock_get(struct file *f, int cmd, struct flock __user *arg)
{
    struct flock fl;
    struct file_lock wants;
    if (copy_from_user(&fl, arg, sizeof(fl)))
        return -EFAULT;
    if (fl.l_type == F_UNLCK && cmd == F_GETLK)
        return -EINVAL;
    int error = lock_from_user(f, cmd, &fl, &wants);
    if (error)
        return error;
    bool own = fl.l_type == F_UNLCK;
    spin_lock(&locks_lock);
    struct file_lock *held = f->inode->locks ? find_asked(f->inode->locks, &wants, own) : NULL;
    fl.l_type = F_UNLCK;
    if (held) {
        fl.l_type = held->write ? F_WRLCK : F_RDLCK;
        fl.l_whence = SEEK_SET;
        fl.l_start = held->start;
        fl.l_len = held->end == RANGE_END ? 0 : held->end - held->start + 1;
        fl.l_pid = held->pid;
    }
    spin_unlock(&locks_lock);
    return copy_to_user(arg, &fl, sizeof(fl));
}

/*
 * Another thread may have closed FD while the lock was being had; nobody would ever release it
 * then.
 */
static bool closed_meanwhile(struct file *f, int fd)
{
    struct file *now = fd_get(fd);
    if (now)
        file_put(now);
    return now != f;
}

long file_lock_set(struct file *f, int fd, int cmd, struct flock __user *arg)
{
    struct flock fl;
    struct file_lock wants;
    if (copy_from_user(&fl, arg, sizeof(fl)))
        return -EFAULT;
    int error = lock_from_user(f, cmd, &fl, &wants);
    if (error)
        return error;
    if (fl.l_type == F_RDLCK ? !FMODE_READ(f) : fl.l_type == F_WRLCK && !FMODE_WRITE(f))
        return -EBADF;
    bool unlock = fl.l_type == F_UNLCK;
    error = set_lock(f->inode, &wants, unlock, cmd == F_SETLKW || cmd == F_OFD_SETLKW);
    if (!error && !unlock && wants.kind == KIND_POSIX && closed_meanwhile(f, fd)) {
        drop_all(f->inode, wants.owner, 1u << KIND_POSIX);
        error = -EBADF;
    }
    return error;
}

void file_locks_for_each(void (*emit)(void *ctx, const struct file_lock_info *l), void *ctx)
{
    static const char *const names[] = {
        [KIND_FLOCK] = "FLOCK", [KIND_POSIX] = "POSIX", [KIND_OFD] = "OFDLCK"};
    struct file_locks *l;
    struct file_lock *held;
    spin_lock(&locks_lock);
    list_for_each (l, &all_files, all_link)
        list_for_each (held, &l->held, link) {
            struct file_lock_info info = {
                .kind = names[held->kind],
                .write = held->write,
                .pid = held->pid,
                .dev = l->inode->sb->dev,
                .ino = l->inode->ino,
                .start = held->start,
                .end = held->end,
            };
            emit(ctx, &info);
        }
    spin_unlock(&locks_lock);
}
