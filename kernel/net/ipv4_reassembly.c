/*
 * Pieces of IPv4 packets, until all have come (RFC 791, section 3.2; RFC 815).
 *
 * Pieces of one packet are kept in order. Two that overlap, unless one is the other again, are an attack or a
 * fault: the whole packet is dropped. What waits costs memory that anybody can make us spend: there is a
 * limit on all of it, and on the number of pieces of one packet; the oldest packet goes when a new one wants in.
 */
#include <abi/in.h>

#include "lib/byteorder.h"
#include "mm/slab.h"
#include "net/ipv4.h"
#include "net/netdev.h"
#include "net/packet.h"
#include "sched/timer.h"
#include "x86/clock.h"

#define LIFETIME (30 * NSEC_PER_SEC)
#define MEMORY_MAX (1u << 20) /* bytes of pieces, and what they cost to keep */
#define PIECE_COST 512u
#define PIECES_MAX 1024u /* of one packet: 8 bytes each would be 8192 */

/* A packet of which pieces have come. */
struct partial {
    struct list link; /* the lock, as all below: by age, the oldest first */
    uint32_t source, destination;
    uint16_t id;
    uint8_t protocol;
    uint32_t end; /* where it ends; 0: its last piece hasn't come */
    uint32_t got; /* bytes */
    uint32_t cost;
    unsigned count;
    nsec_t expires;
    struct list pieces; /* struct packet; fragment_start says where each belongs */
};

static struct spinlock lock = SPINLOCK_INIT(RANK_FRAGMENT, "fragments");
static struct list partials = LIST_INIT(partials); /* lock */
static uint32_t memory;                            /* lock: cost of all */
static struct timer timer;                         /* expires with the oldest */

static struct partial *find(const struct ipv4_header *h)
{
    struct partial *f;

    list_for_each (f, &partials, link)
        if (f->source == h->source && f->destination == h->destination && f->id == h->id &&
            f->protocol == h->protocol)
            return f;
    return NULL;
}

/* Take F out; the caller frees it. lock held. */
static void unlink_partial(struct partial *f)
{
    list_remove(&f->link);
    memory -= f->cost;
}

static void free_partial(struct partial *f)
{
    struct packet *p, *next;

    list_for_each_safe (p, next, &f->pieces, link)
        packet_free(p);
    kfree(f);
}

/* Make room: the oldest go to GONE. lock held. */
static void evict(struct list *gone)
{
    while (memory > MEMORY_MAX) {
        struct partial *f = list_first(&partials, struct partial, link);
        unlink_partial(f);
        list_push_back(gone, &f->link);
        net_count(IP_REASM_FAILS);
    }
}

static struct partial *create(const struct ipv4_header *h)
{
    struct partial *f = kzalloc(sizeof(*f));

    if (!f)
        return NULL;
    f->source = h->source;
    f->destination = h->destination;
    f->id = h->id;
    f->protocol = h->protocol;
    f->expires = clock_monotonic() + LIFETIME;
    list_init(&f->pieces);
    if (list_empty(&partials))
        timer_set(&timer, f->expires);
    list_push_back(&partials, &f->link);
    return f;
}

enum verdict { KEPT, DUPLICATE, BAD };

/* Put P, bytes [START, END) of the packet, in its place. lock held. */
static enum verdict insert(struct partial *f, struct packet *p, uint32_t start, uint32_t end,
                           bool more)
{
    struct list *before = &f->pieces;
    struct packet *at;

    if ((!more && f->end && f->end != end) || (f->end && end > f->end) || f->count >= PIECES_MAX)
        return BAD;
    list_for_each (at, &f->pieces, link) {
        uint32_t at_end = at->fragment_start + at->fragment_len;
        if (at->fragment_start == start && at_end == end)
            return DUPLICATE;
        if (start < at_end && end > at->fragment_start)
            return BAD;
        if (before == &f->pieces && at->fragment_start > start)
            before = &at->link;
        if (!more && at_end > end)
            return BAD;
    }
    p->fragment_start = start;
    p->fragment_len = end - start;
    list_push_back(before, &p->link);
    if (!more)
        f->end = end;
    f->count++;
    f->got += end - start;
    f->cost += end - start + PIECE_COST;
    memory += end - start + PIECE_COST;
    return KEPT;
}

/* All pieces of F, which has them all, in the first. */
static struct packet *join(struct partial *f)
{
    struct packet *whole = list_first(&f->pieces, struct packet, link), *p, *next;

