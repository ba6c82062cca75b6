/* musl: signals and processes as descriptors: signalfd and pidfd, read, polled, waited for. */
#define _GNU_SOURCE
#include "tap.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

#define A_PIDFD 3     /* P_PIDFD */
#define A_THREAD 0200 /* PIDFD_THREAD */

static struct signalfd_siginfo got[8];

static sigset_t set_of(int a, int b)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, a);
    if (b)
        sigaddset(&set, b);
    return set;
}

/* Block A and B, and a signalfd for them. */
static int open_for(int a, int b, int flags)
{
    sigset_t set = set_of(a, b);
    works(sigprocmask(SIG_BLOCK, &set, NULL));
    return works(signalfd(-1, &set, flags));
}

static bool is_pending(int sig)
{
    sigset_t set;
    works(sigpending(&set));
    return sigismember(&set, sig);
}

static short ready(int fd)
{
    struct pollfd p = {fd, POLLIN, 0};
    works(poll(&p, 1, 0));
    return p.revents;
}

/* --- signalfd --- */

TEST(a_read_takes_a_pending_signal)
{
    int fd = open_for(SIGUSR1, 0, 0);
    works(raise(SIGUSR1));
    same(read(fd, got, sizeof(got)), sizeof(got[0]));
    same(got[0].ssi_signo, SIGUSR1);
    same(got[0].ssi_pid, getpid());
    same(got[0].ssi_uid, getuid());
    same(is_pending(SIGUSR1), 0);
}

TEST(a_read_tells_how_it_was_sent)
{
    int fd = open_for(SIGUSR1, SIGUSR2, 0);
    works(kill(getpid(), SIGUSR1));
    same(read(fd, got, sizeof(got)), sizeof(got[0]));
    same(got[0].ssi_code, SI_USER);
    works(raise(SIGUSR1));
    same(read(fd, got, sizeof(got)), sizeof(got[0]));
    same(got[0].ssi_code, SI_TKILL);
    works(sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 42}));
    same(read(fd, got, sizeof(got)), sizeof(got[0]));
    same(got[0].ssi_code, SI_QUEUE);
    same(got[0].ssi_int, 42);
}

TEST(a_read_gives_as_many_as_fit)
{
    int fd = open_for(SIGRTMIN, 0, 0);
    for (int i = 0; i < 5; i++)
        works(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i}));
    same(read(fd, got, 3 * sizeof(got[0]) + 5), 3 * sizeof(got[0]));
    for (int i = 0; i < 3; i++)
        same(got[i].ssi_int, i);
    same(read(fd, got, sizeof(got)), 2 * sizeof(got[0]));
    same(got[1].ssi_int, 4);
}

TEST(a_read_into_too_little_is_refused)
{
    int fd = open_for(SIGUSR1, 0, SFD_NONBLOCK);
    works(raise(SIGUSR1));
    fails(read(fd, got, sizeof(got[0]) - 1), EINVAL);
    same(is_pending(SIGUSR1), 1);
}

TEST(without_waiting_it_is_eagain)
{
    int fd = open_for(SIGUSR1, 0, SFD_NONBLOCK);
    fails(read(fd, got, sizeof(got)), EAGAIN);
    fails(write(fd, got, sizeof(got)), EINVAL);
}

TEST(a_read_waits_for_a_signal)
{
    pid_t pid;
    CHILD (pid) {
        int fd = open_for(SIGUSR1, 0, 0);
        works(kill(getppid(), 0));
        same(read(fd, got, sizeof(got)), sizeof(got[0]));
        same(got[0].ssi_signo, SIGUSR1);
    }
    for (int i = 0; i < 20; i++)
        pause_a_little();
    works(kill(pid, SIGUSR1));
    int status = tap_reap(pid);
    check(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1), "read it, %#x",
          (unsigned)status);
}

static void nothing(int sig)
{
    (void)sig;
}

