/*
 * TCP against a peer without manners: random segments, most of them near the numbers that count, between random calls
 * of the user and random lengths of time. Nothing may break, what the engine believes of itself must hold after
 * each step, what waits must have a timer, and all memory must come back.
 *
 *     tcp_fuzz [SEED [ROUNDS]]     also UNIT_SEED of the environment
 */
#include "tcp_script_run.h"

#define ROUNDS 4000
#define STEPS 150

static uint32_t seed;
static unsigned round_number;

static void tell_seed(void)
{
    printf("seed %u, round %u\n", seed, round_number);
}

/* --- what must hold --- */

static void check_sending(const struct tcp_conn *c)
{
    const struct buf *b;
    uint32_t bytes = 0, at = c->snd_una;

    list_for_each (b, &c->send_bufs, link)
        bytes += b->len;
    need(bytes == c->send_bytes, "the send queue has %u bytes, not %u", bytes, c->send_bytes);
    need(seq_le(c->snd_una, c->snd_nxt), "SND.UNA is above SND.NXT");
    need(tcp_flight(c) <= c->send_bytes + 1, "more in flight than there is");
    need(!c->fin_sent || c->fin_queued, "a FIN nobody asked for");
    for (unsigned i = 0; i < c->num_sacked; i++) {
        need(seq_le(at, c->sacked[i].start) && seq_lt(c->sacked[i].start, c->sacked[i].end),
             "the scoreboard is out of order");
        at = c->sacked[i].end;
    }
    need(seq_le(at, c->snd_nxt), "sacked, but never sent");
    need(c->cwnd >= c->mss && c->mss >= TCP_MSS_MIN - TCP_TIMESTAMP_SPACE, "cwnd %u, MSS %u",
         c->cwnd, c->mss);
    need(tcp_pipe(c) <= 2 * tcp_flight(c), "the pipe holds more than was sent");
}

static void check_receiving(const struct tcp_conn *c)
{
    struct tree_node *n;

    need(seq_le(c->rcv_nxt, c->rcv_right), "RCV.NXT is beyond the window");
    need(c->reorder_room <= 2 * c->rcv_limit + 65536, "early data takes %u bytes", c->reorder_room);
    for (n = tree_first(&c->reorder); n; n = tree_next(n)) {
        const struct tcp_fragment *f = tree_entry(n, struct tcp_fragment, node);
        need(seq_lt(c->rcv_nxt, f->seq), "a fragment should have been delivered");
        need(seq_le(f->seq + f->len, c->rcv_right), "a fragment lies outside the window");
    }
    for (unsigned i = 0; i < c->num_reports; i++)
        need(seq_lt(c->rcv_nxt, c->report[i].end), "a report of what was delivered");
}

static void check(const struct app *a)
{
    const struct tcp_conn *c = &a->c;
    bool waiting = tcp_flight(c) || tcp_unsent_bytes(c) || (c->fin_queued && !c->fin_sent);

    need(num_held == 0, "a lock is held");
    if (!tcp_is_synchronized(c->state))
        return;
    check_sending(c);
    check_receiving(c);
    need(!tcp_may_send(c->state) || !waiting || c->deadline[TCP_TIMER_RETRANSMIT] ||
             c->deadline[TCP_TIMER_CORK],
         "data waits and no timer runs");
    need(!c->ack_now && (!c->ack_delayed || c->deadline[TCP_TIMER_DELACK]), "an ACK is forgotten");
    for (unsigned k = 0; k < TCP_TIMERS; k++)
        need(!c->deadline[k] || (a->armed && a->armed <= c->deadline[k]), "timer %u isn't armed",
             k);
}

/* --- the peer --- */

/* A number near one that counts, or any. */
static uint32_t near(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t bases[] = {a, a, a, b, c, (uint32_t)random_bits()};
    uint32_t base = bases[draw(ARRAY_SIZE(bases))];

    return draw(3) ? base : base + draw(draw(2) ? 8 : 12000) - draw(draw(2) ? 4 : 3000);
}

