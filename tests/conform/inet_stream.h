/* What the tests of TCP share: listeners, pairs, and what TCP_INFO tells. */
#pragma once

#include "inet.h"

#include <netinet/tcp.h>

#define TCP SOCK_STREAM

static inline int stream_listener(int backlog)
{
    int fd = inet_bound(TCP, LOOP);
    works(listen(fd, backlog));
    return fd;
}

/* Both ends of a connection: who has called, and who was called. */
static inline void stream_pair(int end[2])
{
    int l = stream_listener(4);
    end[0] = inet_fresh(TCP);
    works(inet_connect(end[0], LOOP, inet_port(l)));
    end[1] = works(accept(l, NULL, NULL));
    works(close(l));
}

static inline struct tcp_info stream_info(int fd)
{
    struct tcp_info i = {0};
    socklen_t len = sizeof(i);
    works(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &len));
    return i;
}

static inline int stream_state(int fd)
{
    return stream_info(fd).tcpi_state;
}

/* N bytes from one end to the other, by this process alone. */
static inline void stream_move(int from, int to, size_t n)
{
    static char bytes[65536];
    for (size_t sent = 0, got = 0; got < n;) {
        if (sent < n) {
            size_t part = n - sent < sizeof(bytes) ? n - sent : sizeof(bytes);
            ssize_t done = send(from, bytes, part, MSG_DONTWAIT);
            check(done > 0 || errno == EAGAIN, "send: errno %d", errno);
            sent += done > 0 ? (size_t)done : 0;
        }
        inet_await(to);
        got += (size_t)works(recv(to, bytes, sizeof(bytes), 0));
    }
}

/* It is over for this end, at once and by a reset. */
static inline void stream_reset(int fd)
{
    struct linger now = {1, 0};
    works(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
    works(close(fd));
}
