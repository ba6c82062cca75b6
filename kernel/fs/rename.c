/*
 * rename(2): two directories, two names, and every way in which they can stand to each other.
 *
 * Both directories are locked, the one at the lower address first: nobody else holds two, so no
 * order by the tree is needed. That a directory does not move below itself is checked again by the
 * file system, under dcache_lock, in the same breath as the move.
 */
#include <syscall_protos.h>

#include "fs/notify.h"
#include "fs/vfs.h"
#include "sched/lock.h"
#include "x86/uaccess.h"

static void lock_two(struct inode *a, struct inode *b)
{
    struct inode *first = a < b ? a : b, *second = a < b ? b : a;
    mutex_lock(&first->lock);
    if (first != second)
        mutex_lock_nested(&second->lock);
}

static void unlock_two(struct inode *a, struct inode *b)
{
    mutex_unlock(&a->lock);
    if (a != b)
        mutex_unlock(&b->lock);
}

/*
 * Everything about the two names (NEW may be NULL) that can be said before asking for permission.
 */
static int check_shape(const struct walk *from, const struct walk *to, struct dentry *old,
                       struct dentry *new, unsigned flags)
{
    bool exchange = flags & RENAME_EXCHANGE;
    if (new &&flags & RENAME_NOREPLACE)
        return -EEXIST;
    if (exchange && !new)
        return -ENOENT;
    if (exchange && !S_ISDIR(new->inode->mode) && to->slash)
        return -ENOTDIR;
    if (!S_ISDIR(old->inode->mode) && (from->slash || (!exchange && to->slash)))
        return -ENOTDIR;
    spin_lock(&dcache_lock);
    int error = 0;
    if (dentry_is_below_locked(to->cur.dentry, old))
        error = -EINVAL;
    else if (new &&dentry_is_below_locked(from->cur.dentry, new))
        error = exchange ? -EINVAL : -ENOTEMPTY;
    spin_unlock(&dcache_lock);
    return error;
}

static int check_permission(const struct walk *from, const struct walk *to, struct dentry *old,
                            struct dentry *new, bool exchange)
{
    struct inode *o = old->inode;
    bool is_dir = S_ISDIR(o->mode);
    int error = dir_may_delete(&from->cur, old, is_dir);
    if (!error && !new)
        error = dir_may_create(&to->cur);
    else if (!error)
        error = dir_may_delete(&to->cur, new, exchange ? S_ISDIR(new->inode->mode) : is_dir);
    if (error)
        return error;
    if (!from->cur.dentry->inode->ops->rename)
        return -EPERM;
    if (from->cur.dentry == to->cur.dentry)
        return 0;
    /* What changes its parent has its ".." written. */
    if (is_dir && (error = inode_permission(o, MAY_WRITE)))
        return error;
    if (exchange && S_ISDIR(new->inode->mode))
        return inode_permission(new->inode, MAY_WRITE);
    return 0;
}

static void notify_moved(const struct walk *from, const struct walk *to, struct inode *i)
{
    uint32_t cookie = notify_cookie();

    notify_name(from->cur.dentry->inode, from->last, from->last_len, i, IN_MOVED_FROM, cookie);
    notify_name(to->cur.dentry->inode, to->last, to->last_len, i, IN_MOVED_TO, cookie);
}

/* Both directories are locked; NEW may be NULL. */
static int rename_here(const struct walk *from, const struct walk *to, struct dentry *old,
                       struct dentry *new, unsigned flags)
{
    bool exchange = flags & RENAME_EXCHANGE;
    int error = check_shape(from, to, old, new, flags);
    if (error)
        return error;
    if (new && old->inode == new->inode)
        return 0; /* two names of one file: POSIX wants nothing to happen */
    error = check_permission(from, to, old, new, exchange);
    if (error)
        return error;
    if (dentry_is_mounted_on(old) || (new &&dentry_is_mounted_on(new)))
        return -EBUSY;
    struct inode *dir = from->cur.dentry->inode, *to_dir = to->cur.dentry->inode;
    error =
        dir->ops->rename(dir, old, to_dir, to->cur.dentry, to->last, to->last_len, new, exchange);
    if (!error) {
        notify_moved(from, to, old->inode);
        if (exchange)
            notify_moved(to, from, new->inode);
        else if (new)
            notify_inode(new->inode, IN_ATTRIB);
        notify_inode(old->inode, IN_MOVE_SELF);
        if (exchange)
            notify_inode(new->inode, IN_MOVE_SELF);
    }
    return error;
}

static int rename_locked(const struct walk *from, const struct walk *to, unsigned flags)
{
    struct dentry *old = dentry_lookup(from->cur.dentry, from->last, from->last_len);
    if (!old || is_err(old))
        return old ? (int)ptr_err(old) : -ENOENT;
    struct dentry *new = dentry_lookup(to->cur.dentry, to->last, to->last_len);
    int error;
    if (is_err(new))
        error = (int)ptr_err(new);
    else if (!new && !to->cur.dentry->inode->ops->create)
        error = -ENOENT;
    else
        error = rename_here(from, to, old, new, flags);
    if (new && !is_err(new))
        dentry_put(new);
    dentry_put(old);
    return error;
}

static int rename_walked(const struct walk *from, const struct walk *to, unsigned flags)
{
    if (from->cur.mnt != to->cur.mnt)
        return -EXDEV;
    if (from->last_type != LAST_NAME)
        return -EBUSY;
    if (to->last_type != LAST_NAME)
        return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    int error = mount_writable(from->cur.mnt);
    if (error)
        return error;
    struct inode *a = from->cur.dentry->inode, *b = to->cur.dentry->inode;
    lock_two(a, b);
    error = rename_locked(from, to, flags);
    unlock_two(a, b);
    return error;
}

static int fs_rename(int olddfd, const char *oldname, int newdfd, const char *newname,
                     unsigned flags)
{
    if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE) ||
        flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
        return -EINVAL; /* RENAME_WHITEOUT too: nothing here stacks file systems */
    struct walk from, to;
    int error = walk_parent(&from, olddfd, oldname, 0);
    if (!error) {
        error = walk_parent(&to, newdfd, newname, 0);
        if (!error)
            error = rename_walked(&from, &to, flags);
        walk_end(&to);
    }
    walk_end(&from);
    return error;
}

long sys_renameat2(int olddirfd, const char __user *oldpath, int newdirfd,
                   const char __user *newpath, unsigned int flags)
{
    struct user_name old, new;
    long result = user_name_get(&old, oldpath, false);
    if (result)
        return result;
    result = user_name_get(&new, newpath, false);
    if (!result) {
        result = fs_rename(olddirfd, old.text, newdirfd, new.text, flags);
        user_name_put(&new);
    }
    user_name_put(&old);
    return result;
}

long sys_renameat(int olddirfd, const char __user *oldpath, int newdirfd,
                  const char __user *newpath)
{
    return sys_renameat2(olddirfd, oldpath, newdirfd, newpath, 0);
}

long sys_rename(const char __user *oldpath, const char __user *newpath)
{
    return sys_renameat2(AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}
