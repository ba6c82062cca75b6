/* Pipes: a byte to oneself, a byte to another process and back, much at a time, and looking at many. */
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "bench.h"

#define CHUNK 65536
#define MANY 100

static char chunk[CHUNK];

static void pipe_self_row(void)
{
    int ends[2];
    char byte = 'x';

    bench_need(pipe(ends) == 0, "pipe");
    MEASURE(10000)
    {
        bench_need(write(ends[1], &byte, 1) == 1, "write");
        bench_need(read(ends[0], &byte, 1) == 1, "read");
    }
    close(ends[0]);
    close(ends[1]);
}

/* Send back what comes, until nobody is left to send. */
static _Noreturn void echo(int from, int to)
{
    char byte;

    while (read(from, &byte, 1) == 1)
        if (write(to, &byte, 1) != 1)
            break;
    _exit(0);
}

static void ping_pong_row(void)
{
    int there[2], back[2];
    char byte = 'x';
    pid_t child;

    bench_need(pipe(there) == 0 && pipe(back) == 0, "pipe");
    child = fork();
    if (child == 0) {
        close(there[1]);
        close(back[0]);
        echo(there[0], back[1]);
    }
    close(there[0]);
    close(back[1]);
    MEASURE(3000)
    {
        bench_need(write(there[1], &byte, 1) == 1, "write");
        bench_need(read(back[0], &byte, 1) == 1, "read");
    }
    close(there[1]);
    close(back[0]);
    bench_reap(child);
}

/* 64 KiB at a time to another process, which reads as much at a time. */
static void bulk_row(void)
{
    int ends[2];
    pid_t child;

    bench_need(pipe(ends) == 0, "pipe");
    child = fork();
    if (child == 0) {
        close(ends[1]);
        while (read(ends[0], chunk, sizeof chunk) > 0)
            ;
        _exit(0);
    }
    close(ends[0]);
    MEASURE(1000)
    bench_need(write(ends[1], chunk, sizeof chunk) == sizeof chunk, "write");
    close(ends[1]);
    bench_reap(child);
}

/* A look at all of which none is ready. */
static void poll_row(void)
{
    struct pollfd polled[MANY];
    int ends[MANY][2];

    for (int i = 0; i < MANY; i++) {
        bench_need(pipe(ends[i]) == 0, "pipe");
        polled[i] = (struct pollfd){.fd = ends[i][0], .events = POLLIN};
    }
    MEASURE(1000)
    bench_need(poll(polled, MANY, 0) == 0, "poll");
    for (int i = 0; i < MANY; i++) {
        close(ends[i][0]);
        close(ends[i][1]);
    }
}

static const struct bench_row rows[] = {
    {"pipe_self", pipe_self_row},
    {"pipe_ping_pong", ping_pong_row},
    {"pipe_64_kib", bulk_row},
    {"poll_100_pipes", poll_row},
};

BENCH_MAIN(rows)
