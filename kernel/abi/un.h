/* unix(7): addresses of local sockets. A path, or, after a zero byte, a name of its own name space. */
#pragma once

#include <abi/socket.h>

#define UNIX_PATH_MAX 108

struct sockaddr_un {
    sa_family_t sun_family;
    char sun_path[UNIX_PATH_MAX];
};
