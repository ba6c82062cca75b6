/* timerfd_create(2): a timer to wait for. */
#pragma once

#include <abi/timerfd.h>
#include <fcntl.h>
#include <time.h>

int timerfd_create(int clock, int flags);
int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old);
int timerfd_gettime(int fd, struct itimerspec *value);
