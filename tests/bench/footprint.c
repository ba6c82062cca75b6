/* What things weigh: bytes of memory that one of many takes, by what is free before and after. */
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

#define PIPES 10000

static long free_bytes(void)
{
    char text[2048] = "";
    int fd = open("/proc/meminfo", O_RDONLY);

    bench_need(fd >= 0 && read(fd, text, sizeof text - 1) > 0, "/proc/meminfo");
    close(fd);
    const char *line = strstr(text, "MemFree:");
    bench_need(line != NULL, "MemFree");
    return atol(line + 8) * 1024;
}

/* All of them open at once, and empty. */
static void empty_pipe_row(void)
{
    struct rlimit limit = {2 * PIPES + 20, 2 * PIPES + 20};
    static int ends[PIPES][2];
    long before;

    bench_need(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
    memset(ends, 1, sizeof ends);
    before = free_bytes();
    for (int i = 0; i < PIPES; i++)
        bench_need(pipe(ends[i]) == 0, "pipe");
    bench.nanoseconds = before - free_bytes(); /* bytes, for once */
    bench.operations = PIPES;
    for (int i = 0; i < PIPES; i++) {
        close(ends[i][0]);
        close(ends[i][1]);
    }
}

static const struct bench_row rows[] = {
    {"empty_pipe_bytes", empty_pipe_row},
};

BENCH_MAIN(rows)
