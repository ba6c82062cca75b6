/* timerfd_create(2): a timer to wait for. */
#pragma once

#include <abi/ioctl.h>
#include <abi/time.h>

#define TFD_NONBLOCK 04000
#define TFD_CLOEXEC 02000000
#define TFD_TIMER_ABSTIME 1
#define TFD_TIMER_CANCEL_ON_SET 2

#define TFD_IOC_SET_TICKS _IOW('T', 0, uint64_t)
