/* musl: eventfd and timerfd: counters and timers to wait for. */
#define _GNU_SOURCE
#include "tap.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>

#define MS 1000000L
#define SET_TICKS _IOW('T', 0, uint64_t) /* TFD_IOC_SET_TICKS, which not every library names */

static uint64_t get(int fd)
{
    uint64_t value;
    same(read(fd, &value, sizeof(value)), sizeof(value));
    return value;
}

static void add(int fd, uint64_t value)
{
    same(write(fd, &value, sizeof(value)), sizeof(value));
}

static int ready(int fd, short events)
{
    struct pollfd p = {fd, events, 0};
    works(poll(&p, 1, 0));
    return p.revents;
}

static void same_link(int fd, const char *expected)
{
    char name[64], link[64] = "";
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    works(readlink(name, link, sizeof(link) - 1));
    same_text(link, expected);
}

/* --- eventfd --- */

TEST(flags_are_checked_and_kept)
{
    fails(eventfd(0, 2), EINVAL);
    int fd = works(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    same(fcntl(fd, F_GETFD), FD_CLOEXEC);
    same(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR | O_NONBLOCK);
    same_link(fd, "anon_inode:[eventfd]");
}

TEST(writes_add_up_and_a_read_takes_all)
{
    int fd = works(eventfd(3, EFD_NONBLOCK));
    add(fd, 4);
    add(fd, 5);
    same(get(fd), 12);
    uint64_t value;
    fails(read(fd, &value, sizeof(value)), EAGAIN);
    add(fd, 0);
    fails(read(fd, &value, sizeof(value)), EAGAIN);
}

TEST(semaphore_gives_one_at_a_time)
{
    int fd = works(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK));
    uint64_t value;
    same(get(fd), 1);
    same(get(fd), 1);
    fails(read(fd, &value, sizeof(value)), EAGAIN);
}

TEST(eight_bytes_and_no_less)
{
    char bytes[16] = {1};
    int fd = works(eventfd(1, EFD_NONBLOCK));
    fails(read(fd, bytes, 7), EINVAL);
    fails(write(fd, bytes, 7), EINVAL);
    same(write(fd, bytes, 8), 8);
    same(read(fd, bytes, 16), 8);
    same(bytes[0], 2);
    fails(write(fd, NOWHERE, 8), EFAULT);
    same(lseek(fd, 5, SEEK_SET), 0); /* there are no places in it */
}

TEST(the_counter_does_not_overflow)
{
    int fd = works(eventfd(0, EFD_NONBLOCK));
    uint64_t most = UINT64_MAX - 1, all = UINT64_MAX, one = 1;
    fails(write(fd, &all, 8), EINVAL);
    add(fd, most);
    same(ready(fd, POLLIN | POLLOUT), POLLIN);
    fails(write(fd, &one, 8), EAGAIN);
    check(get(fd) == most, "all of it");
    same(ready(fd, POLLIN | POLLOUT), POLLOUT);
    add(fd, most - 1);
    same(ready(fd, POLLIN | POLLOUT), POLLIN | POLLOUT);
    add(fd, 1);
    same(ready(fd, POLLIN | POLLOUT), POLLIN);
}

TEST(a_reader_waits_for_a_writer)
{
    pid_t pid;
    int fd = works(eventfd(0, 0));
    CHILD (pid) {
        pause_a_little();
        add(fd, 9);
    }
    same(get(fd), 9);
    exits(pid, 0);
}

TEST(a_writer_waits_for_room)
{
    pid_t pid;
    int fd = works(eventfd(0, 0));
    add(fd, UINT64_MAX - 1);
    CHILD (pid) {
        add(fd, 5);
    }
    pause_a_little();
    check(get(fd) == UINT64_MAX - 1, "the first value");
    exits(pid, 0);
    same(get(fd), 5);
}

