/*
 * Waiting for many by epoll, and moving bytes without copying them. One descriptor of a set is ready; what it
 * takes to learn which must not grow with those that are not.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

#define LARGEST 1000
#define CHUNK 65536

static int ends[LARGEST][2];
static char chunk[CHUNK];

/* epoll_wait on a set of COUNT pipes, the last of which has a byte. */
static void one_of(int count)
{
    struct rlimit limit = {2 * LARGEST + 20, 2 * LARGEST + 20};
    struct epoll_event event = {.events = EPOLLIN};
    int set = epoll_create1(0);

    bench_need(set >= 0, "epoll_create1");
    bench_need(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
    for (int i = 0; i < count; i++) {
        bench_need(pipe(ends[i]) == 0, "pipe");
        bench_need(epoll_ctl(set, EPOLL_CTL_ADD, ends[i][0], &event) == 0, "epoll_ctl");
    }
    bench_need(write(ends[count - 1][1], "x", 1) == 1, "write");
    MEASURE(5000)
    bench_need(epoll_wait(set, &event, 1, -1) == 1, "epoll_wait");
    for (int i = 0; i < count; i++) {
        close(ends[i][0]);
        close(ends[i][1]);
    }
    close(set);
}

static void epoll_10_row(void)
{
    one_of(10);
}

static void epoll_1000_row(void)
{
    one_of(LARGEST);
}

/* What a full pipe holds goes into another one, and back. */
static void splice_row(void)
{
    int a[2], b[2];

    bench_need(pipe(a) == 0 && pipe(b) == 0, "pipe");
    bench_need(write(a[1], chunk, CHUNK) == CHUNK, "write");
    MEASURE(2000)
    {
        bench_need(splice(a[0], NULL, b[1], NULL, CHUNK, 0) == CHUNK, "splice");
        bench_need(splice(b[0], NULL, a[1], NULL, CHUNK, 0) == CHUNK, "splice");
    }
    close(a[0]);
    close(a[1]);
    close(b[0]);
    close(b[1]);
}

/* 64 KiB of a file into a pipe, and from there to where nobody looks. */
static void splice_file_row(void)
{
    int p[2], fd = open("/tmp/spliced", O_RDWR | O_CREAT | O_TRUNC, 0600);
    int null = open("/dev/null", O_WRONLY);

    bench_need(fd >= 0 && null >= 0 && pipe(p) == 0, "open");
    bench_need(write(fd, chunk, CHUNK) == CHUNK, "write");
    MEASURE(2000)
    {
        off_t at = 0;
        bench_need(splice(fd, &at, p[1], NULL, CHUNK, 0) == CHUNK, "splice");
        bench_need(splice(p[0], NULL, null, NULL, CHUNK, 0) == CHUNK, "splice");
    }
    close(p[0]);
    close(p[1]);
    close(fd);
    close(null);
    unlink("/tmp/spliced");
}

static const struct bench_row rows[] = {
    {"epoll_1_of_10", epoll_10_row},
    {"epoll_1_of_1000", epoll_1000_row},
    {"splice_64_kib_and_back", splice_row},
    {"splice_64_kib_of_a_file", splice_file_row},
};

BENCH_MAIN(rows)
