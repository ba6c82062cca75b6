/*
 * Routes by rtnetlink: `ip route`. Linux keeps what addresses make of themselves, "local" and "broadcast", in a
 * table of its own that is asked first; here they are types in the one table, and so they are shown.
 */
#include <abi/errno.h>
#include <abi/in.h>

#include "net/announce.h"
#include "net/netdev.h"
#include "net/route.h"
#include "net/rtnetlink.h"

static uint8_t table_of(enum route_type t)
{
    return t == ROUTE_LOCAL || t == ROUTE_BROADCAST ? RT_TABLE_LOCAL : RT_TABLE_MAIN;
}

/* How far away the destination is. */
static uint8_t scope_of(enum route_type t, uint32_t gateway)
{
    if (t == ROUTE_LOCAL)
        return RT_SCOPE_HOST;
    if (t == ROUTE_BROADCAST || t == ROUTE_MULTICAST)
        return RT_SCOPE_LINK;
    return gateway || route_type_refuses(t) ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
}

static void put_route(struct netlink_reply *r, uint16_t type, const struct route *at)
{
    struct rtmsg *m = netlink_begin(r, type, sizeof(*m));

    m->rtm_family = AF_INET;
    m->rtm_dst_len = (uint8_t)at->prefix;
    m->rtm_table = table_of(at->type);
    m->rtm_protocol = at->protocol;
    m->rtm_scope = scope_of(at->type, at->gateway);
    m->rtm_type = (uint8_t)at->type;
    netlink_put_u32(r, RTA_TABLE, m->rtm_table);
    if (at->prefix)
        netlink_put_u32(r, RTA_DST, at->destination);
    if (at->metric)
        netlink_put_u32(r, RTA_PRIORITY, at->metric);
    if (at->source)
        netlink_put_u32(r, RTA_PREFSRC, at->source);
    if (at->gateway)
        netlink_put_u32(r, RTA_GATEWAY, at->gateway);
    if (!route_type_refuses(at->type))
        netlink_put_u32(r, RTA_OIF, (uint32_t)at->dev->index);
    netlink_end(r);
}

static void list_route(void *ctx, const struct route *at)
{
    put_route(ctx, RTM_NEWROUTE, at);
}

static void list_routes(struct netlink_reply *r)
{
    route_for_each(list_route, r);
}

void announce_route(const struct route *r, enum announcement what)
{
    struct netlink_reply m;

    if (!netlink_announce_begin(&m, RTNLGRP_IPV4_ROUTE))
        return;
    m.flags = what == ANNOUNCE_REPLACE ? NLM_F_REPLACE : 0;
    put_route(&m, what == ANNOUNCE_GONE ? RTM_DELROUTE : RTM_NEWROUTE, r);
    netlink_announce_end(&m, RTNLGRP_IPV4_ROUTE);
}

/* RTA_OIF's device. 0, or -ENODEV, -EINVAL. */
static int read_device(const struct netlink_attributes *a, struct netdev **out)
{
    uint32_t index;
    int has = netlink_u32(a, RTA_OIF, &index);

    *out = NULL;
    if (has <= 0)
        return has;
    *out = netdev_by_index((int)index);
    return *out ? 0 : -ENODEV;
}

/* The way to one address, as a packet would take it. */
static int get_route(const void *fixed, const struct netlink_attributes *a, struct netlink_reply *r)
{
    const struct rtmsg *asked = fixed;
    uint32_t destination = 0;
    struct route_path path;
    struct netdev *dev;

    if (asked->rtm_family != AF_INET)
        return -EAFNOSUPPORT;
    if (netlink_u32(a, RTA_DST, &destination) < 0)
        return -EINVAL;
    int error = read_device(a, &dev);
    if (!error)
        error = route_lookup(destination, dev, &path);
    if (error)
        return error;
    struct rtmsg *m = netlink_begin(r, RTM_NEWROUTE, sizeof(*m));
    m->rtm_family = AF_INET;
    m->rtm_dst_len = 32;
    m->rtm_table = table_of(path.type);
    m->rtm_scope = RT_SCOPE_UNIVERSE;
    m->rtm_type = (uint8_t)path.type;
    m->rtm_flags = RTM_F_CLONED;
    netlink_put_u32(r, RTA_TABLE, m->rtm_table);
    netlink_put_u32(r, RTA_DST, destination);
    netlink_put_u32(r, RTA_OIF, (uint32_t)path.dev->index);
    netlink_put_u32(r, RTA_PREFSRC, path.source);
    if (path.next_hop != destination)
        netlink_put_u32(r, RTA_GATEWAY, path.next_hop);
    netlink_end(r);
    return 0;
}

