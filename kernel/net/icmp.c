/*
 * ICMP (RFC 792; RFC 1122, section 3.2.2): echoes are answered, errors are sent and find their way to the
 * protocol that they are about. Redirects and quenches are not believed (RFC 1812, RFC 6633).
 */
#include <abi/if_packet.h>
#include <abi/in.h>

#include "lib/byteorder.h"
#include "lib/string.h"
#include "net/ipv4.h"
#include "net/netdev.h"
#include "net/packet.h"
#include "sched/lock.h"
#include "x86/clock.h"

#define QUOTE_MAX 576u /* an error's length, with all headers (RFC 1812, section 4.3.2.3) */
#define QUOTE_LEAST 8u /* of what comes behind the header that it quotes */
#define ERRORS_PER_SECOND 1000
#define ERRORS_BURST 50

static struct spinlock rate_lock = SPINLOCK_INIT(RANK_FRAGMENT, "icmp rate");
static nsec_t rate_until; /* rate_lock: when all that were allowed are paid for */

static void fill_checksum(struct packet *p, struct icmp_header *h)
{
    h->checksum = 0;
    h->checksum = checksum_finish(packet_checksum_add(p, 0, 0));
}

/* Send P, an ICMP message but for its checksum, to DESTINATION. */
static void send(struct packet *p, uint32_t source, uint32_t destination, uint8_t tos)
{
    struct ipv4_send s = {
        .destination = destination,
        .protocol = IPPROTO_ICMP,
        .tos = tos,
        .ttl = IPV4_TTL,
    };
    int error = route_lookup(destination, NULL, &s.path);

    if (error) {
        net_count(IP_OUT_NO_ROUTES);
        packet_free(p);
        return;
    }
    s.source = source ? source : s.path.source;
    fill_checksum(p, packet_header(p, sizeof(struct icmp_header)));
    net_count(ICMP_OUT_MSGS);
    (void)ipv4_output(p, &s);
}

/* --- echo --- */

static void answer_echo(struct packet *p)
{
    if (p->ip.local_broadcast || p->packet_type != PACKET_HOST)
        return;
    struct packet *reply = packet_copy_range(p, 0, p->len);
    struct icmp_header *h = reply ? packet_header(reply, sizeof(*h)) : NULL;
    if (!h) {
        net_count(ICMP_OUT_ERRORS);
        packet_free(reply);
        return;
    }
    h->type = ICMP_ECHO_REPLY;
    send(reply, p->ip.destination, p->ip.source, p->ip.tos);
}

/* --- sending errors --- */

/* A bucket of ERRORS_BURST that fills by ERRORS_PER_SECOND. */
static bool rate_allows(void)
{
    const nsec_t each = NSEC_PER_SEC / ERRORS_PER_SECOND;
    nsec_t now = clock_monotonic();

    spin_lock(&rate_lock);
    rate_until = max(rate_until, now - ERRORS_BURST * each);
    bool allowed = rate_until <= now;
    if (allowed)
        rate_until += each;
    spin_unlock(&rate_lock);
    return allowed;
}

/* RFC 1122, section 3.2.2: what no error is ever sent about. P begins with its transport's header. */
static bool may_complain(struct packet *p)
{
    if (p->packet_type != PACKET_HOST || p->ip.local_broadcast)
        return false;
    if (!p->ip.source || IN_MULTICAST(ntohl(p->ip.source)) || p->ip.source == INADDR_BROADCAST)
        return false;
    if (p->ip.protocol != IPPROTO_ICMP)
        return true;
    const struct icmp_header *h = packet_header(p, sizeof(*h));
    return h && (h->type == ICMP_ECHO || h->type == ICMP_ECHO_REPLY || h->type == ICMP_TIMESTAMP);
}

void icmp_send_error(struct packet *p, uint8_t type, uint8_t code, uint32_t info)
{
    if (!may_complain(p) || (!(p->dev->flags & IFF_LOOPBACK) && !rate_allows()))
        return;
    uint32_t header = p->ip.header_len;
    packet_unpull(p, header);
    uint32_t n = min(p->len, QUOTE_MAX - IPV4_HEADER - (uint32_t)sizeof(struct icmp_header));
    struct packet *e = packet_copy_range(p, 0, n);
    packet_pull(p, header);
    if (!e) {
        net_count(ICMP_OUT_ERRORS);
        return;
    }
    struct icmp_header *h = packet_push(e, sizeof(*h));
    *h = (struct icmp_header){.type = type, .code = code, .rest = htonl(info)};
    send(e, p->ip.destination, p->ip.source, p->ip.tos);
}

