/*
 * Which segments go up as one (net/inet_stream_merge.c). Nobody has the port, so that the engine answers each segment
 * that it is given with a reset: the answers on a link of this test's own are what it was given.
 */
#include <abi/if_packet.h>
#include <abi/in.h>

#include "lib/byteorder.h"
#include "lib/string.h"
#include "net/inet_stream.h"
#include "net/ipv4.h"
#include "net/netdev.h"
#include "net/packet.h"
#include "net/tcp_internal.h"
#include "tests/kernel/ktest.h"
#include "x86/cpu.h"

#define OURS 0xc0000201 /* 192.0.2.1 (RFC 5737) */
#define THEIRS 0xc0000202
#define PIECE 1000u
#define MANY 80u /* more than an IPv4 packet holds */

struct piece {
    uint32_t seq, len, ack;
    uint16_t port, window;
    uint8_t flags, ttl, option; /* option 0: none; otherwise four bytes that end in it */
    bool damaged;
};

static unsigned answers;

static void count_answer(struct netdev *dev, uint32_t next, struct packet *p)
{
    (void)dev, (void)next;
    answers++;
    packet_free(p);
}

static bool take_as_it_is(struct packet *p)
{
    p->packet_type = PACKET_HOST;
    p->protocol = ETH_P_IP;
    return true;
}

static const struct link_ops wire = {.send = count_answer, .parse = take_as_it_is};
static const struct netdev_ops no_ops;
static struct netdev dev = {
    .name = "test%",
    .flags = IFF_UP,
    .mtu = 1500,
    .max_mtu = 1500,
    .ops = &no_ops,
    .link_ops = &wire,
    .num_queues = 1,
    .carrier = true,
};

static void set_up(void)
{
    struct inet_address a = {.dev = &dev, .address = htonl(OURS), .prefix = 24};

    if (dev.index)
        return;
    KEXPECT_EQ(netdev_register(&dev), 0);
    KEXPECT_EQ(address_add(&a), 0);
}

static struct packet *make(const struct piece *w)
{
    unsigned options = w->option ? 4 : 0, header = TCP_HEADER + options;
    struct packet *p = packet_alloc(PACKET_HEADROOM, PACKET_HEADROOM + header + w->len);
    struct tcp_header *h = packet_put(p, header);

    *h = (struct tcp_header){
        .source = htons(w->port),
        .dest = htons(9),
        .seq = htonl(w->seq),
        .ack = htonl(w->ack),
        .offset = (uint8_t)(header / 4 << 4),
        .flags = w->flags,
        .window = htons(w->window),
    };
    memcpy(h + 1, (uint8_t[]){1, 1, 1, w->option}, options);
    memset(packet_put(p, w->len), (int)w->seq, w->len);
    uint32_t pseudo = ipv4_pseudo_sum(htonl(THEIRS), htonl(OURS), IPPROTO_TCP, p->len);
    h->checksum = checksum_finish(packet_checksum_add(p, 0, pseudo));
    h->checksum ^= w->damaged;
    struct ipv4_header *ip = packet_push(p, IPV4_HEADER);
    *ip = (struct ipv4_header){
        .version_ihl = 0x45,
        .length = htons(p->len),
        .ttl = w->ttl,
        .protocol = IPPROTO_TCP,
        .source = htonl(THEIRS),
        .destination = htonl(OURS),
    };
    ip->checksum = checksum_finish(checksum_words(ip, IPV4_HEADER / 4));
    return p;
}

/* As many segments as the engine is given when these N have come together. */
static unsigned given(const struct piece *pieces, unsigned n)
{
    set_up();
    irq_push_off();
    for (unsigned i = 0; i < n; i++)
        netdev_receive(&dev, make(&pieces[i]));
    answers = 0;
    backlog_run();
    irq_pop_off();
    return answers;
}

/* N full segments, each the next of the one before. */
static void fill(struct piece *pieces, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        pieces[i] = (struct piece){
            .seq = 0xfffffc00 + i * PIECE, /* beyond 0 soon */
            .len = PIECE,
            .ack = 7,
            .port = 1234,
            .window = 1000,
            .flags = TCP_ACK,
            .ttl = 64,
        };
}

KTEST(merge, what_continues_goes_up_as_one)
{
    struct piece w[5];
    uint64_t before = tcp_stack.counters.in_segs;

    fill(w, 5);
    w[1].flags |= TCP_PSH;
    w[4].len = 1;
    KEXPECT_EQ(given(w, 5), 1);
    KEXPECT_EQ(tcp_stack.counters.in_segs - before, 5);
    KEXPECT_EQ(given(w, 1), 1);
    for (unsigned i = 0; i < 5; i++)
        w[i].option = 3;
    KEXPECT_EQ(given(w, 5), 1);
}

KTEST(merge, what_says_something_else_stays_alone)
{
    struct piece w[4];
    uint64_t damaged = tcp_stack.counters.in_errs;

#define SECOND_WITH(field, value, expected) \
    do {                                    \
        fill(w, 4);                         \
        w[1].field = (value);               \
        KEXPECT_EQ(given(w, 4), expected);  \
    } while (0)
    SECOND_WITH(seq, w[0].seq, 3);
    SECOND_WITH(seq, w[1].seq + 1, 3);
    SECOND_WITH(ack, 8, 3);
    SECOND_WITH(window, 999, 3);
    SECOND_WITH(port, 1235, 3);
    SECOND_WITH(ttl, 63, 3);
    SECOND_WITH(option, 3, 3);
    SECOND_WITH(flags, TCP_ACK | TCP_FIN, 3);
    SECOND_WITH(flags, TCP_ACK | TCP_URG, 3);
    SECOND_WITH(len, PIECE + 1, 3);
    /* Nothing comes behind a short one, and what has no data, or is damaged, is none of them. */
    SECOND_WITH(len, PIECE - 1, 2);
    SECOND_WITH(len, 0, 3);
    SECOND_WITH(damaged, true, 2);
    KEXPECT_EQ(tcp_stack.counters.in_errs - damaged, 1);
}

KTEST(merge, no_more_than_an_ipv4_packet_holds)
{
    static struct piece w[MANY];

    fill(w, MANY);
    KEXPECT_EQ(given(w, MANY), 2);
}

KTEST(merge, two_connections_by_turns_are_two)
{
    struct piece w[6];

    fill(w, 6);
    w[1].port = w[3].port = w[5].port = 99;
    KEXPECT_EQ(given(w, 6), 6);
}
