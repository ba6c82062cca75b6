/* Where driver and probes meet: an address that is no file, and the terminal that they talk about. */
#pragma once

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define MEETING_TEXT 512
#define MEETING_TERMINAL "/dev/ttyS0"

static inline socklen_t meeting_place(struct sockaddr_un *address)
{
    static const char name[] = "\0lab-jobs";

    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, name, sizeof(name) - 1);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(name) - 1);
}
