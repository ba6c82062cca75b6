/*
 * Segments of one connection that have come together go up as one. A peer that sends much sends full segments back to
 * back, and many are here before the first is handled; each alone would cost a look-up, a lock, a wakeup, and every
 * second an acknowledgement, which costs the peer as much again.
 *
 * So a segment is kept back while more packets wait (backlog_await()), and the next is put behind it when it
 * continues it and says nothing else: the same addresses, ports, acknowledgement, window and options, of flags only
 * ACK and PSH, and no piece but the last shorter than the first. What has come out is what a device that receives
 * large segments gives (packet->segment_size). Anything else first lets go what is kept back, so nothing
 * overtakes anything. Checksums are verified before.
 *
 * All is of one CPU, with interrupts off, and nothing stays when the backlog is empty.
 */
#include <abi/if.h>
#include <abi/in.h>

#include "net/inet_stream.h"
#include "net/ipv4.h"
#include "net/netdev.h"
#include "net/packet.h"
#include "net/tcp_internal.h"
#include "x86/cpu.h"

#define MERGED_MAX (IPV4_MAX - IPV4_HEADER_MAX)

struct run {
    struct packet *p;           /* this CPU only, as all here; NULL: nothing is kept back */
    struct tcp_header *header;  /* of the first segment, in p's first buffer */
    unsigned header_len, piece; /* bytes of the header; of the first segment's data */
    uint32_t next;              /* the sequence number that continues it */
} aligned(64);

static struct run runs[MAX_CPUS];

/* P's header, if P is data and nothing else, undamaged, and not yet merged. *LEN: its length. NULL: it isn't. */
static struct tcp_header *plain_header(struct packet *p, unsigned *len)
{
    struct tcp_header *h = packet_header(p, TCP_HEADER);

    if (!h || p->segment_size || (h->flags & ~TCP_PSH) != TCP_ACK)
        return NULL;
    *len = (h->offset >> 4) * 4u;
    if (*len < TCP_HEADER || *len >= p->len || !(h = packet_header(p, *len)))
        return NULL;
    if (!ipv4_checksum_ok(p))
        return NULL;
    p->checksum = CHECKSUM_GOOD;
    return h;
}

static bool same_way(const struct packet_ip *a, const struct packet_ip *b)
{
    return a->source == b->source && a->destination == b->destination && a->tos == b->tos &&
           a->ttl == b->ttl;
}

/* Is P, whose header of LEN bytes is H, the next segment of R's? */
static bool continues(const struct run *r, const struct packet *p, const struct tcp_header *h,
                      unsigned len)
{
    const struct tcp_header *first = r->header;
    uint32_t had = r->p->len - r->header_len, data = p->len - len;

    return same_way(&r->p->ip, &p->ip) && h->source == first->source && h->dest == first->dest &&
           net32(h->seq) == r->next && h->ack == first->ack && h->window == first->window &&
           len == r->header_len && !__builtin_memcmp(h + 1, first + 1, len - TCP_HEADER) &&
           data <= r->piece && had % r->piece == 0 && had + data <= MERGED_MAX;
}

static void let_go(void)
{
    struct run *r = &runs[cpu_id()];
    struct packet *p = r->p;

    r->p = NULL;
    if (p)
        tcp_input(&tcp_stack, p, p->ip.source, p->ip.destination);
}

/* Keep P back, if more packets wait that may belong to it. */
static bool keep(struct run *r, struct packet *p, struct tcp_header *h, unsigned len)
{
    if (!backlog_await(let_go))
        return false;
    *r = (struct run){p, h, len, p->len - len, net32(h->seq) + p->len - len};
    return true;
}

void stream_input(struct packet *p)
{
    struct run *r = &runs[cpu_id()];
    unsigned len = 0;

    if ((p->dev->flags & IFF_LOOPBACK) || (!r->p && backlog_is_empty())) {
        tcp_input(&tcp_stack, p, p->ip.source, p->ip.destination);
        return;
    }
    struct tcp_header *h = plain_header(p, &len);
    if (h && r->p && continues(r, p, h, len)) {
        r->next += p->len - len;
        r->p->segment_size = (uint16_t)r->piece;
        r->header->flags |= h->flags;
        packet_pull(p, len);
        packet_join(r->p, p);
        return;
    }
    let_go();
    if (!h || !keep(r, p, h, len))
        tcp_input(&tcp_stack, p, p->ip.source, p->ip.destination);
}
