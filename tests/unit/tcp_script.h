/*
 * Packets in, packets out: the TCP engine against a peer that says exactly what a script tells it to. A case is a
 * name, which cites what it claims, and a script, a line a step:
 *
 *     < SA 0 1 win=5000 mss=1000       a segment from the peer: flags, sequence number, acknowledgment, and more
 *                                      (cut=100: segments of so many bytes that were put together on the way;
 *                                      self: with our own address and port as its source)
 *     > A 1 1 len=0                    the next segment from us; what isn't said isn't compared; * is any
 *     +200                             so many milliseconds pass
 *     connect, listen, accept, send 100, read 100, close, state ESTABLISHED ...    see commands[]
 *     linger 5000                      close with SO_LINGER: the call takes so many milliseconds at most
 *
 * Sequence numbers count from each side's SYN. What we send and nobody expects fails the case at the next step.
 * Data has a pattern by sequence number, compared both ways. Without a "param" there are no timestamps, no scaling, no
 * SACK; the MTU is 1040, so that a segment has 1000 bytes; ACKs are delayed by 40 ms and never quick.
 */
#include "tcp_host.h"

#define LOCAL 0x0100000au
#define PEER 0x0200000au
#define PEER_PORT 5000
#define OUT_MAX 4096 /* segments that go at once, if a peer has small ones */

struct case_ {
    const char *name;
    const char *script;
};

struct app {
    struct tcp_conn c; /* first member */
    struct list link;
    struct list rx;
    uint32_t read_pos, sent_pos; /* relative sequence numbers */
    unsigned events;
    nsec_t armed;
    bool is_open;
    nsec_t linger_until; /* 0: no close(2) of it waits */
};

/* A segment taken apart. */
struct seen {
    uint32_t seq, ack, len, segment_size;
    uint16_t window, urgent;
    uint8_t flags;
    struct tcp_options options;
    bool good_data;
};

static struct tcp_stack stack;
static struct list apps = LIST_INIT(apps);
static struct app *conn, *listener;
static nsec_t now_ns, stack_armed;
static uint32_t our_isn, peer_isn, our_stamp;
static uint16_t our_port, peer_port;
static bool stamp_known;
static uint32_t path_mtu, path_tso;
static struct seen outs[OUT_MAX];
static unsigned num_outs;
static unsigned memory_is_short; /* 1: there is none at all */
static char why[300];

#define fail(...) (snprintf(why, sizeof(why), __VA_ARGS__), false)

/* --- what the engine asks --- */

static nsec_t op_now(void)
{
    return now_ns;
}

static int op_route(struct tcp_stack *s, struct tcp_conn *c, const struct tcp_tuple *t,
                    struct tcp_path *path)
{
    (void)s, (void)c, (void)t;
    *path = (struct tcp_path){.local = LOCAL, .mtu = path_mtu, .tso_size = path_tso};
    return 0;
}

static uint8_t pattern(uint32_t relative)
{
    return (uint8_t)(relative * 7 + (relative >> 8));
}

static int op_output(struct tcp_stack *s, struct tcp_conn *c, const struct tcp_tuple *t,
                     struct packet *p)
{
    struct seen *o = &outs[num_outs++];
    uint8_t bytes[TCP_HEADER_MAX], byte;

    (void)s, (void)c;
    need(num_outs < OUT_MAX, "a flood of packets");
    o->segment_size = p->segment_size;
    packet_checksum_complete(p);
    need(checksum_finish(packet_checksum_add(p, 0, tcp_pseudo_sum(t->local, t->remote, p->len))) ==
             0,
         "a wrong checksum is sent");
    struct tcp_header *h = packet_header(p, TCP_HEADER);
    uint32_t len = (h->offset >> 4) * 4u;
    packet_copy(p, 0, bytes, len);
    o->flags = h->flags;
    if (o->flags & TCP_SYN)
        our_isn = net32(h->seq);
    our_port = t->local_port;
    o->seq = net32(h->seq) - our_isn;
    o->ack = net32(h->ack) - peer_isn;
    o->window = net16(h->window);
    o->urgent = net16(h->urgent);
    o->len = p->len - len;
    tcp_options_parse(bytes + TCP_HEADER, len - TCP_HEADER, &o->options);
    if (o->options.has_timestamps && !stamp_known) {
        our_stamp = o->options.tsval;
        stamp_known = true;
    }
    o->options.tsval -= our_stamp;
    o->good_data = true;
    for (uint32_t i = 0; i < o->len; i++) {
        packet_copy(p, len + i, &byte, 1);
        o->good_data &= byte == pattern(o->seq + i);
    }
    packet_free(p);
    return 0;
}

