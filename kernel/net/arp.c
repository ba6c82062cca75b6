/*
 * Neighbours on an Ethernet (RFC 826; RFC 1122, section 2.3.2). An entry is made when there is something to send to
 * an address, or when somebody asks for ours; it holds one packet, the newest, until the answer comes.
 *
 *     WANTED --answer--> KNOWN --REACHABLE passes, and it is used--> DOUBTED --answer--> KNOWN
 *       \__TRIES requests without answer: gone, "host unreachable"__/
 *
 * Somebody else who claims an address of ours is told once in a while that it is taken (RFC 5227, section 2.4, c): a
 * machine that others rely on doesn't give way.
 *
 * What has neither been used nor heard of for UNUSED goes too.
 *
 * Who says what nobody asked changes what is known, but makes no entry. The table is small, so that a
 * storm of requests from addresses that don't exist costs little: the entry used longest ago goes.
 */
#include <abi/if_packet.h>
#include <abi/in.h>

#include "lib/byteorder.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/announce.h"
#include "net/ethernet.h"
#include "net/ipv4.h"
#include "net/packet.h"
#include "net/route.h"
#include "sched/timer.h"
#include "x86/clock.h"

#define REACHABLE (60 * NSEC_PER_SEC)
#define UNUSED (300 * NSEC_PER_SEC)
#define RETRY NSEC_PER_SEC
#define TRIES 3u
#define ENTRIES_MAX 512u
#define DEFEND_INTERVAL (10 * NSEC_PER_SEC) /* RFC 5227, section 1.1 */

struct arp_packet {
    uint16_t hardware, protocol; /* network order */
    uint8_t hardware_len, protocol_len;
    uint16_t operation; /* network order */
    uint8_t sender[NETDEV_ADDRESS];
    uint32_t sender_ip;
    uint8_t target[NETDEV_ADDRESS];
    uint32_t target_ip;
} packed;
enum arp_operation { ARP_REQUEST = 1, ARP_REPLY = 2 };

enum neighbor_state { WANTED, KNOWN, DOUBTED, PERMANENT };

struct neighbor {
    struct list link; /* the lock, as all below: the one used longest ago first */
    struct netdev *dev;
    uint32_t address;
    uint8_t station[NETDEV_ADDRESS];
    enum neighbor_state state;
    unsigned tries;         /* requests without an answer */
    nsec_t due;             /* the next request, or, KNOWN, when it is to be doubted */
    nsec_t used;            /* when it was last sent to, or heard of */
    struct packet *pending; /* NULL: none */
};

static struct spinlock lock = SPINLOCK_INIT(RANK_NEIGHBOR, "neighbours");
static struct list neighbors = LIST_INIT(neighbors); /* lock */
static unsigned count;                               /* lock */
static nsec_t defended; /* lock: when an address of ours was claimed by us last */
static struct timer
    timer; /* the next request, or the end of what is not used; armed under the lock */

static struct neighbor *find(const struct netdev *dev, uint32_t address)
{
    struct neighbor *n;

    list_for_each (n, &neighbors, link)
        if (n->address == address && n->dev == dev)
            return n;
    return NULL;
}

/* Take N out; the caller frees it. lock held. */
static void unlink_neighbor(struct neighbor *n)
{
    list_remove(&n->link);
    count--;
}

static struct neighbor_info info_of(const struct neighbor *n)
{
    struct neighbor_info info = {
        .dev = n->dev,
        .address = n->address,
        .known = n->state != WANTED,
        .doubted = n->state == DOUBTED,
        .permanent = n->state == PERMANENT,
    };

    memcpy(info.station, n->station, sizeof(info.station));
    return info;
}

/* N, which has been taken out, or is NULL, is no more; who listens is told. No lock held. */
static void free_neighbor(struct neighbor *n)
{
    if (!n)
        return;
    struct neighbor_info info = info_of(n);
    announce_neighbor(&info, ANNOUNCE_GONE);
    packet_free(n->pending);
    kfree(n);
}

/* The oldest that nobody has made by hand; NULL: there is none. lock held. */
static struct neighbor *find_victim(void)
{
    struct neighbor *n;

    list_for_each (n, &neighbors, link) {
        if (n->state != PERMANENT)
            return n;
    }
    return NULL;
}

