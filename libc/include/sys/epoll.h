/* epoll(7): a set of descriptors kept in the kernel. */
#pragma once

#include <abi/epoll.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>

int epoll_create(int size);
int epoll_create1(int flags);
int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
int epoll_wait(int epfd, struct epoll_event *events, int max, int milliseconds);
int epoll_pwait(int epfd, struct epoll_event *events, int max, int milliseconds,
                const sigset_t *mask);
int epoll_pwait2(int epfd, struct epoll_event *events, int max, const struct timespec *timeout,
                 const sigset_t *mask);