static void op_arm(struct tcp_conn *c, nsec_t when)
{
    struct app *a = (struct app *)c;
    bool was = a->armed;

    a->armed = when;
    if (when && !was)
        tcp_get(c);
    else if (!when && was)
        tcp_put(c);
}

static void op_arm_stack(struct tcp_stack *s, nsec_t when)
{
    (void)s;
    stack_armed = when;
}

static void op_notify(struct tcp_conn *c, unsigned events)
{
    ((struct app *)c)->events |= events;
}

static void op_deliver(struct tcp_conn *c, struct buf *b)
{
    list_push_back(&((struct app *)c)->rx, &b->link);
}

static struct app *new_app(void)
{
    struct app *a = kzalloc(sizeof(*a));

    if (!a)
        return NULL;
    tcp_init(&a->c, &stack);
    list_init(&a->rx);
    list_push_back(&apps, &a->link);
    a->read_pos = a->sent_pos = 1;
    return a;
}

static struct tcp_conn *op_create(struct tcp_conn *l)
{
    (void)l;
    struct app *a = new_app();

    return a ? &a->c : NULL;
}

static void op_destroy(struct tcp_conn *c)
{
    struct app *a = (struct app *)c;
    struct buf *b, *next;

    list_for_each_safe (b, next, &a->rx, link)
        buf_free(b);
    list_remove(&a->link);
    if (conn == a)
        conn = NULL;
    kfree(a);
}

static const struct tcp_ops ops = {
    .now = op_now,
    .random = host_random,
    .route = op_route,
    .output = op_output,
    .arm = op_arm,
    .arm_stack = op_arm_stack,
    .notify = op_notify,
    .deliver = op_deliver,
    .create = op_create,
    .destroy = op_destroy,
};

/* --- time --- */

static struct app *next_timer(void)
{
    struct app *a, *first = NULL;

    list_for_each (a, &apps, link) {
        if (a->armed && (!first || a->armed < first->armed))
            first = a;
    }
    return first;
}

static void pass(nsec_t until)
{
    struct app *a;

    for (;;) {
        a = next_timer();
        nsec_t when = a ? a->armed : until + 1;
        if (stack_armed && stack_armed < when) {
            if (stack_armed > until)
                break;
            now_ns = max(now_ns, stack_armed);
            stack_armed = 0;
            tcp_stack_timer(&stack);
        } else if (when <= until) {
            now_ns = max(now_ns, when);
            a->armed = 0;
            tcp_timer(&a->c);
            tcp_put(&a->c);
        } else {
            break;
        }
    }
    now_ns = until;
}

/* --- words --- */

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* NAME=... in WORDS: what follows the sign; NULL. */
static const char *attribute(char **words, const char *name)
{
    size_t n = strlen(name);

    for (; *words; words++) {
        if (strncmp(*words, name, n) == 0 && ((*words)[n] == '=' || !(*words)[n]))
            return *words + n + ((*words)[n] == '=');
    }
    return NULL;
}

static long number(const char *text)
{
    return strtol(text, NULL, 0);
}

static uint8_t parse_flags(const char *text)
{
    static const char letters[] = "FSRPAU";
    uint8_t flags = 0;

    for (; *text; text++) {
        const char *at = strchr(letters, *text);
        flags |= at ? (uint8_t)(1u << (at - letters)) : 0;
    }
    return flags;
}

static void say_flags(uint8_t flags, char *out)
{
    for (unsigned i = 0; i < 6; i++) {
        if (flags & 1u << i)
            *out++ = "FSRPAU"[i];
    }
    *out = 0;
}

/* a-b,c-d: ranges, relative to BASE. */
static unsigned parse_ranges(const char *text, uint32_t base, struct tcp_range *out)
{
    unsigned n = 0, a, b;

    while (text && *text && n < TCP_SACK_BLOCKS && sscanf(text, "%u-%u", &a, &b) == 2) {
        out[n++] = (struct tcp_range){a + base, b + base};
        text = strchr(text, ',');
        text += text != NULL;
    }
    return n;
}