/* A new entry; *VICTIM: what had to make room. lock held. NULL: no memory, or no room. */
static struct neighbor *create(struct netdev *dev, uint32_t address, struct neighbor **victim)
{
    struct neighbor *n = kzalloc(sizeof(*n));

    if (!n)
        return NULL;
    if (count >= ENTRIES_MAX) {
        *victim = find_victim();
        if (!*victim) {
            kfree(n);
            return NULL;
        }
        unlink_neighbor(*victim);
    }
    n->dev = dev;
    n->address = address;
    list_push_back(&neighbors, &n->link);
    count++;
    return n;
}

/* --- speaking --- */

static void transmit(struct netdev *dev, enum arp_operation operation, uint32_t sender_ip,
                     uint32_t target_ip, const uint8_t *target)
{
    struct packet *p = packet_alloc(PACKET_HEADROOM, PACKET_HEADROOM + sizeof(struct arp_packet));

    if (!p)
        return;
    struct arp_packet *a = packet_put(p, sizeof(*a));
    *a = (struct arp_packet){
        .hardware = htons(ARPHRD_ETHER),
        .protocol = htons(ETH_P_IP),
        .hardware_len = NETDEV_ADDRESS,
        .protocol_len = sizeof(uint32_t),
        .operation = htons(operation),
        .sender_ip = sender_ip,
        .target_ip = target_ip,
    };
    memcpy(a->sender, dev->address, NETDEV_ADDRESS);
    if (target)
        memcpy(a->target, target, NETDEV_ADDRESS);
    (void)ethernet_transmit(dev, p, target ? target : ethernet_link.broadcast, ETH_P_ARP);
}

static void request(struct netdev *dev, uint32_t address)
{
    uint32_t source = address_near(dev, address);
    if (source)
        transmit(dev, ARP_REQUEST, source, address, NULL);
}

void arp_announce(struct netdev *dev, uint32_t address)
{
    if (dev->link_ops == &ethernet_link && (netdev_flags(dev) & IFF_RUNNING))
        transmit(dev, ARP_REQUEST, address, address, NULL);
}

/* The timer's function is to run at WHEN, if not sooner. lock held. */
static void wake_at(nsec_t now, nsec_t when)
{
    nsec_t left = timer_remaining(&timer);

    if (!left || now + left > when)
        timer_set(&timer, when);
}

/* Begin to ask for N. lock held; the caller sends the request. */
static void begin_asking(struct neighbor *n, enum neighbor_state state, nsec_t now)
{
    n->state = state;
    n->tries = 1;
    n->due = now + RETRY;
    wake_at(now, n->due);
}

void arp_send(struct netdev *dev, uint32_t next, struct packet *p)
{
    struct neighbor *victim = NULL;
    struct packet *displaced = NULL;
    uint8_t station[NETDEV_ADDRESS];
    struct neighbor_info doubted = {0};
    bool ask = false, known = false;
    nsec_t now = clock_monotonic();

    spin_lock(&lock);
    struct neighbor *n = find(dev, next);
    if (!n && (n = create(dev, next, &victim))) {
        begin_asking(n, WANTED, now);
        ask = true;
    }
    if (n && n->state == KNOWN && now >= n->due) {
        begin_asking(n, DOUBTED, now);
        doubted = info_of(n);
        ask = true;
    }
    known = n && n->state != WANTED;
    if (known) {
        memcpy(station, n->station, sizeof(station));
        n->used = now;
        list_remove(&n->link);
        list_push_back(&neighbors, &n->link);
    } else {
        displaced = n ? n->pending : p;
        if (n)
            n->pending = p;
    }
    spin_unlock(&lock);
    free_neighbor(victim);
    packet_free(displaced);
    if (unlikely(doubted.doubted))
        announce_neighbor(&doubted, ANNOUNCE_NEW);
    if (ask)
        request(dev, next);
    if (known)
        (void)ethernet_transmit(dev, p, station, ETH_P_IP);
}

/* --- hearing --- */

/* N is at STATION from now on, be it news or not: did anything change? lock held. */
static bool settle(struct neighbor *n, const uint8_t *station, enum neighbor_state state)
{
    bool changed = n->state != state || memcmp(n->station, station, NETDEV_ADDRESS) != 0;

    memcpy(n->station, station, NETDEV_ADDRESS);
    n->state = state;
    n->used = clock_monotonic();
    n->due = n->used + REACHABLE;
    wake_at(n->used, n->used + UNUSED);
    return changed;
}

