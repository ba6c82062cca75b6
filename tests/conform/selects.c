/* musl: poll and select: sets, times, signals, and descriptors that change while somebody waits. */
#define _GNU_SOURCE
#include "tap.h"

#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>

static int p[2];
static char block[65536];

static void nothing(int sig)
{
    (void)sig;
}

static void on_alarm(int flags)
{
    struct sigaction act = {.sa_handler = nothing, .sa_flags = flags};
    works(sigaction(SIGALRM, &act, NULL));
}

/* SIGALRM soon, and again: the first may come before the call that it is to interrupt. */
static void alarm_soon(void)
{
    struct itimerval in = {{0, 20000}, {0, 5000}};
    works(setitimer(ITIMER_REAL, &in, NULL));
}

/* A child that shares our descriptors, and only those. */
static pid_t fork_with_our_files(void)
{
    return (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
}

static long milliseconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

TEST(a_descriptor_counts_in_each_set)
{
    fd_set r, w;
    works(mkfifo("fifo", 0600));
    int fd = works(open("fifo", O_RDWR));
    same(write(fd, "x", 1), 1);
    FD_ZERO(&r);
    FD_ZERO(&w);
    FD_SET(fd, &r);
    FD_SET(fd, &w);
    same(select(fd + 1, &r, &w, NULL, NULL), 2);
}

TEST(sets_are_cleared_when_the_time_is_up)
{
    fd_set r, e;
    struct timeval soon = {0, 1000};
    works(pipe(p));
    FD_ZERO(&r);
    FD_ZERO(&e);
    FD_SET(p[0], &r);
    FD_SET(p[1], &e);
    same(select(p[1] + 1, &r, NULL, &e, &soon), 0);
    check(!FD_ISSET(p[0], &r) && !FD_ISSET(p[1], &e), "empty sets");
}

TEST(sets_are_as_they_were_after_an_error)
{
    fd_set r;
    FD_ZERO(&r);
    FD_SET(0, &r);
    FD_SET(50, &r);
    fails(select(51, &r, NULL, NULL, NULL), EBADF);
    check(FD_ISSET(0, &r) && FD_ISSET(50, &r), "both still in");
}

TEST(high_descriptors_work)
{
    fd_set r;
    struct rlimit limit = {1024, 1024};
    works(setrlimit(RLIMIT_NOFILE, &limit));
    works(pipe(p));
    works(dup2(p[0], 1023));
    same(write(p[1], "x", 1), 1);
    FD_ZERO(&r);
    FD_SET(1023, &r);
    FD_SET(p[0], &r);
    same(select(1024, &r, NULL, NULL, NULL), 2);
    check(FD_ISSET(1023, &r), "1023 is ready");
}

TEST(bits_beyond_nfds_are_not_looked_at)
{
    fd_set r;
    works(pipe(p));
    memset(&r, 0xff, sizeof(r));
    struct timeval none = {0, 0};
    same(select(0, &r, NULL, NULL, &none), 0);
    FD_ZERO(&r);
    FD_SET(p[0], &r);
    FD_SET(63, &r); /* closed, in the same word */
    same(select(p[0] + 1, &r, NULL, NULL, &none), 0);
}

TEST(a_set_without_members_only_sleeps)
{
    struct timeval soon = {0, 5000};
    long start = milliseconds();
    same(select(0, NULL, NULL, NULL, &soon), 0);
    check(milliseconds() - start >= 4, "5 ms at least");
    struct timespec now = {0, 0}, tiny = {0, 1};
    same(pselect(0, NULL, NULL, NULL, &now, NULL), 0);
    same(pselect(0, NULL, NULL, NULL, &tiny, NULL), 0);
    same(ppoll(NULL, 0, &tiny, NULL), 0);
}

TEST(microseconds_may_exceed_a_second)
{
    struct timeval t = {0, 2000000};
    fd_set w;
    works(pipe(p));
    FD_ZERO(&w);
    FD_SET(p[1], &w);
    same(syscall(SYS_select, p[1] + 1, NULL, &w, NULL, &t), 1);
    check(t.tv_sec >= 1 && t.tv_usec < 1000000, "normal form");
    t = (struct timeval){0, -1};
    fails(syscall(SYS_select, 0, NULL, NULL, NULL, &t), EINVAL);
}

TEST(nanoseconds_may_not)
{
    struct timespec t = {0, 1000000000};
    fails(pselect(0, NULL, NULL, NULL, &t, NULL), EINVAL);
    t = (struct timespec){-1, 0};
    fails(pselect(0, NULL, NULL, NULL, &t, NULL), EINVAL);
    fails(ppoll(NULL, 0, &t, NULL), EINVAL);
    fails(syscall(SYS_ppoll, NULL, 0, NOWHERE, NULL, 8), EFAULT);
    fails(syscall(SYS_pselect6, 0, NULL, NULL, NULL, NOWHERE, NULL), EFAULT);
}

TEST(what_is_left_of_the_time_is_written_back)
{
    struct timespec t = {100, 0};
    struct pollfd entry;
    works(pipe(p));
    entry = (struct pollfd){p[1], POLLOUT, 0};
    same(syscall(SYS_ppoll, &entry, 1, &t, NULL, 8), 1);
    check(t.tv_sec >= 90 && t.tv_sec <= 100, "nearly all of it");
    t = (struct timespec){0, 1000000};
    entry = (struct pollfd){p[0], POLLIN, 0};
    same(syscall(SYS_ppoll, &entry, 1, &t, NULL, 8), 0);
    same(t.tv_sec, 0);
    same(t.tv_nsec, 0);
}

TEST(time_that_cannot_be_written_back_is_no_error)
{
    struct timespec *t =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    t->tv_nsec = 1000000;
    works(mprotect(t, PAGE, PROT_READ));
    same(syscall(SYS_ppoll, NULL, 0, t, NULL, 8), 0);
    same(syscall(SYS_pselect6, 0, NULL, NULL, NULL, t, NULL), 0);
}

TEST(an_array_that_cannot_be_written_is_an_error)
{
    struct pollfd *e = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    works(pipe(p));
    e[0] = (struct pollfd){p[1], POLLOUT, 0};
    works(mprotect(e, PAGE, PROT_READ));
    fails(poll(e, 1, 0), EFAULT);
    unsigned long *r = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct timeval none = {0, 0};
    fails(syscall(SYS_select, 10, r, NULL, NULL, &none), EFAULT);
}

TEST(a_handler_interrupts_and_leaves_no_events)
{
    works(pipe(p));
    on_alarm(SA_RESTART); /* poll and select never restart behind a handler */
    struct pollfd entry = {p[0], POLLIN, 0x55};
    alarm_soon();
    fails(poll(&entry, 1, 60000), EINTR);
    same(entry.revents, 0);
    fd_set r;
    FD_ZERO(&r);
    FD_SET(p[0], &r);
    alarm_soon();
    fails(select(p[0] + 1, &r, NULL, NULL, NULL), EINTR);
    check(FD_ISSET(p[0], &r), "the set as it was");
}

TEST(what_is_ready_counts_more_than_a_signal)
{
    sigset_t alarm_set, none;
    works(pipe(p));
    on_alarm(0);
    sigemptyset(&none);
    sigemptyset(&alarm_set);
    sigaddset(&alarm_set, SIGALRM);
    works(sigprocmask(SIG_BLOCK, &alarm_set, NULL));
    works(raise(SIGALRM));
    struct pollfd entry = {p[1], POLLOUT, 0};
    same(ppoll(&entry, 1, NULL, &none), 1);
    same(entry.revents, POLLOUT);
}

TEST(the_mask_is_as_before_afterwards)
{
    sigset_t alarm_set, none, now;
    works(pipe(p));
    on_alarm(0);
    sigemptyset(&none);
    sigemptyset(&alarm_set);
    sigaddset(&alarm_set, SIGALRM);
    works(sigprocmask(SIG_BLOCK, &alarm_set, NULL));
    works(raise(SIGALRM));
    fails(ppoll(NULL, 0, NULL, &none), EINTR);
    works(sigprocmask(SIG_BLOCK, NULL, &now));
    same(sigismember(&now, SIGALRM), 1);
    works(raise(SIGALRM));
    fails(pselect(0, NULL, NULL, NULL, NULL, &none), EINTR);
    works(sigprocmask(SIG_BLOCK, NULL, &now));
    same(sigismember(&now, SIGALRM), 1);
    struct timespec soon = {0, 1000000};
    same(ppoll(NULL, 0, &soon, &none), 0);
    works(sigprocmask(SIG_BLOCK, NULL, &now));
    same(sigismember(&now, SIGALRM), 1);
}

TEST(the_size_of_the_mask_is_checked)
{
    struct {
        const void *set;
        size_t size;
    } arg = {&arg, 16};
    fails(syscall(SYS_pselect6, 0, NULL, NULL, NULL, NULL, &arg), EINVAL);
    arg.size = 8;
    arg.set = NOWHERE;
    fails(syscall(SYS_pselect6, 0, NULL, NULL, NULL, NULL, &arg), EFAULT);
    fails(syscall(SYS_pselect6, 0, NULL, NULL, NULL, NULL, NOWHERE), EFAULT);
    fails(syscall(SYS_ppoll, NULL, 0, NULL, NOWHERE, 8), EFAULT);
}

TEST(a_stop_does_not_end_the_wait)
{
    pid_t pid;
    int status;
    works(pipe(p));
    CHILD (pid) {
        struct pollfd entry = {p[0], POLLIN, 0};
        same(poll(&entry, 1, 60000), 1);
        same(entry.revents, POLLIN);
    }
    pause_a_little();
    works(kill(pid, SIGSTOP));
    same(waitpid(pid, &status, WUNTRACED), pid);
    check(WIFSTOPPED(status), "stopped");
    works(kill(pid, SIGCONT));
    pause_a_little();
    same(write(p[1], "x", 1), 1);
    exits(pid, 0);
}

TEST(a_closed_descriptor_is_still_waited_for)
{
    works(pipe(p));
    pid_t pid = works(fork_with_our_files());
    if (pid == 0) {
        pause_a_little();
        pause_a_little();
        if (close(p[0]) || write(p[1], "x", 1) != 1)
            _exit(1);
        _exit(0);
    }
    struct pollfd entry = {p[0], POLLIN, 0};
    int n = works(poll(&entry, 1, 20000));
    same(n, 1);
    check(entry.revents == POLLIN || entry.revents == POLLNVAL, "POLLIN, or too late for it");
    tap_reap(pid);
    entry.revents = 0;
    same(poll(&entry, 1, 0), 1);
    same(entry.revents, POLLNVAL);
}

TEST(a_copy_of_a_descriptor_is_as_good)
{
    works(pipe(p));
    int copy = works(dup(p[0]));
    works(close(p[0]));
    same(write(p[1], "x", 1), 1);
    struct pollfd entries[2] = {{copy, POLLIN, 0}, {p[0], POLLIN, 0}};
    same(poll(entries, 2, 0), 2);
    same(entries[0].revents, POLLIN);
    same(entries[1].revents, POLLNVAL);
}

TEST(who_finds_nothing_left_sleeps_on)
{
    enum { READERS = 4 };
    pid_t pid[READERS];
    int count[2];
    char c;
    works(pipe2(p, O_NONBLOCK));
    works(pipe(count));
    for (int i = 0; i < READERS; i++)
        CHILD (pid[i]) {
            works(close(p[1]));
            for (;;) {
                struct pollfd entry = {p[0], POLLIN, 0};
                same(poll(&entry, 1, 60000), 1);
                ssize_t n = read(p[0], &c, 1);
                if (n == 0)
                    break;
                if (n == 1)
                    same(write(count[1], &c, 1), 1);
            }
        }
    for (int i = 0; i < 200; i++)
        same(write(p[1], "x", 1), 1);
    works(close(p[1]));
    for (int i = 0; i < READERS; i++)
        exits(pid[i], 0);
    works(close(count[1]));
    long sum = 0;
    ssize_t n;
    while ((n = works(read(count[0], block, sizeof(block)))) > 0)
        sum += n;
    same(sum, 200);
}

TEST(more_entries_than_descriptors_are_refused)
{
    struct rlimit limit = {20, 20};
    static struct pollfd entries[64];
    works(setrlimit(RLIMIT_NOFILE, &limit));
    for (int i = 0; i < 64; i++)
        entries[i].fd = -1;
    fails(poll(entries, 21, 0), EINVAL);
    same(poll(entries, 20, 0), 0);
    fails(syscall(SYS_poll, entries, 1UL << 31, 0), EINVAL);
}

int main(void)
{
    return tap_run("selects");
}
