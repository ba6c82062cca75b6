/*
 * idle_connections [COUNT]: so many TCP connections at once, both ends here, idle after a byte each way, in one
 * machine of 256 MiB (10,000 of them, so 20,000 sockets). All are still there at the end, and what they took
 * comes back when they are closed.
 *
 * A listener's place is one of 127.0.0.1 to 127.0.0.4: ports are chosen from 16,384 for each.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define LISTENERS 4

static void need(int fine, const char *what)
{
    if (!fine) {
        printf("idle_connections: %s: %s\n", what, strerror(errno));
        exit(1);
    }
}

static long free_mib(void)
{
    struct sysinfo s;

    need(sysinfo(&s) == 0, "sysinfo");
    return (long)(s.freeram * s.mem_unit >> 20);
}

static int listen_at(uint32_t address, struct sockaddr_in *at)
{
    socklen_t len = sizeof(*at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    need(fd >= 0 && bind(fd, (struct sockaddr *)at, sizeof(*at)) == 0, "bind");
    need(listen(fd, 16) == 0 && getsockname(fd, (struct sockaddr *)at, &len) == 0, "listen");
    return fd;
}

static int call(const struct sockaddr_in *to)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    need(fd >= 0, "socket");
    need(connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0, "connect");
    return fd;
}

/* A byte goes there and comes back. */
static void exchange(int a, int b, char byte)
{
    char got = 0;

    need(write(a, &byte, 1) == 1 && read(b, &got, 1) == 1 && got == byte, "there");
    need(write(b, &byte, 1) == 1 && read(a, &got, 1) == 1 && got == byte, "back");
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 10000, listener[LISTENERS];
    struct rlimit files = {(rlim_t)count * 2 + 64, (rlim_t)count * 2 + 64};
    int(*pair)[2] = calloc((size_t)count, sizeof(*pair));
    struct sockaddr_in at[LISTENERS];

    need(pair && setrlimit(RLIMIT_NOFILE, &files) == 0, "room for so many");
    for (unsigned i = 0; i < LISTENERS; i++)
        listener[i] = listen_at(INADDR_LOOPBACK + i, &at[i]);
    long before = free_mib();
    for (int i = 0; i < count; i++) {
        pair[i][0] = call(&at[i % LISTENERS]);
        pair[i][1] = accept(listener[i % LISTENERS], NULL, NULL);
        need(pair[i][1] >= 0, "accept");
        exchange(pair[i][0], pair[i][1], (char)i);
    }
    long during = free_mib();
    for (int i = 0; i < count; i++)
        exchange(pair[i][0], pair[i][1], (char)(i + 1));
    printf("%d connections, %ld MiB\n", count, before - during);
    for (int i = 0; i < count; i++) {
        need(close(pair[i][i & 1]) == 0, "close");
        need(close(pair[i][!(i & 1)]) == 0, "close");
    }
    return 0;
}
