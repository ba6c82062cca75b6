/* The neighbours on a link by rtnetlink: `ip neigh`. */
#include <abi/errno.h>
#include <abi/in.h>

#include "lib/string.h"
#include "net/announce.h"
#include "net/ethernet.h"
#include "net/rtnetlink.h"

static uint16_t state_of(const struct neighbor_info *n)
{
    if (n->failed)
        return NUD_FAILED;
    if (n->permanent)
        return NUD_PERMANENT;
    return !n->known ? NUD_INCOMPLETE : n->doubted ? NUD_PROBE : NUD_REACHABLE;
}

static void put_neighbor(struct netlink_reply *r, uint16_t type, const struct neighbor_info *n)
{
    struct ndmsg *m = netlink_begin(r, type, sizeof(*m));

    m->ndm_family = AF_INET;
    m->ndm_ifindex = n->dev->index;
    m->ndm_state = state_of(n);
    m->ndm_type = RTN_UNICAST;
    netlink_put_u32(r, NDA_DST, n->address);
    if (n->known)
        netlink_put(r, NDA_LLADDR, n->station, NETDEV_ADDRESS);
    netlink_end(r);
}

static void list_neighbor(void *ctx, const struct neighbor_info *n)
{
    put_neighbor(ctx, RTM_NEWNEIGH, n);
}

static void list_neighbors(struct netlink_reply *r)
{
    arp_for_each(list_neighbor, r);
}

void announce_neighbor(const struct neighbor_info *n, enum announcement what)
{
    struct netlink_reply r;

    if (!netlink_announce_begin(&r, RTNLGRP_NEIGH))
        return;
    put_neighbor(&r, what == ANNOUNCE_GONE ? RTM_DELNEIGH : RTM_NEWNEIGH, n);
    netlink_announce_end(&r, RTNLGRP_NEIGH);
}

/* Whom the request is about: 0 or -errno. */
static int read_neighbor(const struct ndmsg *m, const struct netlink_attributes *a,
                         struct netdev **dev, uint32_t *address)
{
    if (m->ndm_family != AF_INET)
        return -EAFNOSUPPORT;
    int has = netlink_u32(a, NDA_DST, address);
    if (has <= 0)
        return -EINVAL;
    *dev = netdev_by_index(m->ndm_ifindex);
    if (!*dev)
        return -ENODEV;
    return (*dev)->link_ops == &ethernet_link ? 0 : -EINVAL;
}

static int add_neighbor(const void *fixed, const struct netlink_attributes *a, unsigned flags)
{
    const struct ndmsg *m = fixed;
    const struct rtattr *station = a->at[NDA_LLADDR];
    struct neighbor_info old;
    struct netdev *dev;
    uint32_t address;
    int error = read_neighbor(m, a, &dev, &address);

    if (error)
        return error;
    if (!station || station->rta_len != RTA_LENGTH(NETDEV_ADDRESS))
        return -EINVAL;
    if (m->ndm_state != NUD_PERMANENT && m->ndm_state != NUD_REACHABLE && m->ndm_state != NUD_STALE)
        return -EOPNOTSUPP;
    if (!netdev_is_up(dev))
        return -ENETDOWN;
    bool there = arp_find(dev, address, &old);
    if (there && (flags & NLM_F_EXCL))
        return -EEXIST;
    if (!there && !(flags & NLM_F_CREATE))
        return -ENOENT;
    return arp_set(dev, address, (const uint8_t *)(station + 1), m->ndm_state == NUD_PERMANENT);
}

static int remove_neighbor(const void *fixed, const struct netlink_attributes *a)
{
    struct netdev *dev;
    uint32_t address;
    int error = read_neighbor(fixed, a, &dev, &address);

    if (error)
        return error;
    return arp_remove(dev, address) ? -ENOENT : 0;
}

const struct rtnetlink_kind rtnetlink_neighbors = {
    .base = RTM_NEWNEIGH,
    .fixed = sizeof(struct ndmsg),
    .list = list_neighbors,
    .add = add_neighbor,
    .remove = remove_neighbor,
};
