/* musl: wait4 and waitid: whom they wait for, what they tell, what they refuse. */
#define _GNU_SOURCE
#include "tap.h"

#include <sys/resource.h>
#include <sys/syscall.h>

static int status;
static siginfo_t info;

static pid_t child_that_exits(int code)
{
    pid_t pid;
    CHILD (pid) {
        _exit(code);
    }
    return pid;
}

static pid_t child_that_sleeps(void)
{
    pid_t pid;
    CHILD (pid) {
        for (;;)
            pause();
    }
    return pid;
}

TEST(nobody_to_wait_for_is_echild)
{
    fails(wait(&status), ECHILD);
    fails(waitpid(1, &status, 0), ECHILD);
    fails(waitpid(getpid(), &status, 0), ECHILD);
    fails(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
}

TEST(any_child_is_taken_once)
{
    pid_t a = child_that_exits(1), b = child_that_exits(2);
    pid_t first = works(wait(&status)), second = works(wait(&status));
    check((first == a && second == b) || (first == b && second == a),
          "both children came, each once");
    fails(wait(&status), ECHILD);
}

TEST(a_named_child_is_picked)
{
    pid_t a = child_that_exits(1), b = child_that_exits(2);
    same(waitpid(b, &status, 0), b);
    same(WEXITSTATUS(status), 2);
    same(waitpid(a, &status, 0), a);
    same(WEXITSTATUS(status), 1);
}

TEST(wnohang_returns_zero_while_it_lives)
{
    pid_t pid = child_that_sleeps();
    same(waitpid(pid, &status, WNOHANG), 0);
    works(kill(pid, SIGKILL));
    pid_t got;
    while ((got = works(waitpid(pid, &status, WNOHANG))) == 0)
        pause_a_little();
    same(got, pid);
    check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "killed by SIGKILL");
}

TEST(status_pointer_may_be_null)
{
    pid_t pid = child_that_exits(1);
    same(waitpid(pid, NULL, 0), pid);
}

TEST(groups_can_be_waited_for)
{
    pid_t a = child_that_sleeps(), b = child_that_exits(3);
    works(setpgid(a, a));
    same(waitpid(0, &status, 0), b);
    fails(waitpid(0, &status, 0), ECHILD);
    works(kill(a, SIGKILL));
    same(waitpid(-a, &status, 0), a);
    fails(waitpid(-a, &status, 0), ECHILD);
}

TEST(options_are_checked)
{
    pid_t pid = child_that_exits(0);
    fails(waitpid(pid, &status, 0x100), EINVAL);
    fails(waitid(P_PID, (id_t)pid, &info, 0), EINVAL);
    fails(waitid(P_PID, (id_t)pid, &info, WEXITED | 0x100), EINVAL);
    fails(waitid((idtype_t)17, 1, &info, WEXITED), EINVAL);
    fails(waitid(P_PID, 0, &info, WEXITED), EINVAL);
    exits(pid, 0);
    fails(syscall(SYS_wait4, (int)0x80000000, &status, 0, NULL), ESRCH);
}

TEST(stopped_child_is_reported_once)
{
    pid_t pid = child_that_sleeps();
    works(kill(pid, SIGSTOP));
    same(waitpid(pid, &status, WUNTRACED), pid);
    check(WIFSTOPPED(status), "stopped");
    same(WSTOPSIG(status), SIGSTOP);
    same(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);
    works(kill(pid, SIGKILL));
    dies(pid, SIGKILL);
}

TEST(continued_child_is_reported_once)
{
    pid_t pid = child_that_sleeps();
    works(kill(pid, SIGSTOP));
    same(waitpid(pid, &status, WUNTRACED), pid);
    works(kill(pid, SIGCONT));
    same(waitpid(pid, &status, WCONTINUED), pid);
    check(WIFCONTINUED(status), "continued");
    same(waitpid(pid, &status, WCONTINUED | WNOHANG), 0);
    works(kill(pid, SIGKILL));
    dies(pid, SIGKILL);
}

TEST(stops_are_not_reported_unasked)
{
    pid_t pid = child_that_sleeps();
    works(kill(pid, SIGSTOP));
    works(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT));
    same(waitpid(pid, &status, WNOHANG), 0);
    works(kill(pid, SIGKILL));
    dies(pid, SIGKILL);
}

