/* <netinet/in.h>: addresses of the Internet. */
#pragma once

#include <abi/in.h>
#include <stdint.h>
#include <sys/socket.h>

#define INET_ADDRSTRLEN 16

#define IPPORT_RESERVED 1024 /* ports below it are root's */

static inline uint16_t htons(uint16_t x)
{
    return __builtin_bswap16(x);
}
static inline uint16_t ntohs(uint16_t x)
{
    return __builtin_bswap16(x);
}
static inline uint32_t htonl(uint32_t x)
{
    return __builtin_bswap32(x);
}
static inline uint32_t ntohl(uint32_t x)
{
    return __builtin_bswap32(x);
}
