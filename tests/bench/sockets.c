/* Local sockets: a byte to another process and back, and much at a time. */
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#define CHUNK 65536

static char chunk[CHUNK];

/* Two connected sockets, and a child that has the second and runs SERVE on it until the first is closed. */
static int serve(int type, void (*serve)(int fd), pid_t *child)
{
    int ends[2];

    bench_need(socketpair(AF_UNIX, type, 0, ends) == 0, "socketpair");
    *child = fork();
    if (*child == 0) {
        close(ends[0]);
        serve(ends[1]);
        _exit(0);
    }
    close(ends[1]);
    return ends[0];
}

static void echo(int fd)
{
    char byte;

    while (read(fd, &byte, 1) == 1)
        if (write(fd, &byte, 1) != 1)
            break;
}

static void swallow(int fd)
{
    while (read(fd, chunk, sizeof chunk) > 0)
        ;
}

static void ping_pong_row(void)
{
    pid_t child;
    char byte = 'x';
    int fd = serve(SOCK_STREAM, echo, &child);

    MEASURE(3000)
    {
        bench_need(write(fd, &byte, 1) == 1, "write");
        bench_need(read(fd, &byte, 1) == 1, "read");
    }
    close(fd);
    bench_reap(child);
}

static void bulk_row(void)
{
    pid_t child;
    int fd = serve(SOCK_STREAM, swallow, &child);

    MEASURE(1000)
    bench_need(write(fd, chunk, sizeof chunk) == sizeof chunk, "write");
    close(fd);
    bench_reap(child);
}

static const struct bench_row rows[] = {
    {"unix_ping_pong", ping_pong_row},
    {"unix_64_kib", bulk_row},
};

BENCH_MAIN(rows)
