/*
 * Packet sockets (AF_PACKET, packet(7)): whole frames, as they come from and go to a device. For root.
 *
 * While there is one, every packet passes packet_tap(), both ways; each socket that is bound to its protocol, or to
 * ETH_P_ALL, and to its device or to none gets a copy. SOCK_RAW has the link's header, SOCK_DGRAM hasn't.
 * On the loopback, where packets have no header, one of zeros is made, as on Linux.
 */
#include <abi/if_packet.h>
#include <abi/ioctl.h>

#include "fs/poll.h"
#include "lib/atomic.h"
#include "lib/byteorder.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/datagram.h"
#include "net/ethernet.h"
#include "net/inet.h"
#include "net/netdev.h"
#include "net/packet_socket.h"
#include "proc/cred.h"

#define AT_ONCE 32 /* sockets that one packet reaches */

struct packet_socket {
    struct datagram_socket d;
    struct refcount ref; /* atomic */
    struct list link;    /* sockets_lock */
    uint16_t protocol;   /* sockets_lock: EtherType in host order; 0: none yet */
    int device;          /* sockets_lock: its index; 0: all */
};

static struct spinlock sockets_lock = SPINLOCK_INIT(RANK_INET, "packet sockets");
static struct list sockets = LIST_INIT(sockets); /* sockets_lock */

static struct packet_socket *packet_of(struct socket *s)
{
    return container_of(s, struct packet_socket, d.s);
}

static void put(struct packet_socket *k)
{
    if (!ref_put(&k->ref))
        return;
    datagram_flush(&k->d);
    queue_destroy(&k->d.s.rx);
    kfree(k);
}

/* --- copies --- */

/* The EtherType in P's frame, or, of the loopback, that P says. */
static uint16_t protocol_of(struct packet *p)
{
    const struct ethernet_header *h;

    if (p->dev->link_ops != &ethernet_link)
        return p->protocol;
    h = packet_header(p, sizeof(*h));
    return h ? ntohs(h->type) : 0;
}

/* A copy of P as K wants it. */
static struct packet *copy_for(const struct packet_socket *k, struct packet *p, uint16_t protocol,
                               bool outgoing)
{
    struct packet *copy = packet_clone(p);
    unsigned header = p->dev->link_ops->header_len;
    const struct ethernet_header *h;

    if (!copy)
        return NULL;
    copy->protocol = protocol;
    if (header && (h = packet_header(copy, sizeof(*h)))) {
        copy->from.len = NETDEV_ADDRESS;
        memcpy(copy->from.address, h->source, NETDEV_ADDRESS);
        if (!outgoing && memcmp(h->destination, p->dev->address, NETDEV_ADDRESS) != 0)
            copy->packet_type = !(h->destination[0] & 1)    ? PACKET_OTHERHOST
                                : h->destination[0] == 0xff ? PACKET_BROADCAST
                                                            : PACKET_MULTICAST;
    }
    if (outgoing)
        copy->packet_type = PACKET_OUTGOING;
    packet_checksum_complete(copy);
    if (k->d.s.type == SOCK_DGRAM && header) {
        packet_pull(copy, min(header, copy->len));
    } else if (k->d.s.type == SOCK_RAW && !header) {
        struct ethernet_header *zeros = packet_push(copy, sizeof(*zeros));
        memset(zeros, 0, sizeof(*zeros));
        zeros->type = htons(protocol);
    }
    return copy;
}

static void tap(struct packet *p, bool outgoing)
{
    uint16_t protocol = protocol_of(p);
    struct packet_socket *k, *to[AT_ONCE];
    unsigned n = 0;

    spin_lock(&sockets_lock);
    list_for_each (k, &sockets, link) {
        bool all = k->protocol == ETH_P_ALL;
        /* What goes out is shown to who wants all. */
        if ((!all && (outgoing || k->protocol != protocol)) || n == AT_ONCE ||
            (k->device && k->device != p->dev->index) || !k->protocol)
            continue;
        ref_get(&k->ref);
        to[n++] = k;
    }
    spin_unlock(&sockets_lock);
    for (unsigned i = 0; i < n; i++) {
        struct packet *copy = copy_for(to[i], p, protocol, outgoing);
        if (copy)
            (void)datagram_put(&to[i]->d, copy);
        put(to[i]);
    }
}

/* --- names --- */

