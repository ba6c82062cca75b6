/*
 * Netlink: a program speaks with the kernel in messages of a header and attributes (netlink(7)). netlink.c is
 * the socket and the framing; rtnetlink.c knows what the messages are about.
 *
 * An answer is built message by message into packets of a page, which become the datagrams that the program reads:
 *
 *     struct rtmsg *m = netlink_begin(r, RTM_NEWROUTE, sizeof(*m));
 *     netlink_put(r, RTA_DST, &destination, 4);
 *     netlink_end(r);
 *
 * What changes without having been asked for is announced: told to every socket that has joined the group.
 */
#pragma once

#include <abi/netlink.h>

#include "lib/list.h"
#include "lib/types.h"

struct file;
struct packet;

/* Owner only, all of it: it lives while one request is answered. */
struct netlink_reply {
    struct list full;      /* packets that are filled */
    struct packet *packet; /* the one being filled; NULL: none yet */
    struct nlmsghdr *open; /* the message being built */
    uint32_t seq, port;    /* of the request, and who gets the answer */
    uint16_t flags;        /* of every message: NLM_F_MULTI in a list */
    bool failed;           /* no memory: what has been built is thrown away */
};

#define NETLINK_MESSAGE_MAX 1024u /* bytes of one message of ours */

/* Begin a message with FIXED bytes, zeroed, behind its header. Without memory it is a scratch area. Any context. */
void *netlink_begin(struct netlink_reply *r, uint16_t type, size_t fixed);
/* Add an attribute. */
void netlink_put(struct netlink_reply *r, uint16_t type, const void *data, size_t len);
void netlink_put_u32(struct netlink_reply *r, uint16_t type, uint32_t value);
void netlink_put_string(struct netlink_reply *r, uint16_t type, const char *s);
void netlink_end(struct netlink_reply *r);

/*
 * An announcement to GROUP (RTNLGRP_*). Begin: false, R left alone, if nobody has joined; else build one message and
 * end. A member that has no room for it has ENOBUFS waiting. Any context; no lock held from RANK_INET on.
 */
bool netlink_announce_begin(struct netlink_reply *r, unsigned group);
void netlink_announce_end(struct netlink_reply *r, unsigned group);

/* A request's attributes by type, those above ATTRIBUTES_MAX left out. Their lengths have been checked. */
#define ATTRIBUTES_MAX 40u
struct netlink_attributes {
    const struct rtattr *at[ATTRIBUTES_MAX + 1]; /* NULL: not there */
};
/* Of a message whose fixed part has FIXED bytes: -EINVAL when the message is shorter than that. */
int netlink_attributes(const struct nlmsghdr *h, size_t fixed, struct netlink_attributes *out);
/* Attribute TYPE, which must have 4 bytes: 1, 0: it isn't there, -EINVAL. */
int netlink_u32(const struct netlink_attributes *a, unsigned type, uint32_t *out);

/* What rtnetlink makes of request H: 0 or -errno, which goes back to the sender. May sleep. */
int rtnetlink_handle(const struct nlmsghdr *h, struct netlink_reply *r);

/* A netlink socket by its descriptor, with a reference: 0, -EBADF, -ENOTSOCK, -EINVAL: of another family. */
int netlink_get(int fd, struct file **out);
/* Put P, which is taken over, into a netlink socket; dropped when that is full. No lock held. */
void netlink_deliver(struct file *socket, struct packet *p);

void netlink_init(void);
