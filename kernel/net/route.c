/*
 * The routing table: a list in the order in which routes are tried, longest prefix first. Machines of the
 * kind that this is for have ten routes, and the ones used most, to themselves, stand first.
 */
#include "net/route.h"

#include <abi/in.h>

#include "lib/byteorder.h"
#include "mm/slab.h"
#include "net/announce.h"
#include "net/netdev.h"
#include "x86/clock.h"

#define MTU_LIFETIME (600 * NSEC_PER_SEC) /* RFC 1191, section 6.3 */
#define IPV4_MTU_LEAST 68u                /* RFC 791: every link takes so many */
#define MTU_LEAST 552u                    /* what Linux believes at least: min_pmtu */
#define MTU_NOTES 64u

static struct spinlock table_lock = SPINLOCK_INIT(RANK_ROUTE, "routes");
static struct list table = LIST_INIT(table); /* table_lock */

/* What ICMP has said of paths: one note a destination, by its hash; a new one may displace an old. */
static struct mtu_note {
    uint32_t destination; /* table_lock, as all here */
    uint32_t mtu;
    nsec_t until;
} notes[MTU_NOTES];
static bool have_notes; /* atomic: there have ever been any */

int prefix_of_mask(uint32_t mask)
{
    uint32_t host = ntohl(mask);
    unsigned ones = host == UINT32_MAX ? 32 : (unsigned)__builtin_clz(~host);

    return prefix_mask(ones) == mask ? (int)ones : -1;
}

/* --- changing --- */

/* Those that addresses make, and only they, are of another table in Linux, which is asked first. */
static bool is_by_program(enum route_type t)
{
    return t != ROUTE_LOCAL && t != ROUTE_BROADCAST;
}

static bool goes_before(const struct route *a, const struct route *b)
{
    return a->prefix != b->prefix ? a->prefix > b->prefix : a->metric < b->metric;
}

/* Two routes between which nothing decides. */
static bool is_rival(const struct route *a, const struct route *b)
{
    return a->destination == b->destination && a->prefix == b->prefix && a->metric == b->metric &&
           is_by_program(a->type) == is_by_program(b->type);
}

static bool is_same(const struct route *a, const struct route *b)
{
    return is_rival(a, b) && a->type == b->type && a->gateway == b->gateway && a->dev == b->dev;
}

/* Where R belongs: before which. *RIVAL: what MODE wants gone. table_lock held. 0 or -errno. */
static int find_place(const struct route *r, enum route_mode mode, struct list **before,
                      struct route **rival)
{
    struct route *at;

    *before = &table;
    *rival = NULL;
    list_for_each (at, &table, link) {
        if (mode == ROUTE_BESIDE ? is_same(at, r) : is_rival(at, r)) {
            if (mode == ROUTE_BESIDE || mode == ROUTE_ALONE)
                return -EEXIST;
            if (!*rival)
                *rival = at;
        }
        if (*before == &table && goes_before(r, at))
            *before = &at->link;
    }
    return mode == ROUTE_CHANGE && !*rival ? -ENOENT : 0;
}

int route_add(const struct route *r, enum route_mode mode)
{
    struct route *new = kmalloc(sizeof(*new)), *rival;
    struct list *before;

    if (!new)
        return -ENOMEM;
    *new = *r;
    spin_lock(&table_lock);
    int error = find_place(r, mode, &before, &rival);
    if (!error) {
        list_push_back(before, &new->link); /* in front of that one */
        if (rival)
            list_remove(&rival->link);
    }
    spin_unlock(&table_lock);
    bool again = rival && is_same(rival, r) && rival->source == r->source;
    if (!error && !again) /* R, for NEW may be gone again */
        announce_route(r, rival ? ANNOUNCE_REPLACE : ANNOUNCE_NEW);
    kfree(error ? new : rival);
    return error;
}

static bool fits(const struct route *at, const struct route *r)
{
    return at->destination == r->destination && at->prefix == r->prefix &&
           (!r->gateway || at->gateway == r->gateway) && (!r->dev || at->dev == r->dev) &&
           (!r->metric || at->metric == r->metric) &&
           (r->type ? at->type == r->type : is_by_program(at->type)) &&
           (!r->source || at->source == r->source);
}

int route_remove(const struct route *r)
{
    struct route *at, *found = NULL;

    spin_lock(&table_lock);
    list_for_each (at, &table, link) {
        if (fits(at, r)) {
            found = at;
            list_remove(&at->link);
            break;
        }
    }
    spin_unlock(&table_lock);
    if (!found)
        return -ESRCH;
    announce_route(found, ANNOUNCE_GONE);
    kfree(found);
    return 0;
}

void route_flush(struct netdev *dev)
{
    struct list gone = LIST_INIT(gone);
    struct route *at, *next;

    spin_lock(&table_lock);
    list_for_each_safe (at, next, &table, link) {
        if (at->dev == dev && at->type != ROUTE_LOCAL) {
            list_remove(&at->link);
            list_push_back(&gone, &at->link);
        }
    }
    spin_unlock(&table_lock);
    list_for_each_safe (at, next, &gone, link) {
        announce_route(at, ANNOUNCE_GONE);
        kfree(at);
    }
}