TEST(a_read_is_interrupted_by_another_signal)
{
    struct sigaction a = {.sa_handler = nothing};
    works(sigaction(SIGALRM, &a, NULL));
    int fd = open_for(SIGUSR1, 0, 0);
    syscall(SYS_alarm, 1);
    fails(read(fd, got, sizeof(got)), EINTR);
}

TEST(other_signals_stay)
{
    int fd = open_for(SIGUSR1, SIGUSR2, SFD_NONBLOCK);
    sigset_t only = set_of(SIGUSR2, 0);
    same(signalfd(fd, &only, 0), fd);
    works(raise(SIGUSR1));
    fails(read(fd, got, sizeof(got)), EAGAIN);
    works(raise(SIGUSR2));
    same(read(fd, got, sizeof(got)), sizeof(got[0]));
    same(got[0].ssi_signo, SIGUSR2);
    same(is_pending(SIGUSR1), 1);
}

TEST(poll_says_when_one_is_pending)
{
    int fd = open_for(SIGUSR1, 0, 0);
    same(ready(fd), 0);
    works(raise(SIGUSR1));
    same(ready(fd), POLLIN);
    same(read(fd, got, sizeof(got)), sizeof(got[0]));
    same(ready(fd), 0);
}

TEST(poll_wakes_when_one_comes)
{
    pid_t pid;
    int fd = open_for(SIGUSR1, SIGCHLD, 0);
    sigset_t only = set_of(SIGUSR1, 0);
    works(signalfd(fd, &only, 0));
    CHILD (pid) {
        for (int i = 0; i < 20; i++)
            pause_a_little();
        works(kill(getppid(), SIGUSR1));
    }
    struct pollfd p = {fd, POLLIN, 0};
    same(poll(&p, 1, 60000), 1);
    same(p.revents, POLLIN);
    exits(pid, 0);
}

TEST(epoll_wakes_when_one_comes)
{
    pid_t pid;
    int fd = open_for(SIGUSR1, 0, 0);
    int set = works(epoll_create1(0));
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = 9};
    works(epoll_ctl(set, EPOLL_CTL_ADD, fd, &e));
    CHILD (pid) {
        for (int i = 0; i < 20; i++)
            pause_a_little();
        works(kill(getppid(), SIGUSR1));
    }
    same(epoll_wait(set, &e, 1, 60000), 1);
    same(e.data.u32, 9);
    exits(pid, 0);
}

TEST(a_poller_that_has_ended_leaves_nothing_behind)
{
    int fd = open_for(SIGUSR1, 0, 0);
    int set = works(epoll_create1(0));
    for (int i = 0; i < 5; i++) {
        pid_t pid;
        CHILD (pid) {
            struct epoll_event e = {.events = EPOLLIN};
            works(epoll_ctl(set, EPOLL_CTL_ADD, fd, &e));
            works(epoll_ctl(set, EPOLL_CTL_DEL, fd, &e));
            works(epoll_ctl(set, EPOLL_CTL_ADD, fd, &e));
            if (i < 4)
                works(epoll_ctl(set, EPOLL_CTL_DEL, fd, &e));
        }
        exits(pid, 0);
    }
    works(close(fd));
    works(close(set));
}

TEST(a_child_reads_its_own_signals)
{
    pid_t pid;
    int fd = open_for(SIGUSR1, 0, SFD_NONBLOCK);
    works(raise(SIGUSR1));
    CHILD (pid) {
        fails(read(fd, got, sizeof(got)), EAGAIN);
        works(raise(SIGUSR1));
        same(read(fd, got, sizeof(got)), sizeof(got[0]));
        same(got[0].ssi_pid, getpid());
    }
    exits(pid, 0);
    same(read(fd, got, sizeof(got)), sizeof(got[0]));
    same(got[0].ssi_pid, getpid());
}

TEST(sigchld_tells_how_the_child_ended)
{
    int fd = open_for(SIGCHLD, 0, 0);
    pid_t pid;
    CHILD (pid)
        _exit(7);
    same(read(fd, got, sizeof(got)), sizeof(got[0]));
    same(got[0].ssi_code, CLD_EXITED);
    same(got[0].ssi_pid, pid);
    same(got[0].ssi_status, 7);
    exits(pid, 7);
}

