/*
 * What the commands about the network share: names and numbers of hosts, ports and interfaces, and the checksum of
 * the Internet. To be included in place of command.h.
 */
#pragma once

#include "command.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

/* TEXT is a decimal number from LEAST to MOST; otherwise it is the end, and WHAT says of what. */
static inline long need_number(const char *text, long least, long most, const char *what)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || n < least || n > most)
        errx(1, "%s: not a %s", text, what);
    return n;
}

/* The same with a fraction, in seconds. */
static inline double need_seconds(const char *text)
{
    char *end;
    double n = strtod(text, &end);
    if (*text < '0' || *text > '9' || *end || !(n <= 1e6))
        errx(1, "%s: not a number of seconds", text);
    return n;
}

/* HOST and SERVICE (either may be NULL) as addresses for sockets of TYPE; the end, when there are none. */
static inline struct addrinfo *need_addresses(const char *host, const char *service, int type,
                                              int flags)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = type, .ai_flags = flags}, *list;
    int error = getaddrinfo(host, service, &hints, &list);
    if (error)
        errx(1, "%s: %s", error == EAI_SERVICE || !host ? service : host, gai_strerror(error));
    return list;
}

static inline struct in_addr need_host(const char *host)
{
    struct addrinfo *list = need_addresses(host, NULL, SOCK_DGRAM, 0);
    struct in_addr address = ((struct sockaddr_in *)list->ai_addr)->sin_addr;
    freeaddrinfo(list);
    return address;
}

/* The name of ADDRESS, or the number itself, also when NUMERIC. Good until the next call. */
static inline const char *host_text(struct in_addr address, bool numeric)
{
    static char text[NI_MAXHOST];
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = address};
    if (getnameinfo((struct sockaddr *)&a, sizeof(a), text, sizeof(text), NULL, 0,
                    numeric ? NI_NUMERICHOST : 0) != 0)
        inet_ntop(AF_INET, &address, text, sizeof(text));
    return text;
}

/* The name of PORT (network order) of "tcp" or "udp", or its number. Good until the next call. */
static inline const char *port_text(in_port_t port, const char *protocol, bool numeric)
{
    static char text[NI_MAXSERV];
    struct servent *s = numeric ? NULL : getservbyport(port, protocol);
    if (s)
        snprintf(text, sizeof(text), "%s", s->s_name);
    else
        snprintf(text, sizeof(text), "%d", ntohs(port));
    return text;
}

/* A socket for the ioctls about interfaces; the end, when there is none to be had. */
static inline int need_socket(int family, int type, int protocol)
{
    int fd = socket(family, type | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        err(1, "socket");
    return fd;
}

/* Put NAME into R; false with ENODEV: it is too long to be an interface's. */
static inline bool name_interface(struct ifreq *r, const char *name)
{
    memset(r, 0, sizeof(*r));
    errno = ENODEV;
    if (!*name || strlen(name) >= sizeof(r->ifr_name))
        return false;
    strcpy(r->ifr_name, name);
    return true;
}

/* The Internet address in a socket address, and the other way. */
static inline struct in_addr address_in(const struct sockaddr *a)
{
    struct sockaddr_in in;
    memcpy(&in, a, sizeof(in));
    return in.sin_addr;
}

static inline void put_address(struct sockaddr *a, struct in_addr address)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = address};
    memcpy(a, &in, sizeof(in));
}

/* The one's complement sum of N bytes and of SUM, which was returned before for an even number of bytes (RFC 1071). */
static inline uint32_t sum_words(const void *data, size_t n, uint32_t sum)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* What a checksum's field must have for it: network order. */
static inline uint16_t checksum(const void *data, size_t n)
{
    return htons((uint16_t)~sum_words(data, n, 0));
}

/* Numbers in packets lie anywhere. */
static inline unsigned get16(const unsigned char *p)
{
    return (unsigned)p[0] << 8 | p[1];
}
static inline uint32_t get32(const unsigned char *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}
static inline void put16(unsigned char *p, unsigned n)
{
    p[0] = (unsigned char)(n >> 8);
    p[1] = (unsigned char)n;
}
static inline void put32(unsigned char *p, uint32_t n)
{
    put16(p, n >> 16);
    put16(p + 2, n & 0xffff);
}

/* Milliseconds of a clock that is never set. */
static inline long long milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}
