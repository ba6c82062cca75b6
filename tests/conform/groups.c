/* musl: process groups and sessions. */
#define _GNU_SOURCE
#include "tap.h"

static int p[2];
static char c;

/* A child that lives until the pipe p is closed. */
static pid_t child_that_waits(void)
{
    pid_t pid;
    CHILD (pid) {
        works(close(p[1]));
        read(p[0], &c, 1);
    }
    return pid;
}

static pid_t child_of_another_session(void)
{
    int ready[2];
    pid_t pid;
    works(pipe(ready));
    CHILD (pid) {
        works(setsid());
        same(write(ready[1], "x", 1), 1);
        works(close(p[1]));
        read(p[0], &c, 1);
    }
    same(read(ready[0], &c, 1), 1);
    works(close(ready[0]));
    works(close(ready[1]));
    return pid;
}

TEST(child_inherits_group_and_session)
{
    pid_t group = getpgrp(), session = works(getsid(0)), pid;
    CHILD (pid) {
        same(getpgrp(), group);
        same(getsid(0), session);
        same(getpgid(getppid()), group);
    }
    exits(pid, 0);
}

TEST(setpgid_makes_a_group)
{
    pid_t pid;
    CHILD (pid) {
        works(setpgid(0, 0));
        same(getpgrp(), getpid());
        works(setpgid(0, 0));
    }
    exits(pid, 0);
}

TEST(parent_can_move_its_child)
{
    works(pipe(p));
    pid_t a = child_that_waits(), b = child_that_waits();
    works(setpgid(a, a));
    same(getpgid(a), a);
    works(setpgid(b, a));
    same(getpgid(b), a);
    works(setpgid(b, 0));
    same(getpgid(b), b);
    works(close(p[1]));
    exits(a, 0);
    exits(b, 0);
}

TEST(setpgid_refuses_strangers)
{
    works(pipe(p));
    pid_t a = child_that_waits(), stranger = child_of_another_session();
    fails(setpgid(a, -1), EINVAL);
    fails(setpgid(getppid(), 0), ESRCH);
    fails(setpgid(a, stranger), EPERM);
    fails(setpgid(a, 0x3fffffff), EPERM);
    fails(setpgid(0x3fffffff, 0), ESRCH);
    works(close(p[1]));
    exits(a, 0);
    exits(stranger, 0);
}

TEST(setpgid_after_the_childs_exec_is_eacces)
{
    pid_t pid;
    int ready[2];
    if (access("/proc/self/exe", F_OK) != 0)
        tap_fail("/proc is needed");
    works(pipe2(p, 0));
    works(pipe2(ready, O_CLOEXEC));
    CHILD (pid) {
        works(dup2(p[0], 0));
        works(close(p[1]));
        execl("/proc/self/exe", "groups", "wait-for-input", NULL);
    }
    works(close(ready[1]));
    same(read(ready[0], &c, 1), 0);
    fails(setpgid(pid, pid), EACCES);
    works(close(p[1]));
    exits(pid, 0);
}

TEST(setsid_makes_session_and_group)
{
    pid_t pid;
    CHILD (pid) {
        same(setsid(), getpid());
        same(getsid(0), getpid());
        same(getpgrp(), getpid());
        fails(setsid(), EPERM);
        fails(setpgid(0, 0), EPERM);
    }
    exits(pid, 0);
}

TEST(group_leader_cannot_setsid)
{
    pid_t pid;
    CHILD (pid) {
        works(setpgid(0, 0));
        fails(setsid(), EPERM);
    }
    exits(pid, 0);
}

TEST(child_of_another_session_cannot_be_moved)
{
    works(pipe(p));
    pid_t pid = child_of_another_session();
    fails(setpgid(pid, pid), EPERM);
    works(close(p[1]));
    exits(pid, 0);
}

TEST(asking_about_nobody_is_esrch)
{
    fails(getpgid(0x3fffffff), ESRCH);
    fails(getsid(0x3fffffff), ESRCH);
    fails(getpgid(-1), ESRCH);
}

TEST(kill_reaches_the_whole_group)
{
    works(pipe(p));
    pid_t a = child_that_waits(), b = child_that_waits(), outside = child_that_waits();
    works(setpgid(a, a));
    works(setpgid(b, a));
    works(kill(-a, SIGKILL));
    dies(a, SIGKILL);
    dies(b, SIGKILL);
    fails(kill(-a, 0), ESRCH);
    works(kill(outside, 0));
    works(close(p[1]));
    exits(outside, 0);
}

TEST(kill_zero_reaches_ones_own_group)
{
    pid_t pid;
    CHILD (pid) {
        pid_t child;
        works(setpgid(0, 0));
        CHILD (child) {
            for (;;)
                pause();
        }
        works(kill(0, SIGTERM));
    }
    dies(pid, SIGTERM);
}

TEST(a_group_outlives_its_leader)
{
    pid_t leader;
    works(pipe(p));
    CHILD (leader) {
        works(setpgid(0, 0));
    }
    siginfo_t info;
    works(waitid(P_PID, (id_t)leader, &info, WEXITED | WNOWAIT));
    pid_t member = child_that_waits();
    works(setpgid(member, leader));
    exits(leader, 0);
    same(getpgid(member), leader);
    works(kill(-leader, SIGKILL));
    dies(member, SIGKILL);
}

TEST(orphaned_stopped_group_is_hung_up_and_continued)
{
    pid_t middle;
    int alive[2];
    works(pipe(alive));
    CHILD (middle) {
        pid_t stopped;
        int status;
        works(close(alive[0]));
        CHILD (stopped) {
            works(setpgid(0, 0));
            raise(SIGSTOP);
            for (;;)
                pause();
        }
        works(waitpid(stopped, &status, WUNTRACED));
        check(WIFSTOPPED(status), "stopped");
    }
    works(close(alive[1]));
    exits(middle, 0);
    same(read(alive[0], &c, 1), 0); /* SIGHUP has ended the stopped one */
}

TEST(a_negative_process_has_no_group)
{
    fails(setpgid(-1, 0), EINVAL);
    fails(setpgid(-1, -1), EINVAL);
    fails(setpgid(-1, getpid()), ESRCH);
}

/*
 * In a session of its own: orphans then come to a parent of another session, and process 1 is a stranger,
 * whoever started this program.
 */
static int run_in_own_session(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        setsid();
        exit(tap_run("groups"));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "wait-for-input") == 0)
        return read(0, &c, 1) < 0;
    return run_in_own_session();
}
