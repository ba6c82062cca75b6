/* What the tests of UDP share. */
#pragma once

#include "inet.h"

#define UDP SOCK_DGRAM

static char big[70000]; /* more than any datagram */

/* recvfrom(2) into DATA; the sender is an Internet address. */
static inline ssize_t receive_from(int fd, void *data, size_t n, struct sockaddr_in *from)
{
    socklen_t len = sizeof(*from);
    ssize_t got = recvfrom(fd, data, n, 0, (struct sockaddr *)from, &len);
    if (got >= 0)
        same(len, sizeof(*from));
    return got;
}