/* --- a segment from the peer --- */

static unsigned put_sacks(uint8_t *at, const char *text)
{
    struct tcp_range r[TCP_SACK_BLOCKS];
    unsigned n = parse_ranges(text, our_isn, r);

    at[0] = at[1] = 1;
    at[2] = 5;
    at[3] = (uint8_t)(2 + 8 * n);
    for (unsigned i = 0; i < n; i++) {
        uint32_t pair[2] = {net32(r[i].start), net32(r[i].end)};
        memcpy(at + 4 + 8 * i, pair, 8);
    }
    return 4 + 8 * n;
}

static unsigned put_options(uint8_t *at, char **words)
{
    const char *mss = attribute(words, "mss"), *ws = attribute(words, "ws");
    const char *ts = attribute(words, "ts"), *sack = attribute(words, "sack");
    const char *raw = attribute(words, "raw");
    unsigned n = 0, a, b, byte;

    if (mss) {
        memcpy(at, (uint8_t[]){2, 4, (uint8_t)(number(mss) >> 8), (uint8_t)number(mss)}, 4);
        n += 4;
    }
    if (attribute(words, "sackok")) {
        memcpy(at + n, (uint8_t[]){1, 1, 4, 2}, 4);
        n += 4;
    }
    if (ws) {
        memcpy(at + n, (uint8_t[]){1, 3, 3, (uint8_t)number(ws)}, 4);
        n += 4;
    }
    if (ts && sscanf(ts, "%u,%u", &a, &b) == 2) {
        tcp_options_timestamp(at + n, a, b + our_stamp);
        n += TCP_TIMESTAMP_SPACE;
    }
    if (sack)
        n += put_sacks(at + n, sack);
    for (; raw && sscanf(raw, "%2x", &byte) == 1; raw += 2)
        at[n++] = (uint8_t)byte;
    while (n % 4)
        at[n++] = 0;
    return n;
}

/* P, which is whole but for its checksum, comes from FROM: there is memory for that, if for nothing else. */
static void come(struct packet *p, uint32_t from, char **words)
{
    const char *cut = attribute(words, "cut");
    struct tcp_header *h = packet_header(p, TCP_HEADER);

    h->checksum = checksum_finish(packet_checksum_add(p, 0, tcp_pseudo_sum(from, LOCAL, p->len)));
    if (attribute(words, "bad"))
        h->checksum ^= 0x100;
    p->segment_size = cut ? (uint16_t)number(cut) : 0;
    host_fail_one_in = memory_is_short;
    tcp_input(&stack, p, from, LOCAL);
}

static bool do_in(char **words)
{
    const char *len_text = attribute(words, "len"), *win = attribute(words, "win");
    const char *urg = attribute(words, "urg"), *hlen = attribute(words, "hlen");
    bool self = attribute(words, "self");
    uint32_t len = len_text ? (uint32_t)number(len_text) : 0;
    host_fail_one_in = 0;
    struct packet *p = packet_alloc(PACKET_HEADROOM, PAGE_SIZE);
    struct tcp_header *h = packet_put(p, TCP_HEADER);

    if (!words[0] || !words[1] || !words[2])
        return fail("a segment needs flags and two numbers");
    uint32_t seq = (uint32_t)number(words[1]);
    unsigned options = put_options(packet_put(p, 0), words + 3);
    packet_put(p, options);
    *h = (struct tcp_header){
        .source = net16(self ? our_port : peer_port),
        .dest = net16(our_port),
        .seq = net32(peer_isn + seq),
        .ack = parse_flags(words[0]) & TCP_ACK ? net32(our_isn + (uint32_t)number(words[2])) : 0,
        .offset = (uint8_t)((hlen ? number(hlen) : (TCP_HEADER + options) / 4) << 4),
        .flags = parse_flags(words[0]),
        .window = net16((uint16_t)(win ? number(win) : 65535)),
        .urgent = net16((uint16_t)(urg ? number(urg) : 0)),
    };
    char *data = packet_put(p, len);
    for (uint32_t i = 0; i < len; i++)
        data[i] = (char)pattern(seq + i);
    come(p, self ? LOCAL : PEER, words);
    return true;
}

