/*
 * What has changed about links, addresses, routes and neighbours, told to the programs that listen (rtnetlink's groups:
 * RTNLGRP_*). Called after the change, with no lock held from RANK_INET on, in any context; who makes two changes at
 * once may hear of them in either order. It costs a look at one word when nobody listens.
 */
#pragma once

#include "lib/types.h"

struct inet_address;
struct neighbor_info;
struct netdev;
struct route;

enum announcement {
    ANNOUNCE_NEW,     /* there is something new, or changed */
    ANNOUNCE_REPLACE, /* it has taken the place of another like it */
    ANNOUNCE_GONE,
};

/* CHANGED: which of the flags (IFF_*) did. */
void announce_link(const struct netdev *dev, uint32_t changed);              /* rtnetlink_link.c */
void announce_address(const struct inet_address *a, enum announcement what); /* the same */
void announce_route(const struct route *r, enum announcement what);          /* rtnetlink_route.c */
void announce_neighbor(const struct neighbor_info *n,
                       enum announcement what); /* rtnetlink_neighbor.c */
