/* Netlink's messages: how answers are built and requests read. */
#include "lib/string.h"
#include "mm/page.h"
#include "net/netlink.h"
#include "net/packet.h"

/* --- building answers --- */

static char scratch[NETLINK_MESSAGE_MAX] aligned(
    8); /* written to when there is no memory; never read */

/* N bytes at the end of what is being filled, zeroed. */
static void *room(struct netlink_reply *r, size_t n)
{
    void *at = r->failed ? NULL : packet_put(r->packet, (uint32_t)n);

    if (!at) {
        assert(r->failed);
        return scratch;
    }
    return memset(at, 0, n);
}

void *netlink_begin(struct netlink_reply *r, uint16_t type, size_t fixed)
{
    if (r->packet && r->packet->len + NETLINK_MESSAGE_MAX > PAGE_SIZE) {
        list_push_back(&r->full, &r->packet->link);
        r->packet = NULL;
    }
    if (!r->packet && !r->failed)
        r->packet = packet_alloc(0, PAGE_SIZE);
    r->failed |= !r->packet;
    r->open = room(r, NLMSG_HDRLEN + NLMSG_ALIGN(fixed));
    *r->open = (struct nlmsghdr){
        .nlmsg_len = NLMSG_HDRLEN + (unsigned)fixed,
        .nlmsg_type = type,
        .nlmsg_flags = r->flags,
        .nlmsg_seq = r->seq,
        .nlmsg_pid = r->port,
    };
    return r->open + 1;
}

void netlink_put(struct netlink_reply *r, uint16_t type, const void *data, size_t len)
{
    struct rtattr *a = room(r, RTA_SPACE(len));

    a->rta_len = (unsigned short)RTA_LENGTH(len);
    a->rta_type = type;
    memcpy(a + 1, data, len);
    r->open->nlmsg_len += RTA_SPACE(len);
}

void netlink_put_u32(struct netlink_reply *r, uint16_t type, uint32_t value)
{
    netlink_put(r, type, &value, sizeof(value));
}

void netlink_put_string(struct netlink_reply *r, uint16_t type, const char *s)
{
    netlink_put(r, type, s, strlen(s) + 1);
}

void netlink_end(struct netlink_reply *r)
{
    assert(r->failed || r->open->nlmsg_len <= NETLINK_MESSAGE_MAX);
    r->open = NULL;
}

/* --- reading requests --- */

int netlink_attributes(const struct nlmsghdr *h, size_t fixed, struct netlink_attributes *out)
{
    const char *start = (const char *)h;
    size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(fixed);

    memset(out, 0, sizeof(*out));
    if (h->nlmsg_len < NLMSG_HDRLEN + fixed)
        return -EINVAL;
    while (at + sizeof(struct rtattr) <= h->nlmsg_len) {
        const struct rtattr *a = (const struct rtattr *)(start + at);
        if (a->rta_len < sizeof(*a) || a->rta_len > h->nlmsg_len - at)
            return -EINVAL;
        if (a->rta_type <= ATTRIBUTES_MAX)
            out->at[a->rta_type] = a;
        at += RTA_ALIGN(a->rta_len);
    }
    return 0;
}

int netlink_u32(const struct netlink_attributes *a, unsigned type, uint32_t *out)
{
    const struct rtattr *at = a->at[type];

    if (!at)
        return 0;
    if (at->rta_len != RTA_LENGTH(sizeof(*out)))
        return -EINVAL;
    memcpy(out, at + 1, sizeof(*out));
    return 1;
}
