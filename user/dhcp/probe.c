/*
 * Does somebody on the link have an address already (RFC 5227, section 2.1)? It is asked for by ARP, from no address;
 * who has it answers, and so is noticed who asks for it, or announces it, at the same time.
 *
 * The RFC's pauses of one to two seconds are meant for links that need them to come up, and for numbers that no server
 * has checked. A server has, and the link has just carried its offer.
 */
#include "dhcp.h"

#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netpacket/packet.h>

#define PROBES 3 /* PROBE_NUM */

/* Where the fields of an ARP packet are (RFC 826), for Ethernet and IPv4. */
enum {
    HARDWARE = 0,
    PROTOCOL = 2,
    LENGTHS = 4,
    OPERATION = 6,
    SENDER = 8,
    SENDER_IP = 14,
    TARGET_IP = 24,
    ARP_LENGTH = 28,
};
#define LENGTHS_HERE 0x0604 /* of a station, of an address */

static int open_arp(const struct interface *on, struct sockaddr_ll *everybody)
{
    int fd = need_socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ARP));

    *everybody = (struct sockaddr_ll){.sll_family = AF_PACKET,
                                      .sll_protocol = htons(ETH_P_ARP),
                                      .sll_ifindex = on->index,
                                      .sll_halen = 6,
                                      .sll_addr = {255, 255, 255, 255, 255, 255}};
    if (bind(fd, (struct sockaddr *)everybody, sizeof(*everybody)) < 0)
        err(1, "%s", on->name);
    return fd;
}

static void send_probe(int fd, const struct interface *on, const struct sockaddr_ll *everybody,
                       struct in_addr address)
{
    unsigned char p[ARP_LENGTH] = {0};

    put16(p + HARDWARE, ARPHRD_ETHER);
    put16(p + PROTOCOL, ETH_P_IP);
    put16(p + LENGTHS, LENGTHS_HERE);
    put16(p + OPERATION, ARPOP_REQUEST);
    memcpy(p + SENDER, on->station, sizeof(on->station));
    memcpy(p + TARGET_IP, &address, 4);
    if (sendto(fd, p, sizeof(p), 0, (const struct sockaddr *)everybody, sizeof(*everybody)) < 0)
        warn("%s", on->name);
}

/* Does the packet that has come say that another station has, or is about to take, ADDRESS? */
static bool hears_claim(int fd, const struct interface *on, struct in_addr address)
{
    static const unsigned char nobody[4];
    unsigned char p[ETH_DATA_LEN];

    if (recv(fd, p, sizeof(p), MSG_DONTWAIT) < ARP_LENGTH || get16(p + HARDWARE) != ARPHRD_ETHER ||
        get16(p + PROTOCOL) != ETH_P_IP || get16(p + LENGTHS) != LENGTHS_HERE ||
        memcmp(p + SENDER, on->station, sizeof(on->station)) == 0)
        return false;
    if (memcmp(p + SENDER_IP, &address, 4) == 0)
        return true;
    return get16(p + OPERATION) == ARPOP_REQUEST && memcmp(p + SENDER_IP, nobody, 4) == 0 &&
           memcmp(p + TARGET_IP, &address, 4) == 0;
}

bool address_is_taken(const struct interface *on, struct in_addr address, long long pause)
{
    struct sockaddr_ll everybody;
    int fd = pause > 0 ? open_arp(on, &everybody) : -1;
    bool taken = false;

    for (int i = 0; i < PROBES && fd >= 0 && !taken; i++) {
        long long end = milliseconds() + pause / PROBES;
        send_probe(fd, on, &everybody, address);
        while (!taken && wait_until(fd, end))
            taken = hears_claim(fd, on, address);
    }
    if (fd >= 0)
        close(fd);
    return taken;
}
