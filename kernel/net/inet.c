/* The Internet family: making sockets, and the rules of their addresses. See inet.h. */
#include "net/inet.h"

#include "dev/random.h"
#include "lib/byteorder.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/ethernet.h"
#include "net/netdev.h"
#include "net/netlink.h"
#include "net/packet_socket.h"
#include "proc/cred.h"

#define PORT_PRIVILEGED 1024u

static struct inet_kind *kinds; /* const after boot */

void inet_register(struct inet_kind *k)
{
    k->next = kinds;
    kinds = k;
}

static int inet_create(int type, int protocol, struct socket **out)
{
    bool known_type = false;

    if (protocol < 0 || protocol >= IPPROTO_MAX)
        return -EINVAL;
    for (struct inet_kind *k = kinds; k; k = k->next) {
        if (k->type != type)
            continue;
        known_type = true;
        if (k->protocol ? protocol == 0 || protocol == k->protocol : protocol != 0)
            return k->create(k->protocol ? k->protocol : protocol, out);
    }
    return known_type ? -EPROTONOSUPPORT : -ESOCKTNOSUPPORT;
}

void inet_table_init(struct inet_table *t)
{
    spin_init(&t->lock, RANK_INET, "inet table");
    for (unsigned b = 0; b < INET_BUCKETS; b++)
        list_init(&t->bucket[b]);
}

void inet_table_for_each(struct inet_table *t, void (*emit)(void *ctx, const struct inet_socket *i),
                         void *ctx)
{
    struct inet_socket *i;

    spin_lock(&t->lock);
    for (unsigned b = 0; b < INET_BUCKETS; b++)
        list_for_each (i, &t->bucket[b], link)
            emit(ctx, i);
    spin_unlock(&t->lock);
}

struct inet_socket *inet_alloc(const struct proto_ops *ops, int type, int protocol,
                               struct inet_table *table)
{
    struct inet_socket *i = kzalloc(sizeof(*i));

    if (!i)
        return NULL;
    socket_init(&i->d.s, ops, AF_INET, type, protocol);
    datagram_init(&i->d);
    ref_init(&i->ref, 1);
    i->table = table;
    list_init(&i->link);
    list_init(&i->groups);
    list_init(&i->errors);
    i->uid = current_cred()->euid;
    i->ttl = -1;
    i->multicast_ttl = IP_DEFAULT_MULTICAST_TTL;
    i->multicast_loop = i->multicast_all = true;
    i->mtu_discover = IP_PMTUDISC_WANT;
    return i;
}

void inet_put(struct inet_socket *i)
{
    if (!ref_put(&i->ref))
        return;
    inet_error_flush(i);
    datagram_flush(&i->d);
    queue_destroy(&i->d.s.rx);
    kfree(i);
}

void inet_release(struct socket *s)
{
    struct inet_socket *i = inet_of(s);
    struct inet_group *g, *next;

    spin_lock(&i->table->lock);
    list_remove(&i->link);
    spin_unlock(&i->table->lock);
    list_for_each_safe (g, next, &i->groups, link) { /* nobody can find it any more */
        (void)igmp_leave(g->dev, g->group);
        kfree(g);
    }
    list_init(&i->groups);
    inet_error_flush(i);
    datagram_flush(&i->d);
    inet_put(i);
    backlog_run();
}

/* --- addresses --- */

int inet_address_get(const struct sockaddr_storage *addr, unsigned len, struct sockaddr_in *out)
{
    if (len < sizeof(*out))
        return -EINVAL;
    memcpy(out, addr, sizeof(*out));
    if (out->sin_family != AF_INET)
        return -EAFNOSUPPORT;
    return 0;
}

int inet_may_bind(uint32_t address, uint16_t port, bool free_bind)
{
    if (address && !free_bind && address_kind(address) == ROUTE_UNICAST)
        return -EADDRNOTAVAIL;
    if (port && port < PORT_PRIVILEGED && !capable(CAP_NET_BIND_SERVICE))
        return -EACCES;
    return 0;
}

int inet_name(struct sockaddr_storage *addr, uint32_t address, uint16_t port)
{
    struct sockaddr_in in = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = address,
    };

    memcpy(addr, &in, sizeof(in));
    return sizeof(in);
}

uint16_t inet_random_port(void)
{
    return (uint16_t)(INET_PORT_FIRST + random_u64() % (INET_PORT_LAST - INET_PORT_FIRST + 1));
}

/* --- sending --- */

/* What M's control data of level SOL_IP says: -EINVAL. */
static int read_control(const struct message *m, struct ipv4_send *out, struct netdev **dev)
{
    struct cmsghdr *c = NULL;

    while ((c = control_next(m, c))) {
        if (is_err(c))
            return (int)ptr_err(c);
        size_t len = c->cmsg_len - sizeof(*c);
        int number = 0;
        if (c->cmsg_level != SOL_IP)
            continue;
        memcpy(&number, CMSG_DATA(c), min(len, sizeof(number)));
        if (c->cmsg_type == IP_PKTINFO && len == sizeof(struct in_pktinfo)) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof(info));
            if (info.ipi_ifindex && !(*dev = netdev_by_index(info.ipi_ifindex)))
                return -ENODEV;
            out->source = info.ipi_spec_dst.s_addr;
        } else if (c->cmsg_type == IP_TTL && len == sizeof(int) && number >= 1 && number <= 255) {
            out->ttl = (uint8_t)number;
        } else if (c->cmsg_type == IP_TOS && (len == sizeof(int) || len == 1)) {
            if (number < 0 || number > 255)
                return -EINVAL;
            out->tos = (uint8_t)number;
        } else {
            return -EINVAL;
        }
    }
    return 0;
}

