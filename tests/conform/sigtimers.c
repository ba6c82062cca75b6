/* musl: POSIX timers: when they expire, what they say, and what ends them. */
#define _GNU_SOURCE
#include "tap.h"

#include <pthread.h>
#include <sys/resource.h>

#include "sigtime.h"

static timer_t make(clockid_t clock, int notify, int sig, int value)
{
    struct sigevent e = {.sigev_notify = notify, .sigev_signo = sig};
    timer_t t;
    e.sigev_value.sival_int = value;
    works(timer_create(clock, &e, &t));
    return t;
}

static void start(timer_t t, long long first, long long interval)
{
    struct itimerspec it = every_ns(first, interval);
    works(timer_settime(t, 0, &it, NULL));
}

static long long left_of(timer_t t)
{
    struct itimerspec it;
    works(timer_gettime(t, &it));
    return it.it_value.tv_sec * 1000000000LL + it.it_value.tv_nsec;
}

TEST(a_timer_sends_its_signal_and_value)
{
    catch (SIGUSR1);
    timer_t t = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 77);
    start(t, 5 * MS, 0);
    wait_until(count == 1);
    same(last_code, SI_TIMER);
    same(last_value, 77);
    same(last_overrun, 0);
    same(timer_getoverrun(t), 0);
    same(left_of(t), 0);
}

TEST(without_an_event_it_is_sigalrm)
{
    timer_t t;
    catch (SIGALRM);
    works(timer_create(CLOCK_REALTIME, NULL, &t));
    start(t, MS, 0);
    wait_until(count == 1);
    same(last_code, SI_TIMER);
}

TEST(every_clock_of_the_machine_can_time)
{
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI};
    catch (SIGUSR1);
    for (int i = 0; i < 4; i++) {
        timer_t t = make(clocks[i], SIGEV_SIGNAL, SIGUSR1, i);
        start(t, MS, 0);
        wait_until(count == i + 1);
        same(last_value, i);
        works(timer_delete(t));
    }
}

TEST(a_timer_with_an_interval_goes_on)
{
    catch (SIGUSR1);
    timer_t t = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0);
    start(t, 2 * MS, 2 * MS);
    wait_until(count >= 5);
    works(timer_delete(t));
    int seen = count;
    sleep_ms(20);
    same(count, seen);
}

TEST(expiries_that_nobody_took_are_overruns)
{
    catch (SIGRTMIN);
    mask(SIG_BLOCK, SIGRTMIN);
    timer_t t = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN, 0);
    start(t, 2 * MS, 2 * MS);
    sleep_ms(50);
    mask(SIG_UNBLOCK, SIGRTMIN);
    check(count >= 1, "delivered");
    works(timer_delete(t));
}

TEST(the_overrun_count_is_in_the_siginfo_and_kept)
{
    siginfo_t info;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    mask(SIG_BLOCK, SIGRTMIN);
    timer_t t = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN, 5);
    start(t, 10 * MS, 10 * MS);
    sleep_ms(105);
    same(sigwaitinfo(&set, &info), SIGRTMIN);
    check(info.si_overrun >= 9 && info.si_overrun < 1000, "nine or a little more, got %d",
          info.si_overrun);
    same(timer_getoverrun(t), info.si_overrun);
    same(info.si_value.sival_int, 5);
    works(timer_delete(t));
}

TEST(two_timers_with_one_signal_both_tell)
{
    int values = 0;
    siginfo_t info;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    mask(SIG_BLOCK, SIGUSR1);
    timer_t a = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 1);
    timer_t b = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 2);
    start(a, MS, 0);
    start(b, MS, 0);
    sleep_ms(20);
    for (int i = 0; i < 2; i++) {
        same(sigwaitinfo(&set, &info), SIGUSR1);
        values += info.si_value.sival_int;
    }
    same(values, 3);
}

TEST(sigev_none_only_counts)
{
    timer_t t = make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
    start(t, 50000 * MS, 0);
    long long left = left_of(t);
    check(left > 40000 * MS && left <= 50000 * MS, "about 50 s left");
    start(t, MS, 0);
    sleep_ms(5);
    same(left_of(t), 0);
    start(t, MS, 1000 * MS);
    sleep_ms(5);
    left = left_of(t);
    check(left > 0 && left <= 1000 * MS, "within the interval");
}

static volatile pid_t helper_id;
static volatile bool helper_may_end;

static void *helper(void *arg)
{
    helper_id = (pid_t)syscall(SYS_gettid);
    while (!helper_may_end)
        sleep_ms(1);
    return arg;
}

static int create_for_thread(pid_t tid, timer_t *t)
{
    /* The libraries name the field differently, or not at all: it lies behind the three that all have. */
    struct sigevent e = {.sigev_notify = 4, .sigev_signo = SIGUSR1};
    memcpy((char *)&e + 16, &tid, sizeof(tid));
    return timer_create(CLOCK_MONOTONIC, &e, t);
}

