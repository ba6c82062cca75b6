/*
 * Making and removing names: mkdir, mknod, symlink, link, unlink, rmdir. Each walks to the parent
 * directory, takes its lock, looks the last component up, asks whether it may, and has the file
 * system do it. rename is in rename.c.
 */
#include <syscall_protos.h>

#include "fs/notify.h"
#include "fs/vfs.h"
#include "mm/slab.h"
#include "sched/lock.h"
#include "x86/uaccess.h"

/* ---- making ---- */

static int make_node(int dfd, const char *name, mode_t mode, dev_t dev, const char *target)
{
    struct walk w;
    int error = walk_parent(&w, dfd, name, 0);
    if (!error)
        error = walk_create_begin(&w, S_ISDIR(mode));
    if (!error) {
        struct dentry *dir = w.cur.dentry, *made = NULL;
        if ((S_ISCHR(mode) || S_ISBLK(mode)) && !fs_capable(CAP_MKNOD))
            error = -EPERM;
        else
            error = dir->inode->ops->create(dir->inode, dir, w.last, w.last_len, mode, dev, target,
                                            &made);
        if (!error)
            notify_name(dir->inode, w.last, w.last_len, made->inode, IN_CREATE, 0);
        walk_dir_unlock(&w);
        dentry_put(made);
    }
    walk_end(&w);
    return error;
}

int fs_mkdir(int dfd, const char *name, mode_t mode)
{
    return make_node(dfd, name, S_IFDIR | (apply_umask(mode) & (0777 | S_ISVTX)), 0, NULL);
}

int fs_mknod(int dfd, const char *name, mode_t mode, dev_t dev)
{
    if (!(mode & S_IFMT))
        mode |= S_IFREG;
    switch (mode & S_IFMT) {
    case S_IFREG:
    case S_IFIFO:
    case S_IFSOCK: dev = 0; break;
    case S_IFCHR:
    case S_IFBLK: break;
    case S_IFDIR: return -EPERM;
    default: return -EINVAL;
    }
    return make_node(dfd, name, apply_umask(mode), dev, NULL);
}

int fs_symlink(const char *target, int dfd, const char *name)
{
    return make_node(dfd, name, S_IFLNK | 0777, 0, target);
}

static long with_name(int (*fn)(int dfd, const char *name), int dfd, const char __user *path)
{
    struct user_name name;
    long result = user_name_get(&name, path, false);
    if (!result) {
        result = fn(dfd, name.text);
        user_name_put(&name);
    }
    return result;
}

long sys_mkdirat(int dirfd, const char __user *path, mode_t mode)
{
    struct user_name name;
    long result = user_name_get(&name, path, false);
    if (!result) {
        result = fs_mkdir(dirfd, name.text, mode);
        user_name_put(&name);
    }
    return result;
}

long sys_mkdir(const char __user *path, mode_t mode)
{
    return sys_mkdirat(AT_FDCWD, path, mode);
}

long sys_mknodat(int dirfd, const char __user *path, mode_t mode, dev_t dev)
{
    struct user_name name;
    long result = user_name_get(&name, path, false);
    if (!result) {
        result = fs_mknod(dirfd, name.text, mode, dev & UINT32_MAX);
        user_name_put(&name);
    }
    return result;
}

long sys_mknod(const char __user *path, mode_t mode, dev_t dev)
{
    return sys_mknodat(AT_FDCWD, path, mode, dev);
}

long sys_symlinkat(const char __user *target, int dirfd, const char __user *path)
{
    struct user_name to, name;
    long result = user_name_get(&to, target, false);
    if (result)
        return result;
    result = user_name_get(&name, path, false);
    if (!result) {
        result = fs_symlink(to.text, dirfd, name.text);
        user_name_put(&name);
    }
    user_name_put(&to);
    return result;
}

long sys_symlink(const char __user *target, const char __user *path)
{
    return sys_symlinkat(target, AT_FDCWD, path);
}

/* ---- link ---- */

/*
 * Others' files get no further names from those who couldn't write them anyway, nor do programs
 * that run with their owner's rights: a name outlives what the owner does to his own
 * (proc_sys_fs(5), protected_hardlinks).
 */
static bool may_give_name(struct inode *i)
{
    if (inode_owner_or_capable(i))
        return true;
    return S_ISREG(i->mode) && !(i->mode & S_ISUID) &&
           (i->mode & (S_ISGID | S_IXGRP)) != (S_ISGID | S_IXGRP) &&
           !inode_permission(i, MAY_READ | MAY_WRITE);
}

