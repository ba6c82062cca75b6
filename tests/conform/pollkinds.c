/* musl: poll and select on every kind of file: what is ready, and what wakes the sleeper. */
#define _GNU_SOURCE
#include "tap.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#define ALL (POLLIN | POLLOUT | POLLPRI | POLLRDNORM | POLLWRNORM | POLLRDBAND | POLLWRBAND)

static int p[2];
static char block[65536];

static int now(int fd)
{
    struct pollfd entry = {fd, ALL, 0x7fff};
    int n = works(poll(&entry, 1, 0));
    same(n, entry.revents != 0);
    return entry.revents;
}

/* 1: readable, 2: writable, 4: exceptional, as select says. */
static int selected(int fd)
{
    fd_set set[3];
    struct timeval none = {0, 0};
    for (int i = 0; i < 3; i++) {
        FD_ZERO(&set[i]);
        FD_SET(fd, &set[i]);
    }
    int n = works(select(fd + 1, &set[0], &set[1], &set[2], &none)), bits = 0;
    for (int i = 0; i < 3; i++)
        bits |= (FD_ISSET(fd, &set[i]) != 0) << i;
    same(n, (bits & 1) + (bits >> 1 & 1) + (bits >> 2));
    return bits;
}

/* Sleep in poll for EVENTS on FD until the child, which does ACTION a little later, has ended. */
#define WAKES(fd, events, got, action)              \
    do {                                            \
        pid_t pid_;                                 \
        struct pollfd entry_ = {(fd), (events), 0}; \
        same(poll(&entry_, 1, 0), 0);               \
        CHILD (pid_) {                              \
            pause_a_little();                       \
            pause_a_little();                       \
            action;                                 \
        }                                           \
        same(poll(&entry_, 1, 60000), 1);           \
        same(entry_.revents, (got));                \
        exits(pid_, 0);                             \
    } while (0)

