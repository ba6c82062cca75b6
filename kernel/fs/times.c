/*
 * utimensat(2) and its four ancestors. "Now" is a thing whoever may write the file may say; any
 * other time only its owner.
 */
#include <syscall_protos.h>

#include "fs/notify.h"
#include "fs/vfs.h"
#include "sched/lock.h"
#include "x86/uaccess.h"

#define NSEC_VALID(n) ((n) == UTIME_NOW || (n) == UTIME_OMIT || ((n) >= 0 && (n) < NSEC_PER_SEC))

/* T: access and modification time, either of which may be UTIME_NOW or UTIME_OMIT. */
static int set_times(const struct path *p, struct inode *i, const struct timespec t[2])
{
    static const uint32_t what[] = {IN_ATTRIB, IN_ACCESS, IN_MODIFY, IN_ATTRIB};
    int error = p ? mount_writable(p->mnt) : 0;
    if (error)
        return error;
    if (i->sb->fixed_attr)
        return -EPERM;
    bool just_now = t[0].tv_nsec == UTIME_NOW && t[1].tv_nsec == UTIME_NOW;
    if (!inode_owner_or_capable(i)) {
        if (!just_now)
            return -EPERM;
        if ((error = inode_permission(i, MAY_WRITE)))
            return error;
    }
    struct timespec now = inode_now();
    spin_lock(&i->spin);
    if (t[0].tv_nsec != UTIME_OMIT)
        i->atime = t[0].tv_nsec == UTIME_NOW ? now : t[0];
    if (t[1].tv_nsec != UTIME_OMIT)
        i->mtime = t[1].tv_nsec == UTIME_NOW ? now : t[1];
    i->ctime = now;
    spin_unlock(&i->spin);
    notify_path(p, what[(t[0].tv_nsec != UTIME_OMIT) + 2 * (t[1].tv_nsec != UTIME_OMIT)]);
    return 0;
}

static long set_times_fd(int fd, const struct timespec t[2], bool any)
{
    struct fdref r = any ? fdref_get_any(fd) : fdref_get(fd);
    if (!r.file)
        return -EBADF;
    int error = r.file->inode ? set_times(r.file->path, r.file->inode, t) : -EINVAL;
    fdref_put(r);
    return error;
}

static long set_times_path(int dfd, const char __user *path, const struct timespec t[2], int flags)
{
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    char first;
    if (flags & AT_EMPTY_PATH && dfd >= 0 && !get_user(first, path) && !first)
        return set_times_fd(dfd, t, true);
    struct path p;
    int error = path_lookup_user(dfd, path,
                                 (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
                                     (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0),
                                 &p);
    if (error)
        return error;
    error = set_times(&p, p.dentry->inode, t);
    path_put(&p);
    return error;
}

long sys_utimensat(int dirfd, const char __user *path, const struct timespec __user *times,
                   int flags)
{
    struct timespec t[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    if (times) {
        if (copy_from_user(t, times, sizeof(t)))
            return -EFAULT;
        if (t[0].tv_nsec == UTIME_OMIT && t[1].tv_nsec == UTIME_OMIT)
            return 0;
        if (!NSEC_VALID(t[0].tv_nsec) || !NSEC_VALID(t[1].tv_nsec))
            return -EINVAL;
    }
    if (!path && dirfd != AT_FDCWD)
        return flags ? -EINVAL : set_times_fd(dirfd, t, false);
    return set_times_path(dirfd, path, t, flags);
}

long sys_futimesat(int dirfd, const char __user *path, const struct timeval __user *times)
{
    struct timespec t[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    if (times) {
        struct timeval v[2];
        if (copy_from_user(v, times, sizeof(v)))
            return -EFAULT;
        for (int n = 0; n < 2; n++) {
            if (v[n].tv_usec < 0 || v[n].tv_usec >= 1000000)
                return -EINVAL;
            t[n] = (struct timespec){v[n].tv_sec, v[n].tv_usec * NSEC_PER_USEC};
        }
    }
    if (!path && dirfd != AT_FDCWD)
        return set_times_fd(dirfd, t, false);
    return set_times_path(dirfd, path, t, 0);
}

long sys_utimes(const char __user *path, const struct timeval __user *times)
{
    return sys_futimesat(AT_FDCWD, path, times);
}

long sys_utime(const char __user *path, const struct utimbuf __user *times)
{
    struct timespec t[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    if (times) {
        struct utimbuf b;
        if (copy_from_user(&b, times, sizeof(b)))
            return -EFAULT;
        t[0] = (struct timespec){b.actime, 0};
        t[1] = (struct timespec){b.modtime, 0};
    }
    return set_times_path(AT_FDCWD, path, t, 0);
}
