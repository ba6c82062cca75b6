/* musl: sending signals, default actions, blocking and ignoring. Handlers have tests of their own. */
#define _GNU_SOURCE
#include "tap.h"

#include <sys/syscall.h>

static int status;

static pid_t sleeper(void)
{
    pid_t pid;
    CHILD (pid) {
        for (;;)
            pause();
    }
    return pid;
}

TEST(signals_that_terminate)
{
    static const int fatal[] = {SIGHUP,  SIGINT,    SIGKILL,   SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM,
                                SIGTERM, SIGSTKFLT, SIGVTALRM, SIGPROF, SIGIO,   SIGPWR};
    for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++) {
        pid_t pid = sleeper();
        works(kill(pid, fatal[i]));
        dies(pid, fatal[i]);
    }
}

TEST(signals_that_dump_core_terminate)
{
    static const int core[] = {SIGQUIT, SIGILL,  SIGTRAP, SIGABRT, SIGBUS,
                               SIGFPE,  SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS};
    for (size_t i = 0; i < sizeof(core) / sizeof(core[0]); i++) {
        pid_t pid = sleeper();
        works(kill(pid, core[i]));
        dies(pid, core[i]);
    }
}

TEST(realtime_signals_terminate)
{
    for (int sig = 34; sig <= 64; sig += 10) {
        pid_t pid = sleeper();
        works(kill(pid, sig));
        dies(pid, sig);
    }
}

TEST(signals_that_are_ignored_by_default)
{
    pid_t pid = sleeper();
    works(kill(pid, SIGCHLD));
    works(kill(pid, SIGURG));
    works(kill(pid, SIGWINCH));
    works(kill(pid, SIGCONT));
    for (int i = 0; i < 5; i++)
        pause_a_little();
    same(waitpid(pid, &status, WNOHANG), 0);
    works(kill(pid, SIGKILL));
    dies(pid, SIGKILL);
}

TEST(signals_that_stop)
{
    static const int stop[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
    for (size_t i = 0; i < sizeof(stop) / sizeof(stop[0]); i++) {
        pid_t pid = sleeper();
        works(setpgid(pid, pid));
        works(kill(pid, stop[i]));
        same(waitpid(pid, &status, WUNTRACED), pid);
        check(WIFSTOPPED(status), "stopped");
        same(WSTOPSIG(status), stop[i]);
        works(kill(pid, SIGKILL));
        dies(pid, SIGKILL);
    }
}

TEST(a_stopped_process_does_nothing_until_continued)
{
    int p[2];
    char c;
    pid_t pid;
    works(pipe2(p, O_NONBLOCK));
    CHILD (pid) {
        for (;;) {
            write(p[1], "x", 1);
            pause_a_little();
        }
    }
    wait_until(read(p[0], &c, 1) == 1);
    works(kill(pid, SIGSTOP));
    same(waitpid(pid, &status, WUNTRACED), pid);
    while (read(p[0], &c, 1) == 1)
        ;
    for (int i = 0; i < 20; i++)
        pause_a_little();
    fails(read(p[0], &c, 1), EAGAIN);
    works(kill(pid, SIGCONT));
    wait_until(read(p[0], &c, 1) == 1);
    works(kill(pid, SIGKILL));
    dies(pid, SIGKILL);
}

TEST(a_stopped_process_can_be_killed)
{
    pid_t pid = sleeper();
    works(kill(pid, SIGSTOP));
    same(waitpid(pid, &status, WUNTRACED), pid);
    works(kill(pid, SIGKILL));
    dies(pid, SIGKILL);
}

TEST(a_stopped_process_keeps_sigterm_until_continued)
{
    pid_t pid = sleeper();
    works(kill(pid, SIGSTOP));
    same(waitpid(pid, &status, WUNTRACED), pid);
    works(kill(pid, SIGTERM));
    for (int i = 0; i < 10; i++)
        pause_a_little();
    same(waitpid(pid, &status, WNOHANG), 0);
    works(kill(pid, SIGCONT));
    dies(pid, SIGTERM);
}

TEST(ignored_signals_do_nothing)
{
    signal(SIGTERM, SIG_IGN);
    works(kill(getpid(), SIGTERM));
    works(raise(SIGTERM));
}

TEST(sigkill_and_sigstop_cannot_be_ignored)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    fails(sigaction(SIGKILL, &ignore, NULL), EINVAL);
    fails(sigaction(SIGSTOP, &ignore, NULL), EINVAL);
    fails(sigaction(0, &ignore, NULL), EINVAL);
    fails(sigaction(65, &ignore, NULL), EINVAL);
    fails(sigaction(-1, &ignore, NULL), EINVAL);
    struct sigaction old;
    works(sigaction(SIGTERM, NULL, &old));
    check(old.sa_handler == SIG_DFL, "the default");
}