void route_for_each(void (*emit)(void *ctx, const struct route *r), void *ctx)
{
    struct route *at;

    spin_lock(&table_lock);
    list_for_each (at, &table, link)
        emit(ctx, at);
    spin_unlock(&table_lock);
}

/* --- path MTU --- */

static struct mtu_note *note_of(uint32_t destination)
{
    return &notes[(destination * 2654435761u) >> 26];
}

void route_note_mtu(uint32_t destination, uint32_t mtu)
{
    struct mtu_note *n = note_of(destination);
    nsec_t now = clock_monotonic();

    if (mtu < IPV4_MTU_LEAST)
        return;
    mtu = max(mtu, MTU_LEAST);
    spin_lock(&table_lock);
    if (n->destination != destination || n->until <= now || mtu <= n->mtu)
        *n = (struct mtu_note){destination, mtu, now + MTU_LIFETIME};
    have_notes = true;
    spin_unlock(&table_lock);
}

static uint32_t noted_mtu(uint32_t destination, uint32_t mtu)
{
    struct mtu_note *n = note_of(destination);

    spin_lock(&table_lock);
    if (n->destination == destination && n->until > clock_monotonic())
        mtu = min(mtu, n->mtu);
    spin_unlock(&table_lock);
    return mtu;
}

/* --- looking up --- */

/* The first route that fits; false: none. */
static bool find(uint32_t destination, struct netdev *dev, struct route *out)
{
    struct route *r;
    bool found = false;

    spin_lock(&table_lock);
    list_for_each (r, &table, link) {
        if ((destination ^ r->destination) & prefix_mask(r->prefix))
            continue;
        if (dev && r->dev != dev && r->type != ROUTE_LOCAL)
            continue;
        if (!netdev_is_up(r->dev) && r->type != ROUTE_LOCAL)
            continue;
        *out = *r;
        found = true;
        break;
    }
    spin_unlock(&table_lock);
    return found;
}

/* All ones, or a group, on a device that somebody has named: no route is needed. */
static bool is_special(uint32_t destination)
{
    return destination == INADDR_BROADCAST || IN_MULTICAST(ntohl(destination));
}

static void fill_path(struct route_path *out, const struct route *r, uint32_t destination)
{
    out->type = r->type;
    out->dev = r->type == ROUTE_LOCAL ? loopback_dev : r->dev;
    out->next_hop = r->gateway ? r->gateway : destination;
    out->source = r->source ? r->source : address_near(r->dev, out->next_hop);
    out->mtu = READ_ONCE(out->dev->mtu);
    if (is_special(destination))
        out->type = destination == INADDR_BROADCAST ? ROUTE_BROADCAST : ROUTE_MULTICAST;
}

int route_lookup(uint32_t destination, struct netdev *dev, struct route_path *out)
{
    struct route r;

    if (!find(destination, dev, &r)) {
        if (!dev)
            return -ENETUNREACH;
        if (!netdev_is_up(dev))
            return -ENETDOWN;
        r = (struct route){.type = ROUTE_UNICAST, .dev = dev};
    }
    if (route_type_refuses(r.type))
        return r.type == ROUTE_UNREACHABLE ? -EHOSTUNREACH
               : r.type == ROUTE_PROHIBIT  ? -EACCES
                                           : -EINVAL;
    fill_path(out, &r, destination);
    if (unlikely(READ_ONCE(out->dev->failed)))
        return -ENETDOWN;
    if (unlikely(READ_ONCE(have_notes)) && r.type == ROUTE_UNICAST)
        out->mtu = noted_mtu(destination, out->mtu);
    return 0;
}

/* The device on whose link GATEWAY is. DEV: it must be this one. */
static int find_gateway(uint32_t gateway, struct netdev *dev, struct netdev **out)
{
    struct route r;

    if (!find(gateway, dev, &r) || r.type != ROUTE_UNICAST || r.gateway)
        return -ENETUNREACH;
    *out = r.dev;
    return 0;
}

int route_configure(struct route *r, enum route_mode mode)
{
    if (r->prefix > 32 || (r->destination & ~prefix_mask(r->prefix)))
        return -EINVAL;
    if (route_type_refuses(r->type)) {
        if (r->gateway)
            return -EINVAL;
        r->dev = loopback_dev;
    }
    if (!r->dev && !r->gateway)
        return -ENODEV;
    if (r->dev && !netdev_is_up(r->dev))
        return -ENETDOWN;
    int error = r->gateway ? find_gateway(r->gateway, r->dev, &r->dev) : 0;
    return error ? error : route_add(r, mode);
}

enum route_type route_kind(uint32_t destination, struct netdev *dev)
{
    struct route r;

    if (is_special(destination))
        return destination == INADDR_BROADCAST ? ROUTE_BROADCAST : ROUTE_MULTICAST;
    if (!find(destination, NULL, &r) || route_type_refuses(r.type))
        return ROUTE_UNICAST;
    return r.type == ROUTE_BROADCAST && r.dev != dev ? ROUTE_UNICAST : r.type;
}
