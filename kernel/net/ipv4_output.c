/* IPv4, the way down: headers, fragments (RFC 791, section 3.2), and copies of what is for a group of ours too. */
#include "net/ipv4.h"

#include <abi/if_packet.h>
#include <abi/in.h>

#include "dev/random.h"
#include "lib/byteorder.h"
#include "lib/string.h"
#include "net/netdev.h"
#include "net/packet.h"
#include "x86/cpu.h"

#define FRAGMENT_UNIT 8u

/* A packet's number, by which its fragments are told from others'. Nobody can guess the next. */
static uint16_t next_id(void)
{
    static struct id_store {
        uint16_t ids[32]; /* this CPU only, as all here */
        unsigned left;
    } aligned(64) stores[MAX_CPUS];
    uint16_t id;

    irq_push_off();
    struct id_store *s = &stores[cpu_id()];
    if (!s->left) {
        random_bytes(s->ids, sizeof(s->ids));
        s->left = ARRAY_SIZE(s->ids);
    }
    id = s->ids[--s->left];
    irq_pop_off();
    return id;
}

uint32_t ipv4_pseudo_sum(uint32_t source, uint32_t destination, uint8_t protocol, uint32_t len)
{
    uint64_t sum = (uint64_t)source + destination + htons(protocol) + htons(len);

    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    return (uint32_t)((sum & 0xffff) + (sum >> 16));
}

bool ipv4_checksum_ok(struct packet *p)
{
    if (p->checksum == CHECKSUM_GOOD)
        return true;
    uint32_t sum = ipv4_pseudo_sum(p->ip.source, p->ip.destination, p->ip.protocol, p->len);
    return checksum_finish(packet_checksum_add(p, 0, sum)) == 0;
}

/* To the link; members on this machine get a copy first. P has its header. */
static int send_on(struct packet *p, const struct route_path *path, bool loop)
{
    p->protocol = ETH_P_IP;
    if (unlikely(path->type != ROUTE_UNICAST && path->type != ROUTE_LOCAL) &&
        !(path->dev->flags & IFF_LOOPBACK) && loop) {
        struct packet *copy = packet_clone(p);
        if (copy) {
            if (copy->checksum == CHECKSUM_PARTIAL)
                copy->checksum = CHECKSUM_GOOD;
            copy->dev = path->dev;
            copy->ip.local_broadcast = true;
            copy->packet_type = PACKET_MULTICAST;
            copy->looped = true;
            if (!backlog_put(copy))
                packet_free(copy);
        }
    }
    if (!netdev_can_send(path->dev)) {
        packet_free(p);
        return -ENETDOWN;
    }
    path->dev->link_ops->send(path->dev, path->next_hop, p);
    return 0;
}

static void push_header(struct packet *p, const struct ipv4_send *s, uint16_t id, uint16_t fragment)
{
    struct ipv4_header *h = packet_push(p, sizeof(*h));

    h->version_ihl = 0x45;
    h->tos = s->tos;
    h->length = htons(p->len);
    h->id = htons(id);
    h->fragment = htons(fragment);
    h->ttl = s->ttl;
    h->protocol = s->protocol;
    h->checksum = 0;
    h->source = s->source;
    h->destination = s->destination;
    h->checksum = checksum_finish(checksum_words(h, sizeof(*h) / 4));
}

static int send_fragments(struct packet *p, const struct ipv4_send *s)
{
    uint32_t room = (s->path.mtu - IPV4_HEADER) & ~(FRAGMENT_UNIT - 1);
    uint16_t id = next_id();
    int error = 0;

    packet_checksum_complete(p);
    for (uint32_t off = 0; off < p->len && !error; off += room) {
        uint32_t n = min(room, p->len - off);
        struct packet *piece = packet_copy_range(p, off, n);
        if (!piece) {
            error = -ENOBUFS;
            break;
        }
        uint16_t more = off + n < p->len ? IPV4_MF : 0;
        push_header(piece, s, id, (uint16_t)(more | off / FRAGMENT_UNIT));
        error = send_on(piece, &s->path, s->loop);
        net_count(IP_FRAG_CREATES);
    }
    net_count(error ? IP_FRAG_FAILS : IP_FRAG_OKS);
    packet_free(p);
    return error;
}

int ipv4_output(struct packet *p, const struct ipv4_send *s)
{
    bool fits = p->len + IPV4_HEADER <= s->path.mtu || p->segment_size;

    net_count(IP_OUT_REQUESTS);
    if (unlikely(!fits)) {
        if (s->dont_fragment || p->len + IPV4_HEADER > IPV4_MAX) {
            packet_free(p);
            net_count(IP_FRAG_FAILS);
            return -EMSGSIZE;
        }
        return send_fragments(p, s);
    }
    bool whole = s->dont_fragment || s->prefer_whole;
    /* What is never cut needs no number (RFC 6864, section 4.1); what a device cuts, one for each. */
    push_header(p, s, whole && !p->segment_size ? 0 : next_id(), whole ? IPV4_DF : 0);
    return send_on(p, &s->path, s->loop);
}

int ipv4_output_raw(struct packet *p, const struct route_path *path, uint32_t source)
{
    struct ipv4_header *h = packet_header(p, sizeof(*h));
    int error = -EINVAL;

    if (!h)
        goto out_drop;
    unsigned header = (h->version_ihl & 15u) * 4;
    error = -EMSGSIZE;
    if (p->len > path->mtu)
        goto out_drop;
    error = -EINVAL;
    if (header < IPV4_HEADER || header > p->len)
        goto out_drop;
    h = packet_header(p, header);
    error = -ENOBUFS;
    if (!h)
        goto out_drop;
    h->length = htons(p->len);
    if (!h->source)
        h->source = source;
    if (!h->id)
        h->id = htons(next_id());
    h->checksum = 0;
    h->checksum = checksum_finish(checksum_words(h, header / 4));
    net_count(IP_OUT_REQUESTS);
    return send_on(p, path, true);
out_drop:
    packet_free(p);
    return error;
}