/*
 * ADDRESS is at STATION, as it says itself (KNOWN) or as somebody here says (BY_HAND: that counts more). What waited
 * for it is sent. MAKE: an entry, if there is none. False: there is none.
 */
static bool learn(struct netdev *dev, uint32_t address, const uint8_t *station,
                  enum neighbor_state state, bool make, bool by_hand)
{
    struct neighbor *victim = NULL;
    struct packet *pending = NULL;
    struct neighbor_info info;
    bool changed = false;

    spin_lock(&lock);
    struct neighbor *n = find(dev, address);
    if (!n && make)
        n = create(dev, address, &victim);
    if (n && (by_hand || n->state != PERMANENT)) {
        changed = settle(n, station, state);
        info = info_of(n);
        pending = n->pending;
        n->pending = NULL;
    }
    spin_unlock(&lock);
    free_neighbor(victim);
    if (changed)
        announce_neighbor(&info, ANNOUNCE_NEW);
    if (pending)
        (void)ethernet_transmit(dev, pending, station, ETH_P_IP);
    return n;
}

static bool is_nobody(const uint8_t *station)
{
    static const uint8_t none[NETDEV_ADDRESS];

    return memcmp(station, none, sizeof(none)) == 0;
}

static bool is_sane(const struct arp_packet *a, struct netdev *dev)
{
    enum route_type sender = route_kind(a->sender_ip, dev);

    return (sender == ROUTE_UNICAST || sender == ROUTE_LOCAL) &&
           a->hardware == htons(ARPHRD_ETHER) && a->protocol == htons(ETH_P_IP) &&
           a->hardware_len == NETDEV_ADDRESS && a->protocol_len == sizeof(uint32_t) &&
           (a->operation == htons(ARP_REQUEST) || a->operation == htons(ARP_REPLY)) &&
           !(a->sender[0] & 1) && !is_nobody(a->sender) &&
           ntohl(a->sender_ip) >> 24 != IN_LOOPBACKNET;
}

/* STATION on DEV's link says that ADDRESS, which is ours, is its: contradict it, if we haven't just done so. */
static void defend(struct netdev *dev, uint32_t address, const uint8_t *station)
{
    nsec_t now = clock_monotonic();

    spin_lock(&lock);
    bool enough = defended && now - defended < DEFEND_INTERVAL;
    if (!enough)
        defended = now;
    spin_unlock(&lock);
    if (enough)
        return;
    const uint8_t *ip = (const uint8_t *)&address, *s = station;
    log_warn("%s: %02x:%02x:%02x:%02x:%02x:%02x claims our address %u.%u.%u.%u", dev->name, s[0],
             s[1], s[2], s[3], s[4], s[5], ip[0], ip[1], ip[2], ip[3]);
    arp_announce(dev, address);
}

static void arp_input(struct packet *p)
{
    const struct arp_packet *at = packet_header(p, sizeof(*at));
    struct netdev *dev = p->dev;
    struct arp_packet a;

    if (at)
        a = *at;
    bool good = at && p->packet_type != PACKET_OTHERHOST && dev->link_ops == &ethernet_link &&
                is_sane(&a, dev);
    packet_free(p);
    if (!good)
        return;
    bool for_us = address_device(a.target_ip) == dev;
    bool asks = a.operation == htons(ARP_REQUEST);
    if (a.sender_ip && address_device(a.sender_ip) == dev) {
        if (memcmp(a.sender, dev->address, NETDEV_ADDRESS) != 0)
            defend(dev, a.sender_ip, a.sender);
        return;
    }
    if (a.sender_ip)
        (void)learn(dev, a.sender_ip, a.sender, KNOWN, for_us && asks, false);
    if (for_us && asks)
        transmit(dev, ARP_REPLY, a.target_ip, a.sender_ip, a.sender);
}

/* --- time --- */

