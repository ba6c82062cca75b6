/* Interfaces and their addresses by rtnetlink: `ip link`, `ip addr`, getifaddrs(3), if_nameindex(3). */
#include <abi/errno.h>
#include <abi/in.h>

#include "lib/atomic.h"
#include "lib/string.h"
#include "net/announce.h"
#include "net/netdev.h"
#include "net/route.h"
#include "net/rtnetlink.h"

/* --- interfaces --- */

static void put_counters(struct netlink_reply *r, const struct netdev *dev)
{
    struct netdev_counters c = netdev_counters(dev);
    struct rtnl_link_stats64 wide = {
        .rx_packets = c.rx_packets,
        .tx_packets = c.tx_packets,
        .rx_bytes = c.rx_bytes,
        .tx_bytes = c.tx_bytes,
        .rx_errors = c.rx_errors,
        .tx_errors = c.tx_errors,
        .rx_dropped = c.rx_dropped,
        .tx_dropped = c.tx_dropped,
        .multicast = c.multicast,
    };
    struct rtnl_link_stats narrow = {
        .rx_packets = (unsigned)c.rx_packets,
        .tx_packets = (unsigned)c.tx_packets,
        .rx_bytes = (unsigned)c.rx_bytes,
        .tx_bytes = (unsigned)c.tx_bytes,
        .rx_errors = (unsigned)c.rx_errors,
        .tx_errors = (unsigned)c.tx_errors,
        .rx_dropped = (unsigned)c.rx_dropped,
        .tx_dropped = (unsigned)c.tx_dropped,
        .multicast = (unsigned)c.multicast,
    };

    netlink_put(r, IFLA_STATS64, &wide, sizeof(wide));
    netlink_put(r, IFLA_STATS, &narrow, sizeof(narrow));
}

static uint8_t state_of(const struct netdev *dev)
{
    if (dev == loopback_dev)
        return IF_OPER_UNKNOWN; /* it has no link of which there were something to know */
    return netdev_flags(dev) & IFF_RUNNING ? IF_OPER_UP : IF_OPER_DOWN;
}

static void put_link(struct netlink_reply *r, const struct netdev *dev, uint32_t changed)
{
    struct ifinfomsg *m = netlink_begin(r, RTM_NEWLINK, sizeof(*m));
    uint8_t state = state_of(dev), mode = 0, carrier = READ_ONCE(dev->carrier);

    m->ifi_type = dev->type;
    m->ifi_index = dev->index;
    m->ifi_flags = netdev_flags(dev);
    m->ifi_change = changed;
    netlink_put_string(r, IFLA_IFNAME, dev->name);
    netlink_put_u32(r, IFLA_TXQLEN, READ_ONCE(dev->transmit_queue_len));
    netlink_put(r, IFLA_OPERSTATE, &state, sizeof(state));
    netlink_put(r, IFLA_LINKMODE, &mode, sizeof(mode));
    netlink_put_u32(r, IFLA_MTU, READ_ONCE(dev->mtu));
    netlink_put_u32(r, IFLA_GROUP, 0);
    netlink_put_u32(r, IFLA_NUM_TX_QUEUES, dev->num_queues);
    netlink_put(r, IFLA_CARRIER, &carrier, sizeof(carrier));
    /* How a device's own queue treats packets; the loopback has none. */
    netlink_put_string(r, IFLA_QDISC, dev == loopback_dev ? "noqueue" : "pfifo");
    netlink_put(r, IFLA_ADDRESS, dev->address, NETDEV_ADDRESS);
    netlink_put(r, IFLA_BROADCAST, dev->link_ops->broadcast, NETDEV_ADDRESS);
    put_counters(r, dev);
    netlink_end(r);
}

static void list_links(struct netlink_reply *r)
{
    struct netdev *dev = NULL;

    while ((dev = netdev_next(dev)))
        put_link(r, dev, 0);
}

void announce_link(const struct netdev *dev, uint32_t changed)
{
    struct netlink_reply r;

    if (!netlink_announce_begin(&r, RTNLGRP_LINK))
        return;
    put_link(&r, dev, changed);
    netlink_announce_end(&r, RTNLGRP_LINK);
}

/* The string in an attribute, which need not end in a NUL. */
static void copy_string(char *to, size_t room, const struct rtattr *a)
{
    size_t n = min(a->rta_len - sizeof(*a), room - 1);

    memcpy(to, a + 1, n);
    to[n] = '\0';
}

static struct netdev *find_link(const struct ifinfomsg *m, const struct netlink_attributes *a)
{
    char name[NETDEV_NAME];

    if (m->ifi_index > 0)
        return netdev_by_index(m->ifi_index);
    if (!a->at[IFLA_IFNAME])
        return NULL;
    copy_string(name, sizeof(name), a->at[IFLA_IFNAME]);
    return netdev_by_name(name);
}

static int get_link(const void *fixed, const struct netlink_attributes *a, struct netlink_reply *r)
{
    const struct ifinfomsg *m = fixed;

    if (m->ifi_index <= 0 && !a->at[IFLA_IFNAME])
        return -EINVAL;
    const struct netdev *dev = find_link(m, a);
    if (!dev)
        return -ENODEV;
    put_link(r, dev, 0);
    return 0;
}

