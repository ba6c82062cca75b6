/* Calls on files and descriptors whose libc form differs from the kernel's. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal/syscall.h"

int faccessat(int dirfd, const char *path, int mode, int flags)
{
    if (flags == 0)
        return (int)__syscall_ret(syscall_raw(SYS_faccessat, dirfd, path, mode));
    return (int)__syscall_ret(syscall_raw(SYS_faccessat2, dirfd, path, mode, flags));
}

int close_range(unsigned first, unsigned last, int flags)
{
    return (int)__syscall_ret(syscall_raw(SYS_close_range, first, last, flags));
}

void sync(void)
{
    syscall_raw(SYS_sync);
}

/* With BUF NULL the result is malloc'ed: as large as it must be, or SIZE when that isn't 0. */
char *getcwd(char *buf, size_t size)
{
    char path[PATH_MAX];
    if (buf && size == 0) {
        errno = EINVAL;
        return NULL;
    }
    long n = __syscall_ret(syscall_raw(SYS_getcwd, path, sizeof(path)));
    if (n < 0)
        return NULL;
    if (path[0] != '/') { /* "(unreachable)..." */
        errno = ENOENT;
        return NULL;
    }
    if ((buf || size) && (size_t)n > size) {
        errno = ERANGE;
        return NULL;
    }
    if (!buf)
        buf = malloc(size ? size : (size_t)n);
    return buf ? memcpy(buf, path, (size_t)n) : NULL;
}

int isatty(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0;
}

/* The terminal's name is where /proc says the descriptor leads, if that is still the same device. */
int ttyname_r(int fd, char *buf, size_t size)
{
    char link[32] = "/proc/self/fd/", digits[12], *d = digits + sizeof(digits) - 1;
    struct stat named, open;
    if (!isatty(fd))
        return errno;
    *d = '\0';
    for (unsigned n = (unsigned)fd; n || !*d; n /= 10)
        *--d = (char)('0' + n % 10);
    strcat(link, d);
    ssize_t n = readlink(link, buf, size);
    if (n < 0)
        return errno;
    if ((size_t)n == size)
        return ERANGE;
    buf[n] = '\0';
    if (stat(buf, &named) < 0 || fstat(fd, &open) < 0 || named.st_rdev != open.st_rdev)
        return ENODEV;
    return 0;
}

char *ttyname(int fd)
{
    static char name[64];
    int error = ttyname_r(fd, name, sizeof(name));
    if (!error)
        return name;
    errno = error;
    return NULL;
}
