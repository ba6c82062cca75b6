/*
 * pidfd_open(2): a process, or a thread, as a file. A number can come to mean another process when the first
 * has gone; a descriptor can't, for it holds the struct pid. It becomes readable when the process has ended,
 * and hangs up when its parent has waited for it.
 *
 * Who polls sleeps on pid->changed, under proc_tree_lock.
 */
#include "proc/pidfd.h"

#include <abi/fcntl.h>
#include <abi/pidfd.h>

#include "fs/fdtable.h"
#include "fs/poll.h"
#include "lib/printf.h"
#include "proc/proc.h"
#include <syscall_protos.h>

static unsigned pidfd_poll(struct file *f, struct poll_table *pt)
{
    struct pid *pid = f->private;
    unsigned ready = 0;

    spin_lock(&proc_tree_lock);
    poll_wait(pt, &pid->changed);
    bool reaped = !pid->proc && !pid->thread;
    if (reaped || (f->flags & PIDFD_THREAD ? !pid->thread : pid->proc && pid->proc->zombie))
        ready = POLLIN | POLLRDNORM;
    if (reaped)
        ready |= POLLHUP;
    spin_unlock(&proc_tree_lock);
    return ready;
}

static void pidfd_show_fdinfo(struct file *f, void (*emit)(void *ctx, const char *text), void *ctx)
{
    const struct pid *pid = f->private;
    char text[64];

    spin_lock(&proc_tree_lock);
    int nr = pid->proc || pid->thread ? pid->nr : -1;
    spin_unlock(&proc_tree_lock);
    snprintf(text, sizeof(text), "Pid:\t%d\nNSpid:\t%d\n", nr, nr);
    emit(ctx, text);
}

static void pidfd_release(struct file *f)
{
    pid_put(f->private);
}

static const struct file_ops pidfd_ops = {
    .name = "[pidfd]",
    .poll = pidfd_poll,
    .show_fdinfo = pidfd_show_fdinfo,
    .release = pidfd_release,
};

struct pid *pidfd_pid(const struct file *f, bool *thread)
{
    if (f->ops != &pidfd_ops || f->flags & O_PATH)
        return NULL;
    *thread = f->flags & PIDFD_THREAD;
    return f->private;
}

struct file *pidfd_file(struct pid *pid, unsigned flags)
{
    struct file *f = file_alloc_anon(&pidfd_ops, O_RDWR | flags, pid);

    if (!is_err(f))
        pid_get(pid);
    return f;
}

void pidfd_wake(struct pid *pid)
{
    wake_all(&pid->changed, 0);
}

/* The struct pid to open, with a reference. err_ptr. */
static struct pid *find(int nr, bool thread)
{
    spin_lock(&proc_tree_lock);
    struct pid *pid = pid_find_locked(nr);
    int error = 0;
    if (!pid || (!pid->proc && !pid->thread))
        error = -ESRCH;
    else if (!pid->proc && !thread)
        error = -ENOENT; /* a thread that is not its process's first */
    else
        pid_get(pid);
    spin_unlock(&proc_tree_lock);
    return error ? err_ptr(error) : pid;
}

long sys_pidfd_open(pid_t nr, unsigned int flags)
{
    if (flags & ~(unsigned)(PIDFD_NONBLOCK | PIDFD_THREAD) || nr <= 0)
        return -EINVAL;
    struct pid *pid = find(nr, flags & PIDFD_THREAD);
    if (is_err(pid))
        return ptr_err(pid);
    struct file *f = pidfd_file(pid, flags);
    pid_put(pid);
    if (is_err(f))
        return ptr_err(f);
    int fd = fd_open(f, true);
    if (fd < 0)
        file_put(f);
    return fd;
}