TEST(blocked_signals_wait)
{
    pid_t pid;
    CHILD (pid) {
        sigset_t set, pending;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        works(sigprocmask(SIG_BLOCK, &set, NULL));
        works(raise(SIGUSR1));
        works(sigpending(&pending));
        same(sigismember(&pending, SIGUSR1), 1);
        same(sigismember(&pending, SIGUSR2), 0);
        works(sigprocmask(SIG_UNBLOCK, &set, NULL));
    }
    dies(pid, SIGUSR1);
}

TEST(ignoring_a_pending_signal_discards_it)
{
    sigset_t set, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    works(sigprocmask(SIG_BLOCK, &set, NULL));
    works(raise(SIGUSR1));
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR1, SIG_DFL);
    works(sigpending(&pending));
    same(sigismember(&pending, SIGUSR1), 0);
    works(sigprocmask(SIG_UNBLOCK, &set, NULL));
}

TEST(stop_and_continue_cancel_each_other_while_blocked)
{
    sigset_t set, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGTSTP);
    sigaddset(&set, SIGCONT);
    works(sigprocmask(SIG_BLOCK, &set, NULL));
    works(raise(SIGTSTP));
    works(raise(SIGCONT));
    works(sigpending(&pending));
    same(sigismember(&pending, SIGTSTP), 0);
    same(sigismember(&pending, SIGCONT), 1);
    works(raise(SIGTSTP));
    works(sigpending(&pending));
    same(sigismember(&pending, SIGTSTP), 1);
    same(sigismember(&pending, SIGCONT), 0);
    signal(SIGTSTP, SIG_IGN);
}

TEST(sigprocmask_sets_and_tells)
{
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, 64);
    works(sigprocmask(SIG_SETMASK, &set, NULL));
    works(sigprocmask(SIG_BLOCK, NULL, &old));
    same(sigismember(&old, SIGUSR1), 1);
    same(sigismember(&old, 64), 1);
    same(sigismember(&old, SIGUSR2), 0);
    fails(syscall(SYS_rt_sigprocmask, 99, &set, NULL, 8), EINVAL);
    fails(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 16), EINVAL);
}

TEST(sigkill_and_sigstop_cannot_be_blocked)
{
    uint64_t all = ~0UL, now = 0;
    works(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8));
    works(syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &now, 8));
    same(now, ~(1UL << (SIGKILL - 1) | 1UL << (SIGSTOP - 1)));
}

TEST(mask_is_inherited_but_pending_signals_are_not)
{
    sigset_t set, pending;
    pid_t pid;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    works(sigprocmask(SIG_BLOCK, &set, NULL));
    works(raise(SIGUSR1));
    CHILD (pid) {
        sigset_t now;
        works(sigprocmask(SIG_BLOCK, NULL, &now));
        same(sigismember(&now, SIGUSR1), 1);
        works(sigpending(&pending));
        same(sigismember(&pending, SIGUSR1), 0);
    }
    exits(pid, 0);
    signal(SIGUSR1, SIG_IGN);
}

TEST(kill_checks_its_arguments)
{
    fails(kill(getpid(), 65), EINVAL);
    fails(kill(getpid(), -1), EINVAL);
    fails(kill(0x3fffffff, 0), ESRCH);
    fails(kill(-0x3fffffff, 0), ESRCH);
    works(kill(getpid(), 0));
    fails(syscall(SYS_tkill, 0, SIGTERM), EINVAL);
    fails(syscall(SYS_tgkill, getpid(), -1, 0), EINVAL);
    fails(syscall(SYS_tgkill, getppid(), getpid(), 0), ESRCH);
    works(syscall(SYS_tgkill, getpid(), getpid(), 0));
}

TEST(signals_wake_sleepers)
{
    pid_t pid;
    int p[2];
    char c;
    works(pipe(p));
    CHILD (pid) {
        works(close(p[1]));
        read(p[0], &c, 1);
    }
    works(kill(pid, SIGTERM));
    dies(pid, SIGTERM);
}

TEST(a_busy_loop_can_be_killed)
{
    pid_t pid;
    CHILD (pid) {
        for (;;)
            __asm__ volatile("");
    }
    for (int i = 0; i < 3; i++)
        pause_a_little();
    works(kill(pid, SIGTERM));
    dies(pid, SIGTERM);
}

TEST(sigsuspend_unblocks_for_its_time)
{
    pid_t pid;
    CHILD (pid) {
        sigset_t set, none;
        sigemptyset(&set);
        sigemptyset(&none);
        sigaddset(&set, SIGTERM);
        works(sigprocmask(SIG_BLOCK, &set, NULL));
        works(raise(SIGTERM));
        sigsuspend(&none);
    }
    dies(pid, SIGTERM);
}

TEST(a_child_that_exits_as_it_is_killed_does_either)
{
    for (int i = 0; i < 50; i++) {
        pid_t pid;
        CHILD (pid) {
            _exit(5);
        }
        works(kill(pid, SIGKILL));
        status = tap_reap(pid);
        check((WIFEXITED(status) && WEXITSTATUS(status) == 5) ||
                  (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL),
              "exit 5 or SIGKILL, got wait status %#x", (unsigned)status);
    }
}

int main(void)
{
    return tap_run("signals");
}
