/* musl: poll, ppoll, select and pselect on pipes and files. */
#define _GNU_SOURCE
#include "tap.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>

static int p[2];

static int poll_one(int fd, short events, int timeout, short *revents)
{
    struct pollfd entry = {fd, events, 0x7fff};
    int n = poll(&entry, 1, timeout);
    *revents = entry.revents;
    return n;
}

static long milliseconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

TEST(empty_pipe_is_writable_only)
{
    short got;
    works(pipe(p));
    same(poll_one(p[0], POLLIN, 0, &got), 0);
    same(got, 0);
    same(poll_one(p[1], POLLOUT, 0, &got), 1);
    same(got, POLLOUT);
}

TEST(pipe_with_bytes_is_readable)
{
    short got;
    works(pipe(p));
    same(write(p[1], "x", 1), 1);
    same(poll_one(p[0], POLLIN | POLLRDNORM, 0, &got), 1);
    same(got, POLLIN | POLLRDNORM);
}

TEST(full_pipe_is_not_writable)
{
    static char block[65536];
    short got;
    works(pipe(p));
    same(write(p[1], block, sizeof(block)), sizeof(block));
    same(poll_one(p[1], POLLOUT, 0, &got), 0);
    same(read(p[0], block, sizeof(block)), sizeof(block));
    same(poll_one(p[1], POLLOUT, 0, &got), 1);
}

TEST(hangup_is_told_unasked)
{
    short got;
    works(pipe(p));
    same(write(p[1], "x", 1), 1);
    works(close(p[1]));
    same(poll_one(p[0], POLLIN, 0, &got), 1);
    same(got, POLLIN | POLLHUP);
    char c;
    same(read(p[0], &c, 1), 1);
    same(poll_one(p[0], 0, 0, &got), 1);
    same(got, POLLHUP);
}

TEST(no_reader_is_an_error_for_the_writer)
{
    short got;
    works(pipe(p));
    works(close(p[0]));
    same(poll_one(p[1], POLLOUT, 0, &got), 1);
    same(got, POLLOUT | POLLERR);
}

TEST(bad_descriptors_are_nval_and_negative_ones_skipped)
{
    short got;
    same(poll_one(99, POLLIN, 0, &got), 1);
    same(got, POLLNVAL);
    same(poll_one(-1, POLLIN, 0, &got), 0);
    same(got, 0);
}

TEST(files_are_always_ready)
{
    short got;
    make_file("f", "");
    int fd = works(open("f", O_RDWR));
    same(poll_one(fd, POLLIN | POLLOUT, 0, &got), 1);
    same(got, POLLIN | POLLOUT);
}

TEST(timeout_passes)
{
    short got;
    works(pipe(p));
    long start = milliseconds();
    same(poll_one(p[0], POLLIN, 20, &got), 0);
    check(milliseconds() - start >= 19, "20 ms at least");
    start = milliseconds();
    same(poll(NULL, 0, 10), 0);
    check(milliseconds() - start >= 9, "also with nothing to wait for");
    same(poll_one(-5, POLLIN, 10, &got), 0);
}

TEST(a_write_wakes_the_poller)
{
    short got;
    pid_t pid;
    works(pipe(p));
    CHILD (pid) {
        for (int i = 0; i < 5; i++)
            pause_a_little();
        same(write(p[1], "x", 1), 1);
    }
    same(poll_one(p[0], POLLIN, -1, &got), 1);
    same(got, POLLIN);
    exits(pid, 0);
}

TEST(the_last_close_wakes_the_poller)
{
    short got;
    pid_t pid;
    works(pipe(p));
    CHILD (pid) {
        works(close(p[0]));
        for (int i = 0; i < 5; i++)
            pause_a_little();
    }
    works(close(p[1]));
    same(poll_one(p[0], POLLIN, -1, &got), 1);
    same(got, POLLHUP);
    exits(pid, 0);
}

TEST(many_are_watched_at_once)
{
    enum { N = 100 };
    struct pollfd entries[N];
    int ends[N];
    struct rlimit limit = {1000, 1000};
    works(setrlimit(RLIMIT_NOFILE, &limit));
    for (int i = 0; i < N; i++) {
        works(pipe(p));
        entries[i] = (struct pollfd){p[0], POLLIN, 0};
        ends[i] = p[1];
    }
    same(poll(entries, N, 0), 0);
    same(write(ends[77], "x", 1), 1);
    same(write(ends[3], "x", 1), 1);
    same(poll(entries, N, -1), 2);
    for (int i = 0; i < N; i++)
        same(entries[i].revents, i == 3 || i == 77 ? POLLIN : 0);
}

