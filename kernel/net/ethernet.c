/* Ethernet II frames: a header of two addresses and a type. Other kinds (802.3's lengths, tags) nobody here reads. */
#include "net/ethernet.h"

#include <abi/if_packet.h>
#include <abi/in.h>

#include "lib/byteorder.h"
#include "lib/string.h"
#include "net/packet.h"
#include "net/route.h"

static const uint8_t everybody[NETDEV_ADDRESS] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

int ethernet_transmit(struct netdev *dev, struct packet *p, const uint8_t *to, uint16_t type)
{
    struct ethernet_header *h = packet_push(p, sizeof(*h));

    memcpy(h->destination, to, NETDEV_ADDRESS);
    memcpy(h->source, dev->address, NETDEV_ADDRESS);
    h->type = htons(type);
    p->protocol = type;
    return netdev_transmit(dev, p);
}

static void send(struct netdev *dev, uint32_t next, struct packet *p)
{
    uint32_t host = ntohl(next);

    if (IN_MULTICAST(host)) { /* RFC 1112, section 6.4 */
        uint8_t group[NETDEV_ADDRESS] = {
            0x01, 0x00, 0x5e, (uint8_t)(host >> 16 & 0x7f), (uint8_t)(host >> 8), (uint8_t)host};
        (void)ethernet_transmit(dev, p, group, ETH_P_IP);
    } else if (next == INADDR_BROADCAST || route_kind(next, dev) == ROUTE_BROADCAST) {
        (void)ethernet_transmit(dev, p, everybody, ETH_P_IP);
    } else {
        arp_send(dev, next, p);
    }
}

static bool parse(struct packet *p)
{
    const struct ethernet_header *h = packet_header(p, sizeof(*h));

    if (!h)
        return false;
    if (!memcmp(h->destination, p->dev->address, NETDEV_ADDRESS))
        p->packet_type = PACKET_HOST;
    else if (!memcmp(h->destination, everybody, NETDEV_ADDRESS))
        p->packet_type = PACKET_BROADCAST;
    else
        p->packet_type = h->destination[0] & 1 ? PACKET_MULTICAST : PACKET_OTHERHOST;
    if (p->packet_type == PACKET_MULTICAST)
        netdev_count(p->dev)->multicast++;
    p->from = (struct packet_link){.len = NETDEV_ADDRESS};
    memcpy(p->from.address, h->source, NETDEV_ADDRESS);
    p->protocol = ntohs(h->type);
    packet_pull(p, sizeof(*h));
    return true;
}

const struct link_ops ethernet_link = {
    .send = send,
    .parse = parse,
    .came_up = address_announce,
    .header_len = sizeof(struct ethernet_header),
    .broadcast = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
};