TEST(sigev_thread_id_reaches_that_thread)
{
    pthread_t thread;
    timer_t t;
    catch (SIGUSR1);
    same(pthread_create(&thread, NULL, helper, NULL), 0);
    wait_until(helper_id);
    works(create_for_thread(helper_id, &t));
    start(t, MS, 0);
    wait_until(count == 1);
    same(last_thread, helper_id);
    helper_may_end = true;
    pthread_join(thread, NULL);
}

TEST(sigev_thread_id_wants_a_thread_of_the_process)
{
    timer_t t;
    fails(create_for_thread(1, &t), EINVAL);
    fails(create_for_thread(0, &t), EINVAL);
    fails(create_for_thread(-5, &t), EINVAL);
    fails(create_for_thread(0x3fffffff, &t), EINVAL);
}

TEST(absolute_times_are_on_the_clock)
{
    catch (SIGUSR1);
    timer_t t = make(CLOCK_REALTIME, SIGEV_SIGNAL, SIGUSR1, 0);
    long long end = now(CLOCK_REALTIME) + 20 * MS;
    struct itimerspec it = every_ns(end, 0);
    works(timer_settime(t, TIMER_ABSTIME, &it, NULL));
    wait_until(count == 1);
    check(now(CLOCK_REALTIME) >= end, "not before its time");
}

TEST(absolute_times_in_the_past_expire_at_once)
{
    catch (SIGUSR1);
    timer_t t = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0);
    struct itimerspec it = every_ns(1, 0);
    works(timer_settime(t, TIMER_ABSTIME, &it, NULL));
    wait_until(count == 1);
}

TEST(settime_tells_what_was_before)
{
    timer_t t = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0);
    struct itimerspec it = every_ns(50000 * MS, 7000 * MS), old;
    works(timer_settime(t, 0, &it, &old));
    same(old.it_value.tv_sec + old.it_value.tv_nsec, 0);
    it = every_ns(0, 0);
    works(timer_settime(t, 0, &it, &old));
    check(old.it_value.tv_sec >= 40 && old.it_value.tv_sec <= 50, "about 50 s");
    same(old.it_interval.tv_sec, 7);
    same(left_of(t), 0);
}

TEST(a_timer_set_to_zero_is_off)
{
    catch (SIGUSR1);
    timer_t t = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0);
    start(t, 10 * MS, 10 * MS);
    start(t, 0, 10 * MS);
    int seen = count; /* it may have been quicker than we */
    sleep_ms(30);
    same(count, seen);
}

TEST(deleting_a_timer_takes_its_signal_back)
{
    mask(SIG_BLOCK, SIGUSR1);
    timer_t t = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0);
    start(t, MS, 0);
    wait_until(is_pending(SIGUSR1));
    works(timer_delete(t));
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    fails(sigtimedwait(&set, NULL, &(struct timespec){0, 0}), EAGAIN);
}

TEST(setting_a_timer_takes_its_signal_back)
{
    mask(SIG_BLOCK, SIGUSR1);
    timer_t t = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0);
    start(t, MS, 0);
    wait_until(is_pending(SIGUSR1));
    start(t, 100000 * MS, 0);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    fails(sigtimedwait(&set, NULL, &(struct timespec){0, 0}), EAGAIN);
}

TEST(a_timer_goes_on_while_its_signal_is_ignored)
{
    signal(SIGUSR1, SIG_IGN);
    timer_t t = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0);
    start(t, 2 * MS, 2 * MS);
    sleep_ms(20);
    catch (SIGUSR1);
    wait_until(count >= 2);
    works(timer_delete(t));
}

TEST(a_timer_on_process_cpu_time)
{
    catch (SIGUSR1);
    timer_t t = make(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, 3);
    long long begin = now(CLOCK_PROCESS_CPUTIME_ID);
    start(t, 200 * MS, 0); /* much more than two calls take, where time that is stolen counts */
    sleep_ms(300);
    same(count, 0);
    while (!count)
        check(now(CLOCK_PROCESS_CPUTIME_ID) - begin < 10000 * MS, "an expiry within its time");
    check(now(CLOCK_PROCESS_CPUTIME_ID) - begin >= 200 * MS, "not before its time");
    same(last_value, 3);
}

TEST(a_timer_on_thread_cpu_time_with_an_interval)
{
    catch (SIGUSR1);
    timer_t t = make(CLOCK_THREAD_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, 0);
    long long begin = now(CLOCK_THREAD_CPUTIME_ID);
    start(t, 10 * MS, 10 * MS);
    while (count + last_overrun < 3)
        check(now(CLOCK_THREAD_CPUTIME_ID) - begin < 10000 * MS, "an expiry within its time");
    check(now(CLOCK_THREAD_CPUTIME_ID) - begin >= 30 * MS, "not before its time");
    works(timer_delete(t));
}

