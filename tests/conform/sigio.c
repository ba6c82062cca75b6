/* musl: signal-driven input and output: who is told by SIGIO, or by another signal, that a pipe is ready. */
#define _GNU_SOURCE
#include "tap.h"

#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

static int p[2];
static volatile int count, last_code, last_fd;
static volatile long last_band;
static volatile pid_t last_thread;

static void note(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)context;
    last_code = info->si_code;
    last_fd = info->si_fd;
    last_band = info->si_band;
    last_thread = (pid_t)syscall(SYS_gettid);
    count++;
}

/* A pipe whose end END tells the calling process by SIG (0: SIGIO as it is) when something happens. */
static void prepare(int end, int sig)
{
    struct sigaction a = {.sa_flags = SA_SIGINFO | SA_RESTART};
    a.sa_sigaction = note;
    works(sigaction(sig ? sig : SIGIO, &a, NULL));
    works(pipe2(p, O_NONBLOCK));
    works(fcntl(p[end], F_SETOWN, getpid()));
    if (sig)
        works(fcntl(p[end], F_SETSIG, sig));
    works(fcntl(p[end], F_SETFL, O_NONBLOCK | O_ASYNC));
}

static void fill(void)
{
    static char page[PAGE];
    while (write(p[1], page, PAGE) > 0)
        ;
}

TEST(data_in_a_pipe_sends_sigio)
{
    prepare(0, 0);
    same(count, 0);
    same(write(p[1], "x", 1), 1);
    same(count, 1);
    check(last_code != SI_USER, "by the kernel");
}

TEST(the_signal_comes_before_write_returns)
{
    prepare(0, 0);
    for (int i = 1; i <= 50; i++) {
        char c;
        same(write(p[1], "x", 1), 1);
        same(count, i);
        same(read(p[0], &c, 1), 1);
    }
}

TEST(room_in_a_pipe_sends_sigio)
{
    char buf[PAGE];
    prepare(1, 0);
    fill();
    count = 0;
    works(read(p[0], buf, sizeof(buf)));
    check(count >= 1, "told");
}

TEST(the_last_writer_gone_sends_sigio)
{
    prepare(0, 0);
    works(close(p[1]));
    check(count >= 1, "told");
}

TEST(sigio_ends_the_process_by_default)
{
    pid_t pid;
    CHILD (pid) {
        prepare(0, 0);
        signal(SIGIO, SIG_DFL);
        write(p[1], "x", 1);
    }
    dies(pid, SIGIO);
}

TEST(f_setsig_chooses_the_signal_and_says_which_file)
{
    prepare(0, SIGRTMIN);
    same(fcntl(p[0], F_GETSIG), SIGRTMIN);
    same(write(p[1], "x", 1), 1);
    same(count, 1);
    same(last_fd, p[0]);
    same(last_code, POLL_IN);
    same(last_band, POLLIN | POLLRDNORM);
}

TEST(f_setsig_of_sigio_says_which_file_too)
{
    prepare(0, SIGIO);
    same(write(p[1], "x", 1), 1);
    same(last_fd, p[0]);
    same(last_code, POLL_IN);
}

TEST(room_says_poll_out)
{
    char buf[PAGE];
    prepare(1, SIGRTMIN);
    fill();
    works(read(p[0], buf, sizeof(buf)));
    same(last_code, POLL_OUT);
    same(last_band, POLLOUT | POLLWRNORM | POLLWRBAND);
    same(last_fd, p[1]);
}

TEST(without_o_async_nobody_is_told)
{
    prepare(0, 0);
    works(fcntl(p[0], F_SETFL, O_NONBLOCK));
    same(fcntl(p[0], F_GETFL) & O_ASYNC, 0);
    same(write(p[1], "x", 1), 1);
    same(count, 0);
    works(fcntl(p[0], F_SETFL, O_NONBLOCK | O_ASYNC));
    same(fcntl(p[0], F_GETFL) & O_ASYNC, O_ASYNC);
    same(write(p[1], "x", 1), 1);
    same(count, 1);
}

TEST(without_an_owner_nobody_is_told)
{
    prepare(0, 0);
    works(fcntl(p[0], F_SETOWN, 0));
    same(write(p[1], "x", 1), 1);
    same(count, 0);
}

TEST(fioasync_does_the_same)
{
    int on = 1, off = 0;
    prepare(0, 0);
    works(ioctl(p[0], FIOASYNC, &off));
    same(fcntl(p[0], F_GETFL) & O_ASYNC, 0);
    works(ioctl(p[0], FIOASYNC, &on));
    same(fcntl(p[0], F_GETFL) & O_ASYNC, O_ASYNC);
    same(write(p[1], "x", 1), 1);
    same(count, 1);
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    fails(ioctl(fd, FIOASYNC, &on), ENOTTY);
    works(fcntl(fd, F_SETFL, O_ASYNC));
    same(fcntl(fd, F_GETFL) & O_ASYNC, 0);
}

TEST(the_owner_may_be_another_process)
{
    pid_t pid;
    works(pipe2(p, O_NONBLOCK));
    CHILD (pid) {
        for (;;)
            pause();
    }
    works(fcntl(p[0], F_SETOWN, pid));
    same(fcntl(p[0], F_GETOWN), pid);
    works(fcntl(p[0], F_SETFL, O_ASYNC));
    same(write(p[1], "x", 1), 1);
    dies(pid, SIGIO);
    same(write(p[1], "x", 1), 1);
}