static uint8_t random_flags(void)
{
    static const uint8_t usual[] = {TCP_ACK,           TCP_ACK,           TCP_ACK,
                                    TCP_ACK | TCP_PSH, TCP_ACK | TCP_FIN, TCP_SYN,
                                    TCP_SYN | TCP_ACK, TCP_ACK | TCP_URG};

    if (draw(60) == 0)
        return draw(2) ? TCP_RST : TCP_RST | TCP_ACK;
    return draw(20) ? usual[draw(draw(4) ? 4 : ARRAY_SIZE(usual))] : (uint8_t)draw(64);
}

static unsigned random_options(uint8_t *at, const struct tcp_conn *c)
{
    unsigned n = 0;

    if (draw(10) == 0) {
        for (n = draw(10) * 4; n && draw(20);)
            at[--n] = (uint8_t)draw(256);
        return n / 4 * 4;
    }
    if (c && c->timestamps_ok && draw(10))
        n += tcp_options_timestamp(at, c->ts_recent + draw(3) - (draw(20) == 0),
                                   tcp_timestamp(c, now_ns) - draw(100));
    if (c && draw(2)) {
        unsigned blocks = 1 + draw(3);
        memcpy(at + n, (uint8_t[]){1, 1, 5, (uint8_t)(2 + 8 * blocks)}, 4);
        for (unsigned i = 0; i < blocks; i++) {
            uint32_t start = c->snd_una + draw(tcp_flight(c) + 2);
            uint32_t pair[2] = {net32(start), net32(start + draw(3000))};
            memcpy(at + n + 4 + 8 * i, pair, 8);
        }
        n += 4 + 8 * blocks;
    }
    return n;
}

static void random_segment(const struct app *a)
{
    const struct tcp_conn *c = a ? &a->c : NULL;
    struct packet *p = packet_alloc(PACKET_HEADROOM, PAGE_SIZE);
    struct tcp_header *h = packet_put(p, TCP_HEADER);
    unsigned options = random_options(packet_put(p, 0), c), len = draw(3) ? 0 : draw(1500);

    packet_put(p, options);
    *h = (struct tcp_header){
        .source = net16(draw(20) ? peer_port : (uint16_t)(5000 + draw(20))),
        .dest = net16(our_port),
        .seq = net32(c && draw(20) ? near(c->rcv_nxt, c->rcv_right, c->rcv_nxt - 1) : peer_isn),
        .ack = net32(c ? near(c->snd_nxt, c->snd_una, c->snd_una + 1) : our_isn + 1),
        .offset = (uint8_t)(draw(200) ? (TCP_HEADER + options) / 4 << 4 : draw(256)),
        .flags = random_flags(),
        .window = net16((uint16_t)(draw(4) ? draw(65536) : draw(3))),
        .urgent = net16((uint16_t)draw(2000)),
    };
    memset(packet_put(p, len), 7, len);
    p->checksum = CHECKSUM_GOOD;
    tcp_input(&stack, p, PEER, LOCAL);
}

/* --- the user --- */

