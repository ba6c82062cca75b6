/*
 * Changing what is known about a file: mode, owner, size and space. Times are in times.c.
 */
#include <syscall_protos.h>

#include "fs/memfd.h"
#include "fs/notify.h"
#include "fs/tmpfs.h"
#include "fs/vfs.h"
#include "sched/lock.h"
#include "signal/signal.h"
#include "x86/uaccess.h"

#define MODE_BITS (S_ISUID | S_ISGID | S_ISVTX | 0777)

/* May the attributes of what P leads to (NULL: a file without a name) be changed at all? */
static int attributes_writable(const struct path *p, const struct inode *i)
{
    int error = p ? mount_writable(p->mnt) : 0;
    if (!error && i->sb->fixed_attr)
        error = -EPERM;
    return error;
}

/* ---- mode ---- */

int fs_chmod(const struct path *p, struct inode *i, mode_t mode)
{
    int error = attributes_writable(p, i);
    if (error)
        return error;
    if (!inode_owner_or_capable(i))
        return -EPERM;
    if (S_ISLNK(i->mode))
        return -EOPNOTSUPP;
    mode &= MODE_BITS;
    if (i->fops == &tmpfs_file_ops && (seals_of(i->private) & F_SEAL_EXEC) &&
        ((mode ^ i->mode) & 0111))
        return -EPERM;
    struct access_ids ids = access_ids_current(false);
    if (mode & S_ISGID && !ids_in_group(&ids, i->gid) && !fs_capable(CAP_FSETID))
        mode &= ~S_ISGID;
    struct timespec now = inode_now();
    spin_lock(&i->spin);
    i->mode = (i->mode & S_IFMT) | mode;
    i->ctime = now;
    spin_unlock(&i->spin);
    notify_path(p, IN_ATTRIB);
    return 0;
}

long sys_fchmodat(int dirfd, const char __user *path, mode_t mode)
{
    struct path p;
    int error = path_lookup_user(dirfd, path, LOOKUP_FOLLOW, &p);
    if (error)
        return error;
    error = fs_chmod(&p, p.dentry->inode, mode);
    path_put(&p);
    return error;
}

long sys_chmod(const char __user *path, mode_t mode)
{
    return sys_fchmodat(AT_FDCWD, path, mode);
}

long sys_fchmod(int fd, mode_t mode)
{
    struct fdref r = fdref_get(fd);
    if (!r.file)
        return -EBADF;
    int error = r.file->inode ? fs_chmod(r.file->path, r.file->inode, mode) : -EINVAL;
    fdref_put(r);
    return error;
}

/* ---- owner ---- */

/* chown(2)'s rule: the owner may give the file to a group of his, all else takes CAP_CHOWN. */
static bool may_chown(const struct inode *i, uid_t uid, gid_t gid)
{
    if (fs_capable(CAP_CHOWN))
        return true;
    struct access_ids ids = access_ids_current(false);
    bool owner = ids.uid == i->uid;
    if (uid != (uid_t)-1 && !(owner && uid == i->uid))
        return false;
    return gid == (gid_t)-1 || (owner && (gid == i->gid || ids_in_group(&ids, gid)));
}

int fs_chown(const struct path *p, struct inode *i, uid_t uid, gid_t gid)
{
    int error = attributes_writable(p, i);
    if (error)
        return error;
    if (!may_chown(i, uid, gid))
        return -EPERM;
    struct timespec now = inode_now();
    spin_lock(&i->spin);
    if (uid != (uid_t)-1)
        i->uid = uid;
    if (gid != (gid_t)-1)
        i->gid = gid;
    if (!S_ISDIR(i->mode)) {
        mode_t mode = i->mode & ~S_ISUID;
        if (mode & S_IXGRP)
            mode &= ~S_ISGID;
        i->mode = mode;
    }
    i->ctime = now;
    spin_unlock(&i->spin);
    notify_path(p, IN_ATTRIB);
    return 0;
}

static long chown_at(int dfd, const char __user *path, uid_t uid, gid_t gid, unsigned lookup)
{
    struct path p;
    int error = path_lookup_user(dfd, path, lookup, &p);
    if (error)
        return error;
    error = fs_chown(&p, p.dentry->inode, uid, gid);
    path_put(&p);
    return error;
}

long sys_fchown(int fd, uid_t owner, gid_t group)
{
    struct fdref r = fdref_get(fd);
    if (!r.file)
        return -EBADF;
    int error = r.file->inode ? fs_chown(r.file->path, r.file->inode, owner, group) : -EINVAL;
    fdref_put(r);
    return error;
}