static int packet_bind(struct socket *s, const struct sockaddr_storage *addr, unsigned len)
{
    struct packet_socket *k = packet_of(s);
    struct sockaddr_ll ll;

    if (len < sizeof(ll))
        return -EINVAL;
    memcpy(&ll, addr, sizeof(ll));
    if (ll.sll_family != AF_PACKET)
        return -EINVAL;
    if (ll.sll_ifindex && !netdev_by_index(ll.sll_ifindex))
        return -ENODEV;
    spin_lock(&sockets_lock);
    k->device = ll.sll_ifindex;
    if (ll.sll_protocol)
        k->protocol = ntohs(ll.sll_protocol);
    spin_unlock(&sockets_lock);
    return 0;
}

static int fill_name(struct sockaddr_storage *addr, struct netdev *dev, uint16_t protocol)
{
    struct sockaddr_ll ll = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(protocol),
    };

    if (dev) {
        ll.sll_ifindex = dev->index;
        ll.sll_hatype = dev->type;
        ll.sll_halen = NETDEV_ADDRESS;
        memcpy(ll.sll_addr, dev->address, NETDEV_ADDRESS);
    }
    memset(addr, 0, sizeof(*addr));
    memcpy(addr, &ll, sizeof(ll));
    return (int)(offsetof(struct sockaddr_ll, sll_addr) + ll.sll_halen);
}

static int packet_name(struct socket *s, enum socket_end end, struct sockaddr_storage *addr)
{
    struct packet_socket *k = packet_of(s);

    if (end != SOCKET_OWN)
        return -EOPNOTSUPP;
    return fill_name(addr, k->device ? netdev_by_index(k->device) : NULL, k->protocol);
}

/* --- messages --- */

/* Where M goes: the device, the protocol, and of SOCK_DGRAM the station. 0 or -errno. */
static int find_destination(struct packet_socket *k, const struct message *m, struct netdev **dev,
                            uint16_t *protocol, const uint8_t **station, struct sockaddr_ll *ll)
{
    int index = k->device;

    *protocol = k->protocol;
    *station = NULL;
    if (m->namelen) {
        if (m->namelen < sizeof(*ll))
            return -EINVAL;
        memcpy(ll, &m->name, sizeof(*ll));
        if (ll->sll_halen > sizeof(ll->sll_addr))
            return -EINVAL;
        index = ll->sll_ifindex;
        *protocol = ntohs(ll->sll_protocol);
        *station = ll->sll_addr;
    }
    *dev = index ? netdev_by_index(index) : NULL;
    if (!*dev)
        return -ENXIO;
    return netdev_is_up(*dev) ? 0 : -ENETDOWN;
}

/* P, a frame or what goes into one, to DEV. P is taken over. */
static int transmit(struct packet_socket *k, struct netdev *dev, struct packet *p,
                    uint16_t protocol, const uint8_t *station)
{
    unsigned header = dev->link_ops->header_len;
    bool raw = k->d.s.type == SOCK_RAW;

    p->protocol = protocol;
    if (!raw && header)
        return ethernet_transmit(dev, p, station ? station : dev->link_ops->broadcast, protocol);
    if (raw && p->len < sizeof(struct ethernet_header)) {
        packet_free(p);
        return -EINVAL;
    }
    if (raw && !header) { /* the loopback's packets go without */
        const struct ethernet_header *h = packet_header(p, sizeof(*h));
        if (h)
            p->protocol = ntohs(h->type);
        packet_pull(p, sizeof(*h));
    }
    return netdev_transmit(dev, p);
}

static ssize_t packet_send(struct socket *s, struct message *m)
{
    struct packet_socket *k = packet_of(s);
    size_t n = m->data.left;
    struct sockaddr_ll ll;
    const uint8_t *station;
    struct netdev *dev;
    uint16_t protocol;

    int error = find_destination(k, m, &dev, &protocol, &station, &ll);
    if (error)
        return error;
    unsigned header = s->type == SOCK_RAW ? (unsigned)sizeof(struct ethernet_header) : 0;
    if (n > dev->mtu + header)
        return -EMSGSIZE;
    struct packet *p = packet_from_uio(&m->data);
    if (is_err(p))
        return ptr_err(p);
    error = transmit(k, dev, p, protocol, station);
    backlog_run();
    return error ? error : (ssize_t)n;
}

