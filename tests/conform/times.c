/* musl: clocks, sleeping, and what is counted. */
#define _GNU_SOURCE
#include "tap.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>

static long long now(clockid_t clock)
{
    struct timespec ts;
    works(clock_gettime(clock, &ts));
    check(ts.tv_nsec >= 0 && ts.tv_nsec < 1000000000, "a valid time");
    return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void burn(long long nanoseconds)
{
    long long start = now(CLOCK_THREAD_CPUTIME_ID);
    while (now(CLOCK_THREAD_CPUTIME_ID) - start < nanoseconds)
        ;
}

TEST(monotonic_clocks_never_go_back)
{
    static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_MONOTONIC_RAW,
                                       CLOCK_MONOTONIC_COARSE};
    for (int i = 0; i < 4; i++) {
        long long last = now(clocks[i]);
        for (int n = 0; n < 2000; n++) {
            long long t = now(clocks[i]);
            check(t >= last, "clock %d", i);
            last = t;
        }
    }
}

TEST(clocks_agree_across_processes)
{
    int p[2];
    long long t;
    pid_t pid;
    works(pipe(p));
    for (int i = 0; i < 50; i++) {
        CHILD (pid) {
            t = now(CLOCK_MONOTONIC);
            same(write(p[1], &t, sizeof(t)), sizeof(t));
        }
        same(read(p[0], &t, sizeof(t)), sizeof(t));
        check(now(CLOCK_MONOTONIC) >= t, "what the child saw is past");
        exits(pid, 0);
    }
}

TEST(realtime_is_after_2020_and_all_calls_agree)
{
    struct timeval tv;
    time_t t = time(NULL);
    check(t > 1577836800, "a date in this century");
    works(gettimeofday(&tv, NULL));
    check(tv.tv_sec >= t && tv.tv_sec <= t + 20, "gettimeofday agrees");
    check(tv.tv_usec >= 0 && tv.tv_usec < 1000000, "valid microseconds");
    long long ns = now(CLOCK_REALTIME);
    check(ns / 1000000000 >= t && ns / 1000000000 <= t + 20, "clock_gettime agrees");
    time_t stored;
    same(syscall(SYS_time, &stored), stored);
}

TEST(resolution_is_told)
{
    struct timespec res = {9, 9};
    works(clock_getres(CLOCK_MONOTONIC, &res));
    same(res.tv_sec, 0);
    check(res.tv_nsec > 0 && res.tv_nsec <= 10000000, "between 1 ns and 10 ms");
    works(clock_getres(CLOCK_REALTIME, NULL));
    fails(clock_getres(99, &res), EINVAL);
}

TEST(unknown_clocks_are_einval)
{
    struct timespec ts;
    fails(syscall(SYS_clock_gettime, 99, &ts), EINVAL);
    fails(syscall(SYS_clock_gettime, -1, &ts), EINVAL);
    fails(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, NOWHERE), EFAULT);
    ts = (struct timespec){0, 0};
    fails(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &ts), EINVAL);
}

TEST(nanosleep_sleeps_at_least_so_long)
{
    struct timespec ts = {0, 5000000};
    long long start = now(CLOCK_MONOTONIC);
    works(nanosleep(&ts, NULL));
    long long slept = now(CLOCK_MONOTONIC) - start;
    check(slept >= 5000000, "5 ms, got %lld ns", slept);
}

TEST(nanosleep_checks_its_arguments)
{
    struct timespec bad = {0, 1000000000}, negative = {-1, 0};
    fails(nanosleep(&bad, NULL), EINVAL);
    fails(nanosleep(&negative, NULL), EINVAL);
    bad.tv_nsec = -1;
    fails(nanosleep(&bad, NULL), EINVAL);
    fails(syscall(SYS_nanosleep, NOWHERE, NULL), EFAULT);
}

TEST(absolute_sleep_ends_at_its_time)
{
    long long end = now(CLOCK_MONOTONIC) + 5000000;
    struct timespec ts = {end / 1000000000, end % 1000000000};
    same(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL), 0);
    check(now(CLOCK_MONOTONIC) >= end, "not before");
    same(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL), 0);
    end = now(CLOCK_REALTIME) + 3000000;
    ts = (struct timespec){end / 1000000000, end % 1000000000};
    same(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL), 0);
    check(now(CLOCK_REALTIME) >= end, "not before");
    same(clock_nanosleep(99, 0, &ts, NULL), EINVAL);
}

TEST(short_sleeps_add_up)
{
    struct timespec ts = {0, 100000};
    long long start = now(CLOCK_MONOTONIC);
    for (int i = 0; i < 30; i++)
        works(nanosleep(&ts, NULL));
    check(now(CLOCK_MONOTONIC) - start >= 3000000, "30 times 100 us");
}

TEST(zero_sleep_returns)
{
    struct timespec ts = {0, 0};
    works(nanosleep(&ts, NULL));
}

TEST(sleeping_costs_no_processor_time)
{
    struct timespec ts = {0, 500000000};
    long long start = now(CLOCK_PROCESS_CPUTIME_ID);
    works(nanosleep(&ts, NULL));
    check(now(CLOCK_PROCESS_CPUTIME_ID) - start < 400000000, "less than it slept");
}

TEST(processor_time_is_counted)
{
    struct rusage before, after;
    long long process = now(CLOCK_PROCESS_CPUTIME_ID), thread = now(CLOCK_THREAD_CPUTIME_ID);
    works(getrusage(RUSAGE_SELF, &before));
    burn(60000000);
    works(getrusage(RUSAGE_SELF, &after));
    check(now(CLOCK_PROCESS_CPUTIME_ID) - process >= 60000000, "of the process");
    check(now(CLOCK_THREAD_CPUTIME_ID) - thread >= 60000000, "of the thread");
    long used = (after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec -
                 before.ru_stime.tv_sec) *
                    1000000 +
                after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec -
                before.ru_stime.tv_usec;
    check(used >= 40000, "getrusage: 40 ms at least, got %ld us", used);
}

TEST(times_counts_ticks)
{
    struct tms tms;
    clock_t start = times(&tms);
    check(start != -1, "times");
    burn(50000000);
    clock_t end = times(&tms);
    check(end - start >= 4, "four ticks of 10 ms");
    check(tms.tms_utime + tms.tms_stime >= 3, "three ticks of work");
    same(tms.tms_cutime, 0);
}

TEST(another_process_clock_can_be_read)
{
    pid_t pid;
    CHILD (pid) {
        for (;;)
            pause();
    }
    clockid_t clock;
    same(clock_getcpuclockid(pid, &clock), 0);
    check(now(clock) < 1000000000, "it did little");
    works(kill(pid, SIGKILL));
    dies(pid, SIGKILL);
    struct timespec ts;
    fails(clock_gettime(clock, &ts), EINVAL);
}

TEST(only_root_sets_the_clock)
{
    struct timespec ts;
    struct timeval tv;
    works(clock_gettime(CLOCK_REALTIME, &ts));
    works(gettimeofday(&tv, NULL));
    works(syscall(SYS_setresuid, 1000, 1000, 1000));
    fails(syscall(SYS_clock_settime, CLOCK_REALTIME, &ts), EPERM);
    fails(settimeofday(&tv, NULL), EPERM);
    ts.tv_nsec = 1000000000;
    fails(syscall(SYS_clock_settime, CLOCK_REALTIME, &ts), EINVAL);
}

int main(void)
{
    return tap_run("times");
}