TEST(a_regular_file_is_ready)
{
    make_file("f", "");
    int fd = works(open("f", O_RDWR));
    same(now(fd), POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
    same(selected(fd), 3);
    fd = works(open("f", O_RDONLY));
    same(now(fd), POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
}

TEST(a_directory_is_ready)
{
    int fd = works(open(".", O_RDONLY));
    same(now(fd), POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
    same(selected(fd), 3);
}

TEST(null_and_zero_are_ready)
{
    int all = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
    same(now(works(open("/dev/null", O_RDWR))), all);
    same(now(works(open("/dev/zero", O_RDWR))), all);
    same(now(works(open("/dev/full", O_RDWR))), all);
    same(now(works(open("/dev/urandom", O_RDONLY))), all);
    same(selected(works(open("/dev/null", O_RDONLY))), 3);
}

TEST(a_proc_file_is_ready)
{
    same(now(works(open("/proc/self/stat", O_RDONLY))), POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
}

TEST(a_place_in_the_tree_is_none)
{
    struct pollfd entry = {works(open(".", O_PATH)), POLLIN, 0};
    same(poll(&entry, 1, 0), 1);
    same(entry.revents, POLLNVAL);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(entry.fd, &set);
    same(select(entry.fd + 1, &set, NULL, NULL, NULL), 1); /* it would not wait */
}

TEST(a_pipes_ends)
{
    works(pipe(p));
    same(now(p[0]), 0);
    same(now(p[1]), POLLOUT | POLLWRNORM);
    same(selected(p[0]), 0);
    same(selected(p[1]), 2);
    same(write(p[1], block, sizeof(block)), sizeof(block));
    same(now(p[0]), POLLIN | POLLRDNORM);
    same(now(p[1]), 0);
    same(selected(p[0]), 1);
    same(selected(p[1]), 0);
}

TEST(a_pipe_without_a_writer_is_readable_to_select)
{
    works(pipe(p));
    works(close(p[1]));
    same(now(p[0]), POLLHUP);
    same(selected(p[0]), 1);
}

TEST(a_pipe_without_a_reader_is_all_to_select)
{
    works(pipe(p));
    works(close(p[0]));
    same(now(p[1]), POLLOUT | POLLWRNORM | POLLERR);
    same(selected(p[1]), 3);
    works(pipe(p));
    same(write(p[1], block, sizeof(block)), sizeof(block));
    works(close(p[0]));
    same(now(p[1]), POLLERR);
}

TEST(a_full_pipe_is_writable_when_a_page_is_free)
{
    works(pipe(p));
    same(write(p[1], block, sizeof(block)), sizeof(block));
    same(read(p[0], block, 4095), 4095);
    same(now(p[1]), 0);
    same(read(p[0], block, 1), 1);
    same(now(p[1]), POLLOUT | POLLWRNORM);
}

TEST(a_pipe_wakes_its_reader)
{
    works(pipe(p));
    WAKES(p[0], POLLIN, POLLIN, same(write(p[1], "x", 1), 1));
}

TEST(a_pipe_wakes_its_writer)
{
    works(pipe(p));
    same(write(p[1], block, sizeof(block)), sizeof(block));
    WAKES(p[1], POLLOUT, POLLOUT, same(read(p[0], block, 4096), 4096));
}

TEST(a_pipe_wakes_its_writer_when_it_grows)
{
    works(pipe(p));
    same(write(p[1], block, sizeof(block)), sizeof(block));
    WAKES(p[1], POLLOUT, POLLOUT, works(fcntl(p[0], F_SETPIPE_SZ, 131072)));
}

TEST(a_pipe_wakes_its_writer_when_the_reader_goes)
{
    pid_t pid;
    works(pipe(p));
    same(write(p[1], block, sizeof(block)), sizeof(block));
    CHILD (pid) {
        works(close(p[1]));
        pause_a_little();
    }
    works(close(p[0]));
    struct pollfd entry = {p[1], POLLOUT, 0};
    same(poll(&entry, 1, 60000), 1);
    check(entry.revents & POLLERR, "POLLERR");
    exits(pid, 0);
}

TEST(a_fifo_open_for_both)
{
    works(mkfifo("fifo", 0600));
    int fd = works(open("fifo", O_RDWR));
    same(now(fd), POLLOUT | POLLWRNORM);
    same(write(fd, "x", 1), 1);
    same(now(fd), POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
    same(selected(fd), 3);
}

TEST(a_fifo_wakes_its_reader_when_a_writer_comes_and_goes)
{
    works(mkfifo("fifo", 0600));
    int fd = works(open("fifo", O_RDONLY | O_NONBLOCK));
    WAKES(fd, POLLIN, POLLHUP, works(close(works(open("fifo", O_WRONLY)))));
}

TEST(an_eventfd)
{
    uint64_t much = UINT64_MAX - 1, n;
    int fd = works(eventfd(0, 0));
    same(now(fd), POLLOUT);
    same(selected(fd), 2);
    same(write(fd, &much, 8), 8);
    same(now(fd), POLLIN);
    same(selected(fd), 1);
    same(read(fd, &n, 8), 8);
    n = 1;
    WAKES(fd, POLLIN, POLLIN, same(write(fd, &n, 8), 8));
}

TEST(a_timerfd)
{
    struct itimerspec in = {{0, 0}, {0, 20000000}};
    int fd = works(timerfd_create(CLOCK_MONOTONIC, 0));
    same(now(fd), 0);
    same(selected(fd), 0);
    works(timerfd_settime(fd, 0, &in, NULL));
    struct pollfd entry = {fd, POLLIN, 0};
    same(poll(&entry, 1, 60000), 1);
    same(now(fd), POLLIN);
    same(selected(fd), 1);
}

TEST(a_signalfd)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    works(sigprocmask(SIG_BLOCK, &set, NULL));
    int fd = works(signalfd(-1, &set, 0));
    same(now(fd), 0);
    pid_t self = getpid();
    WAKES(fd, POLLIN, POLLIN, works(kill(self, SIGUSR1)));
    same(now(fd), POLLIN);
    same(selected(fd), 1);
}

TEST(a_pidfd)
{
    pid_t pid;
    CHILD (pid) {
        for (int i = 0; i < 5; i++)
            pause_a_little();
    }
    int fd = works((int)syscall(SYS_pidfd_open, pid, 0));
    struct pollfd entry = {fd, POLLIN, 0};
    same(poll(&entry, 1, 60000), 1);
    same(entry.revents & POLLIN, POLLIN);
    same(selected(fd), 1);
    exits(pid, 0);
}

TEST(an_epoll_set)
{
    works(pipe(p));
    int set = works(epoll_create1(0));
    struct epoll_event e = {.events = EPOLLIN};
    works(epoll_ctl(set, EPOLL_CTL_ADD, p[0], &e));
    same(now(set), 0);
    same(selected(set), 0);
    WAKES(set, POLLIN, POLLIN, same(write(p[1], "x", 1), 1));
    same(now(set), POLLIN | POLLRDNORM);
    same(selected(set), 1);
}

TEST(nothing_asked_is_told_errors_alone)
{
    works(pipe(p));
    same(write(p[1], "x", 1), 1);
    struct pollfd entry = {p[0], 0, 0x7fff};
    same(poll(&entry, 1, 0), 0);
    same(entry.revents, 0);
    works(close(p[1]));
    same(poll(&entry, 1, 0), 1);
    same(entry.revents, POLLHUP);
}

TEST(one_descriptor_many_times)
{
    works(pipe(p));
    struct pollfd entries[5] = {{p[0], POLLIN, 0},
                                {p[0], POLLIN, 0},
                                {p[1], POLLOUT, 0},
                                {p[0], POLLOUT, 0},
                                {-1, POLLIN, 7}};
    same(write(p[1], "x", 1), 1);
    same(poll(entries, 5, 0), 3);
    same(entries[0].revents, POLLIN);
    same(entries[1].revents, POLLIN);
    same(entries[2].revents, POLLOUT);
    same(entries[3].revents, 0);
    same(entries[4].revents, 0);
}

TEST(many_kinds_in_one_call)
{
    int event = works(eventfd(0, 0)), timer = works(timerfd_create(CLOCK_MONOTONIC, 0));
    pid_t pid;
    works(pipe(p));
    struct pollfd entries[4] = {
        {event, POLLIN, 0}, {timer, POLLIN, 0}, {p[0], POLLIN, 0}, {99, POLLIN, 0}};
    same(poll(entries, 4, -1), 1); /* a bad one doesn't wait */
    same(entries[3].revents, POLLNVAL);
    CHILD (pid) {
        pause_a_little();
        same(write(p[1], "x", 1), 1);
    }
    same(poll(entries, 3, -1), 1);
    same(entries[2].revents, POLLIN);
    exits(pid, 0);
}

TEST(all_sleepers_are_woken)
{
    enum { SLEEPERS = 6 };
    pid_t pid[SLEEPERS];
    works(pipe(p));
    for (int i = 0; i < SLEEPERS; i++)
        CHILD (pid[i]) {
            struct pollfd entry = {p[0], POLLIN, 0};
            same(poll(&entry, 1, 60000), 1);
        }
    pause_a_little();
    same(write(p[1], "x", 1), 1);
    for (int i = 0; i < SLEEPERS; i++)
        exits(pid[i], 0);
}

int main(void)
{
    return tap_run("pollkinds");
}
