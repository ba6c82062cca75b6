/* musl: alarm and interval timers: when they expire, what they say, and what ends them. */
#define _GNU_SOURCE
#include "tap.h"

#include <sys/resource.h>

#include "sigtime.h"

TEST(alarm_sends_sigalrm_once)
{
    catch (SIGALRM);
    same(alarm(1), 0);
    wait_until(count == 1);
    same(last_code, SI_KERNEL);
    same(alarm(0), 0);
}

static long long seconds_nearest(long long us)
{
    return us < 500000 ? 1 : (us + 500000) / 1000000;
}

/* LEFT is what alarm() tells of a timer that was set to US, at BEGIN or later: some time may have passed since. */
static void is_rest(long left, long long us, long long begin)
{
    long long passed = (now(CLOCK_MONOTONIC) - begin) / 1000 + 1;
    check(left <= seconds_nearest(us) && left >= seconds_nearest(us - passed),
          "%ld s left of %lld us, after %lld us", left, us, passed);
}

TEST(alarm_tells_what_was_left)
{
    long long begin = now(CLOCK_MONOTONIC);
    same(alarm(100), 0);
    is_rest(alarm(50), 100000000, begin);
    begin = now(CLOCK_MONOTONIC);
    (void)alarm(50);
    is_rest(alarm(0), 50000000, begin);
    same(alarm(0), 0);
}

TEST(alarm_rounds_to_the_nearest_second_but_not_to_none)
{
    static const long start[] = {100400000, 100900000, 30300000};
    for (int i = 0; i < 3; i++) {
        struct itimerval it = every_us(start[i], 0);
        long long begin = now(CLOCK_MONOTONIC);
        works(setitimer(ITIMER_REAL, &it, NULL));
        is_rest(syscall(SYS_alarm, 0), start[i], begin);
    }
    catch (SIGALRM);
    struct itimerval it = every_us(300000, 0);
    works(setitimer(ITIMER_REAL, &it, NULL));
    long left = syscall(SYS_alarm, 0);
    check(left == 1 || (left == 0 && count == 1), "one second, not %ld", left);
}

TEST(an_alarm_kills_by_default)
{
    pid_t pid;
    CHILD (pid) {
        struct itimerval it = every_us(10000, 0);
        works(setitimer(ITIMER_REAL, &it, NULL));
        for (;;)
            pause();
    }
    dies(pid, SIGALRM);
}

TEST(a_real_timer_with_an_interval_goes_on)
{
    struct itimerval it = every_us(5000, 5000);
    catch (SIGALRM);
    works(setitimer(ITIMER_REAL, &it, NULL));
    wait_until(count >= 5);
    works(getitimer(ITIMER_REAL, &it));
    same(it.it_interval.tv_usec, 5000);
}

TEST(a_real_timer_that_nobody_takes_is_pending_once)
{
    struct itimerval it = every_us(1000, 1000);
    catch (SIGALRM);
    mask(SIG_BLOCK, SIGALRM);
    works(setitimer(ITIMER_REAL, &it, NULL));
    sleep_ms(50);
    same(count, 0);
    check(is_pending(SIGALRM), "pending");
    it = every_us(0, 0);
    works(setitimer(ITIMER_REAL, &it, NULL));
    mask(SIG_UNBLOCK, SIGALRM);
    same(count, 1);
}

TEST(a_real_timer_goes_on_after_its_signal_was_taken)
{
    struct itimerval it = every_us(1000, 1000);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    mask(SIG_BLOCK, SIGALRM);
    works(setitimer(ITIMER_REAL, &it, NULL));
    for (int i = 0; i < 5; i++) {
        int sig = 0;
        same(sigwait(&set, &sig), 0);
        same(sig, SIGALRM);
    }
}

TEST(getitimer_tells_what_is_left)
{
    struct itimerval it = every_us(50000000, 7), old;
    works(setitimer(ITIMER_REAL, &it, NULL));
    works(getitimer(ITIMER_REAL, &it));
    check(it.it_value.tv_sec >= 40 && it.it_value.tv_sec <= 50, "about 50 s left");
    same(it.it_interval.tv_usec, 7);
    it = every_us(0, 0);
    works(setitimer(ITIMER_REAL, &it, &old));
    check(old.it_value.tv_sec >= 40 && old.it_value.tv_sec <= 50, "about 50 s were left");
    works(getitimer(ITIMER_REAL, &it));
    same(it.it_value.tv_sec + it.it_value.tv_usec, 0);
}

