/* <sys/select.h>. */
#pragma once

#include <abi/select.h>
#include <abi/time.h>
#include <signal.h>

#define FD_ZERO(set)                                         \
    do {                                                     \
        for (unsigned __i = 0; __i < FD_SETSIZE / 64; __i++) \
            (set)->fds_bits[__i] = 0;                        \
    } while (0)
#define FD_SET(fd, set) ((void)((set)->fds_bits[(fd) / 64] |= 1UL << (fd) % 64))
#define FD_CLR(fd, set) ((void)((set)->fds_bits[(fd) / 64] &= ~(1UL << (fd) % 64)))
#define FD_ISSET(fd, set) ((int)((set)->fds_bits[(fd) / 64] >> (fd) % 64 & 1))

int select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, struct timeval *timeout);
int pselect(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds,
            const struct timespec *timeout, const sigset_t *mask);
