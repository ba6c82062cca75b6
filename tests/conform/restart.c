/*
 * musl: calls that sleep, stopped and continued in the middle, and hit by signals that are ignored: they go on
 * as if nothing had been (what handlers do to them is tested elsewhere).
 */
#define _GNU_SOURCE
#include "tap.h"

#include <poll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>

static int p[2];
static char buf[100000];
static volatile int *shared; /* 0: the child is not there yet, 1: about to sleep, 2: it may end */

static void prepare(void)
{
    works(pipe(p));
    shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(shared != MAP_FAILED, "shared memory");
}

static void settle(void)
{
    wait_until(shared[0] == 1);
    for (int i = 0; i < 5; i++)
        pause_a_little();
}

/* Wait for news of PID, with OPTIONS. False: it has ended, well, which nothing else must be the news of. */
static bool goes_on(pid_t pid, int options, int *status)
{
    pid_t got = works(waitpid(pid, status, options));
    if (got == 0 || !WIFEXITED(*status))
        return true;
    same(WEXITSTATUS(*status), 0);
    return false;
}

/*
 * Stop and continue the sleeping child, then disturb it with signals that nobody asked for. False: it has ended before
 * the last of them.
 */
static bool is_disturbed(pid_t pid)
{
    int status;
    settle();
    for (int i = 0; i < 3; i++) {
        works(kill(pid, SIGSTOP));
        if (!goes_on(pid, WUNTRACED, &status))
            return false;
        check(WIFSTOPPED(status), "stopped");
        works(kill(pid, SIGCONT));
        if (!goes_on(pid, WCONTINUED, &status))
            return false;
        check(WIFCONTINUED(status), "continued");
        works(kill(pid, SIGCHLD));
        works(kill(pid, SIGURG));
        works(kill(pid, SIGWINCH));
        works(kill(pid, SIGUSR1));
        pause_a_little();
    }
    return goes_on(pid, WNOHANG, &status);
}

static void disturb(pid_t pid)
{
    check(is_disturbed(pid), "it has ended");
}

/* The child ignores SIGUSR1 and says that it is about to sleep. */
static void begin(void)
{
    signal(SIGUSR1, SIG_IGN);
    shared[0] = 1;
}

static long long now(void)
{
    struct timespec ts;
    works(clock_gettime(CLOCK_MONOTONIC, &ts));
    return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* FN sleeps for so many nanoseconds, in a child that is disturbed meanwhile: for so many that this is done in time. */
static void keeps_its_time(void (*fn)(long long))
{
    for (long long seconds = 2;; seconds *= 4) {
        pid_t pid;
        prepare();
        CHILD (pid) {
            begin();
            fn(seconds * 1000000000);
        }
        if (is_disturbed(pid)) {
            exits(pid, 0);
            return;
        }
        check(seconds < 500, "it never slept for as long as it was told to");
    }
}

TEST(read_of_a_pipe_goes_on)
{
    pid_t pid;
    prepare();
    CHILD (pid) {
        begin();
        same(read(p[0], buf, 10), 1);
    }
    disturb(pid);
    same(write(p[1], "x", 1), 1);
    exits(pid, 0);
}

TEST(write_to_a_full_pipe_goes_on)
{
    pid_t pid;
    prepare();
    CHILD (pid) {
        works(close(p[0]));
        begin();
        same(write(p[1], buf, sizeof(buf)), sizeof(buf));
    }
    works(close(p[1]));
    settle();
    int status, got = 0;
    ssize_t n;
    works(kill(pid, SIGUSR1));
    works(kill(pid, SIGCHLD));
    same(waitpid(pid, &status, WNOHANG), 0);
    while ((n = works(read(p[0], buf, 5000))) > 0)
        got += (int)n;
    same(got, sizeof(buf));
    exits(pid, 0);
}

TEST(opening_a_fifo_goes_on)
{
    pid_t pid;
    prepare();
    works(mkfifo("fifo", 0600));
    CHILD (pid) {
        begin();
        works(open("fifo", O_RDONLY));
    }
    disturb(pid);
    works(open("fifo", O_WRONLY));
    exits(pid, 0);
}

static void by_nanosleep(long long ns)
{
    struct timespec ts = {ns / 1000000000, ns % 1000000000};
    long long start = now();
    works(nanosleep(&ts, NULL));
    check(now() - start >= ns, "as long as it was told to, at least");
}

TEST(nanosleep_sleeps_the_rest)
{
    keeps_its_time(by_nanosleep);
}

static void until_an_end(long long ns)
{
    long long end = now() + ns;
    struct timespec ts = {end / 1000000000, end % 1000000000};
    same(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL), 0);
    check(now() >= end, "not before its time");
}

