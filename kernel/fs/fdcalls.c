/* Calls on descriptors as such: close, dup and fcntl(2). */
#include <syscall_protos.h>

#include "fs/async.h"
#include "fs/locks.h"
#include "fs/vfs.h"
#include "sched/lock.h"
#include "x86/uaccess.h"

long sys_close(int fd)
{
    return fd_close(fd);
}

long sys_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
    if (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) || first > last)
        return -EINVAL;
    if (flags & CLOSE_RANGE_UNSHARE) {
        /* A table belongs to a process here: one thread of several can't have its own. */
        if (current->proc->nthreads > 1)
            return -EINVAL;
        int error = fdtable_unshare();
        if (error)
            return error;
    }
    fd_close_range(first, last, flags & CLOSE_RANGE_CLOEXEC);
    return 0;
}

/* ---- dup ---- */

static long dup_above(int fd, unsigned long min_fd, bool cloexec)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    long new = -EINVAL;
    if (min_fd < proc_rlimit(RLIMIT_NOFILE) && min_fd < NR_OPEN_MAX)
        new = fd_reserve((int)min_fd, cloexec);
    if (new >= 0)
        fd_install((int)new, f);
    else
        file_put(f);
    return new;
}

long sys_dup(int fd)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    int new = fd_open(f, false);
    if (new < 0)
        file_put(f);
    return new;
}

static long dup_to(int oldfd, int newfd, bool cloexec)
{
    if ((unsigned)newfd >= proc_rlimit(RLIMIT_NOFILE))
        return -EBADF;
    struct file *f = fd_get(oldfd);
    if (!f)
        return -EBADF;
    int error = fd_replace(f, (unsigned)newfd, cloexec);
    file_put(f);
    return error == -EMFILE ? -EBADF : error ? error : newfd;
}

long sys_dup2(int oldfd, int newfd)
{
    if (oldfd == newfd)
        return fd_get_cloexec((unsigned)oldfd) < 0 ? -EBADF : newfd;
    return dup_to(oldfd, newfd, false);
}

long sys_dup3(int oldfd, int newfd, int flags)
{
    if (flags & ~O_CLOEXEC || oldfd == newfd)
        return -EINVAL;
    return dup_to(oldfd, newfd, flags & O_CLOEXEC);
}

/* ---- fcntl ---- */

#define SETFL_MASK (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)

static long set_flags(struct file *f, int fd, unsigned flags)
{
    if (flags & ~f->flags & O_NOATIME && (!f->inode || !inode_owner_or_capable(f->inode)))
        return -EPERM;
    if (f->ops->set_flags) {
        int error = f->ops->set_flags(f, (f->flags & ~(unsigned)SETFL_MASK) | (flags & SETFL_MASK));
        if (error)
            return error;
    }
    if ((flags ^ f->flags) & O_ASYNC) {
        long error = async_switch(f, fd, flags & O_ASYNC);
        if (error)
            return error;
    }
    spin_lock(&f->lock);
    WRITE_ONCE(f->flags, (f->flags & ~(unsigned)SETFL_MASK) | (flags & SETFL_MASK));
    spin_unlock(&f->lock);
    return 0;
}

static long set_owner_old(struct file *f, int who)
{
    if (who == INT32_MIN)
        return -EINVAL;
    return who < 0 ? async_set_owner(f, F_OWNER_PGRP, -who) : async_set_owner(f, F_OWNER_PID, who);
}

static long set_owner_ex(struct file *f, const struct f_owner_ex __user *from)
{
    struct f_owner_ex o;
    if (copy_from_user(&o, from, sizeof(o)))
        return -EFAULT;
    if (o.type != F_OWNER_TID && o.type != F_OWNER_PID && o.type != F_OWNER_PGRP)
        return -EINVAL;
    return o.pid < 0 ? -ESRCH : async_set_owner(f, o.type, o.pid);
}

static long get_owner_ids(struct file *f, void __user *to)
{
    uid_t ids[2];

    async_get_owner_ids(f, ids);
    return copy_to_user(to, ids, sizeof(ids));
}

static long get_lease(const struct file *f)
{
    return f->inode && S_ISREG(f->inode->mode) ? F_UNLCK : -EINVAL;
}

static long fcntl_real(struct fdref r, int fd, unsigned cmd, unsigned long arg)
{
    struct file *f = r.file;
    struct f_owner_ex o;
    switch (cmd) {
    case F_SETFL: return set_flags(f, fd, (unsigned)arg);
    case F_GETLK:
    case F_OFD_GETLK: return file_lock_get(f, (int)cmd, (struct flock __user *)arg);
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_SETLK:
    case F_OFD_SETLKW: return file_lock_set(f, fd, (int)cmd, (struct flock __user *)arg);
    case F_SETOWN: return set_owner_old(f, (int)arg);
    case F_GETOWN: o = async_get_owner(f); return o.type == F_OWNER_PGRP ? -o.pid : o.pid;
    case F_SETOWN_EX: return set_owner_ex(f, (const struct f_owner_ex __user *)arg);
    case F_GETOWN_EX:
        o = async_get_owner(f);
        return copy_to_user((void __user *)arg, &o, sizeof(o));
    case F_SETSIG: return async_set_signal(f, arg);
    case F_GETSIG: return async_get_signal(f);
    case F_GETOWNER_UIDS: return get_owner_ids(f, (void __user *)arg);
    case F_GETLEASE: return get_lease(f);
    case F_SETPIPE_SZ:
    case F_GETPIPE_SZ: return f->ops->fcntl ? f->ops->fcntl(f, (int)cmd, arg) : -EBADF;
    default: return f->ops->fcntl ? f->ops->fcntl(f, (int)cmd, arg) : -EINVAL;
    }
}

long sys_fcntl(int fd, unsigned int cmd, unsigned long arg)
{
    switch (cmd) {
    case F_DUPFD: return dup_above(fd, arg & UINT32_MAX, false);
    case F_DUPFD_CLOEXEC: return dup_above(fd, arg & UINT32_MAX, true);
    case F_GETFD: return fd_get_cloexec((unsigned)fd);
    case F_SETFD: return fd_set_cloexec((unsigned)fd, arg & FD_CLOEXEC);
    }
    struct fdref r = fdref_get_any(fd);
    if (!r.file)
        return -EBADF;
    long result = -EBADF;
    if (cmd == F_GETFL)
        result = (long)r.file->flags;
    else if (!(r.file->flags & O_PATH))
        result = fcntl_real(r, fd, cmd, arg);
    fdref_put(r);
    return result;
}