/* What a program names as the address to send from must be one of ours. */
static int may_send_from(uint32_t source)
{
    if (IN_MULTICAST(ntohl(source)) || source == INADDR_BROADCAST)
        return -EINVAL;
    return address_kind(source) == ROUTE_LOCAL ? 0 : -ENETUNREACH;
}

int inet_prepare(struct inet_socket *i, const struct message *m, uint32_t destination,
                 struct ipv4_send *out)
{
    int bound = READ_ONCE(i->d.bound_device);
    struct netdev *dev = bound ? netdev_by_index(bound) : NULL;
    bool group = IN_MULTICAST(ntohl(destination));

    *out = (struct ipv4_send){
        .source = i->source,
        .protocol = (uint8_t)i->d.s.protocol,
        .tos = READ_ONCE(i->tos),
        .loop = READ_ONCE(i->multicast_loop),
    };
    int error = read_control(m, out, &dev);
    if (error)
        return error;
    if (!destination) /* ourselves */
        destination = out->source ? out->source : htonl(INADDR_LOOPBACK);
    if (group && !dev)
        dev = READ_ONCE(i->group_dev);
    if (group && !out->source)
        out->source = READ_ONCE(i->group_source);
    if (out->source && out->source != i->source && (error = may_send_from(out->source)))
        return error;
    if (!dev && out->source && (group || destination == INADDR_BROADCAST))
        dev = address_device(out->source);
    if (!out->ttl)
        out->ttl = (uint8_t)(group ? i->multicast_ttl : i->ttl < 0 ? IPV4_TTL : i->ttl);
    error = route_lookup(destination, dev, &out->path);
    if (error) {
        net_count(IP_OUT_NO_ROUTES);
        return error;
    }
    if (out->path.type == ROUTE_BROADCAST && !socket_option(&i->d.s, SO_BROADCAST))
        return -EACCES;
    bool direct = socket_option(&i->d.s, SO_DONTROUTE) || (m->flags & MSG_DONTROUTE);
    if (direct && out->path.next_hop != destination)
        return -ENETUNREACH;
    out->destination = destination;
    if (!out->source)
        out->source = out->path.source;
    uint8_t discover = READ_ONCE(i->mtu_discover);
    out->dont_fragment = discover == IP_PMTUDISC_DO || discover == IP_PMTUDISC_PROBE;
    out->prefer_whole = discover == IP_PMTUDISC_WANT;
    if (discover >= IP_PMTUDISC_PROBE)
        out->path.mtu = out->path.dev->mtu; /* whatever ICMP has said */
    return 0;
}

/* --- receiving --- */

static int give_pktinfo(struct message *m, const struct packet *p)
{
    bool local = route_kind(p->ip.destination, p->dev) == ROUTE_LOCAL;
    struct in_pktinfo info = {
        .ipi_ifindex = p->dev->index,
        .ipi_spec_dst.s_addr = local ? p->ip.destination : address_near(p->dev, p->ip.source),
        .ipi_addr.s_addr = p->ip.destination,
    };
    return control_put(m, SOL_IP, IP_PKTINFO, &info, sizeof(info));
}

int inet_give_control(struct inet_socket *i, struct message *m, const struct packet *p)
{
    uint32_t flags = READ_ONCE(i->receive_flags);
    int error = 0, ttl = p->ip.ttl;

    if (i->d.stamp || i->d.stamp_ns)
        error = datagram_give_time(&i->d, m, p);
    if (!error && (flags & INET_PKTINFO))
        error = give_pktinfo(m, p);
    if (!error && (flags & INET_TTL))
        error = control_put(m, SOL_IP, IP_TTL, &ttl, sizeof(ttl));
    if (!error && (flags & INET_TOS))
        error = control_put(m, SOL_IP, IP_TOS, &p->ip.tos, sizeof(p->ip.tos));
    if (!error && (flags & INET_ORIGDST)) {
        struct sockaddr_storage a;
        (void)inet_name(&a, p->ip.destination, i->local_port);
        error = control_put(m, SOL_IP, IP_RECVORIGDSTADDR, &a, sizeof(struct sockaddr_in));
    }
    return error;
}

bool inet_wants_group(struct inet_socket *i, const struct packet *p)
{
    struct inet_group *g;

    if (!IN_MULTICAST(ntohl(p->ip.destination)))
        return true;
    bool member = false;
    spin_lock(&i->d.s.rx.lock);
    list_for_each (g, &i->groups, link)
        member |= g->group == p->ip.destination && g->dev == p->dev;
    spin_unlock(&i->d.s.rx.lock);
    return member || READ_ONCE(i->multicast_all);
}

static struct socket_family family = {.domain = AF_INET, .create = inet_create};

void inet_init(void)
{
    netdev_init();
    ipv4_init();
    arp_init();
    udp_init();
    stream_init();
    raw_init();
    packet_socket_init();
    netlink_init();
    socket_register(&family);
}
