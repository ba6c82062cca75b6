/* ppoll: as with pselect, the kernel may change the timeout and POSIX's caller may not see that. */
#include <poll.h>

#include "internal/syscall.h"

int ppoll(struct pollfd *fds, nfds_t nfds, const struct timespec *timeout, const sigset_t *mask)
{
    struct timespec left;
    if (timeout)
        left = *timeout;
    return (int)syscall_ret(
        syscall_raw(SYS_ppoll, fds, nfds, timeout ? &left : NULL, mask, sizeof(sigset_t)));
}
