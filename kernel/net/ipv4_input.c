/*
 * IPv4, the way up (RFC 1122, section 3.2.1). A packet that makes no sense, that can't have come from where it
 * says, or that is somebody else's is counted and dropped. This machine doesn't forward.
 */
#include <abi/if_packet.h>
#include <abi/in.h>

#include "lib/byteorder.h"
#include "net/ipv4.h"
#include "net/netdev.h"
#include "net/packet.h"

static struct ipv4_protocol *protocols; /* const after boot */
bool (*ipv4_raw_input)(struct packet *p);
void (*ipv4_raw_error)(struct packet *p, int error, bool hard, uint32_t info,
                       const struct icmp_error *e);

static uint64_t counters[MAX_CPUS][NET_COUNTERS] aligned(64); /* each CPU its own row */

void net_count(enum net_counter which)
{
    counters[cpu_id()][which]++;
}

uint64_t net_counter(enum net_counter which)
{
    uint64_t sum = 0;

    for (int cpu = 0; cpu < num_cpus; cpu++)
        sum += READ_ONCE(counters[cpu][which]);
    return sum;
}

void ipv4_protocol_register(struct ipv4_protocol *p)
{
    p->next = protocols;
    protocols = p;
}

const struct ipv4_protocol *ipv4_protocol_find(uint8_t protocol)
{
    const struct ipv4_protocol *p = protocols;

    while (p && p->protocol != protocol)
        p = p->next;
    return p;
}

/* --- options --- */

enum ipv4_option { OPTION_END = 0, OPTION_NOP = 1, OPTION_LSRR = 131, OPTION_SSRR = 137 };

/* Are the N bytes of options well formed, and ask for nothing that we refuse (RFC 7126: source routes)? */
static bool options_ok(const uint8_t *at, unsigned n)
{
    for (unsigned i = 0; i < n && at[i] != OPTION_END;) {
        if (at[i] == OPTION_NOP) {
            i++;
            continue;
        }
        if (i + 1 >= n || at[i + 1] < 2 || at[i + 1] > n - i)
            return false;
        if (at[i] == OPTION_LSRR || at[i] == OPTION_SSRR)
            return false;
        i += at[i + 1];
    }
    return true;
}

/* --- checks --- */

/* The header, checked; P is cut to the length it says. NULL: drop it. */
static struct ipv4_header *check_header(struct packet *p)
{
    struct ipv4_header *h = packet_header(p, sizeof(*h));

    if (!h)
        return NULL;
    unsigned header = (h->version_ihl & 15u) * 4, length = ntohs(h->length);
    if (h->version_ihl >> 4 != 4 || header < IPV4_HEADER || length < header || length > p->len)
        return NULL;
    if (header > IPV4_HEADER && !(h = packet_header(p, header)))
        return NULL;
    if (checksum_finish(checksum_words(h, header / 4)) != 0)
        return NULL;
    if (header > IPV4_HEADER && !options_ok((uint8_t *)(h + 1), header - IPV4_HEADER))
        return NULL;
    if (length < p->len) {
        packet_trim(p, length); /* the link's padding */
        h = packet_header(p, header);
    }
    return h;
}

/* Can P, whose header is H, have come in by its device (RFC 1122, section 3.2.1.3)? */
static bool addresses_ok(const struct packet *p, const struct ipv4_header *h)
{
    uint32_t source = ntohl(h->source), destination = ntohl(h->destination);

    if ((p->dev->flags & IFF_LOOPBACK) || p->looped)
        return true;
    if (IN_MULTICAST(source) || source == INADDR_BROADCAST)
        return false;
    if (source >> 24 == IN_LOOPBACKNET || destination >> 24 == IN_LOOPBACKNET)
        return false;
    /* "This network": who has no address yet, to all; a switch that asks for groups (RFC 4541, section 2.1.1). */
    if (source >> 24 == 0)
        return source == 0 && (destination == INADDR_BROADCAST || h->protocol == IPPROTO_IGMP);
    /* Nobody else is one of our addresses (LAND: an answer would go to ourselves), nor all of a network. */
    return route_kind(h->source, p->dev) == ROUTE_UNICAST;
}

/* Is it for us? */
static bool is_ours(struct packet *p, const struct ipv4_header *h)
{
    switch (route_kind(h->destination, p->dev)) {
    case ROUTE_LOCAL: return p->packet_type != PACKET_OTHERHOST;
    case ROUTE_BROADCAST: p->ip.local_broadcast = true; return true;
    case ROUTE_MULTICAST:
        p->ip.local_broadcast = true;
        return igmp_is_member(p->dev, h->destination);
    default: return false;
    }
}

/* --- upwards --- */

static void note_header(struct packet *p, const struct ipv4_header *h)
{
    p->ip.source = h->source;
    p->ip.destination = h->destination;
    p->ip.tos = h->tos;
    p->ip.ttl = h->ttl;
    p->ip.protocol = h->protocol;
    p->ip.header_len = (uint8_t)((h->version_ihl & 15) * 4);
}

/* P begins with its header and is whole. */
static void deliver(struct packet *p)
{
    bool wanted = ipv4_raw_input && ipv4_raw_input(p);
    const struct ipv4_protocol *above = ipv4_protocol_find(p->ip.protocol);

    packet_pull(p, p->ip.header_len);
    net_count(IP_IN_DELIVERS);
    if (above) {
        above->input(p);
        return;
    }
    if (!wanted) {
        net_count(IP_IN_UNKNOWN_PROTOS);
        icmp_send_error(p, ICMP_UNREACHABLE, ICMP_UNREACHABLE_PROTOCOL, 0);
    }
    packet_free(p);
}

void ipv4_input(struct packet *p)
{
    struct ipv4_header *h;

    net_count(IP_IN_RECEIVES);
    p->ip.local_broadcast = false;
    h = check_header(p);
    if (unlikely(!h)) {
        net_count(IP_IN_HDR_ERRORS);
        goto out_drop;
    }
    if (unlikely(!addresses_ok(p, h) || !is_ours(p, h))) {
        net_count(IP_IN_ADDR_ERRORS);
        goto out_drop;
    }
    note_header(p, h);
    if (unlikely(h->fragment & htons(IPV4_MF | IPV4_OFFSET))) {
        p = ipv4_reassemble(p, h);
        if (!p)
            return;
        h = packet_header(p, IPV4_HEADER);
        note_header(p, h);
    }
    deliver(p);
    return;
out_drop:
    packet_free(p);
}

static struct packet_handler handler = {.protocol = ETH_P_IP, .input = ipv4_input};

void ipv4_init(void)
{
    packet_handler_register(&handler);
    route_init();
    reassembly_init();
    icmp_init();
    igmp_init();
}
