/* musl: the life of a process: fork, vfork, exit, orphans. */
#define _GNU_SOURCE
#include "tap.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static int counter;

static int *shared_int(void)
{
    void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(p != MAP_FAILED, "shared memory");
    return p;
}

TEST(fork_gives_each_its_own_memory)
{
    pid_t pid;
    counter = 1;
    CHILD (pid) {
        counter = 2;
        _exit(counter);
    }
    exits(pid, 2);
    same(counter, 1);
}

TEST(ids_relate_as_they_should)
{
    pid_t parent = getpid(), pid;
    CHILD (pid) {
        same(getppid(), parent);
        check(getpid() != parent, "the child has an id of its own");
        same(syscall(SYS_gettid), getpid());
        same(getpid(), syscall(SYS_getpid));
    }
    check(pid > 0, "fork returns the child's id");
    exits(pid, 0);
}

TEST(exit_status_keeps_eight_bits)
{
    pid_t pid;
    CHILD (pid) {
        _exit(0x1ff);
    }
    exits(pid, 255);
    CHILD (pid) {
        _exit(256);
    }
    exits(pid, 0);
}

TEST(vfork_child_runs_first_in_the_same_memory)
{
    counter = 0;
    pid_t pid = vfork();
    if (pid == 0) {
        counter = 7;
        _exit(3);
    }
    same(counter, 7);
    exits(pid, 3);
}

TEST(vfork_parent_waits_for_exec)
{
    make_file("sh", "#!/nonexistent\n");
    pid_t pid = vfork();
    if (pid == 0) {
        execl("sh", "sh", NULL);
        counter = errno;
        _exit(4);
    }
    same(counter, EACCES);
    exits(pid, 4);
}

TEST(vfork_parent_goes_on_when_the_child_is_killed)
{
    pid_t pid = vfork();
    if (pid == 0) {
        syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
        _exit(0);
    }
    dies(pid, SIGKILL);
}

TEST(orphans_get_a_new_parent)
{
    int *parent = shared_int();
    pid_t pid;
    CHILD (pid) {
        pid_t middle = getpid(), grandchild;
        CHILD (grandchild) {
            while (getppid() == middle)
                pause_a_little();
            *parent = getppid();
        }
    }
    exits(pid, 0);
    wait_until(*(volatile int *)parent != 0);
    check(*parent != getpid(), "not its grandparent");
}

TEST(subreaper_adopts_orphans)
{
    pid_t pid;
    int *orphan = shared_int();
    works(prctl(PR_SET_CHILD_SUBREAPER, 1));
    CHILD (pid) {
        pid_t middle = getpid(), grandchild;
        CHILD (grandchild) {
            while (getppid() == middle)
                pause_a_little();
            _exit(getppid() == *orphan ? 5 : 6);
        }
    }
    *orphan = getpid();
    exits(pid, 0);
    int status;
    works(waitpid(-1, &status, 0));
    same(WEXITSTATUS(status), 5);
    fails(waitpid(-1, &status, 0), ECHILD);
}

TEST(a_zombie_keeps_its_id_until_reaped)
{
    pid_t pid;
    CHILD (pid) {
        _exit(0);
    }
    siginfo_t info;
    works(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
    works(kill(pid, 0));
    exits(pid, 0);
    fails(kill(pid, 0), ESRCH);
}

TEST(many_children_one_after_the_other)
{
    for (int i = 0; i < 200; i++) {
        pid_t pid;
        CHILD (pid) {
            _exit(i & 0x7f);
        }
        exits(pid, i & 0x7f);
    }
}

TEST(many_children_at_once)
{
    enum { N = 60 };
    pid_t pid[N];
    int p[2];
    char c;
    works(pipe(p));
    for (int i = 0; i < N; i++)
        CHILD (pid[i]) {
            works(close(p[1]));
            read(p[0], &c, 1);
            _exit(i);
        }
    works(close(p[1]));
    for (int i = N - 1; i >= 0; i--)
        exits(pid[i], i);
}

TEST(a_chain_of_forks)
{
    pid_t pid;
    int depth = 0;
    CHILD (pid) {
        for (depth = 1; depth < 20; depth++) {
            pid_t next = works(fork());
            if (next) {
                int status = tap_reap(next);
                _exit(WEXITSTATUS(status));
            }
        }
        _exit(42);
    }
    exits(pid, 42);
}

TEST(child_gets_parents_directory_and_umask)
{
    pid_t pid;
    works(mkdir("d", 0755));
    works(chdir("d"));
    umask(077);
    CHILD (pid) {
        same(umask(0), 077);
        make_file("from_child", "");
        works(chdir("/"));
    }
    exits(pid, 0);
    works(access("from_child", F_OK));
    same(umask(077), 077);
}

TEST(pdeathsig_comes_when_the_parent_dies)
{
    int p[2];
    pid_t pid;
    char c;
    works(pipe(p));
    CHILD (pid) {
        pid_t grandchild;
        int ready[2];
        works(pipe(ready));
        CHILD (grandchild) {
            works(close(p[0]));
            works(prctl(PR_SET_PDEATHSIG, SIGKILL));
            same(write(ready[1], "x", 1), 1);
            for (;;)
                pause();
        }
        same(read(ready[0], &c, 1), 1);
    }
    works(close(p[1]));
    exits(pid, 0);
    same(read(p[0], &c, 1), 0);
}

TEST(memory_of_a_process_that_was_killed_is_not_the_parents)
{
    static char page[64 * 4096];
    pid_t pid;
    memset(page, 1, sizeof(page));
    CHILD (pid) {
        memset(page, 2, sizeof(page));
        kill(getpid(), SIGKILL);
    }
    dies(pid, SIGKILL);
    for (size_t i = 0; i < sizeof(page); i += PAGE)
        same(page[i], 1);
}

int main(void)
{
    return tap_run("process");
}
