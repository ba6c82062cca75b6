/* What a kind of rtnetlink message is to rtnetlink.c: interfaces, addresses, routes, neighbours. */
#pragma once

#include "net/netlink.h"

struct netdev;

struct rtnetlink_kind {
    uint16_t base; /* const: RTM_NEWx; RTM_DELx, RTM_GETx and RTM_SETx follow it */
    size_t fixed;  /* const: bytes before the attributes */
    /* All of them into R; a list's elements may be asked for with a lock held. NULL: -EOPNOTSUPP, as below. */
    void (*list)(struct netlink_reply *r);
    /* The one that the request names into R. 0 or -errno, as below. */
    int (*get)(const void *fixed, const struct netlink_attributes *a, struct netlink_reply *r);
    /* FLAGS: NLM_F_CREATE and the like. */
    int (*add)(const void *fixed, const struct netlink_attributes *a, unsigned flags);
    int (*remove)(const void *fixed, const struct netlink_attributes *a);
    int (*set)(const void *fixed, const struct netlink_attributes *a, unsigned flags);
};
extern const struct rtnetlink_kind rtnetlink_links, rtnetlink_addresses; /* rtnetlink_link.c */
extern const struct rtnetlink_kind rtnetlink_routes, rtnetlink_rules;    /* rtnetlink_route.c */
extern const struct rtnetlink_kind rtnetlink_neighbors;                  /* rtnetlink_neighbor.c */
