/*
 * POSIX message queues. Names begin with a slash for programs and without for the kernel; the rest is the
 * kernel's.
 */
#include <errno.h>
#include <mqueue.h>
#include <stdarg.h>
#include <unistd.h>

#include "internal/syscall.h"

static const char *without_slash(const char *name)
{
    return *name == '/' ? name + 1 : name;
}

mqd_t mq_open(const char *name, int flags, ...)
{
    mode_t mode = 0;
    struct mq_attr *attr = NULL;

    if (flags & O_CREAT) {
        va_list args;
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        attr = va_arg(args, struct mq_attr *);
        va_end(args);
    }
    return (int)__syscall_ret(syscall_raw(SYS_mq_open, without_slash(name), flags, mode, attr));
}

int mq_close(mqd_t queue)
{
    return close(queue);
}

int mq_unlink(const char *name)
{
    long result = syscall_raw(SYS_mq_unlink, without_slash(name));
    /* POSIX has one word for all that isn't allowed. */
    return (int)__syscall_ret(result == -EPERM ? -EACCES : result);
}

int mq_setattr(mqd_t queue, const struct mq_attr *attr, struct mq_attr *old)
{
    return (int)__syscall_ret(syscall_raw(SYS_mq_getsetattr, queue, attr, old));
}

int mq_getattr(mqd_t queue, struct mq_attr *attr)
{
    return mq_setattr(queue, NULL, attr);
}

int mq_send(mqd_t queue, const char *data, size_t len, unsigned prio)
{
    return mq_timedsend(queue, data, len, prio, NULL);
}

ssize_t mq_receive(mqd_t queue, char *data, size_t len, unsigned *prio)
{
    return mq_timedreceive(queue, data, len, prio, NULL);
}