static void random_call(struct app *a)
{
    static const int options[] = {TCP_NODELAY,       TCP_CORK,         TCP_QUICKACK,
                                  TCP_MAXSEG,        TCP_LINGER2,      TCP_KEEPIDLE,
                                  TCP_NOTSENT_LOWAT, TCP_USER_TIMEOUT, TCP_WINDOW_CLAMP};
    char number_text[12];
    char *words[] = {number_text, draw(5) ? NULL : "urgent", NULL};
    bool skip;

    switch (draw(9)) {
    case 0:
    case 1: {
        ssize_t room = tcp_send_room(&a->c);
        if (room <= 0)
            break;
        snprintf(number_text, sizeof(number_text), "%u", 1 + draw((unsigned)min(room, 6000L)));
        do_send(words);
        break;
    }
    case 2:
    case 3:
        snprintf(number_text, sizeof(number_text), "%u",
                 tcp_readable(&a->c,
                              a->c.rcv_nxt - a->c.fin_received - a->c.rcv_unread - a->c.irs - 1,
                              1 + draw(5000), &skip));
        a->c.rcv_unread ? (void)tcp_consumed(&a->c, (uint32_t)number(number_text) + skip) : (void)0;
        break;
    case 4:
        tcp_set_option(&a->c, options[draw(ARRAY_SIZE(options))], &(int){(int)draw(3000)}, 4);
        break;
    case 5:
        if (draw(10) == 0)
            tcp_shutdown(&a->c, draw(2), draw(2));
        break;
    case 6: tcp_set_keepalive(&a->c, draw(2)); break;
    case 7:
        if (draw(30) == 0)
            tcp_disconnect(&a->c);
        break;
    default: tcp_read_urgent(&a->c, draw(2)); break;
    }
}

static void random_icmp(struct app *a)
{
    uint32_t seq = near(a->c.snd_una, a->c.snd_nxt, a->c.iss);

    if (draw(2))
        tcp_path_mtu(&stack, &a->c.entry.tuple, seq, draw(3) ? draw(2000) : 0);
    else
        tcp_icmp_error(&stack, &a->c.entry.tuple, seq, EHOSTUNREACH, draw(2));
}

static void random_params(void)
{
    struct tcp_params *p = &stack.params;

    p->timestamps = draw(2);
    p->sack = draw(2);
    p->window_scaling = draw(2);
    p->syncookies = (uint8_t)draw(3);
    p->congestion = draw(2) ? &tcp_cubic : &tcp_reno;
    p->receive_default = 500 + draw(30000);
    p->receive_max = p->receive_default + draw(1000000);
    path_mtu = 576 + draw(2000);
    path_tso = draw(2) ? 65535 : 0;
    peer_isn = draw(2) ? 0xfffffff0 + draw(32) : (uint32_t)random_bits();
}

static void one_step(void)
{
    struct app *a = conn;
    nsec_t wait = draw(3) ? draw(50) : draw(2) ? draw(1000) : draw(100000);

    if (draw(2))
        random_segment(a);
    else if (a && draw(2))
        random_call(a);
    else if (a && draw(10) == 0)
        random_icmp(a);
    else if (draw(3) == 0)
        pass(now_ns + wait * NSEC_PER_MSEC);
    num_outs = 0;
}

/* A connection of the usual kind to begin with, most times; it may be over at any moment. */
static void one_round(void)
{
    begin();
    random_params();
    if (draw(3)) {
        need(run_lines("estab\nsend 3000\ndrain"), "%s", why);
    } else if (draw(2)) {
        run_lines("listen 2");
    } else {
        start();
        tcp_connect(&conn->c, PEER, peer_port);
    }
    num_outs = 0;
    for (unsigned i = 0; i < STEPS; i++) {
        struct app *a;
        one_step();
        if (listener && !conn) {
            struct tcp_conn *c = tcp_accept(&listener->c);
            conn = (struct app *)c;
            if (conn)
                conn->is_open = true;
        }
        list_for_each (a, &apps, link)
            check(a);
        if (!listener && conn && conn->c.state == TCP_CLOSED && draw(4) == 0)
            break;
    }
    end();
}

int main(int argc, char **argv)
{
    const char *given = argc > 1 ? argv[1] : getenv("UNIT_SEED");
    unsigned rounds = argc > 2 ? (unsigned)number(argv[2]) : ROUNDS;

    if (given)
        seed = (uint32_t)strtoul(given, NULL, 0);
    else if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        abort();
    printf("seed %u\n", seed);
    random_seed(seed);
    host_on_panic = tell_seed;
    packet_init_subsystem();
    for (round_number = 0; round_number < rounds; round_number++)
        one_round();
    printf("ok 1 - %u rounds of %u steps\n", rounds, STEPS);
    return 0;
}
