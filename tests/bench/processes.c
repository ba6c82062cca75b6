/*
 * Process life: fork, exit and wait, also with much memory to copy; the same with an exec in between, of
 * this very program, which finds itself called "end" and ends.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define PAGE 4096

static char *const end_argv[] = {"end", NULL};
static char *const no_environment[] = {NULL};
static const char *path;

static void fork_row(void)
{
    MEASURE(200)
    {
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
        bench_reap(pid);
    }
}

/* fork with SIZE bytes of memory that the child gets a share in. */
static void fork_touched(size_t size)
{
    char *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    bench_need(area != MAP_FAILED, "mmap");
    /* Linux would take a few huge pages for all of it. */
    madvise(area, size, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < size; i += PAGE)
        area[i] = 1;
    MEASURE(20)
    {
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
        bench_reap(pid);
    }
    munmap(area, size);
}

static void fork_16_row(void)
{
    fork_touched(16 << 20);
}

static void fork_64_row(void)
{
    fork_touched(64 << 20);
}

static void fork_exec_row(void)
{
    MEASURE(200)
    {
        pid_t pid = fork();
        if (pid == 0) {
            execve(path, end_argv, no_environment);
            _exit(1);
        }
        bench_reap(pid);
    }
}

static void vfork_exec_row(void)
{
    MEASURE(200)
    {
        pid_t pid = vfork();
        if (pid == 0) {
            execve(path, end_argv, no_environment);
            _exit(1);
        }
        bench_reap(pid);
    }
}

static const struct bench_row rows[] = {
    {"fork_exit_wait", fork_row},        {"fork_16_mib", fork_16_row},
    {"fork_64_mib", fork_64_row},        {"fork_exec_wait", fork_exec_row},
    {"vfork_exec_wait", vfork_exec_row},
};

int main(int argc, char **argv)
{
    if (strcmp(argv[0], end_argv[0]) == 0)
        _exit(0);
    path = argv[0];
    return bench_run(rows, sizeof rows / sizeof rows[0], argc, argv);
}
