/* What the races of TCP have in common besides pairs.h: sockets, listeners and connections on the loopback. */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "pairs.h"

static inline struct sockaddr_in loopback(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static inline int fresh(int flags)
{
    int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

    need(fd >= 0);
    return fd;
}

/* Bound to a port of the kernel's choice: *PORT. */
static inline int bound(int *port)
{
    struct sockaddr_in a = loopback(0);
    socklen_t len = sizeof a;
    int fd = fresh(0);

    need(bind(fd, (struct sockaddr *)&a, sizeof a) == 0);
    need(getsockname(fd, (struct sockaddr *)&a, &len) == 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static inline int listener(int *port, int backlog)
{
    int fd = bound(port);

    need(listen(fd, backlog) == 0);
    return fd;
}

static inline int call(int fd, int port)
{
    struct sockaddr_in a = loopback(port);

    return connect(fd, (struct sockaddr *)&a, sizeof a);
}

static inline void make_pair(int end[2])
{
    int port, l = listener(&port, 1);

    end[0] = fresh(0);
    need(call(end[0], port) == 0);
    end[1] = accept(l, NULL, NULL);
    need(end[1] >= 0);
    close(l);
}

static inline void set(int fd, int name, int value)
{
    need(setsockopt(fd, SOL_SOCKET, name, &value, sizeof value) == 0);
}

static inline bool is_broken(void)
{
    return errno == EPIPE || errno == ECONNRESET;
}
