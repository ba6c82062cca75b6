/* Options of level SOL_IP (ip(7)), for UDP and raw sockets. TCP's socket takes those that it can use. */
#include "lib/byteorder.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/inet.h"
#include "net/netdev.h"
#include "proc/cred.h"

/* An int, of which a program may also give just the first byte. */
static int number_of(const void *value, unsigned len, int *out)
{
    if (len >= sizeof(*out))
        memcpy(out, value, sizeof(*out));
    else if (len >= 1)
        *out = *(const uint8_t *)value;
    else
        return -EINVAL;
    return 0;
}

static int set_receive(struct inet_socket *i, uint32_t flag, bool on)
{
    if (on)
        atomic_or(&i->receive_flags, flag);
    else
        atomic_and(&i->receive_flags, ~flag);
    return 0;
}

/* --- groups --- */

/* The device that a program means by index, address, or neither. NULL: there is none. */
static struct netdev *group_device(const struct ip_mreqn *r)
{
    struct route_path path;

    if (r->imr_ifindex)
        return netdev_by_index(r->imr_ifindex);
    if (r->imr_address.s_addr)
        return address_device(r->imr_address.s_addr);
    if (!r->imr_multiaddr.s_addr || route_lookup(r->imr_multiaddr.s_addr, NULL, &path))
        return NULL;
    return path.dev;
}

/* struct ip_mreqn, or ip_mreq, or with SHORT an in_addr for the interface. */
static int group_request(const void *value, unsigned len, bool may_be_short, struct ip_mreqn *out)
{
    memset(out, 0, sizeof(*out));
    if (len >= sizeof(*out)) {
        memcpy(out, value, sizeof(*out));
    } else if (len >= sizeof(struct ip_mreq)) {
        memcpy(out, value, sizeof(struct ip_mreq));
    } else if (may_be_short && len >= sizeof(struct in_addr)) {
        memcpy(&out->imr_address, value, sizeof(struct in_addr));
    } else {
        return -EINVAL;
    }
    return 0;
}

static struct inet_group *find_group(struct inet_socket *i, const struct netdev *dev,
                                     uint32_t group, unsigned *count)
{
    struct inet_group *g, *found = NULL;

    *count = 0;
    list_for_each (g, &i->groups, link) {
        ++*count;
        if (g->group == group && g->dev == dev)
            found = g;
    }
    return found;
}

static int join(struct inet_socket *i, const struct ip_mreqn *r)
{
    unsigned count;

    if (!IN_MULTICAST(ntohl(r->imr_multiaddr.s_addr)))
        return -EINVAL;
    struct netdev *dev = group_device(r);
    if (!dev)
        return -ENODEV;
    struct inet_group *g = kmalloc(sizeof(*g));
    if (!g)
        return -ENOMEM;
    g->dev = dev;
    g->group = r->imr_multiaddr.s_addr;
    int error = igmp_join(dev, g->group);
    if (error) {
        kfree(g);
        return error;
    }
    spin_lock(&i->d.s.rx.lock);
    if (find_group(i, dev, g->group, &count))
        error = -EADDRINUSE;
    else if (count >= IP_MAX_MEMBERSHIPS)
        error = -ENOBUFS;
    else
        list_push_back(&i->groups, &g->link);
    spin_unlock(&i->d.s.rx.lock);
    if (error) {
        (void)igmp_leave(dev, g->group);
        kfree(g);
    }
    return error;
}

static int leave(struct inet_socket *i, const struct ip_mreqn *r)
{
    struct netdev *dev = group_device(r);
    unsigned count;

    if (!dev)
        return -ENODEV;
    spin_lock(&i->d.s.rx.lock);
    struct inet_group *g = find_group(i, dev, r->imr_multiaddr.s_addr, &count);
    if (g)
        list_remove(&g->link);
    spin_unlock(&i->d.s.rx.lock);
    if (!g)
        return -EADDRNOTAVAIL;
    (void)igmp_leave(g->dev, g->group);
    kfree(g);
    return 0;
}

static int set_group_device(struct inet_socket *i, const struct ip_mreqn *r)
{
    struct netdev *dev = NULL;

    if (r->imr_ifindex) {
        dev = netdev_by_index(r->imr_ifindex);
    } else if (r->imr_address.s_addr) {
        dev = address_device(r->imr_address.s_addr);
    }
    if (!dev && (r->imr_ifindex || r->imr_address.s_addr))
        return -EADDRNOTAVAIL;
    WRITE_ONCE(i->group_dev, dev);
    WRITE_ONCE(i->group_source, r->imr_address.s_addr);
    return 0;
}

static int set_group_option(struct inet_socket *i, int name, const void *value, unsigned len)
{
    struct ip_mreqn r;
    int error = group_request(value, len, name == IP_MULTICAST_IF, &r);

    if (error)
        return error;
    switch (name) {
    case IP_ADD_MEMBERSHIP: error = join(i, &r); break;
    case IP_DROP_MEMBERSHIP: error = leave(i, &r); break;
    default: error = set_group_device(i, &r); break;
    }
    backlog_run();
    return error;
}

/* --- numbers --- */

