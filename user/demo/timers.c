/*
 * Timers of POSIX: several at once, each with a signal and a value of its own, and a count of those that came
 * while nobody looked. See timers.txt.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <time.h>

#include "demo.h"

#define MS 1000000L

static timer_t make_timer(int value, long first_ms, long interval_ms)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    struct itimerspec times = {{0, interval_ms * MS}, {0, first_ms * MS}};
    timer_t timer;

    event.sigev_value.sival_int = value;
    need(timer_create(CLOCK_MONOTONIC, &event, &timer));
    need(timer_settime(timer, 0, &times, NULL));
    return timer;
}

int main(void)
{
    sigset_t set;
    siginfo_t info;
    timer_t timer;
    struct itimerspec left;

    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    need(sigprocmask(SIG_BLOCK, &set, NULL)); /* taken by sigwaitinfo, one by one */
    make_timer(3, 300, 0);
    make_timer(1, 100, 0);
    make_timer(2, 200, 0);
    for (int i = 1; i <= 3; i++) {
        need(sigwaitinfo(&set, &info));
        printf("timer %d is over\n", info.si_value.sival_int);
        claim(info.si_value.sival_int == i);
    }
    timer = make_timer(4, 5, 5);
    nanosleep(&(struct timespec){0, 103 * MS}, NULL);
    need(sigwaitinfo(&set, &info));
    printf("one signal, and %s that came while nobody looked\n",
           claim(info.si_overrun >= 10) ? "many more" : "few more");
    need(timer_settime(timer, 0, &(struct itimerspec){{0, 0}, {100, 0}}, NULL));
    need(timer_gettime(timer, &left));
    printf("set to 100 s, it has %s left\n",
           claim(left.it_value.tv_sec >= 99) ? "nearly all of it" : "less");
    need(timer_delete(timer));
    return shown();
}
