/* What the tests of Internet sockets share: addresses on the loopback, and short words for common calls. */
#pragma once

#include "tap.h"

#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define LOOP 0x7f000001u

/* ADDRESS:PORT, both in host order. */
static inline struct sockaddr_in at(uint32_t address, int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    a.sin_port = htons((uint16_t)port);
    a.sin_addr.s_addr = htonl(address);
    return a;
}

#define ADDR(a) ((struct sockaddr *)&(a)), sizeof(a)

static inline int inet_fresh(int type)
{
    return works(socket(AF_INET, type, 0));
}

static inline int inet_port(int fd)
{
    struct sockaddr_in a;
    socklen_t len = sizeof(a);
    works(getsockname(fd, (struct sockaddr *)&a, &len));
    same(len, sizeof(a));
    same(a.sin_family, AF_INET);
    return ntohs(a.sin_port);
}

static inline uint32_t inet_local(int fd)
{
    struct sockaddr_in a;
    socklen_t len = sizeof(a);
    works(getsockname(fd, (struct sockaddr *)&a, &len));
    return ntohl(a.sin_addr.s_addr);
}

/* A socket of TYPE bound to ADDRESS, and a port of the kernel's choice. */
static inline int inet_bound(int type, uint32_t address)
{
    struct sockaddr_in a = at(address, 0);
    int fd = inet_fresh(type);
    works(bind(fd, ADDR(a)));
    return fd;
}

static inline int inet_set(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value));
}

static inline int inet_option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);
    works(getsockopt(fd, level, name, &value, &len));
    return value;
}

static inline int inet_ready(int fd, int timeout)
{
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
    works(poll(&p, 1, timeout));
    return p.revents;
}

/* Wait until something can be read, or an error be heard. */
static inline void inet_await(int fd)
{
    struct pollfd p = {fd, POLLIN, 0};
    same(poll(&p, 1, 60000), 1);
}

static inline ssize_t inet_send_to(int fd, uint32_t address, int port, const void *data, size_t n)
{
    struct sockaddr_in a = at(address, port);
    return sendto(fd, data, n, 0, ADDR(a));
}

static inline int inet_connect(int fd, uint32_t address, int port)
{
    struct sockaddr_in a = at(address, port);
    return connect(fd, ADDR(a));
}

static inline int inet_bind(int fd, uint32_t address, int port)
{
    struct sockaddr_in a = at(address, port);
    return bind(fd, ADDR(a));
}

/* A port where nobody listens now. */
static inline int inet_closed_port(int type)
{
    int fd = inet_bound(type, LOOP), port = inet_port(fd);
    works(close(fd));
    return port;
}
