/* open and fcntl, whose last argument is only there for some flags and commands; advice and space. */
#include <fcntl.h>
#include <stdarg.h>

#include "internal/cancel.h"

/* The mode is passed whenever FLAGS may create something. */
#define MODE_ARGUMENT(flags)                                         \
    ({                                                               \
        mode_t mode_ = 0;                                            \
        if (((flags)&O_CREAT) || ((flags)&O_TMPFILE) == O_TMPFILE) { \
            va_list args_;                                           \
            va_start(args_, flags);                                  \
            mode_ = va_arg(args_, mode_t);                           \
            va_end(args_);                                           \
        }                                                            \
        mode_;                                                       \
    })

int open(const char *path, int flags, ...)
{
    return (int)syscall_cancel(SYS_open, path, flags, MODE_ARGUMENT(flags));
}

int openat(int dirfd, const char *path, int flags, ...)
{
    return (int)syscall_cancel(SYS_openat, dirfd, path, flags, MODE_ARGUMENT(flags));
}

/*
 * Some processes' groups are small numbers that, negated, look like errors in F_GETOWN's result:
 * F_GETOWN_EX tells them apart.
 */
static int get_owner(int fd)
{
    struct f_owner_ex owner;
    if (__syscall_ret(syscall_raw(SYS_fcntl, fd, F_GETOWN_EX, &owner)) < 0)
        return -1;
    return owner.type == F_OWNER_PGRP ? -owner.pid : owner.pid;
}

int fcntl(int fd, int command, ...)
{
    va_list args;
    va_start(args, command);
    unsigned long arg = va_arg(args, unsigned long);
    va_end(args);
    if (command == F_GETOWN)
        return get_owner(fd);
    if (command == F_SETLKW || command == F_OFD_SETLKW)
        return (int)syscall_cancel(SYS_fcntl, fd, command, arg);
    return (int)__syscall_ret(syscall_raw(SYS_fcntl, fd, command, arg));
}

/* These two return the error instead of setting errno. */
int posix_fadvise(int fd, off_t offset, off_t length, int advice)
{
    return (int)-syscall_raw(SYS_fadvise64, fd, offset, length, advice);
}

int posix_fallocate(int fd, off_t offset, off_t length)
{
    return (int)-syscall_raw(SYS_fallocate, fd, 0, offset, length);
}