TEST(sigkill_and_sigstop_are_not_for_reading)
{
    sigset_t all;
    sigfillset(&all);
    int fd = works(signalfd(-1, &all, 0));
    char name[64], text[512] = "";
    snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
    int info = works(open(name, O_RDONLY));
    works(read(info, text, sizeof(text) - 1));
    check(strstr(text, "sigmask:\t") != NULL, "a line for the mask");
    unsigned long long mask = strtoull(strstr(text, "sigmask:\t") + 9, NULL, 16);
    same(mask & (1ULL << (SIGKILL - 1) | 1ULL << (SIGSTOP - 1)), 0);
    check(mask & 1ULL << (SIGUSR1 - 1), "SIGUSR1 is in it");
}

TEST(signalfd_flags)
{
    sigset_t set = set_of(SIGUSR1, 0);
    int fd = works(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    same(fcntl(fd, F_GETFD), FD_CLOEXEC);
    check(fcntl(fd, F_GETFL) & O_NONBLOCK, "does not wait");
    fd = works(signalfd(-1, &set, 0));
    same(fcntl(fd, F_GETFD), 0);
    fails(signalfd(-1, &set, 1), EINVAL);
}

TEST(signalfd_refuses_nonsense)
{
    sigset_t set = set_of(SIGUSR1, 0);
    int p[2];
    works(pipe(p));
    fails(signalfd(p[0], &set, 0), EINVAL);
    fails(signalfd(99, &set, 0), EBADF);
    fails(signalfd(-2, &set, 0), EBADF);
    fails(syscall(SYS_signalfd4, -1, &set, 7, 0), EINVAL);
    fails(syscall(SYS_signalfd4, -1, NOWHERE, 8, 0), EFAULT);
    same(works(syscall(SYS_signalfd, -1, &set, 8)) >= 0, 1);
}

/* --- pidfd --- */

static int pidfd(pid_t pid, unsigned flags)
{
    return (int)syscall(SYS_pidfd_open, pid, flags);
}

static int send(int fd, int sig)
{
    return (int)syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
}

static pid_t sleeper(void)
{
    pid_t pid;
    CHILD (pid) {
        for (;;)
            pause();
    }
    return pid;
}

TEST(a_signal_through_a_pidfd)
{
    pid_t pid = sleeper();
    int fd = works(pidfd(pid, 0));
    works(send(fd, 0));
    works(send(fd, SIGTERM));
    dies(pid, SIGTERM);
    fails(send(fd, 0), ESRCH);
    fails(send(fd, SIGTERM), ESRCH);
}

TEST(a_pidfd_is_readable_when_the_process_has_ended)
{
    pid_t pid = sleeper();
    int fd = works(pidfd(pid, 0));
    same(ready(fd), 0);
    works(kill(pid, SIGKILL));
    struct pollfd p = {fd, POLLIN, 0};
    same(poll(&p, 1, 60000), 1);
    same(p.revents, POLLIN);
    same(send(fd, 0), 0);
    dies(pid, SIGKILL);
    same(ready(fd), POLLIN | POLLHUP);
}

TEST(epoll_on_a_pidfd)
{
    pid_t pid;
    int gate[2];
    works(pipe(gate));
    CHILD (pid) {
        char c;
        works(close(gate[1]));
        same(read(gate[0], &c, 1), 0);
    }
    works(close(gate[0]));
    int fd = works(pidfd(pid, 0)), set = works(epoll_create1(0));
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = 5};
    works(epoll_ctl(set, EPOLL_CTL_ADD, fd, &e));
    same(epoll_wait(set, &e, 1, 10), 0);
    works(close(gate[1]));
    same(epoll_wait(set, &e, 1, 60000), 1);
    same(e.data.u32, 5);
    exits(pid, 0);
}

