/* What the tests of local sockets share: addresses, listeners, clients, pairs, and a look by poll. */
#pragma once

#include "tap.h"

#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static char big[300000] __attribute__((unused));

static inline socklen_t make_address(struct sockaddr_un *a, const char *path)
{
    memset(a, 0, sizeof(*a));
    a->sun_family = AF_UNIX;
    if (path[0] == '@') { /* an abstract name */
        memcpy(a->sun_path + 1, path + 1, strlen(path + 1));
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    }
    strcpy(a->sun_path, path);
    return sizeof(*a);
}

static inline int bind_to(int fd, const char *path)
{
    struct sockaddr_un a;
    socklen_t len = make_address(&a, path);
    return bind(fd, (struct sockaddr *)&a, len);
}

static inline int connect_to(int fd, const char *path)
{
    struct sockaddr_un a;
    socklen_t len = make_address(&a, path);
    return connect(fd, (struct sockaddr *)&a, len);
}

static inline int listener(const char *path, int type, int backlog)
{
    int fd = works(socket(AF_UNIX, type, 0));
    works(bind_to(fd, path));
    works(listen(fd, backlog));
    return fd;
}

static inline int client(const char *path, int type)
{
    int fd = works(socket(AF_UNIX, type, 0));
    works(connect_to(fd, path));
    return fd;
}

static inline void make_pair(int type, int s[2])
{
    works(socketpair(AF_UNIX, type, 0, s));
}

static inline int ready(int fd)
{
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
    works(poll(&p, 1, 0));
    return p.revents;
}
