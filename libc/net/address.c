/* Internet addresses as text (inet(3)). */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int inet_pton(int family, const char *text, void *address)
{
    unsigned char bytes[4];

    if (family != AF_INET) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        unsigned value = 0;
        int digits = 0;
        for (; *text >= '0' && *text <= '9' && digits < 4; digits++)
            value = value * 10 + (unsigned)(*text++ - '0');
        /* A leading zero would mean octal to others: it is no number here. */
        if (digits == 0 || digits > 3 || value > 255 || (digits > 1 && text[-digits] == '0'))
            return 0;
        if (*text++ != (i < 3 ? '.' : '\0'))
            return 0;
        bytes[i] = (unsigned char)value;
    }
    memcpy(address, bytes, sizeof bytes);
    return 1;
}

const char *inet_ntop(int family, const void *address, char *text, socklen_t size)
{
    const unsigned char *a = address;
    char whole[INET_ADDRSTRLEN];

    if (family != AF_INET) {
        errno = EAFNOSUPPORT;
        return NULL;
    }
    if ((socklen_t)snprintf(whole, sizeof whole, "%d.%d.%d.%d", a[0], a[1], a[2], a[3]) >= size) {
        errno = ENOSPC;
        return NULL;
    }
    return strcpy(text, whole);
}

/* The last of up to four parts fills all the bytes that are left. */
int inet_aton(const char *text, struct in_addr *address)
{
    uint32_t value = 0;

    for (int part = 0; part < 4; part++) {
        unsigned bits = 32 - 8 * (unsigned)part;
        char *end;
        if (*text < '0' || *text > '9')
            return 0;
        unsigned long n = strtoul(text, &end, 0);
        text = end + 1;
        if (*end != '.') {
            if (*end != '\0' || n >> bits)
                return 0;
            address->s_addr = htonl(value | (uint32_t)n);
            return 1;
        }
        if (n > 255)
            return 0;
        value |= (uint32_t)n << (bits - 8);
    }
    return 0;
}

in_addr_t inet_addr(const char *text)
{
    struct in_addr address;
    return inet_aton(text, &address) ? address.s_addr : INADDR_NONE;
}

in_addr_t inet_network(const char *text)
{
    return ntohl(inet_addr(text));
}

char *inet_ntoa(struct in_addr address)
{
    static char text[INET_ADDRSTRLEN];
    return (char *)inet_ntop(AF_INET, &address, text, sizeof text);
}

/* How many bits of ADDRESS, host order, are the host's: those of the classes A, B and C (RFC 791, section 3.2). */
static int host_bits(uint32_t address)
{
    return address >> 31 == 0 ? 24 : address >> 30 == 2 ? 16 : 8;
}

in_addr_t inet_netof(struct in_addr address)
{
    uint32_t a = ntohl(address.s_addr);
    return a >> host_bits(a);
}

in_addr_t inet_lnaof(struct in_addr address)
{
    uint32_t a = ntohl(address.s_addr);
    return a & ((1u << host_bits(a)) - 1);
}

/* How long NETWORK is tells its class; the host has the rest. */
struct in_addr inet_makeaddr(in_addr_t network, in_addr_t host)
{
    int bits = network < 0x100 ? 24 : network < 0x10000 ? 16 : 8;
    return (struct in_addr){htonl(network << bits | (host & ((1u << bits) - 1)))};
}
