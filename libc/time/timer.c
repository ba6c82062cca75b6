/*
 * POSIX timers. The kernel numbers them; a timer_t, which is a pointer, holds the number as it stands.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>

#include "internal/syscall.h"

static int number_of(timer_t timer)
{
    return (int)(intptr_t)timer;
}

/* SIGEV_THREAD would need a thread of the library's own that waits for the signals: not here. */
int timer_create(clockid_t clock, struct sigevent *event, timer_t *timer)
{
    int number;

    if (event && event->sigev_notify == SIGEV_THREAD) {
        errno = ENOTSUP;
        return -1;
    }
    long result = __syscall_ret(syscall_raw(SYS_timer_create, clock, event, &number));
    if (result == 0)
        *timer = (timer_t)(intptr_t)number;
    return (int)result;
}

int timer_settime(timer_t timer, int flags, const struct itimerspec *value, struct itimerspec *old)
{
    return (int)__syscall_ret(syscall_raw(SYS_timer_settime, number_of(timer), flags, value, old));
}

int timer_gettime(timer_t timer, struct itimerspec *value)
{
    return (int)__syscall_ret(syscall_raw(SYS_timer_gettime, number_of(timer), value));
}

int timer_getoverrun(timer_t timer)
{
    return (int)__syscall_ret(syscall_raw(SYS_timer_getoverrun, number_of(timer)));
}

int timer_delete(timer_t timer)
{
    return (int)__syscall_ret(syscall_raw(SYS_timer_delete, number_of(timer)));
}