TEST(itimers_refuse_nonsense)
{
    struct itimerval it = every_us(1000000, 0);
    fails(setitimer(3, &it, NULL), EINVAL);
    fails(setitimer(-1, &it, NULL), EINVAL);
    fails(getitimer(3, &it), EINVAL);
    it.it_value.tv_usec = 1000000;
    fails(setitimer(ITIMER_REAL, &it, NULL), EINVAL);
    it.it_value.tv_usec = -1;
    fails(setitimer(ITIMER_REAL, &it, NULL), EINVAL);
    it = every_us(0, 0);
    it.it_interval.tv_sec = -1;
    fails(setitimer(ITIMER_REAL, &it, NULL), EINVAL);
    fails(setitimer(ITIMER_REAL, NOWHERE, NULL), EFAULT);
    fails(getitimer(ITIMER_REAL, NOWHERE), EFAULT);
}

TEST(a_virtual_timer_counts_user_time)
{
    /* Much more than the calls take, where time that is stolen counts. */
    struct itimerval it = every_us(200000, 20000);
    catch (SIGVTALRM);
    works(setitimer(ITIMER_VIRTUAL, &it, NULL));
    sleep_ms(300);
    same(count, 0);
    long long end = now(CLOCK_MONOTONIC) + 200000 * MS;
    while (count < 3 && now(CLOCK_MONOTONIC) < end)
        for (volatile int i = 0; i < 100000; i++)
            ;
    check(count >= 3, "three expiries, got %d", count);
}

TEST(a_prof_timer_counts_all_cpu_time)
{
    struct itimerval it = every_us(200000, 20000);
    catch (SIGPROF);
    long long begin = now(CLOCK_PROCESS_CPUTIME_ID);
    works(setitimer(ITIMER_PROF, &it, NULL));
    sleep_ms(300);
    same(count, 0);
    while (count < 3)
        check(now(CLOCK_PROCESS_CPUTIME_ID) - begin < 10000 * MS, "an expiry within its time");
    /* Linux counts it in ticks, of which a busy machine may have more than it has run. */
    long long least = access("/proc/kstat", F_OK) == 0 ? 240 * MS : 60 * MS;
    check(now(CLOCK_PROCESS_CPUTIME_ID) - begin >= least, "not before its time");
}

TEST(a_cpu_timer_once_fires_once)
{
    struct itimerval it = every_us(10000, 0);
    catch (SIGPROF);
    works(setitimer(ITIMER_PROF, &it, NULL));
    burn_ms(80);
    same(count, 1);
    works(getitimer(ITIMER_PROF, &it));
    same(it.it_value.tv_sec + it.it_value.tv_usec, 0);
}

TEST(a_prof_timer_kills_by_default)
{
    pid_t pid;
    CHILD (pid) {
        struct itimerval it = every_us(10000, 0);
        works(setitimer(ITIMER_PROF, &it, NULL));
        for (;;)
            ;
    }
    dies(pid, SIGPROF);
}

TEST(interval_timers_are_not_inherited_by_fork)
{
    struct itimerval it = every_us(100000000, 0);
    pid_t pid;
    works(setitimer(ITIMER_REAL, &it, NULL));
    works(setitimer(ITIMER_PROF, &it, NULL));
    CHILD (pid) {
        works(getitimer(ITIMER_REAL, &it));
        same(it.it_value.tv_sec, 0);
        works(getitimer(ITIMER_PROF, &it));
        same(it.it_value.tv_sec, 0);
    }
    exits(pid, 0);
}

TEST(an_alarm_survives_exec)
{
    pid_t pid;
    CHILD (pid) {
        struct itimerval it = every_us(100000, 0);
        works(setitimer(ITIMER_REAL, &it, NULL));
        execl("/bin/sleep", "sleep", "20", (char *)NULL);
    }
    dies(pid, SIGALRM);
}

TEST(cpu_limit_sends_sigxcpu_then_sigkill)
{
    pid_t pid;
    CHILD (pid) {
        struct rlimit l = {1, 2};
        catch (SIGXCPU);
        works(setrlimit(RLIMIT_CPU, &l));
        while (!count)
            ;
        /* The limit may be counted in ticks, which a busy host's guest sees more of than it has run. */
        check(now(CLOCK_PROCESS_CPUTIME_ID) >= 500 * MS, "not long before its time");
        for (;;)
            ;
    }
    dies(pid, SIGKILL);
}

int main(void)
{
    return tap_run("sigalarm");
}
