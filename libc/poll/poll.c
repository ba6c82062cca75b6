/* Waiting for many. ppoll: as with pselect, the kernel may change the timeout and POSIX's caller may not see that. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "internal/cancel.h"

int ppoll(struct pollfd *fds, nfds_t nfds, const struct timespec *timeout, const sigset_t *mask)
{
    struct timespec left;
    if (timeout)
        left = *timeout;
    return (int)syscall_cancel(SYS_ppoll, fds, nfds, timeout ? &left : NULL, mask,
                               sizeof(sigset_t));
}

/* epoll_pwait(2): the kernel's sigset is ours, and it wants to hear its size. */
int epoll_pwait(int epfd, struct epoll_event *events, int max, int milliseconds,
                const sigset_t *mask)
{
    return (int)syscall_cancel(SYS_epoll_pwait, epfd, events, max, milliseconds, mask,
                               sizeof(sigset_t));
}

int epoll_pwait2(int epfd, struct epoll_event *events, int max, const struct timespec *timeout,
                 const sigset_t *mask)
{
    return (int)syscall_cancel(SYS_epoll_pwait2, epfd, events, max, timeout, mask,
                               sizeof(sigset_t));
}

int eventfd_read(int fd, eventfd_t *value)
{
    return read(fd, value, sizeof *value) == sizeof *value ? 0 : -1;
}

int eventfd_write(int fd, eventfd_t value)
{
    return write(fd, &value, sizeof value) == sizeof value ? 0 : -1;
}
