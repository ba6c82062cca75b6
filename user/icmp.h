/* ICMP's messages (RFC 792) as ping, traceroute and tcpdump read them: where they are in a packet, their names. */
#pragma once

#include "net.h"

#define ICMP_ECHO_REPLY 0
#define ICMP_UNREACHABLE 3
#define ICMP_ECHO 8
#define ICMP_TIME_EXCEEDED 11
#define ICMP_HEADER 8
#define PORT_UNREACHABLE 3 /* of the codes of ICMP_UNREACHABLE */

/* What lies behind the IP header of the *N bytes at P, and how many of them; NULL: it is no IPv4 packet. */
static inline const unsigned char *ip_payload(const unsigned char *p, size_t *n)
{
    size_t header = *n > 0 ? (size_t)(p[0] & 15) * 4 : 0;
    if (*n < 20 || p[0] >> 4 != 4 || header < 20 || header > *n)
        return NULL;
    *n -= header;
    return p + header;
}

/*
 * The packet that an ICMP error of N bytes at P complains about: behind its IP header, what of it is quoted. NULL:
 * it is no error, or quotes no packet of PROTOCOL sent to DESTINATION with eight bytes of it.
 */
static inline const unsigned char *icmp_quoted(const unsigned char *p, size_t n, int protocol,
                                               struct in_addr destination)
{
    if (n < ICMP_HEADER || (p[0] != ICMP_UNREACHABLE && p[0] != ICMP_TIME_EXCEEDED))
        return NULL;
    const unsigned char *ip = p + ICMP_HEADER;
    n -= ICMP_HEADER;
    const unsigned char *inner = ip_payload(ip, &n);
    return inner && n >= 8 && ip[9] == protocol && memcmp(ip + 16, &destination, 4) == 0 ? inner
                                                                                         : NULL;
}

static inline const char *icmp_text(unsigned type, unsigned code)
{
    static const char *const unreachable[] = {
        "network unreachable",
        "host unreachable",
        "protocol unreachable",
        "port unreachable",
        "packet too big",
        "source route failed",
        "network unknown",
        "host unknown",
        "source isolated",
        "network prohibited",
        "host prohibited",
        "network unreachable for this service",
        "host unreachable for this service",
        "administratively prohibited",
    };
    switch (type) {
    case ICMP_ECHO_REPLY: return "echo reply";
    case ICMP_ECHO: return "echo request";
    case ICMP_UNREACHABLE:
        return code < sizeof(unreachable) / sizeof(unreachable[0]) ? unreachable[code]
                                                                   : "destination unreachable";
    case 5: return "redirect";
    case ICMP_TIME_EXCEEDED:
        return code == 0 ? "time to live exceeded" : "reassembly took too long";
    case 12: return "parameter problem";
    default: return "another message";
    }
}