TEST(waitid_tells_of_exit)
{
    pid_t pid = child_that_exits(77);
    memset(&info, 0xff, sizeof(info));
    same(waitid(P_PID, (id_t)pid, &info, WEXITED), 0);
    same(info.si_pid, pid);
    same(info.si_signo, SIGCHLD);
    same(info.si_code, CLD_EXITED);
    same(info.si_status, 77);
    same(info.si_uid, getuid());
    same(info.si_errno, 0);
}

TEST(waitid_tells_of_kill_stop_and_continue)
{
    pid_t pid = child_that_sleeps();
    works(kill(pid, SIGSTOP));
    works(waitid(P_PID, (id_t)pid, &info, WSTOPPED));
    same(info.si_code, CLD_STOPPED);
    same(info.si_status, SIGSTOP);
    works(kill(pid, SIGCONT));
    works(waitid(P_PID, (id_t)pid, &info, WCONTINUED));
    same(info.si_code, CLD_CONTINUED);
    same(info.si_status, SIGCONT);
    works(kill(pid, SIGTERM));
    works(waitid(P_PID, (id_t)pid, &info, WEXITED));
    same(info.si_code, CLD_KILLED);
    same(info.si_status, SIGTERM);
}

TEST(waitid_with_wnohang_and_nothing_says_zero)
{
    pid_t pid = child_that_sleeps();
    memset(&info, 0xff, sizeof(info));
    same(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG), 0);
    same(info.si_pid, 0);
    same(info.si_signo, 0);
    works(kill(pid, SIGKILL));
    dies(pid, SIGKILL);
}

TEST(wnowait_leaves_the_child)
{
    pid_t pid = child_that_exits(9);
    works(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT));
    same(info.si_status, 9);
    works(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
    exits(pid, 9);
}

TEST(ignoring_sigchld_reaps_by_itself)
{
    signal(SIGCHLD, SIG_IGN);
    pid_t pid = child_that_exits(1);
    fails(waitpid(pid, &status, 0), ECHILD);
    wait_until(kill(pid, 0) < 0); /* on Linux the number goes a moment later */
    fails(kill(pid, 0), ESRCH);
}

TEST(wait4_gives_the_childs_usage)
{
    struct rusage usage;
    memset(&usage, 0xff, sizeof(usage));
    pid_t pid = child_that_exits(0);
    same(syscall(SYS_wait4, pid, &status, 0, &usage), pid);
    check(usage.ru_utime.tv_sec == 0 && usage.ru_utime.tv_usec >= 0, "a plausible time");
    check(usage.ru_maxrss >= 0 && usage.ru_minflt > 0, "it had faults");
}

TEST(a_sleeping_parent_is_woken)
{
    pid_t pid;
    CHILD (pid) {
        for (int i = 0; i < 20; i++)
            pause_a_little();
        _exit(12);
    }
    same(wait(&status), pid);
    same(WEXITSTATUS(status), 12);
}

TEST(a_bad_status_pointer_is_efault)
{
    pid_t pid = child_that_exits(0);
    fails(waitpid(pid, NOWHERE, 0), EFAULT);
    fails(waitpid(pid, &status, 0), ECHILD);
}

TEST(the_dead_do_not_stop)
{
    siginfo_t info;
    pid_t pid = child_that_exits(3);
    works(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
    fails(waitid(P_ALL, 0, &info, WSTOPPED | WNOHANG), ECHILD);
    fails(waitid(P_ALL, 0, &info, WSTOPPED | WCONTINUED), ECHILD);
    exits(pid, 3);
}

TEST(an_ignored_sigchld_never_waits_even_when_blocked)
{
    sigset_t set;
    pid_t pid;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    works(sigprocmask(SIG_BLOCK, &set, NULL));
    signal(SIGCHLD, SIG_IGN);
    CHILD (pid) {}
    fails(waitpid(pid, NULL, 0), ECHILD);
    works(sigpending(&set));
    same(sigismember(&set, SIGCHLD), 0);
    CHILD (pid) {
        raise(SIGSTOP);
    }
    same(waitpid(pid, NULL, WUNTRACED), pid);
    works(sigpending(&set));
    same(sigismember(&set, SIGCHLD), 0);
    works(kill(pid, SIGKILL));
}

int main(void)
{
    return tap_run("wait");
}
