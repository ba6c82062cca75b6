/*
 * The loopback device: what is sent on it has thereby been received. It has no wire, so nothing of a packet is
 * lost, copied or counted twice, and a checksum that nobody has computed is right.
 *
 * For programs that look at frames it has Ethernet's header, with addresses of zeros, as Linux's; packets
 * carry it only while somebody looks (net/packet_socket.c).
 */
#include "net/netdev.h"
#include "net/packet.h"

#include <abi/if_packet.h>

#include "lib/log.h"

#define LOOPBACK_MTU 65536u

static bool transmit(struct netdev *dev, unsigned queue, struct packet *p)
{
    (void)queue;
    if (p->checksum == CHECKSUM_PARTIAL)
        p->checksum = CHECKSUM_GOOD;
    p->packet_type = PACKET_HOST;
    p->from = (struct packet_link){.len = NETDEV_ADDRESS};
    netdev_receive(dev, p);
    return true;
}

static const struct netdev_ops loopback_ops = {.transmit = transmit};

static void send(struct netdev *dev, uint32_t next, struct packet *p)
{
    (void)next;
    (void)netdev_transmit(dev, p);
}

/* There is no header: the protocol stands in the packet already. */
static bool parse(struct packet *p)
{
    (void)p;
    return true;
}

static const struct link_ops loopback_link = {.send = send, .parse = parse};

static struct netdev loopback = {
    .name = "lo",
    .type = ARPHRD_LOOPBACK,
    .flags = IFF_LOOPBACK | IFF_UP | IFF_RUNNING | IFF_LOWER_UP,
    .mtu = LOOPBACK_MTU,
    .max_mtu = LOOPBACK_MTU,
    .features = NETDEV_CHECKSUM | NETDEV_SEGMENT,
    .ops = &loopback_ops,
    .link_ops = &loopback_link,
    .num_queues = MAX_CPUS, /* senders on different CPUs never meet */
    .carrier = true,
};
struct netdev *loopback_dev = &loopback;

void loopback_init(void)
{
    if (netdev_register(&loopback))
        log_err("lo: no memory");
}
