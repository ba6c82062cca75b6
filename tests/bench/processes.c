/* Process life: fork, exit and wait; the same with an exec of this very program in between. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

static char *const again[] = {"processes", "end", NULL};
static char *const no_environment[] = {NULL};
static const char *path;

static void reap(pid_t pid)
{
    int status;

    bench_need(pid > 0, "fork");
    bench_need(waitpid(pid, &status, 0) == pid && status == 0, "waitpid");
}

static void one_fork(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    reap(pid);
}

static void one_exec(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        execve(path, again, no_environment);
        _exit(1);
    }
    reap(pid);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "end") == 0)
        _exit(0);
    path = argv[0];
    bench("fork_exit_wait", 200, one_fork);
    bench("fork_exec_wait", 200, one_exec);
    return 0;
}