/* Nobody answers for the neighbour that P was to go to: tell its sender, who is here. */
static void report_unreachable(struct packet *p)
{
    const struct ipv4_header *h = packet_header(p, IPV4_HEADER);

    if (!h || address_kind(h->source) != ROUTE_LOCAL)
        return;
    p->ip = (struct packet_ip){
        .source = h->source,
        .destination = h->source, /* we say it ourselves */
        .protocol = h->protocol,
        .header_len = (uint8_t)((h->version_ihl & 15) * 4),
    };
    if (p->len < p->ip.header_len)
        return;
    packet_checksum_complete(p);
    p->dev = loopback_dev;
    p->packet_type = PACKET_HOST;
    packet_pull(p, p->ip.header_len);
    icmp_send_error(p, ICMP_UNREACHABLE, ICMP_UNREACHABLE_HOST, 0);
}

#define AT_ONCE 16u

static void ask_again(struct timer *t)
{
    struct {
        struct netdev *dev;
        uint32_t address;
    } ask[AT_ONCE];
    struct list gone = LIST_INIT(gone);
    struct neighbor *n, *next;
    nsec_t now = clock_monotonic(), soonest = INT64_MAX;
    unsigned asks = 0;

    spin_lock(&lock);
    list_for_each_safe (n, next, &neighbors, link) {
        if (n->state == PERMANENT)
            continue;
        bool unused = n->state == KNOWN && n->used + UNUSED <= now;
        if (n->state == KNOWN && !unused) {
            soonest = min(soonest, n->used + UNUSED);
            continue;
        }
        if (unused || (n->due <= now && n->tries >= TRIES)) {
            unlink_neighbor(n);
            list_push_back(&gone, &n->link);
            continue;
        }
        if (n->due <= now && asks < AT_ONCE) {
            ask[asks].dev = n->dev;
            ask[asks++].address = n->address;
            n->tries++;
            n->due = now + RETRY;
        }
        soonest = min(soonest, max(n->due, now + RETRY / 16));
    }
    if (soonest != INT64_MAX)
        timer_set(t, soonest);
    spin_unlock(&lock);
    for (unsigned i = 0; i < asks; i++)
        request(ask[i].dev, ask[i].address);
    list_for_each_safe (n, next, &gone, link) {
        bool failed = n->state != KNOWN;
        if (failed) {
            struct neighbor_info info = info_of(n);
            info.failed = true;
            announce_neighbor(&info, ANNOUNCE_NEW);
        }
        if (n->pending)
            report_unreachable(n->pending);
        free_neighbor(n);
    }
    backlog_run();
}

/* --- by hand --- */

int arp_set(struct netdev *dev, uint32_t address, const uint8_t *station, bool permanent)
{
    enum neighbor_state state = permanent ? PERMANENT : KNOWN;

    return learn(dev, address, station, state, true, true) ? 0 : -ENOMEM;
}

int arp_remove(struct netdev *dev, uint32_t address)
{
    spin_lock(&lock);
    struct neighbor *n = find(dev, address);
    if (n)
        unlink_neighbor(n);
    spin_unlock(&lock);
    free_neighbor(n);
    return n ? 0 : -ENXIO;
}

void arp_flush(struct netdev *dev)
{
    struct list gone = LIST_INIT(gone);
    struct neighbor *n, *next;

    spin_lock(&lock);
    list_for_each_safe (n, next, &neighbors, link) {
        if (n->dev == dev) {
            unlink_neighbor(n);
            list_push_back(&gone, &n->link);
        }
    }
    spin_unlock(&lock);
    list_for_each_safe (n, next, &gone, link)
        free_neighbor(n);
}

bool arp_find(struct netdev *dev, uint32_t address, struct neighbor_info *out)
{
    spin_lock(&lock);
    const struct neighbor *n = find(dev, address);
    if (n)
        *out = info_of(n);
    spin_unlock(&lock);
    return n;
}

void arp_for_each(void (*emit)(void *ctx, const struct neighbor_info *n), void *ctx)
{
    const struct neighbor *n;

    spin_lock(&lock);
    list_for_each (n, &neighbors, link) {
        struct neighbor_info info = info_of(n);
        emit(ctx, &info);
    }
    spin_unlock(&lock);
}

static struct packet_handler handler = {.protocol = ETH_P_ARP, .input = arp_input};

void arp_init(void)
{
    timer_init(&timer, ask_again);
    packet_handler_register(&handler);
}