/* OLD gets one more name, before which W stands; the directory's lock is held. */
static int link_here(const struct path *old, struct walk *w)
{
    struct dentry *dir = w->cur.dentry;
    struct inode *i = old->dentry->inode;
    if (old->mnt != w->cur.mnt)
        return -EXDEV;
    if (!may_give_name(i))
        return -EPERM;
    if (!dir->inode->ops->link || S_ISDIR(i->mode))
        return -EPERM;
    spin_lock(&i->spin);
    bool dead = i->nlink == 0 && !i->linkable;
    spin_unlock(&i->spin);
    if (dead)
        return -ENOENT;
    int error = dir->inode->ops->link(dir->inode, dir, w->last, w->last_len, i);
    if (!error) {
        i->linkable = false;
        notify_inode(i, IN_ATTRIB);
        notify_name(dir->inode, w->last, w->last_len, i, IN_CREATE, 0);
    }
    return error;
}

int fs_link(int olddfd, const char *oldname, int newdfd, const char *newname, unsigned flags)
{
    unsigned lookup = flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0;
    if (flags & AT_EMPTY_PATH && fs_capable(CAP_DAC_READ_SEARCH))
        lookup |= LOOKUP_EMPTY;
    struct path old;
    int error = path_lookup(olddfd, oldname, lookup, &old);
    if (error)
        return error;
    struct walk w;
    error = walk_parent(&w, newdfd, newname, 0);
    if (!error)
        error = walk_create_begin(&w, false);
    if (!error) {
        error = link_here(&old, &w);
        walk_dir_unlock(&w);
    }
    walk_end(&w);
    path_put(&old);
    return error;
}

long sys_linkat(int olddirfd, const char __user *oldpath, int newdirfd, const char __user *newpath,
                int flags)
{
    struct user_name old, new;
    if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    long result = user_name_get(&old, oldpath, flags & AT_EMPTY_PATH);
    if (result)
        return result;
    result = user_name_get(&new, newpath, false);
    if (!result) {
        result = fs_link(olddirfd, old.text, newdirfd, new.text, (unsigned)flags);
        user_name_put(&new);
    }
    user_name_put(&old);
    return result;
}

long sys_link(const char __user *oldpath, const char __user *newpath)
{
    return sys_linkat(AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}

/* ---- removing ---- */

/* VICTIM, in the directory W stands in, whose lock is held, goes. */
static int remove_here(struct walk *w, struct dentry *victim, bool is_dir)
{
    struct inode *dir = w->cur.dentry->inode;
    if (!is_dir && w->slash)
        return S_ISDIR(victim->inode->mode) ? -EISDIR : -ENOTDIR;
    int error = dir_may_delete(&w->cur, victim, is_dir);
    if (error)
        return error;
    if (!dir->ops->unlink)
        return -EPERM;
    if (dentry_is_mounted_on(victim))
        return -EBUSY;
    return dir->ops->unlink(dir, victim);
}

/* D was looked up to be removed, and was if DONE. The directory's lock is held: events come in its order. */
static void remove_end(struct walk *w, struct dentry *d, bool done)
{
    struct inode *i = d->inode;

    if (!done || !notify_wanted()) {
        dentry_put(d);
        return;
    }
    inode_get(i);
    if (!S_ISDIR(i->mode))
        notify_inode(i, IN_ATTRIB);
    dentry_put(d);
    notify_name(w->cur.dentry->inode, w->last, w->last_len, i, IN_DELETE, 0);
    inode_put(i);
}

static int remove_name(int dfd, const char *name, bool is_dir)
{
    static const int not_a_name[] = {
        [LAST_DOT] = -EINVAL, [LAST_DOTDOT] = -ENOTEMPTY, [LAST_ROOT] = -EBUSY};
    struct walk w;
    int error = walk_parent(&w, dfd, name, 0);
    if (!error && w.last_type != LAST_NAME)
        error = is_dir ? not_a_name[w.last_type] : -EISDIR;
    if (!error)
        error = mount_writable(w.cur.mnt);
    if (!error) {
        struct inode *dir = w.cur.dentry->inode;
        mutex_lock(&dir->lock);
        struct dentry *d = dentry_lookup(w.cur.dentry, w.last, w.last_len);
        error = !d ? -ENOENT : is_err(d) ? (int)ptr_err(d) : remove_here(&w, d, is_dir);
        if (d && !is_err(d))
            remove_end(&w, d, !error);
        mutex_unlock(&dir->lock);
    }
    walk_end(&w);
    return error;
}

int fs_unlink(int dfd, const char *name)
{
    return remove_name(dfd, name, false);
}
int fs_rmdir(int dfd, const char *name)
{
    return remove_name(dfd, name, true);
}

long sys_unlinkat(int dirfd, const char __user *path, int flags)
{
    if (flags & ~AT_REMOVEDIR)
        return -EINVAL;
    return with_name(flags & AT_REMOVEDIR ? fs_rmdir : fs_unlink, dirfd, path);
}

long sys_unlink(const char __user *path)
{
    return with_name(fs_unlink, AT_FDCWD, path);
}

long sys_rmdir(const char __user *path)
{
    return with_name(fs_rmdir, AT_FDCWD, path);
}
