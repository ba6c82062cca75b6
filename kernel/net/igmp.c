/*
 * Which groups this machine has joined, and IGMP version 2 (RFC 2236), by which it tells the routers of a link.
 *
 * A member says so when it joins, and, some random time later, when a router asks; if another member is faster
 * it is silent, since one answer for a link is enough. Who spoke last says when it leaves.
 */
#include <abi/in.h>

#include "dev/random.h"
#include "lib/byteorder.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/ipv4.h"
#include "net/netdev.h"
#include "net/packet.h"
#include "sched/timer.h"
#include "x86/clock.h"

#define REPORT_DELAY (10 * NSEC_PER_SEC) /* unsolicited report interval (8.10) */
#define ALL_HOSTS INADDR_ALLHOSTS_GROUP
#define ALL_ROUTERS 0xe0000002u
#define ROUTER_ALERT 0x94040000u /* RFC 2113 */

struct igmp_header {
    uint8_t type;
    uint8_t max_response; /* tenths of a second */
    uint16_t checksum;
    uint32_t group;
};
enum igmp_type { IGMP_QUERY = 0x11, IGMP_REPORT_1 = 0x12, IGMP_REPORT = 0x16, IGMP_LEAVE = 0x17 };

struct membership {
    struct list link; /* the lock, as all below but the timer */
    struct netdev *dev;
    uint32_t group;     /* network order */
    unsigned users;     /* 0: it is being freed */
    bool spoke_last;    /* the last report on the link was ours */
    struct timer timer; /* armed under the lock: a report is due */
};

static struct spinlock lock = SPINLOCK_INIT(RANK_FRAGMENT, "groups");
static struct list memberships = LIST_INIT(memberships); /* lock */

static struct membership *find(const struct netdev *dev, uint32_t group)
{
    struct membership *m;

    list_for_each (m, &memberships, link)
        if (m->dev == dev && m->group == group)
            return m;
    return NULL;
}

bool igmp_is_member(const struct netdev *dev, uint32_t group)
{
    if (group == htonl(ALL_HOSTS))
        return true;
    spin_lock(&lock);
    bool is = find(dev, group);
    spin_unlock(&lock);
    return is;
}

/* Groups that no router needs to know of: those of one link's own protocols, and all on the loopback. */
static bool is_silent(const struct netdev *dev, uint32_t group)
{
    return (dev->flags & IFF_LOOPBACK) || group == htonl(ALL_HOSTS);
}

static void send(struct netdev *dev, uint8_t type, uint32_t group, uint32_t destination)
{
    struct packet *p = packet_alloc(PACKET_HEADROOM, PACKET_HEADROOM + 32);
    struct {
        struct ipv4_header ip;
        uint32_t alert;
        struct igmp_header igmp;
    } * m;

    if (!p)
        return;
    m = packet_put(p, sizeof(*m));
    memset(m, 0, sizeof(*m));
    m->igmp.type = type;
    m->igmp.group = group;
    m->igmp.checksum = checksum_finish(checksum_add(0, &m->igmp, sizeof(m->igmp)));
    m->ip.version_ihl = 0x46;
    m->ip.tos = 0xc0;
    m->ip.ttl = 1;
    m->ip.protocol = IPPROTO_IGMP;
    m->ip.fragment = htons(IPV4_DF);
    m->ip.destination = destination;
    m->alert = htonl(ROUTER_ALERT);
    struct route_path path = {
        .type = ROUTE_UNICAST, /* our own members need no copy */
        .dev = dev,
        .next_hop = destination,
        .source = address_near(dev, 0),
        .mtu = dev->mtu,
    };
    (void)ipv4_output_raw(p, &path, path.source);
}

/* A report is due. */
static void report(struct timer *t)
{
    struct membership *m = container_of(t, struct membership, timer);

    spin_lock(&lock);
    struct netdev *dev = m->dev;
    uint32_t group = m->group;
    bool wanted = m->users > 0;
    m->spoke_last = true;
    spin_unlock(&lock);
    if (wanted && netdev_is_up(dev))
        send(dev, IGMP_REPORT, group, group);
    backlog_run();
}

static nsec_t random_delay(nsec_t most)
{
    return clock_monotonic() + (nsec_t)(random_u64() % (uint64_t)most);
}

int igmp_join(struct netdev *dev, uint32_t group)
{
    struct membership *new = kzalloc(sizeof(*new));

    if (!new)
        return -ENOMEM;
    new->dev = dev;
    new->group = group;
    new->users = 1;
    timer_init(&new->timer, report);
    spin_lock(&lock);
    struct membership *old = find(dev, group);
    if (old) {
        old->users++;
    } else {
        list_push_back(&memberships, &new->link);
        if (!is_silent(dev, group)) {
            new->spoke_last = true;
            timer_set(&new->timer, random_delay(REPORT_DELAY)); /* the second one (3.) */
        }
    }
    spin_unlock(&lock);
    if (old)
        kfree(new);
    else if (!is_silent(dev, group) && netdev_is_up(dev))
        send(dev, IGMP_REPORT, group, group);
    return 0;
}

int igmp_leave(struct netdev *dev, uint32_t group)
{
    spin_lock(&lock);
    struct membership *m = find(dev, group);
    bool last = m && --m->users == 0;
    bool tell = last && m->spoke_last && !is_silent(dev, group);
    if (last)
        list_remove(&m->link);
    spin_unlock(&lock);
    if (!m)
        return -EADDRNOTAVAIL;
    if (!last)
        return 0;
    timer_cancel_sync(&m->timer);
    kfree(m);
    if (tell && netdev_is_up(dev))
        send(dev, IGMP_LEAVE, group, htonl(ALL_ROUTERS));
    return 0;
}

void igmp_for_each(void (*emit)(void *ctx, const struct netdev *dev, uint32_t group,
                                unsigned users),
                   void *ctx)
{
    struct membership *m;

    spin_lock(&lock);
    list_for_each (m, &memberships, link)
        emit(ctx, m->dev, m->group, m->users);
    spin_unlock(&lock);
}

/* A router asks for GROUP, or for all if 0: each that is meant answers within MOST. */
static void answer_query(struct netdev *dev, uint32_t group, nsec_t most)
{
    struct membership *m;

    spin_lock(&lock);
    list_for_each (m, &memberships, link) {
        if (m->dev != dev || (group && m->group != group) || is_silent(dev, m->group))
            continue;
        nsec_t left = timer_remaining(&m->timer);
        if (!left || left > most)
            timer_set(&m->timer, random_delay(most));
    }
    spin_unlock(&lock);
}

static void igmp_input(struct packet *p)
{
    const struct igmp_header *h = packet_header(p, sizeof(*h));

    if (!h || checksum_finish(packet_checksum_add(p, 0, 0)) != 0) {
        packet_free(p);
        return;
    }
    if (h->type == IGMP_QUERY) {
        unsigned tenths = h->max_response ? h->max_response : 100; /* version 1 says none */
        answer_query(p->dev, h->group, tenths * (NSEC_PER_SEC / 10));
    } else if (h->type == IGMP_REPORT || h->type == IGMP_REPORT_1) {
        spin_lock(&lock);
        struct membership *m = find(p->dev, h->group);
        if (m && !p->looped) {
            m->spoke_last = false;
            (void)timer_cancel(&m->timer);
        }
        spin_unlock(&lock);
    }
    packet_free(p);
}

static struct ipv4_protocol protocol = {.protocol = IPPROTO_IGMP, .input = igmp_input};

void igmp_init(void)
{
    ipv4_protocol_register(&protocol);
}