/* --- receiving errors --- */

struct meaning {
    int error;
    bool hard;
};
/* By the code of "destination unreachable" (RFC 1122, section 3.2.2.1; RFC 1812, section 5.2.7.1). */
static const struct meaning unreachable[] = {
    {ENETUNREACH, false},  {EHOSTUNREACH, false}, {ENOPROTOOPT, true},  {ECONNREFUSED, true},
    {EMSGSIZE, false},     {EOPNOTSUPP, false},   {ENETUNREACH, true},  {EHOSTDOWN, true},
    {ENONET, true},        {ENETUNREACH, true},   {EHOSTUNREACH, true}, {ENETUNREACH, false},
    {EHOSTUNREACH, false}, {EHOSTUNREACH, true},  {EHOSTUNREACH, true}, {EHOSTUNREACH, true},
};

static bool error_means(uint8_t type, uint8_t code, struct meaning *out)
{
    switch (type) {
    case ICMP_UNREACHABLE:
        if (code >= ARRAY_SIZE(unreachable))
            return false;
        *out = unreachable[code];
        return true;
    case ICMP_TIME_EXCEEDED: *out = (struct meaning){EHOSTUNREACH, false}; return true;
    case ICMP_PARAMETER_PROBLEM: *out = (struct meaning){EPROTO, true}; return true;
    default: return false;
    }
}

/* P begins with an error; hand it to the protocol of the packet that it quotes. */
static void take_error(struct packet *p, const struct icmp_header *h)
{
    struct icmp_error e = {.type = h->type, .code = h->code, .from = p->ip.source};
    uint32_t info = ntohl(h->rest) & 0xffff;
    struct meaning m;

    if (!error_means(e.type, e.code, &m))
        return;
    packet_pull(p, sizeof(*h));
    const struct ipv4_header *quoted = packet_header(p, IPV4_HEADER);
    if (!quoted)
        return;
    uint32_t header = (quoted->version_ihl & 15u) * 4;
    /* Of a packet's later pieces nobody says anything (RFC 1122, section 3.2.2), and they don't begin with ports. */
    if (quoted->version_ihl >> 4 != 4 || (quoted->fragment & htons(IPV4_OFFSET)))
        return;
    if (header < IPV4_HEADER || !(quoted = packet_header(p, header + QUOTE_LEAST)))
        return;
    if (address_kind(quoted->source) != ROUTE_LOCAL)
        return; /* we have sent no such packet */
    const struct ipv4_protocol *above = ipv4_protocol_find(quoted->protocol);
    p->ip.source = quoted->source;
    p->ip.destination = quoted->destination;
    p->ip.protocol = quoted->protocol;
    p->ip.header_len = (uint8_t)header;
    if (ipv4_raw_error)
        ipv4_raw_error(p, m.error, m.hard, info, &e);
    packet_pull(p, header);
    if (above && above->error)
        above->error(p, m.error, m.hard, info, &e);
}

static void icmp_input(struct packet *p)
{
    net_count(ICMP_IN_MSGS);
    const struct icmp_header *h = packet_header(p, sizeof(*h));
    if (!h) {
        net_count(ICMP_IN_ERRORS);
    } else if (p->checksum != CHECKSUM_GOOD && checksum_finish(packet_checksum_add(p, 0, 0)) != 0) {
        net_count(ICMP_IN_CSUM_ERRORS);
        net_count(ICMP_IN_ERRORS);
    } else if (h->type == ICMP_ECHO) {
        answer_echo(p);
    } else {
        take_error(p, h);
    }
    packet_free(p);
}

static struct ipv4_protocol protocol = {.protocol = IPPROTO_ICMP, .input = icmp_input};

void icmp_init(void)
{
    ipv4_protocol_register(&protocol);
}