static int set_link(const void *fixed, const struct netlink_attributes *a, unsigned flags)
{
    const struct ifinfomsg *m = fixed;
    struct netdev *dev = find_link(m, a);
    uint32_t mtu, len;

    if (!dev) /* devices are found at boot: none is made */
        return flags & NLM_F_CREATE ? -EOPNOTSUPP : -ENODEV;
    if (flags & NLM_F_EXCL)
        return -EEXIST;
    if (a->at[IFLA_ADDRESS] || a->at[IFLA_BROADCAST])
        return -EOPNOTSUPP;
    int has_mtu = netlink_u32(a, IFLA_MTU, &mtu), has_len = netlink_u32(a, IFLA_TXQLEN, &len);
    if (has_mtu < 0 || has_len < 0)
        return -EINVAL;
    int error = has_mtu ? netdev_set_mtu(dev, mtu) : 0;
    if (error)
        return error;
    if (has_len)
        netdev_set_queue_len(dev, len);
    uint32_t mask =
        m->ifi_change ? m->ifi_change : m->ifi_flags; /* as Linux reads an old program */
    if (!mask)
        return 0;
    return inet_set_flags(dev, (READ_ONCE(dev->flags) & ~mask) | (m->ifi_flags & mask));
}

const struct rtnetlink_kind rtnetlink_links = {
    .base = RTM_NEWLINK,
    .fixed = sizeof(struct ifinfomsg),
    .list = list_links,
    .get = get_link,
    .add = set_link,
    .set = set_link,
};

/* --- addresses --- */

static void put_address(struct netlink_reply *r, uint16_t type, const struct inet_address *at)
{
    struct ifaddrmsg *m = netlink_begin(r, type, sizeof(*m));

    m->ifa_family = AF_INET;
    m->ifa_prefixlen = (uint8_t)at->prefix;
    m->ifa_flags = IFA_F_PERMANENT | (at->secondary ? IFA_F_SECONDARY : 0);
    m->ifa_scope = at->dev == loopback_dev ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
    m->ifa_index = (unsigned)at->dev->index;
    netlink_put_u32(r, IFA_ADDRESS, at->address);
    netlink_put_u32(r, IFA_LOCAL, at->address);
    if (at->broadcast && (at->dev->flags & IFF_BROADCAST))
        netlink_put_u32(r, IFA_BROADCAST, at->broadcast);
    netlink_put_string(r, IFA_LABEL, at->label);
    netlink_end(r);
}

static void list_address(void *ctx, const struct inet_address *at)
{
    put_address(ctx, RTM_NEWADDR, at);
}

static void list_addresses(struct netlink_reply *r)
{
    address_for_each(list_address, r);
}

void announce_address(const struct inet_address *a, enum announcement what)
{
    struct netlink_reply r;

    if (!netlink_announce_begin(&r, RTNLGRP_IPV4_IFADDR))
        return;
    put_address(&r, what == ANNOUNCE_GONE ? RTM_DELADDR : RTM_NEWADDR, a);
    netlink_announce_end(&r, RTNLGRP_IPV4_IFADDR);
}

/* What the request is about: its device, its address. 0 or -errno. */
static int read_address(const struct ifaddrmsg *m, const struct netlink_attributes *a,
                        struct inet_address *out)
{
    uint32_t local = 0, address = 0;
    int has_local = netlink_u32(a, IFA_LOCAL, &local);
    int has_address = netlink_u32(a, IFA_ADDRESS, &address);

    *out = (struct inet_address){.prefix = m->ifa_prefixlen};
    if (m->ifa_family != AF_INET)
        return -EAFNOSUPPORT;
    if (has_local < 0 || has_address < 0 || netlink_u32(a, IFA_BROADCAST, &out->broadcast) < 0 ||
        m->ifa_prefixlen > 32)
        return -EINVAL;
    out->address = has_local ? local : address;
    out->dev = netdev_by_index((int)m->ifa_index);
    if (!out->dev)
        return -ENODEV;
    if (has_local && has_address && local != address)
        return -EOPNOTSUPP; /* a link with one other end */
    if (a->at[IFA_LABEL])
        copy_string(out->label, sizeof(out->label), a->at[IFA_LABEL]);
    return 0;
}

static int add_address(const void *fixed, const struct netlink_attributes *a, unsigned flags)
{
    const struct ifaddrmsg *m = fixed;
    struct inet_address new;
    int error = read_address(m, a, &new);

    if (!error && !a->at[IFA_LOCAL])
        error = -EINVAL;
    if (!error && new.label[0] && strncmp(new.label, new.dev->name, strlen(new.dev->name)) != 0)
        error = -EINVAL; /* ioctl(2) would not find it */
    if (error)
        return error;
    error = address_add(&new);
    /* To replace one by itself changes nothing. */
    return error == -EEXIST && (flags & NLM_F_REPLACE) ? 0 : error;
}

static int remove_address(const void *fixed, const struct netlink_attributes *a)
{
    const struct ifaddrmsg *m = fixed;
    struct inet_address old;
    int error = read_address(m, a, &old);

    if (error)
        return error;
    /* With IFA_LOCAL alone the prefix doesn't matter. */
    return address_remove(old.dev, old.address, a->at[IFA_ADDRESS] ? old.prefix : 33);
}

const struct rtnetlink_kind rtnetlink_addresses = {
    .base = RTM_NEWADDR,
    .fixed = sizeof(struct ifaddrmsg),
    .list = list_addresses,
    .add = add_address,
    .remove = remove_address,
};
