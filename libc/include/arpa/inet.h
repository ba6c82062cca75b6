/* <arpa/inet.h>: Internet addresses as text. All numbers are in network order. */
#pragma once

#include <netinet/in.h>

/* 1: *ADDRESS is filled in. 0: TEXT is no address. -1: EAFNOSUPPORT, FAMILY is not AF_INET. Source: POSIX. */
int inet_pton(int family, const char *text, void *address);
/* TEXT, or NULL: EAFNOSUPPORT, or ENOSPC: it has less than the bytes it takes. Source: POSIX. */
const char *inet_ntop(int family, const void *address, char *text, socklen_t size);

/* The old forms: a.b.c.d, a.b.c, a.b and a, each part decimal, octal or hexadecimal. 0: TEXT is none of them. */
int inet_aton(const char *text, struct in_addr *address);
/* The same; INADDR_NONE: TEXT is none of them (or 255.255.255.255). */
in_addr_t inet_addr(const char *text);
/* In host order. */
in_addr_t inet_network(const char *text);
/* Good until the next call. */
char *inet_ntoa(struct in_addr address);

/*
 * Networks and hosts as they were before netmasks: by the first bits of an address its network is one byte (0...), two
 * (10...) or three, and what is left is the host. Host order, the network's number at the right. Source: 4.3BSD.
 */
in_addr_t inet_netof(struct in_addr address);
in_addr_t inet_lnaof(struct in_addr address);
/* The address of HOST in NETWORK. */
struct in_addr inet_makeaddr(in_addr_t network, in_addr_t host);
