/* <sys/un.h>: addresses of local sockets. */
#pragma once

#include <abi/un.h>
#include <string.h>

#define SUN_LEN(address) (offsetof(struct sockaddr_un, sun_path) + strlen((address)->sun_path))