TEST(absolute_sleep_keeps_its_end)
{
    keeps_its_time(until_an_end);
}

TEST(poll_goes_on)
{
    pid_t pid;
    prepare();
    CHILD (pid) {
        struct pollfd entry = {p[0], POLLIN, 0};
        begin();
        same(poll(&entry, 1, 60000), 1);
        same(entry.revents, POLLIN);
    }
    disturb(pid);
    same(write(p[1], "x", 1), 1);
    exits(pid, 0);
}

static void by_poll(long long ns)
{
    struct pollfd entry = {p[0], POLLIN, 0};
    long long start = now();
    same(poll(&entry, 1, (int)(ns / 1000000)), 0);
    check(now() - start >= ns - 1000000, "as long as it was told to, at least");
}

TEST(poll_keeps_its_timeout)
{
    keeps_its_time(by_poll);
}

TEST(select_goes_on)
{
    pid_t pid;
    prepare();
    CHILD (pid) {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(p[0], &set);
        begin();
        same(select(p[0] + 1, &set, NULL, NULL, NULL), 1);
    }
    disturb(pid);
    same(write(p[1], "x", 1), 1);
    exits(pid, 0);
}

TEST(wait_for_a_child_goes_on)
{
    pid_t pid;
    prepare();
    CHILD (pid) {
        pid_t grandchild;
        CHILD (grandchild) {
            while (shared[0] != 2)
                pause_a_little();
            _exit(3);
        }
        begin();
        exits(grandchild, 3);
    }
    disturb(pid);
    shared[0] = 2;
    exits(pid, 0);
}

TEST(flock_goes_on)
{
    pid_t pid;
    prepare();
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    works(flock(fd, LOCK_EX));
    CHILD (pid) {
        int mine = works(open("f", O_RDWR));
        begin();
        works(flock(mine, LOCK_EX));
    }
    disturb(pid);
    works(flock(fd, LOCK_UN));
    exits(pid, 0);
}

TEST(record_lock_goes_on)
{
    pid_t pid;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    prepare();
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    works(fcntl(fd, F_SETLK, &lock));
    CHILD (pid) {
        begin();
        works(fcntl(fd, F_SETLKW, &lock));
    }
    disturb(pid);
    lock.l_type = F_UNLCK;
    works(fcntl(fd, F_SETLK, &lock));
    exits(pid, 0);
}

TEST(futex_wait_goes_on_or_says_again)
{
    pid_t pid;
    prepare();
    shared[1] = 5;
    CHILD (pid) {
        begin();
        while (shared[1] == 5)
            works(syscall(SYS_futex, &shared[1], 0 /* FUTEX_WAIT */, 5, NULL));
    }
    disturb(pid);
    shared[1] = 6;
    works(syscall(SYS_futex, &shared[1], 1 /* FUTEX_WAKE */, 1));
    exits(pid, 0);
}

static void by_futex(long long ns)
{
    struct timespec ts = {ns / 1000000000, ns % 1000000000};
    long long start = now();
    fails(syscall(SYS_futex, &shared[1], 0 /* FUTEX_WAIT */, 0, &ts), ETIMEDOUT);
    check(now() - start >= ns, "as long as it was told to, at least");
}

TEST(futex_timeout_is_kept)
{
    keeps_its_time(by_futex);
}

TEST(calls_in_a_storm_of_ignored_signals_happen_once)
{
    pid_t pid, storm;
    prepare();
    CHILD (pid) {
        int q[2];
        begin();
        for (int i = 0; i < 300; i++) {
            works(pipe(q));
            int d = works(dup(q[1]));
            same(write(d, "abc", 3), 3);
            works(close(d));
            works(close(q[1]));
            same(read(q[0], buf, 10), 3);
            same(read(q[0], buf, 10), 0);
            works(close(q[0]));
        }
    }
    CHILD (storm) {
        wait_until(shared[0] == 1); /* before that the signals aren't ignored */
        for (;;) {
            kill(pid, SIGUSR1);
            kill(pid, SIGCHLD);
            kill(pid, SIGWINCH);
        }
    }
    exits(pid, 0);
    works(kill(storm, SIGKILL));
    dies(storm, SIGKILL);
}

int main(void)
{
    return tap_run("restart");
}