/* --- changing --- */

static bool is_known_type(uint8_t t)
{
    return t == ROUTE_UNICAST || t == ROUTE_LOCAL || t == ROUTE_BROADCAST ||
           route_type_refuses((enum route_type)t);
}

static int read_route(const struct rtmsg *m, const struct netlink_attributes *a, struct route *out)
{
    uint32_t table = m->rtm_table;

    *out = (struct route){
        .prefix = m->rtm_dst_len,
        .type = (enum route_type)m->rtm_type,
        .protocol = m->rtm_protocol,
    };
    if (m->rtm_family != AF_INET)
        return -EAFNOSUPPORT;
    if (m->rtm_src_len || m->rtm_tos || a->at[RTA_SRC] || a->at[RTA_METRICS] ||
        a->at[RTA_MULTIPATH])
        return -EOPNOTSUPP;
    if (netlink_u32(a, RTA_DST, &out->destination) < 0 ||
        netlink_u32(a, RTA_GATEWAY, &out->gateway) < 0 ||
        netlink_u32(a, RTA_PRIORITY, &out->metric) < 0 ||
        netlink_u32(a, RTA_PREFSRC, &out->source) < 0 || netlink_u32(a, RTA_TABLE, &table) < 0 ||
        m->rtm_dst_len > 32)
        return -EINVAL;
    if (table != RT_TABLE_UNSPEC && table != RT_TABLE_MAIN && table != RT_TABLE_LOCAL)
        return -EOPNOTSUPP;
    return read_device(a, &out->dev);
}

static int add_route(const void *fixed, const struct netlink_attributes *a, unsigned flags)
{
    struct route r;
    int error = read_route(fixed, a, &r);

    if (error)
        return error;
    if (!is_known_type((uint8_t)r.type))
        return -EINVAL;
    if (r.source && address_kind(r.source) != ROUTE_LOCAL)
        return -EINVAL; /* nobody could answer */
    enum route_mode mode = ROUTE_BESIDE;
    if (flags & NLM_F_REPLACE)
        mode = flags & NLM_F_CREATE ? ROUTE_REPLACE : ROUTE_CHANGE;
    else if (flags & NLM_F_EXCL)
        mode = ROUTE_ALONE;
    else if (!(flags & NLM_F_CREATE))
        return -ENOENT;
    return route_configure(&r, mode);
}

static int remove_route(const void *fixed, const struct netlink_attributes *a)
{
    struct route r;
    int error = read_route(fixed, a, &r);

    return error ? error : route_remove(&r);
}

const struct rtnetlink_kind rtnetlink_routes = {
    .base = RTM_NEWROUTE,
    .fixed = sizeof(struct rtmsg),
    .list = list_routes,
    .get = get_route,
    .add = add_route,
    .remove = remove_route,
};

/* --- rules: in which order the tables are asked; it can't be changed --- */

static void list_rules(struct netlink_reply *r)
{
    static const struct {
        uint32_t priority, table;
    } rules[] = {{0, RT_TABLE_LOCAL}, {32766, RT_TABLE_MAIN}};

    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        struct fib_rule_hdr *m = netlink_begin(r, RTM_NEWRULE, sizeof(*m));
        m->family = AF_INET;
        m->table = (uint8_t)rules[i].table;
        m->action = FR_ACT_TO_TBL;
        netlink_put_u32(r, FRA_TABLE, rules[i].table);
        if (rules[i].priority)
            netlink_put_u32(r, FRA_PRIORITY, rules[i].priority);
        netlink_end(r);
    }
}

const struct rtnetlink_kind rtnetlink_rules = {
    .base = RTM_NEWRULE,
    .fixed = sizeof(struct fib_rule_hdr),
    .list = list_rules,
};