TEST(the_owner_may_be_a_group)
{
    pid_t a, b;
    works(pipe2(p, O_NONBLOCK));
    CHILD (a)
        for (;;)
            pause();
    works(setpgid(a, a));
    CHILD (b)
        for (;;)
            pause();
    works(setpgid(b, a));
    works(fcntl(p[0], F_SETOWN, -a));
    struct {
        int type, pid;
    } owner;
    works(fcntl(p[0], 16 /* F_GETOWN_EX */, &owner));
    same(owner.type, 2);
    same(owner.pid, a);
    works(fcntl(p[0], F_SETFL, O_ASYNC));
    same(write(p[1], "x", 1), 1);
    dies(a, SIGIO);
    dies(b, SIGIO);
}

static volatile pid_t thread_id;
static volatile bool thread_may_end;

static void *other_thread(void *arg)
{
    thread_id = (pid_t)syscall(SYS_gettid);
    while (!thread_may_end)
        pause_a_little();
    return arg;
}

TEST(the_owner_may_be_a_thread)
{
    pthread_t t;
    struct {
        int type, pid;
    } owner = {0, 0};
    prepare(0, 0);
    same(pthread_create(&t, NULL, other_thread, NULL), 0);
    wait_until(thread_id);
    owner.pid = thread_id;
    works(fcntl(p[0], 15 /* F_SETOWN_EX */, &owner));
    same(write(p[1], "x", 1), 1);
    wait_until(count == 1);
    same(last_thread, thread_id);
    thread_may_end = true;
    pthread_join(t, NULL);
}

TEST(a_fifo_tells_too)
{
    struct sigaction a = {.sa_flags = SA_SIGINFO};
    a.sa_sigaction = note;
    works(sigaction(SIGIO, &a, NULL));
    works(mkfifo("fifo", 0600));
    int fd = works(open("fifo", O_RDWR | O_NONBLOCK));
    works(fcntl(fd, F_SETOWN, getpid()));
    works(fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC));
    same(write(fd, "x", 1), 1);
    check(count >= 1, "told");
}

TEST(a_child_that_writes_tells_the_owner)
{
    pid_t pid;
    prepare(0, 0);
    CHILD (pid)
        same(write(p[1], "x", 1), 1);
    wait_until(count >= 1);
    exits(pid, 0);
}

TEST(a_full_queue_of_signals_falls_back_to_sigio)
{
    pid_t pid;
    CHILD (pid) {
        sigset_t set;
        prepare(0, SIGRTMIN);
        sigemptyset(&set);
        sigaddset(&set, SIGRTMIN);
        sigaddset(&set, SIGIO);
        works(sigprocmask(SIG_BLOCK, &set, NULL));
        if (getuid() == 0)
            works(setuid(54397));
        works(fcntl(p[0], F_SETOWN, getpid()));
        while (sigqueue(getpid(), SIGRTMIN, (union sigval){0}) == 0)
            ;
        same(errno, EAGAIN);
        same(write(p[1], "x", 1), 1);
        works(sigpending(&set));
        same(sigismember(&set, SIGIO), 1);
    }
    exits(pid, 0);
}

TEST(closing_a_file_that_has_told_is_no_trouble)
{
    for (int i = 0; i < 20; i++) {
        prepare(i & 1, i & 2 ? SIGRTMIN : 0);
        write(p[1], "x", 1);
        works(close(p[i & 1]));
        works(close(p[!(i & 1)]));
    }
}

TEST(the_owner_calls_refuse_nonsense)
{
    struct {
        int type, pid;
    } owner = {3, getpid()};
    works(pipe(p));
    fails(fcntl(p[0], 15, &owner), EINVAL);
    fails(fcntl(p[0], 15, NOWHERE), EFAULT);
    owner.type = 1;
    owner.pid = 0x3fffffff;
    fails(fcntl(p[0], 15, &owner), ESRCH);
    fails(fcntl(p[0], F_SETOWN, 0x3fffffff), ESRCH);
    fails(fcntl(p[0], F_SETSIG, 65), EINVAL);
    fails(fcntl(p[0], F_SETSIG, -1), EINVAL);
    same(fcntl(p[0], F_GETSIG), 0);
}

TEST(the_owner_is_told_with_the_rights_of_who_named_it)
{
    unsigned ids[2] = {77, 77};
    works(pipe(p));
    works(fcntl(p[0], F_SETOWN, getpid()));
    works(fcntl(p[0], 17 /* F_GETOWNER_UIDS */, ids));
    same(ids[0], getuid());
    same(ids[1], geteuid());
    if (getuid() != 0)
        return;
    pid_t pid, victim;
    CHILD (victim) {
        for (;;)
            pause();
    }
    CHILD (pid) {
        int status;
        works(setresuid(54396, 54396, 54396));
        works(fcntl(p[0], F_SETOWN, victim));
        works(fcntl(p[0], F_SETFL, O_ASYNC));
        same(write(p[1], "x", 1), 1);
        same(waitpid(victim, &status, WNOHANG), -1);
    }
    exits(pid, 0);
    int status;
    same(waitpid(victim, &status, WNOHANG), 0);
    works(kill(victim, SIGKILL));
    dies(victim, SIGKILL);
}

int main(void)
{
    return tap_run("sigio");
}
