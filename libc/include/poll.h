/* <poll.h>. */
#pragma once

#include <abi/poll.h>
#include <abi/time.h>
#include <signal.h>

int poll(struct pollfd *fds, nfds_t nfds, int timeout);
int ppoll(struct pollfd *fds, nfds_t nfds, const struct timespec *timeout, const sigset_t *mask);