    list_remove(&whole->link);
    list_for_each_safe (p, next, &f->pieces, link) {
        list_splice_back(&whole->bufs, &p->bufs);
        whole->len += p->len;
        packet_free_empty(p);
    }
    kfree(f);
    struct ipv4_header *h = packet_header(whole, IPV4_HEADER);
    unsigned header = h ? (h->version_ihl & 15u) * 4 : 0;
    h = h ? packet_header(whole, header) : NULL;
    if (!h || whole->len > IPV4_MAX) {
        packet_free(whole);
        net_count(IP_REASM_FAILS);
        return NULL;
    }
    h->length = htons(whole->len);
    h->fragment = 0;
    h->checksum = 0;
    h->checksum = checksum_finish(checksum_add(0, h, header));
    whole->checksum = CHECKSUM_UNKNOWN;
    net_count(IP_REASM_OKS);
    return whole;
}

/* P into its partial packet: the one that is complete now, taken out, or NULL. lock held. */
static struct partial *add(struct packet **p, const struct ipv4_header *key, uint32_t start,
                           uint32_t end, struct list *gone)
{
    bool more = key->fragment & htons(IPV4_MF);
    struct partial *f = find(key);

    if (!f)
        f = create(key);
    if (!f)
        return NULL;
    enum verdict v = insert(f, *p, start, end, more);
    if (v == BAD) {
        unlink_partial(f);
        list_push_back(gone, &f->link);
        net_count(IP_REASM_FAILS);
    }
    if (v != KEPT)
        return NULL;
    *p = NULL;
    if (f->end && f->got == f->end) {
        unlink_partial(f);
        return f;
    }
    evict(gone);
    return NULL;
}

struct packet *ipv4_reassemble(struct packet *p, const struct ipv4_header *h)
{
    struct ipv4_header key = *h;
    struct list gone = LIST_INIT(gone);
    struct partial *f, *next;
    uint32_t header = (h->version_ihl & 15u) * 4, n = p->len - header;
    uint32_t start = (ntohs(h->fragment) & IPV4_OFFSET) * 8u;

    net_count(IP_REASM_REQDS);
    /* All but the last are of whole units; none is empty or reaches beyond what a packet can be. */
    if (!n || start + n + header > IPV4_MAX || ((h->fragment & htons(IPV4_MF)) && n % 8)) {
        packet_free(p);
        net_count(IP_REASM_FAILS);
        return NULL;
    }
    if (start > 0)
        packet_pull(p, header);
    spin_lock(&lock);
    f = add(&p, &key, start, start + n, &gone);
    spin_unlock(&lock);
    packet_free(p);
    struct packet *whole = f ? join(f) : NULL;
    list_for_each_safe (f, next, &gone, link)
        free_partial(f);
    return whole;
}

void reassembly_flush(struct netdev *dev)
{
    struct list gone = LIST_INIT(gone);
    struct partial *f, *next;

    spin_lock(&lock);
    list_for_each_safe (f, next, &partials, link) {
        const struct packet *first = list_first(&f->pieces, struct packet, link);
        if (first && first->dev == dev) {
            unlink_partial(f);
            list_push_back(&gone, &f->link);
        }
    }
    spin_unlock(&lock);
    list_for_each_safe (f, next, &gone, link)
        free_partial(f);
}

/* F's time is over: tell the sender, if we know what it was about (RFC 792, type 11 code 1). */
static void give_up(struct partial *f)
{
    struct packet *p = list_first(&f->pieces, struct packet, link);

    net_count(IP_REASM_TIMEOUT);
    net_count(IP_REASM_FAILS);
    if (p && p->fragment_start == 0) {
        packet_pull(p, p->ip.header_len);
        icmp_send_error(p, ICMP_TIME_EXCEEDED, ICMP_REASSEMBLY_TIME, 0);
    }
    free_partial(f);
}

static void expire(struct timer *t)
{
    nsec_t now = clock_monotonic();
    struct list gone = LIST_INIT(gone);
    struct partial *f, *next;

    spin_lock(&lock);
    while ((f = list_first(&partials, struct partial, link)) && f->expires <= now) {
        unlink_partial(f);
        list_push_back(&gone, &f->link);
    }
    if (f)
        timer_set(t, f->expires);
    spin_unlock(&lock);
    list_for_each_safe (f, next, &gone, link)
        give_up(f);
    backlog_run();
}

void reassembly_init(void)
{
    timer_init(&timer, expire);
}