static int set_number(struct inet_socket *i, int name, int n)
{
    switch (name) {
    case IP_TOS: WRITE_ONCE(i->tos, (uint8_t)n); return 0;
    case IP_TTL:
        if (n != -1 && (n < 1 || n > 255))
            return -EINVAL;
        WRITE_ONCE(i->ttl, (int16_t)n);
        return 0;
    case IP_MULTICAST_TTL:
        if (n < -1 || n > 255)
            return -EINVAL;
        WRITE_ONCE(i->multicast_ttl, (int16_t)(n == -1 ? 1 : n));
        return 0;
    case IP_MULTICAST_LOOP: WRITE_ONCE(i->multicast_loop, n != 0); return 0;
    case IP_MULTICAST_ALL:
        if (n != 0 && n != 1)
            return -EINVAL;
        WRITE_ONCE(i->multicast_all, n);
        return 0;
    case IP_MTU_DISCOVER:
        if (n < IP_PMTUDISC_DONT || n > IP_PMTUDISC_OMIT)
            return -EINVAL;
        WRITE_ONCE(i->mtu_discover, (uint8_t)n);
        return 0;
    case IP_FREEBIND: WRITE_ONCE(i->free_bind, n != 0); return 0;
    case IP_HDRINCL:
        if (i->d.s.type != SOCK_RAW)
            return -ENOPROTOOPT;
        WRITE_ONCE(i->header_included, n != 0);
        return 0;
    case IP_RECVERR:
        (void)set_receive(i, INET_RECVERR, n);
        if (!n)
            inet_error_flush(i);
        return 0;
    case IP_PKTINFO: return set_receive(i, INET_PKTINFO, n);
    case IP_RECVTTL: return set_receive(i, INET_TTL, n);
    case IP_RECVTOS: return set_receive(i, INET_TOS, n);
    case IP_RECVORIGDSTADDR: return set_receive(i, INET_ORIGDST, n);
    default: return -ENOPROTOOPT;
    }
}

int inet_set_option(struct socket *s, int level, int name, const void *value, unsigned len)
{
    struct inet_socket *i = inet_of(s);
    int number = 0;

    if (level == SOL_SOCKET)
        return datagram_set_option(&i->d, name, value, len);
    if (level != SOL_IP)
        return -ENOPROTOOPT;
    if (name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP || name == IP_MULTICAST_IF)
        return set_group_option(i, name, value, len);
    if (number_of(value, len, &number) && set_number(i, name, 0) == -ENOPROTOOPT)
        return -ENOPROTOOPT;
    if (!len)
        return -EINVAL;
    return set_number(i, name, number);
}

/* --- asking --- */

/* The way to the peer, of a connected socket, may have so many bytes. */
static int path_mtu(struct inet_socket *i, int *out)
{
    struct route_path path;

    if (!i->remote || route_lookup(i->remote, NULL, &path))
        return -ENOTCONN;
    *out = (int)min(path.mtu, IPV4_MAX);
    return 0;
}

static int get_number(struct inet_socket *i, int name, int *out)
{
    uint32_t receive = READ_ONCE(i->receive_flags);

    switch (name) {
    case IP_TOS: *out = i->tos; return 0;
    case IP_TTL: *out = i->ttl < 0 ? IPV4_TTL : i->ttl; return 0;
    case IP_MULTICAST_TTL: *out = i->multicast_ttl; return 0;
    case IP_MULTICAST_LOOP: *out = i->multicast_loop; return 0;
    case IP_MULTICAST_ALL: *out = i->multicast_all; return 0;
    case IP_MTU_DISCOVER: *out = i->mtu_discover; return 0;
    case IP_FREEBIND: *out = i->free_bind; return 0;
    case IP_HDRINCL: *out = i->header_included; return i->d.s.type == SOCK_RAW ? 0 : -ENOPROTOOPT;
    case IP_RECVERR: *out = (receive & INET_RECVERR) != 0; return 0;
    case IP_PKTINFO: *out = (receive & INET_PKTINFO) != 0; return 0;
    case IP_RECVTTL: *out = (receive & INET_TTL) != 0; return 0;
    case IP_RECVTOS: *out = (receive & INET_TOS) != 0; return 0;
    case IP_RECVORIGDSTADDR: *out = (receive & INET_ORIGDST) != 0; return 0;
    case IP_MTU: return path_mtu(i, out);
    default: return -ENOPROTOOPT;
    }
}

int inet_get_option(struct socket *s, int level, int name, void *value, unsigned *len)
{
    struct inet_socket *i = inet_of(s);
    int number;

    if (level == SOL_SOCKET)
        return datagram_get_option(&i->d, name, value, len);
    if (level != SOL_IP)
        return -ENOPROTOOPT;
    if (name == IP_MULTICAST_IF)
        return option_give(value, len, &i->group_source, sizeof(i->group_source));
    int error = get_number(i, name, &number);
    if (error)
        return error;
    if (*len < sizeof(number) && *len > 0 && number >= 0 && number <= 255) {
        *(uint8_t *)value = (uint8_t)number; /* who asks for a byte gets one, as on Linux */
        *len = 1;
        return 0;
    }
    *len = min(*len, (unsigned)sizeof(number));
    memcpy(value, &number, *len);
    return 0;
}
