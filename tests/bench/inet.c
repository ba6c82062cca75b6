/* Internet sockets over the loopback device: a byte to another process and back, much at a time, and many calls. */
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream.h"

#define NODELAY 1 /* TCP_NODELAY */

/* Only Linux, alone with these programs, boots without it. */
static void loopback_up(void)
{
    struct ifreq r = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    bench_need(fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &r) == 0, "lo");
    r.ifr_flags |= IFF_UP;
    bench_need(ioctl(fd, SIOCSIFFLAGS, &r) == 0, "lo up");
    close(fd);
}

/* A socket of TYPE bound to some port of the loopback address, which *AT gets. */
static int bound(int type, struct sockaddr_in *at)
{
    socklen_t len = sizeof(*at);
    int fd = socket(AF_INET, type, 0);

    *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bench_need(fd >= 0, "socket");
    bench_need(bind(fd, (struct sockaddr *)at, sizeof(*at)) == 0, "bind");
    bench_need(getsockname(fd, (struct sockaddr *)at, &len) == 0, "getsockname");
    return fd;
}

static int called(const struct sockaddr_in *to)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    bench_need(fd >= 0, "socket");
    bench_need(connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0, "connect");
    return fd;
}

/* A connection, and a child that has its other end and runs SERVE on it until this one is closed. */
static int serve(void (*serve)(int fd), pid_t *child)
{
    struct sockaddr_in at;
    int listener = bound(SOCK_STREAM, &at), one = 1;

    loopback_up();
    bench_need(listen(listener, 4) == 0, "listen");
    int fd = called(&at), other = accept(listener, NULL, NULL);
    bench_need(other >= 0, "accept");
    bench_need(setsockopt(fd, IPPROTO_TCP, NODELAY, &one, sizeof(one)) == 0, "TCP_NODELAY");
    bench_need(setsockopt(other, IPPROTO_TCP, NODELAY, &one, sizeof(one)) == 0, "TCP_NODELAY");
    close(listener);
    *child = fork();
    if (*child == 0) {
        close(fd);
        serve(other);
        _exit(0);
    }
    close(other);
    return fd;
}

static void ping_pong_row(void)
{
    pid_t child;
    int fd = serve(stream_echo, &child);

    stream_ping_pong(fd, child);
}

static void bulk_row(void)
{
    pid_t child;
    int fd = serve(stream_swallow, &child);

    stream_bulk(fd, child);
}

/* One process calls itself, so that what is counted is the connections and not the switches. */
static void calls_row(void)
{
    struct sockaddr_in at;
    int listener = bound(SOCK_STREAM, &at);

    loopback_up();
    bench_need(listen(listener, 16) == 0, "listen");
    MEASURE(2000)
    {
        int fd = called(&at), other = accept(listener, NULL, NULL);
        bench_need(other >= 0, "accept");
        close(fd);
        close(other);
    }
    close(listener);
}

static void datagram_row(void)
{
    struct sockaddr_in here, there;
    int fd = bound(SOCK_DGRAM, &here), other = bound(SOCK_DGRAM, &there);
    char byte = 'x';

    loopback_up();
    bench_need(connect(fd, (struct sockaddr *)&there, sizeof(there)) == 0, "connect");
    bench_need(connect(other, (struct sockaddr *)&here, sizeof(here)) == 0, "connect");
    pid_t child = fork();
    if (child == 0) {
        while (read(other, &byte, 1) == 1 && byte == 'x')
            if (write(other, &byte, 1) != 1)
                break;
        _exit(0);
    }
    MEASURE(3000)
    {
        bench_need(write(fd, &byte, 1) == 1, "write");
        bench_need(read(fd, &byte, 1) == 1, "read");
    }
    byte = 'q';
    bench_need(write(fd, &byte, 1) == 1, "write");
    bench_reap(child);
    close(fd);
    close(other);
}

static const struct bench_row rows[] = {
    {"udp_ping_pong", datagram_row},
    {"tcp_ping_pong", ping_pong_row},
    {"tcp_64_kib", bulk_row},
    {"tcp_connect_close", calls_row},
};

BENCH_MAIN(rows)
