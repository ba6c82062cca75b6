/* Local sockets: a byte to another process and back, and much at a time. */
#include <sys/socket.h>
#include <unistd.h>

#include "stream.h"

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

static void ping_pong_row(void)
{
    pid_t child;
    int fd = serve(SOCK_STREAM, stream_echo, &child);

    stream_ping_pong(fd, child);
}

static void bulk_row(void)
{
    pid_t child;
    int fd = serve(SOCK_STREAM, stream_swallow, &child);

    stream_bulk(fd, child);
}

static const struct bench_row rows[] = {
    {"unix_ping_pong", ping_pong_row},
    {"unix_64_kib", bulk_row},
};

BENCH_MAIN(rows)