TEST(a_timer_on_another_process_cpu_time)
{
    pid_t pid;
    clockid_t clock;
    catch (SIGUSR1);
    CHILD (pid) {
        for (;;)
            ;
    }
    same(clock_getcpuclockid(pid, &clock), 0);
    timer_t t = make(clock, SIGEV_SIGNAL, SIGUSR1, 0);
    start(t, 30 * MS, 0);
    wait_until(count == 1);
    check(now(clock) >= 30 * MS, "not before its time");
    works(kill(pid, SIGKILL));
    dies(pid, SIGKILL);
}

TEST(timer_create_refuses_nonsense)
{
    timer_t t;
    struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    fails(timer_create(1000, &e, &t), EINVAL);
    fails(timer_create(CLOCK_MONOTONIC_RAW, &e, &t), EOPNOTSUPP);
    fails(timer_create(CLOCK_MONOTONIC_COARSE, &e, &t), EOPNOTSUPP);
    e.sigev_signo = 0;
    fails(timer_create(CLOCK_MONOTONIC, &e, &t), EINVAL);
    e.sigev_signo = 65;
    fails(timer_create(CLOCK_MONOTONIC, &e, &t), EINVAL);
    e.sigev_signo = -1;
    fails(timer_create(CLOCK_MONOTONIC, &e, &t), EINVAL);
    e.sigev_signo = SIGUSR1;
    e.sigev_notify = 77;
    fails(timer_create(CLOCK_MONOTONIC, &e, &t), EINVAL);
    fails(syscall(SYS_timer_create, CLOCK_MONOTONIC, NOWHERE, &t), EFAULT);
    fails(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, NOWHERE), EFAULT);
}

TEST(the_other_calls_refuse_nonsense)
{
    timer_t t = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0);
    struct itimerspec it = every_ns(MS, 0);
    it.it_value.tv_nsec = 1000000000;
    fails(timer_settime(t, 0, &it, NULL), EINVAL);
    it.it_value.tv_nsec = -1;
    fails(timer_settime(t, 0, &it, NULL), EINVAL);
    it = every_ns(0, 0);
    it.it_interval.tv_sec = -1;
    fails(timer_settime(t, 0, &it, NULL), EINVAL);
    fails(syscall(SYS_timer_settime, 0, 0, NULL, NULL), EINVAL);
    fails(syscall(SYS_timer_settime, 0, 0, NOWHERE, NULL), EFAULT);
    fails(syscall(SYS_timer_gettime, 0, NOWHERE), EFAULT);
    works(timer_delete(t));
    it = every_ns(MS, 0);
    fails(syscall(SYS_timer_settime, 0, 0, &it, NULL), EINVAL);
    fails(syscall(SYS_timer_gettime, 0, &it), EINVAL);
    fails(syscall(SYS_timer_getoverrun, 0), EINVAL);
    fails(syscall(SYS_timer_delete, 0), EINVAL);
    fails(syscall(SYS_timer_delete, -1), EINVAL);
}

TEST(timers_count_against_the_limit_of_queued_signals)
{
    pid_t pid;
    CHILD (pid) {
        struct rlimit l = {3, 3};
        timer_t t;
        if (getuid() == 0)
            works(setuid(54399));
        works(setrlimit(RLIMIT_SIGPENDING, &l));
        for (int i = 0; i < 3; i++)
            works(timer_create(CLOCK_MONOTONIC, NULL, &t));
        fails(timer_create(CLOCK_MONOTONIC, NULL, &t), EAGAIN);
        works(timer_delete(t));
        works(timer_create(CLOCK_MONOTONIC, NULL, &t));
    }
    exits(pid, 0);
}

TEST(timers_are_not_inherited_by_fork)
{
    struct itimerspec it;
    pid_t pid;
    (void)make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0);
    CHILD (pid)
        fails(syscall(SYS_timer_gettime, 0, &it), EINVAL);
    exits(pid, 0);
}

TEST(timers_go_with_exec)
{
    pid_t pid;
    CHILD (pid) {
        timer_t t = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGKILL, 0);
        start(t, 2000 * MS, 0);
        execl("/bin/sleep", "sleep", "2.2", (char *)NULL);
    }
    exits(pid, 0);
}

TEST(a_pending_timer_signal_at_exit_harms_nobody)
{
    for (int i = 0; i < 10; i++) {
        pid_t pid;
        CHILD (pid) {
            mask(SIG_BLOCK, SIGUSR1);
            start(make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0), 1000, 1000);
            sleep_ms(2);
        }
        exits(pid, 0);
    }
}

int main(void)
{
    return tap_run("sigtimers");
}
