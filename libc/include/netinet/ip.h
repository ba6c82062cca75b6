/* <netinet/ip.h>: the type-of-service octet (RFC 791, RFC 1349), for IP_TOS. */
#pragma once

#include <netinet/in.h>

#define IPTOS_LOWDELAY 0x10
#define IPTOS_THROUGHPUT 0x08
#define IPTOS_RELIABILITY 0x04
#define IPTOS_MINCOST 0x02

#define IPDEFTTL 64
#define MAXTTL 255
