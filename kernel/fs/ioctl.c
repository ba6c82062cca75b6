/*
 * ioctl(2): the few requests that every descriptor answers, and the door to the rest, which belong
 * to the kind of file.
 */
#include <abi/ioctl.h>
#include <syscall_protos.h>

#include "fs/async.h"
#include "fs/vfs.h"
#include "sched/lock.h"
#include "x86/uaccess.h"

static long set_nonblock(struct file *f, const int __user *arg)
{
    int on;
    if (get_user(on, arg))
        return -EFAULT;
    unsigned flags = on ? f->flags | O_NONBLOCK : f->flags & ~(unsigned)O_NONBLOCK;
    if (f->ops->set_flags) {
        int error = f->ops->set_flags(f, flags);
        if (error)
            return error;
    }
    spin_lock(&f->lock);
    if (on)
        f->flags |= O_NONBLOCK;
    else
        f->flags &= ~(unsigned)O_NONBLOCK;
    spin_unlock(&f->lock);
    return 0;
}

/* Signal-driven input and output is a thing of few kinds of files; who asks others for it is told so. */
static long set_async(struct file *f, int fd, const int __user *arg)
{
    int on;
    if (get_user(on, arg))
        return -EFAULT;
    if (!!on == !!(f->flags & O_ASYNC))
        return 0;
    return f->ops->async_owner ? async_switch(f, fd, on) : -ENOTTY;
}

static long regular_ioctl(struct file *f, unsigned request, unsigned long arg)
{
    struct inode *i = f->inode;
    off_t pos, size = (off_t)READ_ONCE(i->size);
    switch (request) {
    case FIONREAD: pos = READ_ONCE(f->pos); return put_user((int)(size - pos), (int __user *)arg);
    case FIBMAP: return fs_capable(17 /* CAP_SYS_RAWIO */) ? -EINVAL : -EPERM;
    default: return -ENOTTY;
    }
}

static long file_ioctl(struct file *f, int fd, unsigned request, unsigned long arg)
{
    switch (request) {
    case FIONBIO: return set_nonblock(f, (const int __user *)arg);
    case FIOASYNC: return set_async(f, fd, (const int __user *)arg);
    case FIOQSIZE:
        if (f->inode &&
            (S_ISREG(f->inode->mode) || S_ISDIR(f->inode->mode) || S_ISLNK(f->inode->mode)))
            return put_user((off_t)f->inode->size, (off_t __user *)arg);
        return -ENOTTY;
    case FIGETBSZ:
        if (!f->inode || S_ISFIFO(f->inode->mode))
            return -EINVAL;
        return put_user((int)PAGE_SIZE, (int __user *)arg);
    }
    if (f->ops->ioctl) {
        long result = f->ops->ioctl(f, request, arg);
        return result == -ENOIOCTLCMD ? -ENOTTY : result;
    }
    if (f->inode && S_ISREG(f->inode->mode))
        return regular_ioctl(f, request, arg);
    return -ENOTTY;
}

long sys_ioctl(int fd, unsigned int request, unsigned long arg)
{
    struct fdref r = fdref_get(fd);
    if (!r.file)
        return -EBADF;
    long result;
    if (request == FIOCLEX || request == FIONCLEX)
        result = fd_set_cloexec((unsigned)fd, request == FIOCLEX);
    else
        result = file_ioctl(r.file, fd, request, arg);
    fdref_put(r);
    return result;
}