TEST(poll_checks_its_arguments)
{
    struct rlimit limit = {50, 50};
    struct pollfd entries[60] = {{0, 0, 0}};
    fails(syscall(SYS_poll, NOWHERE, 1, 0), EFAULT);
    works(setrlimit(RLIMIT_NOFILE, &limit));
    fails(poll(entries, 60, 0), EINVAL);
    struct timespec bad = {0, 1000000000};
    fails(ppoll(entries, 1, &bad, NULL), EINVAL);
    fails(syscall(SYS_ppoll, entries, 1, NULL, entries, 3), EINVAL);
}

TEST(select_reports_readable_and_writable)
{
    fd_set r, w;
    struct timeval now = {0, 0};
    works(pipe(p));
    FD_ZERO(&r);
    FD_ZERO(&w);
    FD_SET(p[0], &r);
    FD_SET(p[1], &w);
    same(select(p[1] + 1, &r, &w, NULL, &now), 1);
    check(!FD_ISSET(p[0], &r), "not readable");
    check(FD_ISSET(p[1], &w), "writable");
    same(write(p[1], "x", 1), 1);
    FD_SET(p[0], &r);
    same(select(p[1] + 1, &r, NULL, NULL, NULL), 1);
    check(FD_ISSET(p[0], &r), "readable now");
}

TEST(select_looks_below_nfds_only)
{
    fd_set r;
    struct timeval now = {0, 0};
    works(pipe(p));
    works(close(p[1]));
    FD_ZERO(&r);
    FD_SET(p[0], &r);
    same(select(p[0], &r, NULL, NULL, &now), 0);
    FD_SET(p[0], &r);
    same(select(p[0] + 1, &r, NULL, NULL, &now), 1);
}

TEST(select_writes_back_the_time_left)
{
    struct timeval left = {1000, 0};
    fd_set w;
    works(pipe(p));
    FD_ZERO(&w);
    FD_SET(p[1], &w);
    same(syscall(SYS_select, p[1] + 1, NULL, &w, NULL, &left), 1);
    check(left.tv_sec <= 1000 && left.tv_sec >= 800, "about a thousand seconds");
    left = (struct timeval){0, 10000};
    same(syscall(SYS_select, 0, NULL, NULL, NULL, &left), 0);
    same(left.tv_sec, 0);
    same(left.tv_usec, 0);
}

TEST(select_checks_its_arguments)
{
    fd_set r;
    FD_ZERO(&r);
    FD_SET(20, &r);
    fails(select(21, &r, NULL, NULL, NULL), EBADF);
    fails(select(-1, NULL, NULL, NULL, NULL), EINVAL);
    struct timeval bad = {-1, 0};
    fails(syscall(SYS_select, 0, NULL, NULL, NULL, &bad), EINVAL);
    fails(syscall(SYS_select, 1, NOWHERE, NULL, NULL, NULL), EFAULT);
}

TEST(pselect_and_ppoll_swap_the_mask)
{
    pid_t pid;
    CHILD (pid) {
        sigset_t block, none;
        sigemptyset(&block);
        sigemptyset(&none);
        sigaddset(&block, SIGTERM);
        works(sigprocmask(SIG_BLOCK, &block, NULL));
        works(raise(SIGTERM));
        ppoll(NULL, 0, NULL, &none);
    }
    dies(pid, SIGTERM);
    CHILD (pid) {
        sigset_t block, none;
        sigemptyset(&block);
        sigemptyset(&none);
        sigaddset(&block, SIGTERM);
        works(sigprocmask(SIG_BLOCK, &block, NULL));
        works(raise(SIGTERM));
        pselect(0, NULL, NULL, NULL, NULL, &none);
    }
    dies(pid, SIGTERM);
}

TEST(select_finds_an_o_path_descriptor_in_every_set)
{
    fd_set set[3];
    struct timeval now = {0, 0};
    int fd = works(open(".", O_PATH));
    for (int i = 0; i < 3; i++) {
        FD_ZERO(&set[i]);
        FD_SET(fd, &set[i]);
    }
    same(select(fd + 1, &set[0], &set[1], &set[2], &now), 3);
    works(close(fd));
    fails(select(fd + 1, &set[0], NULL, NULL, &now), EBADF);
}

int main(void)
{
    return tap_run("polls");
}
