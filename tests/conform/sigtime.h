/* What the tests of timers share: a handler that notes what came, clocks, and ways to let time pass. */
#pragma once

#include "tap.h"

#include <sys/syscall.h>
#include <sys/time.h>

#define MS 1000000LL

static volatile int count, last_code, last_overrun, last_value;
static volatile pid_t last_thread __attribute__((unused));

static inline void note(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)context;
    last_code = info->si_code;
    last_overrun = info->si_overrun;
    last_value = info->si_value.sival_int;
    last_thread = (pid_t)syscall(SYS_gettid);
    count++;
}

static void catch (int sig)
{
    struct sigaction a = {.sa_flags = SA_SIGINFO | SA_RESTART};
    a.sa_sigaction = note;
    works(sigaction(sig, &a, NULL));
}

static inline void mask(int how, int sig)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    works(sigprocmask(how, &set, NULL));
}

static inline bool is_pending(int sig)
{
    sigset_t set;
    works(sigpending(&set));
    return sigismember(&set, sig);
}

static inline long long now(clockid_t clock)
{
    struct timespec ts;
    works(clock_gettime(clock, &ts));
    return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static inline void sleep_ms(int ms)
{
    struct timespec left = {ms / 1000, ms % 1000 * 1000000L};
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

static inline void burn_ms(int ms)
{
    long long end = now(CLOCK_PROCESS_CPUTIME_ID) + ms * MS;
    while (now(CLOCK_PROCESS_CPUTIME_ID) < end)
        ;
}

static inline struct itimerval every_us(long first, long interval)
{
    return (struct itimerval){.it_value = {first / 1000000, first % 1000000},
                              .it_interval = {interval / 1000000, interval % 1000000}};
}

static inline struct itimerspec every_ns(long long first, long long interval)
{
    return (struct itimerspec){.it_value = {first / 1000000000, first % 1000000000},
                               .it_interval = {interval / 1000000000, interval % 1000000000}};
}