TEST(semaphore_wakes_as_many_as_it_counts)
{
    enum { N = 4 };
    pid_t pid[N];
    int fd = works(eventfd(0, EFD_SEMAPHORE));
    for (int i = 0; i < N; i++)
        CHILD (pid[i])
            same(get(fd), 1);
    pause_a_little();
    add(fd, N);
    for (int i = 0; i < N; i++)
        exits(pid[i], 0);
    same(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    uint64_t value;
    fails(read(fd, &value, 8), EAGAIN);
}

TEST(each_write_is_an_edge)
{
    struct epoll_event e = {EPOLLIN | EPOLLET, {.fd = 0}};
    int fd = works(eventfd(0, 0)), set = works(epoll_create1(0));
    works(epoll_ctl(set, EPOLL_CTL_ADD, fd, &e));
    for (int i = 0; i < 3; i++) {
        add(fd, 1);
        same(epoll_wait(set, &e, 1, 0), 1);
        same(epoll_wait(set, &e, 1, 0), 0);
    }
}

/* --- timerfd --- */

static struct itimerspec after_ms(long first, long interval)
{
    return (struct itimerspec){{interval / 1000, interval % 1000 * MS},
                               {first / 1000, first % 1000 * MS}};
}

TEST(timer_create_checks_its_arguments)
{
    fails(timerfd_create(99, 0), EINVAL);
    fails(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
    fails(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
    works(timerfd_create(CLOCK_REALTIME, 0));
    works(timerfd_create(CLOCK_BOOTTIME, 0));
    int fd = works(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    same(fcntl(fd, F_GETFD), FD_CLOEXEC);
    same(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    same_link(fd, "anon_inode:[timerfd]");
}

TEST(settime_checks_its_arguments)
{
    int fd = works(timerfd_create(CLOCK_MONOTONIC, 0)), other = works(eventfd(0, 0));
    struct itimerspec t = after_ms(1, 0), bad = {{0, 0}, {0, 1000000000}};
    fails(timerfd_settime(900, 0, &t, NULL), EBADF);
    fails(timerfd_settime(other, 0, &t, NULL), EINVAL);
    fails(timerfd_settime(fd, 4, &t, NULL), EINVAL);
    fails(timerfd_settime(fd, 0, &bad, NULL), EINVAL);
    bad = (struct itimerspec){{0, 0}, {-1, 0}};
    fails(timerfd_settime(fd, 0, &bad, NULL), EINVAL);
    fails(timerfd_settime(fd, 0, NOWHERE, NULL), EFAULT);
    fails(timerfd_gettime(other, &t), EINVAL);
    fails(timerfd_gettime(fd, NOWHERE), EFAULT);
    char byte[8];
    fails(read(fd, byte, 7), EINVAL);
    fails(write(fd, byte, 8), EINVAL);
}

TEST(a_timer_fires_once)
{
    int fd = works(timerfd_create(CLOCK_MONOTONIC, 0));
    struct itimerspec t = after_ms(5, 0);
    same(ready(fd, POLLIN), 0);
    works(timerfd_settime(fd, 0, &t, NULL));
    same(get(fd), 1);
    works(timerfd_gettime(fd, &t));
    same(t.it_value.tv_sec + t.it_value.tv_nsec, 0);
    works(fcntl(fd, F_SETFL, O_NONBLOCK));
    uint64_t n;
    fails(read(fd, &n, 8), EAGAIN);
}

TEST(an_interval_counts_what_was_not_read)
{
    int fd = works(timerfd_create(CLOCK_MONOTONIC, 0));
    struct itimerspec t = after_ms(2, 2);
    works(timerfd_settime(fd, 0, &t, NULL));
    nanosleep(&(struct timespec){0, 25 * MS}, NULL);
    uint64_t n = get(fd);
    check(n >= 12, "12 expiries in 25 ms, not %lu", (unsigned long)n);
    check(get(fd) >= 1, "and it goes on");
}

TEST(a_tiny_interval_is_no_storm)
{
    int fd = works(timerfd_create(CLOCK_MONOTONIC, 0));
    struct itimerspec t = {{0, 1}, {0, 1}};
    works(timerfd_settime(fd, 0, &t, NULL));
    nanosleep(&(struct timespec){0, 5 * MS}, NULL);
    check(get(fd) >= 5 * MS, "an expiry each nanosecond");
}

TEST(gettime_tells_what_is_left)
{
    int fd = works(timerfd_create(CLOCK_REALTIME, 0));
    struct itimerspec t = {{7, 8}, {100, 0}}, old;
    works(timerfd_settime(fd, 0, &t, NULL));
    works(timerfd_gettime(fd, &t));
    same(t.it_interval.tv_sec, 7);
    same(t.it_interval.tv_nsec, 8);
    check(t.it_value.tv_sec >= 90 && t.it_value.tv_sec <= 100, "nearly 100 seconds");
    t = after_ms(0, 0);
    works(timerfd_settime(fd, 0, &t, &old));
    same(old.it_interval.tv_sec, 7);
    check(old.it_value.tv_sec >= 90 && old.it_value.tv_sec <= 100, "nearly 100 seconds");
    works(timerfd_gettime(fd, &t));
    same(t.it_value.tv_sec, 0);
}

static struct timespec ms_before(struct timespec t, long ms)
{
    t.tv_nsec -= ms * MS;
    if (t.tv_nsec < 0) {
        t.tv_nsec += 1000 * MS;
        t.tv_sec--;
    }
    return t;
}

TEST(absolute_times_of_both_clocks)
{
    int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC};
    for (int i = 0; i < 2; i++) {
        int fd = works(timerfd_create(clocks[i], 0));
        struct itimerspec t = {0};
        nanosleep(&(struct timespec){0, 30 * MS}, NULL);
        works(clock_gettime(clocks[i], &t.it_value));
        t.it_value = ms_before(t.it_value, 5); /* gone by: at once */
        works(timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL));
        same(get(fd), 1);
        works(clock_gettime(clocks[i], &t.it_value));
        t.it_value = ms_before(t.it_value, 25);
        t.it_interval.tv_nsec = 10 * MS;
        works(timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL));
        uint64_t n = get(fd);
        check(n >= 3, "expiries 25, 15 and 5 ms ago, not %lu", (unsigned long)n);
    }
}

TEST(setting_it_anew_forgets_what_was_not_read)
{
    int fd = works(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
    struct itimerspec t = after_ms(1, 0), later = after_ms(100000, 0);
    uint64_t n;
    works(timerfd_settime(fd, 0, &t, NULL));
    wait_until(ready(fd, POLLIN) == POLLIN);
    works(timerfd_settime(fd, 0, &later, NULL));
    same(ready(fd, POLLIN), 0);
    fails(read(fd, &n, 8), EAGAIN);
}

TEST(a_timer_wakes_epoll)
{
    struct epoll_event e = {EPOLLIN, {.fd = 0}};
    int fd = works(timerfd_create(CLOCK_MONOTONIC, 0)), set = works(epoll_create1(0));
    struct itimerspec t = after_ms(5, 0);
    works(epoll_ctl(set, EPOLL_CTL_ADD, fd, &e));
    works(timerfd_settime(fd, 0, &t, NULL));
    same(epoll_wait(set, &e, 1, 60000), 1);
    same(get(fd), 1);
}

TEST(ticks_can_be_set)
{
    int fd = works(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
    uint64_t n = 0;
    fails(ioctl(fd, SET_TICKS, &n), EINVAL);
    n = 5;
    works(ioctl(fd, SET_TICKS, &n));
    same(get(fd), 5);
}

int main(void)
{
    return tap_run("eventfd");
}