TEST(waitid_by_pidfd)
{
    siginfo_t info;
    pid_t pid, other = sleeper();
    CHILD (pid)
        _exit(3);
    int fd = works(pidfd(pid, 0));
    works(waitid(A_PIDFD, (id_t)fd, &info, WEXITED | WNOWAIT));
    same(info.si_pid, pid);
    same(info.si_code, CLD_EXITED);
    same(info.si_status, 3);
    works(waitid(A_PIDFD, (id_t)fd, &info, WEXITED));
    same(info.si_pid, pid);
    fails(waitid(A_PIDFD, (id_t)fd, &info, WEXITED), ECHILD);
    works(kill(other, SIGKILL));
    dies(other, SIGKILL);
}

TEST(waitid_by_a_pidfd_that_does_not_wait)
{
    siginfo_t info;
    pid_t pid = sleeper();
    int fd = works(pidfd(pid, O_NONBLOCK));
    check(fcntl(fd, F_GETFL) & O_NONBLOCK, "does not wait");
    fails(waitid(A_PIDFD, (id_t)fd, &info, WEXITED), EAGAIN);
    same(waitid(A_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG), 0);
    works(kill(pid, SIGKILL));
    wait_until(ready(fd));
    works(waitid(A_PIDFD, (id_t)fd, &info, WEXITED));
    same(info.si_status, SIGKILL);
}

TEST(waitid_by_what_is_no_pidfd)
{
    siginfo_t info;
    fails(waitid(A_PIDFD, 0, &info, WEXITED), EBADF);
    fails(waitid(A_PIDFD, 99, &info, WEXITED), EBADF);
    fails(waitid(A_PIDFD, (id_t)-1, &info, WEXITED), EINVAL);
    int self = works(pidfd(getpid(), 0));
    fails(waitid(A_PIDFD, (id_t)self, &info, WEXITED), ECHILD);
}

TEST(pidfd_open_refuses_nonsense)
{
    fails(pidfd(0, 0), EINVAL);
    fails(pidfd(-1, 0), EINVAL);
    fails(pidfd(getpid(), 1), EINVAL);
    fails(pidfd(0x3fffffff, 0), ESRCH);
}

TEST(a_pidfd_is_closed_on_exec_and_can_do_little)
{
    int fd = works(pidfd(getpid(), 0));
    char c;
    same(fcntl(fd, F_GETFD), FD_CLOEXEC);
    fails(read(fd, &c, 1), EINVAL);
    fails(write(fd, &c, 1), EINVAL);
    fails(lseek(fd, 0, SEEK_SET), ESPIPE);
}

TEST(fdinfo_of_a_pidfd_tells_the_number)
{
    char name[64], text[512] = "", line[32];
    pid_t pid = sleeper();
    int fd = works(pidfd(pid, 0));
    snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
    snprintf(line, sizeof(line), "\nPid:\t%d\n", pid);
    int info = works(open(name, O_RDONLY));
    works(read(info, text, sizeof(text) - 1));
    check(strstr(text, line) != NULL, "its number in: %s", text);
    works(kill(pid, SIGKILL));
    dies(pid, SIGKILL);
    works(lseek(info, 0, SEEK_SET));
    memset(text, 0, sizeof(text));
    works(read(info, text, sizeof(text) - 1));
    check(strstr(text, "\nPid:\t-1\n") != NULL, "-1 when it has gone: %s", text);
}

TEST(pidfd_send_signal_refuses_nonsense)
{
    int fd = works(pidfd(getpid(), 0));
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    fails(send(0, 0), EBADF);
    fails(send(99, 0), EBADF);
    fails(send(fd, 65), EINVAL);
    fails(send(fd, -1), EINVAL);
    fails(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 8), EINVAL);
    fails(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 3), EINVAL);
    info.si_signo = SIGUSR1;
    info.si_code = SI_QUEUE;
    fails(syscall(SYS_pidfd_send_signal, fd, SIGUSR2, &info, 0), EINVAL);
    fails(syscall(SYS_pidfd_send_signal, fd, SIGUSR2, NOWHERE, 0), EFAULT);
}