long sys_fchownat(int dirfd, const char __user *path, uid_t owner, gid_t group, int flags)
{
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    char first;
    if (flags & AT_EMPTY_PATH && dirfd >= 0 && !get_user(first, path) && !first) {
        struct fdref r = fdref_get_any(dirfd);
        if (!r.file)
            return -EBADF;
        int error = r.file->inode ? fs_chown(r.file->path, r.file->inode, owner, group) : -EINVAL;
        fdref_put(r);
        return error;
    }
    return chown_at(dirfd, path, owner, group,
                    (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
                        (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0));
}

long sys_chown(const char __user *path, uid_t owner, gid_t group)
{
    return chown_at(AT_FDCWD, path, owner, group, LOOKUP_FOLLOW);
}

long sys_lchown(const char __user *path, uid_t owner, gid_t group)
{
    return chown_at(AT_FDCWD, path, owner, group, 0);
}

long sys_umask(mode_t mask)
{
    return (long)context_set_umask(mask);
}

/* ---- size ---- */

int fs_truncate_inode(struct inode *i, uint64_t size)
{
    if (!i->ops->setattr_size)
        return 0; /* made up as it is read: there is nothing to cut off */
    mutex_lock(&i->lock);
    int error = 0;
    if (size > i->size && size > fs_rlimit(RLIMIT_FSIZE)) {
        signal_send_thread(current, SIGXFSZ);
        error = -EFBIG;
    } else {
        inode_clear_suid(i);
        error = i->ops->setattr_size(i, size);
    }
    mutex_unlock(&i->lock);
    return error;
}

static int truncate_path(const struct path *p, uint64_t size)
{
    struct inode *i = p->dentry->inode;
    if (S_ISDIR(i->mode))
        return -EISDIR;
    if (!S_ISREG(i->mode))
        return -EINVAL;
    int error = path_permission(p, MAY_WRITE);
    if (error)
        return error;
    error = inode_get_write(i);
    if (error)
        return error;
    error = fs_truncate_inode(i, size);
    inode_put_write(i);
    if (!error)
        notify_path(p, IN_MODIFY);
    return error;
}

long sys_truncate(const char __user *path, off_t length)
{
    if (length < 0)
        return -EINVAL;
    struct path p;
    int error = path_lookup_user(AT_FDCWD, path, LOOKUP_FOLLOW, &p);
    if (error)
        return error;
    error = truncate_path(&p, (uint64_t)length);
    path_put(&p);
    return error;
}

long sys_ftruncate(int fd, off_t length)
{
    if (length < 0)
        return -EINVAL;
    struct fdref r = fdref_get(fd);
    if (!r.file)
        return -EBADF;
    struct file *f = r.file;
    int error = -EINVAL;
    if (f->inode && S_ISREG(f->inode->mode) && FMODE_WRITE(f))
        error = fs_truncate_inode(f->inode, (uint64_t)length);
    if (!error)
        notify_file(f, IN_MODIFY);
    fdref_put(r);
    return error;
}

/* ---- fallocate ---- */

#define FALLOC_SUPPORTED                                                     \
    (FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE | \
     FALLOC_FL_ZERO_RANGE | FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE)

static int check_allocate(const struct file *f, int mode, off_t offset, off_t length)
{
    off_t end;
    if (offset < 0 || length <= 0)
        return -EINVAL;
    if (mode & ~FALLOC_SUPPORTED)
        return -EOPNOTSUPP;
    switch (mode & ~FALLOC_FL_KEEP_SIZE) { /* one thing at a time */
    case 0:
    case FALLOC_FL_ZERO_RANGE: break;
    case FALLOC_FL_PUNCH_HOLE:
        if (!(mode & FALLOC_FL_KEEP_SIZE))
            return -EOPNOTSUPP;
        break;
    case FALLOC_FL_UNSHARE_RANGE:
    case FALLOC_FL_COLLAPSE_RANGE:
    case FALLOC_FL_INSERT_RANGE:
        if (mode & FALLOC_FL_KEEP_SIZE)
            return -EOPNOTSUPP;
        break;
    default: return -EOPNOTSUPP;
    }
    if (!FMODE_WRITE(f))
        return -EBADF;
    if (!f->inode)
        return -ENODEV;
    switch (f->inode->mode & S_IFMT) {
    case S_IFIFO: return -ESPIPE;
    case S_IFDIR: return -EISDIR;
    case S_IFREG:
    case S_IFBLK: break;
    default: return -ENODEV;
    }
    return __builtin_add_overflow(offset, length, &end) ? -EFBIG : 0;
}

int file_allocate(struct file *f, int mode, uint64_t offset, uint64_t length)
{
    struct inode *i = f->inode;
    if (!i || !i->ops || !i->ops->fallocate)
        return -EOPNOTSUPP;
    mutex_lock(&i->lock);
    int error = i->ops->fallocate(i, mode, offset, length);
    mutex_unlock(&i->lock);
    if (!error)
        notify_file(f, IN_MODIFY);
    return error;
}

long sys_fallocate(int fd, int mode, off_t offset, off_t length)
{
    struct fdref r = fdref_get(fd);
    if (!r.file)
        return -EBADF;
    int error = check_allocate(r.file, mode, offset, length);
    if (!error)
        error = file_allocate(r.file, mode, (uint64_t)offset, (uint64_t)length);
    fdref_put(r);
    return error;
}
