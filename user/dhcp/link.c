/*
 * Messages before there is an address: the IP and UDP headers are written by hand and go out by a packet socket, and
 * the answers are picked from all that comes.
 *
 * The checksum of UDP is not looked at: a packet from a server on the same host has none yet, the device that
 * would have filled it in being none.
 */
#include "dhcp.h"

#include <net/ethernet.h>
#include <netpacket/packet.h>

#define IP_HEADER 20
#define UDP_HEADER 8
#define HEADERS (IP_HEADER + UDP_HEADER)
#define TTL 64
#define MORE_FRAGMENTS 0x2000
#define FRAGMENT_OFFSET 0x1fff

static struct sockaddr_ll link_address(const struct interface *on)
{
    return (struct sockaddr_ll){.sll_family = AF_PACKET,
                                .sll_protocol = htons(ETH_P_IP),
                                .sll_ifindex = on->index,
                                .sll_halen = 6,
                                .sll_addr = {255, 255, 255, 255, 255, 255}};
}

int link_open(const struct interface *on)
{
    struct sockaddr_ll a = link_address(on);
    int fd = need_socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP));

    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
        err(1, "%s", on->name);
    return fd;
}

bool link_send(int fd, const struct interface *on, const unsigned char *p, size_t n)
{
    unsigned char packet[HEADERS + MESSAGE_MAX] = {0x45}, *udp = packet + IP_HEADER;
    struct sockaddr_ll to = link_address(on);

    put16(packet + 2, (unsigned)(HEADERS + n));
    packet[8] = TTL;
    packet[9] = IPPROTO_UDP;
    memset(packet + 16, 255, 4);
    uint16_t sum = checksum(packet, IP_HEADER);
    memcpy(packet + 10, &sum, 2);
    put16(udp, CLIENT_PORT);
    put16(udp + 2, SERVER_PORT);
    put16(udp + 4, (unsigned)(UDP_HEADER + n));
    memcpy(packet + HEADERS, p, n);
    /* With the pseudo header: addresses, protocol and length. */
    uint32_t pseudo = sum_words(packet + 12, 8, IPPROTO_UDP + UDP_HEADER + (uint32_t)n);
    pseudo = sum_words(udp, UDP_HEADER + n, pseudo);
    put16(udp + 6, pseudo == 0xffff ? 0xffff : ~pseudo & 0xffff);
    return sendto(fd, packet, HEADERS + n, 0, (struct sockaddr *)&to, sizeof(to)) >= 0;
}

size_t link_receive(int fd, unsigned char *p)
{
    unsigned char packet[HEADERS + 40 + MESSAGE_MAX];
    ssize_t got = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);
    size_t header = (size_t)(packet[0] & 15) * 4, n = got > 0 ? (size_t)got : 0;

    if (n < HEADERS || packet[0] >> 4 != 4 || header < IP_HEADER || get16(packet + 2) > n ||
        get16(packet + 2) < header + UDP_HEADER || sum_words(packet, header, 0) != 0xffff ||
        packet[9] != IPPROTO_UDP || (get16(packet + 6) & (MORE_FRAGMENTS | FRAGMENT_OFFSET)))
        return 0;
    const unsigned char *udp = packet + header;
    size_t length = get16(udp + 4);
    if (get16(udp + 2) != CLIENT_PORT || get16(udp) != SERVER_PORT || length < UDP_HEADER ||
        length > get16(packet + 2) - header || length - UDP_HEADER > MESSAGE_MAX)
        return 0;
    memcpy(p, udp + UDP_HEADER, length - UDP_HEADER);
    return length - UDP_HEADER;
}