TEST(pidfd_send_signal_may_not_pretend_to_be_the_kernel)
{
    pid_t pid = sleeper();
    int fd = works(pidfd(pid, 0));
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_signo = SIGUSR1;
    info.si_code = SI_USER;
    fails(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, &info, 0), EPERM);
    info.si_code = SI_KERNEL;
    fails(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, &info, 0), EPERM);
    info.si_code = SI_TKILL;
    fails(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, &info, 0), EPERM);
    info.si_code = SI_QUEUE;
    works(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, &info, 0));
    dies(pid, SIGUSR1);
}

TEST(pidfd_send_signal_carries_a_value)
{
    int self = works(pidfd(getpid(), 0)), fd = open_for(SIGUSR1, 0, 0);
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_signo = SIGUSR1;
    info.si_code = SI_QUEUE;
    info.si_value.sival_int = 31;
    works(syscall(SYS_pidfd_send_signal, self, SIGUSR1, &info, 0));
    same(read(fd, got, sizeof(got)), sizeof(got[0]));
    same(got[0].ssi_int, 31);
}

TEST(pidfd_send_signal_asks_for_permission)
{
    if (getuid() != 0)
        return;
    pid_t pid, victim = sleeper();
    int fd = works(pidfd(victim, 0));
    CHILD (pid) {
        works(setuid(54398));
        fails(send(fd, SIGTERM), EPERM);
        fails(send(fd, 0), EPERM);
    }
    exits(pid, 0);
    works(kill(victim, SIGKILL));
    dies(victim, SIGKILL);
}

TEST(a_directory_of_proc_serves_as_a_pidfd)
{
    char name[32];
    pid_t pid = sleeper();
    snprintf(name, sizeof(name), "/proc/%d", pid);
    int fd = works(open(name, O_RDONLY | O_DIRECTORY));
    works(send(fd, SIGTERM));
    dies(pid, SIGTERM);
    fails(send(fd, SIGTERM), ESRCH);
    fd = works(open("/proc", O_RDONLY | O_DIRECTORY));
    fails(send(fd, 0), EBADF);
}

TEST(clone_gives_a_pidfd)
{
    int fd = -1;
    pid_t pid = (pid_t)works(syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &fd, NULL, NULL));
    if (pid == 0)
        _exit(4);
    check(fd >= 0, "a descriptor");
    same(fcntl(fd, F_GETFD), FD_CLOEXEC);
    struct pollfd p = {fd, POLLIN, 0};
    same(poll(&p, 1, 60000), 1);
    exits(pid, 4);
    same(ready(fd), POLLIN | POLLHUP);
}

TEST(clone_with_pidfd_refuses_nonsense)
{
    int fd = -1;
    fails(syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, NULL, &fd, NULL, NULL),
          EINVAL);
    fails(syscall(SYS_clone, CLONE_PIDFD | CLONE_DETACHED | SIGCHLD, NULL, &fd, NULL, NULL),
          EINVAL);
    fails(syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, NOWHERE, NULL, NULL), EFAULT);
    fails(waitpid(-1, NULL, 0), ECHILD);
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

TEST(a_pidfd_for_one_thread)
{
    pthread_t t;
    same(pthread_create(&t, NULL, other_thread, NULL), 0);
    wait_until(thread_id);
    fails(pidfd(thread_id, 0), ENOENT);
    int fd = works(pidfd(thread_id, A_THREAD));
    same(ready(fd), 0);
    works(send(fd, 0));
    thread_may_end = true;
    pthread_join(t, NULL);
    wait_until(ready(fd) & POLLIN);
    wait_until(send(fd, 0)); /* Linux says that it has ended a moment before it is gone */
    fails(send(fd, 0), ESRCH);
}

TEST(pidfd_send_signal_to_a_group)
{
    pid_t a = sleeper(), b = sleeper();
    works(setpgid(a, a));
    works(setpgid(b, a));
    int fd = works(pidfd(a, 0));
    works(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 4));
    dies(a, SIGTERM);
    dies(b, SIGTERM);
}

int main(void)
{
    return tap_run("sigfd");
}
