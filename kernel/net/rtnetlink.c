/*
 * rtnetlink (rtnetlink(7)): a request's type is a kind (interface, address, route, neighbour, rule) and what to do
 * with it, in steps of four from RTM_BASE on. To ask is anybody's, to change root's.
 *
 * A list (NLM_F_DUMP) is made in one go; its messages have NLM_F_MULTI, and NLMSG_DONE ends it.
 */
#include "net/rtnetlink.h"

#include <abi/errno.h>

#include "lib/types.h"
#include "net/route.h"
#include "proc/cred.h"

enum rtnetlink_action { ACTION_NEW, ACTION_DEL, ACTION_GET, ACTION_SET };

static const struct rtnetlink_kind *const kinds[] = {
    &rtnetlink_links,     &rtnetlink_addresses, &rtnetlink_routes,
    &rtnetlink_neighbors, &rtnetlink_rules,
};

static const struct rtnetlink_kind *kind_of(uint16_t type)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if ((type & ~3u) == kinds[i]->base)
            return kinds[i];
    return NULL;
}

static int list(const struct rtnetlink_kind *kind, struct netlink_reply *r)
{
    if (!kind->list)
        return -EOPNOTSUPP;
    r->flags = NLM_F_MULTI;
    kind->list(r);
    (void)netlink_begin(r, NLMSG_DONE, sizeof(int)); /* 0: all went well */
    netlink_end(r);
    return 0;
}

static int get(const struct rtnetlink_kind *kind, const struct nlmsghdr *h,
               const struct netlink_attributes *a, struct netlink_reply *r)
{
    return kind->get ? kind->get(h + 1, a, r) : -EOPNOTSUPP;
}

static int change(const struct rtnetlink_kind *kind, const struct nlmsghdr *h,
                  const struct netlink_attributes *a)
{
    unsigned action = h->nlmsg_type & 3;

    if (action == ACTION_NEW)
        return kind->add ? kind->add(h + 1, a, h->nlmsg_flags) : -EOPNOTSUPP;
    if (action == ACTION_DEL)
        return kind->remove ? kind->remove(h + 1, a) : -EOPNOTSUPP;
    return kind->set ? kind->set(h + 1, a, h->nlmsg_flags) : -EOPNOTSUPP;
}

int rtnetlink_handle(const struct nlmsghdr *h, struct netlink_reply *r)
{
    const struct rtnetlink_kind *kind = kind_of(h->nlmsg_type);
    bool asks = (h->nlmsg_type & 3) == ACTION_GET;
    struct netlink_attributes a;

    if (!kind)
        return -EOPNOTSUPP;
    if (h->nlmsg_len < NLMSG_HDRLEN + sizeof(struct rtgenmsg))
        return 0; /* not even a family: Linux passes over it too */
    if (!asks && !capable(CAP_NET_ADMIN))
        return -EPERM;
    if (asks && (h->nlmsg_flags & NLM_F_DUMP))
        return list(kind, r);
    int error = netlink_attributes(h, kind->fixed, &a);
    if (error)
        return error;
    if (asks)
        return get(kind, h, &a, r);
    net_change_begin();
    error = change(kind, h, &a);
    net_change_end();
    return error;
}
