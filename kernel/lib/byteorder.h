/*
 * The network's byte order is big endian, this machine's little. Names are POSIX's: h is the host, n the
 * network, s 16 bits and l 32.
 */
#pragma once

#include "lib/types.h"

#define htons(x) ((uint16_t)__builtin_bswap16((uint16_t)(x)))
#define ntohs(x) htons(x)
#define htonl(x) ((uint32_t)__builtin_bswap32((uint32_t)(x)))
#define ntohl(x) htonl(x)
