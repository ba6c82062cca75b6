/* The calls of <sys/...> whose libc form differs from the kernel's. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "internal/cancel.h"

int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    va_start(args, request);
    unsigned long arg = va_arg(args, unsigned long);
    va_end(args);
    return (int)__syscall_ret(syscall_raw(SYS_ioctl, fd, request, arg));
}

int prctl(int option, ...)
{
    va_list args;
    unsigned long a[4];
    va_start(args, option);
    for (int i = 0; i < 4; i++)
        a[i] = va_arg(args, unsigned long);
    va_end(args);
    return (int)__syscall_ret(syscall_raw(SYS_prctl, option, a[0], a[1], a[2], a[3]));
}

int arch_prctl(int code, unsigned long addr)
{
    return (int)__syscall_ret(syscall_raw(SYS_arch_prctl, code, addr));
}

void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
    if (length > PTRDIFF_MAX) { /* no two pointers of one object may be further apart */
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return (void *)__syscall_ret(syscall_raw(SYS_mmap, addr, length, prot, flags, fd, offset));
}

void *mremap(void *addr, size_t old_length, size_t new_length, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    void *new_addr = flags & MREMAP_FIXED ? va_arg(args, void *) : NULL;
    va_end(args);
    return (void *)__syscall_ret(
        syscall_raw(SYS_mremap, addr, old_length, new_length, flags, new_addr));
}

int posix_madvise(void *addr, size_t length, int advice)
{
    if (advice == POSIX_MADV_DONTNEED) /* the kernel's would throw the contents away */
        return 0;
    return (int)-syscall_raw(SYS_madvise, addr, length, advice);
}

static struct statvfs translate(const struct statfs *fs)
{
    return (struct statvfs){
        .f_bsize = (unsigned long)fs->f_bsize,
        .f_frsize = (unsigned long)(fs->f_frsize ? fs->f_frsize : fs->f_bsize),
        .f_blocks = fs->f_blocks,
        .f_bfree = fs->f_bfree,
        .f_bavail = fs->f_bavail,
        .f_files = fs->f_files,
        .f_ffree = fs->f_ffree,
        .f_favail = fs->f_ffree,
        .f_fsid = (unsigned)fs->f_fsid.__val[0] | (unsigned long)fs->f_fsid.__val[1] << 32,
        .f_flag = (unsigned long)fs->f_flags & ~(unsigned long)ST_VALID,
        .f_namemax = (unsigned long)fs->f_namelen,
    };
}

int statvfs(const char *path, struct statvfs *buf)
{
    struct statfs fs;
    if (statfs(path, &fs) < 0)
        return -1;
    *buf = translate(&fs);
    return 0;
}

int fstatvfs(int fd, struct statvfs *buf)
{
    struct statfs fs;
    if (fstatfs(fd, &fs) < 0)
        return -1;
    *buf = translate(&fs);
    return 0;
}

int umount(const char *target)
{
    return umount2(target, 0);
}

/* The kernel's call has no flags: following links is all it can do, not following them nobody can. */
int fchmodat(int dirfd, const char *path, mode_t mode, int flags)
{
    if (flags & ~AT_SYMLINK_NOFOLLOW) {
        errno = EINVAL;
        return -1;
    }
    if (flags) {
        struct stat st;
        if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return -1;
        if (S_ISLNK(st.st_mode)) {
            errno = EOPNOTSUPP;
            return -1;
        }
    }
    return (int)__syscall_ret(syscall_raw(SYS_fchmodat, dirfd, path, mode));
}

int mkfifo(const char *path, mode_t mode)
{
    return mknod(path, (mode & 07777) | S_IFIFO, 0);
}

int mkfifoat(int dirfd, const char *path, mode_t mode)
{
    return mknodat(dirfd, path, (mode & 07777) | S_IFIFO, 0);
}

int futimens(int fd, const struct timespec times[2])
{
    return utimensat(fd, NULL, times, 0);
}

int futimes(int fd, const struct timeval times[2])
{
    struct timespec ts[2];
    if (!times)
        return futimens(fd, NULL);
    for (int i = 0; i < 2; i++)
        ts[i] = (struct timespec){times[i].tv_sec, times[i].tv_usec * 1000};
    return futimens(fd, ts);
}

pid_t wait(int *status)
{
    return wait4(-1, status, 0, NULL);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    return wait4(pid, status, options, NULL);
}

pid_t wait3(int *status, int options, struct rusage *usage)
{
    return wait4(-1, status, options, usage);
}

int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
    return (int)syscall_cancel(SYS_waitid, type, id, info, options, NULL);
}

/* The offset comes in two halves for 32-bit machines; here the first holds all of it. */
ssize_t preadv(int fd, const struct iovec *iov, int count, off_t offset)
{
    return syscall_cancel(SYS_preadv, fd, iov, count, offset, 0);
}

ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t offset)
{
    return syscall_cancel(SYS_pwritev, fd, iov, count, offset, 0);
}

ssize_t preadv2(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
    return syscall_cancel(SYS_preadv2, fd, iov, count, offset, 0, flags);
}

ssize_t pwritev2(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
    return syscall_cancel(SYS_pwritev2, fd, iov, count, offset, 0, flags);
}

/* Linux changes the timeout it is given; POSIX's pselect has it const. */
int pselect(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds,
            const struct timespec *timeout, const sigset_t *mask)
{
    struct timespec left;
    struct pselect_mask packed = {mask, sizeof(sigset_t)};
    if (timeout)
        left = *timeout;
    return (int)syscall_cancel(SYS_pselect6, nfds, readfds, writefds, exceptfds,
                               timeout ? &left : NULL, &packed);
}