/* The next segment from us, which was to ourselves, comes back. Options that it may have had are left out. */
static bool do_loop(char **words)
{
    struct seen o = outs[0];

    if (!num_outs)
        return fail("nothing was sent");
    memmove(outs, outs + 1, --num_outs * sizeof(o));
    struct packet *p = packet_alloc(PACKET_HEADROOM, PAGE_SIZE);
    struct tcp_header *h = packet_put(p, TCP_HEADER);
    *h = (struct tcp_header){
        .source = net16(our_port),
        .dest = net16(our_port),
        .seq = net32(our_isn + o.seq),
        .ack = net32(peer_isn + o.ack),
        .offset = TCP_HEADER / 4 << 4,
        .flags = o.flags,
        .window = net16(o.window),
    };
    come(p, LOCAL, words);
    return true;
}

/* --- a segment from us --- */

static bool same(const char *name, uint32_t is_, const char *expected)
{
    if (!expected || is(expected, "*") || is_ == (uint32_t)number(expected))
        return true;
    return fail("%s is %u, not %s", name, is_, expected);
}

static bool same_sacks(const struct tcp_options *o, const char *text)
{
    struct tcp_range r[TCP_SACK_BLOCKS];
    unsigned n = parse_ranges(text, peer_isn, r);

    if (text && n != o->num_sacks)
        return fail("%u SACK blocks, not %u", o->num_sacks, n);
    for (unsigned i = 0; text && i < n; i++) {
        if (r[i].start != o->sacks[i].start || r[i].end != o->sacks[i].end)
            return fail("SACK block %u is %u-%u", i + 1, o->sacks[i].start - peer_isn,
                        o->sacks[i].end - peer_isn);
    }
    return true;
}

static bool same_options(const struct tcp_options *o, char **words)
{
    const char *ts = attribute(words, "ts"), *comma = ts ? strchr(ts, ',') : NULL;
    char first[16] = "*";

    if (attribute(words, "sackok") && !o->sack_permitted)
        return fail("no SACK-permitted");
    if (attribute(words, "nosackok") && o->sack_permitted)
        return fail("SACK-permitted");
    if (attribute(words, "ws") && !o->has_scale)
        return fail("no window scale");
    if (attribute(words, "nows") && o->has_scale)
        return fail("a window scale");
    if (attribute(words, "nots") && o->has_timestamps)
        return fail("a timestamp");
    if (ts && !o->has_timestamps)
        return fail("no timestamp");
    if (comma)
        memcpy(first, ts, (size_t)min(comma - ts, 15L) + 0), first[min(comma - ts, 15L)] = 0;
    return same("MSS", o->mss, attribute(words, "mss")) &&
           same("scale", o->scale, attribute(words, "ws")) &&
           (!comma || (same("timestamp", o->tsval, first) && same("echo", o->tsecr, comma + 1))) &&
           same_sacks(o, attribute(words, "sack"));
}

static bool do_out(char **words)
{
    struct seen o = outs[0];
    char flags[8], expected[8];

    if (words[0] && is(words[0], "none"))
        return true;
    if (!num_outs)
        return fail("nothing was sent");
    memmove(outs, outs + 1, --num_outs * sizeof(o));
    say_flags(o.flags, flags);
    say_flags(parse_flags(words[0]), expected);
    /* PSH is a hint: compared only where it is asked for. */
    if ((o.flags & ~(parse_flags(words[0]) & TCP_PSH ? 0 : TCP_PSH)) != parse_flags(words[0]))
        return fail("flags are %s (sequence number %u, length %u)", flags, o.seq, o.len);
    if (!o.good_data)
        return fail("wrong data");
    return (!words[1] || same("sequence number", o.seq, words[1])) &&
           (!words[1] || !words[2] || !(o.flags & TCP_ACK) ||
            same("acknowledgment", o.ack, words[2])) &&
           same("length", o.len, attribute(words, "len")) &&
           same("window", o.window, attribute(words, "win")) &&
           same("urgent pointer", o.urgent, attribute(words, "urg")) &&
           same("segment size", o.segment_size, attribute(words, "tso")) &&
           same_options(&o.options, words);
}