static ssize_t packet_receive(struct socket *s, struct message *m)
{
    struct packet_socket *k = packet_of(s);
    struct packet *p;

    if (m->flags & ~(MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC | MSG_ERRQUEUE))
        return -EINVAL;
    if (m->flags & MSG_ERRQUEUE)
        return -EAGAIN;
    int error = datagram_take(&k->d, m, &p);
    if (error)
        return error < 0 ? error : 0;
    if (m->wants_name) {
        struct sockaddr_ll ll;
        m->namelen = (unsigned)fill_name(&m->name, p->dev, p->protocol);
        memcpy(&ll, &m->name, sizeof(ll));
        m->namelen = sizeof(ll); /* never less, as on Linux */
        ll.sll_pkttype = p->packet_type;
        memcpy(ll.sll_addr, p->from.address, sizeof(ll.sll_addr));
        memcpy(&m->name, &ll, sizeof(ll));
    }
    if (datagram_give_time(&k->d, m, p)) {
        packet_free(p);
        return -EFAULT;
    }
    return datagram_give(m, p);
}

/* --- the rest --- */

static unsigned packet_poll(struct socket *s, struct poll_table *pt)
{
    return datagram_poll(&packet_of(s)->d, pt);
}

static long packet_ioctl(struct socket *s, unsigned cmd, unsigned long arg)
{
    return datagram_ioctl(&packet_of(s)->d, cmd, arg);
}

/* Memberships ask the device to let more through; ours lets everything through already. */
static int change_membership(const void *value, unsigned len)
{
    struct packet_mreq r;

    if (len < sizeof(r))
        return -EINVAL;
    memcpy(&r, value, sizeof(r));
    if (!netdev_by_index(r.mr_ifindex))
        return -ENODEV;
    return r.mr_type <= PACKET_MR_ALLMULTI ? 0 : -EINVAL;
}

static int packet_set_option(struct socket *s, int level, int name, const void *value, unsigned len)
{
    if (level == SOL_SOCKET)
        return datagram_set_option(&packet_of(s)->d, name, value, len);
    if (level == SOL_PACKET && (name == PACKET_ADD_MEMBERSHIP || name == PACKET_DROP_MEMBERSHIP))
        return change_membership(value, len);
    return -ENOPROTOOPT;
}

static int packet_get_option(struct socket *s, int level, int name, void *value, unsigned *len)
{
    struct packet_socket *k = packet_of(s);

    if (level == SOL_SOCKET)
        return datagram_get_option(&k->d, name, value, len);
    if (level != SOL_PACKET || name != PACKET_STATISTICS)
        return -ENOPROTOOPT;
    spin_lock(&s->rx.lock);
    struct tpacket_stats stats = {k->d.arrived, k->d.dropped};
    k->d.arrived = k->d.dropped = 0;
    spin_unlock(&s->rx.lock);
    return option_give(value, len, &stats, sizeof(stats));
}

static void packet_release(struct socket *s)
{
    struct packet_socket *k = packet_of(s);

    spin_lock(&sockets_lock);
    list_remove(&k->link);
    spin_unlock(&sockets_lock);
    atomic_sub(&packet_taps, 1);
    datagram_flush(&k->d);
    put(k);
}

static const struct proto_ops packet_ops = {
    .bind = packet_bind,
    .name = packet_name,
    .send = packet_send,
    .receive = packet_receive,
    .poll = packet_poll,
    .set_option = packet_set_option,
    .get_option = packet_get_option,
    .ioctl = packet_ioctl,
    .release = packet_release,
};

static int packet_create(int type, int protocol, struct socket **out)
{
    if (!capable(CAP_NET_RAW))
        return -EPERM;
    if (type != SOCK_RAW && type != SOCK_DGRAM)
        return -ESOCKTNOSUPPORT;
    struct packet_socket *k = kzalloc(sizeof(*k));
    if (!k)
        return -ENOMEM;
    socket_init(&k->d.s, &packet_ops, AF_PACKET, type, protocol);
    datagram_init(&k->d);
    ref_init(&k->ref, 1);
    k->protocol = ntohs((uint16_t)protocol);
    atomic_add(&packet_taps, 1);
    spin_lock(&sockets_lock);
    list_push_back(&sockets, &k->link);
    spin_unlock(&sockets_lock);
    *out = &k->d.s;
    return 0;
}

static struct socket_family family = {.domain = AF_PACKET, .create = packet_create};

void packet_socket_init(void)
{
    packet_tap = tap;
    socket_register(&family);
}
