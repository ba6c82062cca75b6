/*
 * Many connections over a network that loses, duplicates, delays, reorders, damages and chokes, between two hosts with
 * random wishes: how much to send each way, in what pieces, how slowly to read, who closes first and how. Claimed:
 * every byte arrives, once, in order; both sides end; no error but where one side aborts; and all memory comes back.
 * In some rounds memory runs out now and then.
 *
 *     tcp_random [SEED [CONNECTIONS]]     also UNIT_SEED and TCP_CONNECTIONS of the environment
 */
#include "tcp_network.h"

#define CONNECTIONS 8000
#define ROUND 100
#define STUCK (6 * 3600 * NSEC_PER_SEC)

/* --- the programs --- */

static uint8_t pattern(const struct plan *p, int side, uint32_t i)
{
    return (uint8_t)(p->id * 31 + (unsigned)side * 101 + i * 7 + (i >> 8) * 13 + (i >> 16));
}

static void wake_later(struct app *a, nsec_t wait)
{
    if (a->nap)
        return;
    a->nap = true;
    tcp_get(&a->c);
    push((struct event){.when = now_ns + wait, .kind = WAKE, .app = a});
}

/* One buffer of at most N bytes of what is to be sent. */
static struct buf *make_buf(struct app *a, uint32_t n)
{
    struct buf *b = draw(3) && n <= 1024 ? buf_alloc_small(n) : buf_alloc();

    if (!b)
        return NULL;
    b->len = min(n, b->room);
    for (uint32_t i = 0; i < b->len; i++)
        b->base[i] = (char)pattern(a->plan, a->side, a->sent + i);
    return b;
}

static void write_some(struct app *a)
{
    uint32_t total = a->plan->bytes[a->side];

    while (a->sent < total) {
        ssize_t room = tcp_send_room(&a->c);
        if (room <= 0)
            return;
        uint32_t n = min(min((uint32_t)room, total - a->sent), 1 + draw(a->plan->piece[a->side]));
        struct list bufs = LIST_INIT(bufs);
        struct buf *b = make_buf(a, n);
        if (!b) {
            wake_later(a, NSEC_PER_MSEC);
            return;
        }
        uint32_t len = b->len;
        list_push_back(&bufs, &b->link);
        if (tcp_send(&a->c, &bufs, draw(8) ? 0 : TCP_SEND_MORE)) {
            buf_free(b);
            return;
        }
        a->sent += len;
        if (draw(16) == 0) {
            wake_later(a, draw(20000000));
            return;
        }
    }
}

static void read_some(struct app *a)
{
    const struct plan *p = a->plan;
    uint32_t most = p->slow[a->side] ? p->slow[a->side] : UINT32_MAX, done = 0;
    struct buf *b;

    while (done < most && (b = list_first(&a->rx, struct buf, link))) {
        uint32_t part = min(b->len, most - done);
        for (uint32_t i = 0; i < part; i++)
            need((uint8_t)b->base[b->off + i] == pattern(p, !a->side, a->received + i),
                 "connection %u, side %d: byte %u is wrong", p->id, a->side, a->received + i);
        a->received += part;
        done += part;
        b->off += part;
        b->len -= part;
        if (!b->len) {
            list_remove(&b->link);
            buf_free(b);
        }
    }
    bytes_moved += done;
    need(a->received <= p->bytes[!a->side], "connection %u: more bytes than were sent", p->id);
    if (done)
        tcp_consumed(&a->c, done);
    if (!list_empty(&a->rx))
        wake_later(a, draw(30000000));
}

static void finish_app(struct app *a, bool by_abort)
{
    a->is_open = false;
    a->plan->ended++;
    tcp_close(&a->c, by_abort);
}

static const char *progress(const struct app *a)
{
    static char text[400];
    const struct tcp_conn *c = &a->c;

    snprintf(
        text, sizeof(text),
        "connection %u, side %d, state %d: sent %u of %u, received %u of %u, eof %d, flight %u, "
        "window %u, cwnd %u, pipe %u, recovery %d, unread %u, room %u, backoff %u",
        a->plan->id, a->side, c->state, a->sent, a->plan->bytes[a->side], a->received,
        a->plan->bytes[!a->side], a->eof, tcp_flight(c), c->snd_wnd, c->cwnd, tcp_pipe(c),
        c->recovery, c->rcv_unread, c->rcv_right - c->rcv_nxt, c->backoff);
    return text;
}

/* For who looks into a failure. */
static void tell_all(void)
{
    struct app *a;

    printf("seed %u, %lld ns, memory fails one in %u\n", seed, (long long)now_ns, host_fail_one_in);
    list_for_each (a, &apps, link) {
        if (a->plan)
            printf("left: %s%s%s\n", progress(a), a->is_open ? "" : ", closed",
                   a->plan->aborted ? ", aborted" : "");
    }
}

/* Do what can be done now. */
static void step(struct app *a)
{
    struct plan *p = a->plan;

    read_some(a);
    bool got_all = a->received == p->bytes[!a->side];
    int error = tcp_take_error(&a->c);
    if (error || a->c.state == TCP_CLOSED) {
        bool done = got_all && a->sent == p->bytes[a->side];
        /* With no memory for TIME-WAIT the last FIN may meet an RST. */
        if (!list_empty(&a->rx) && !error)
            return; /* it has ended, but is still to be read */
        /*
         * A cookie is only in the first ACK's number: if later data overtakes it, or a late SYN has made
         * an embryo since, the call is refused.
         */
        p->aborted |= a->side == 0 && !a->received && hosts[1].stack.counters.cookies_sent > 0;
        need(p->aborted || (done && (!error || host_fail_one_in)), "error %d: %s", error,
             progress(a));
        finish_app(a, false);
        return;
    }
    if (p->abort_side == a->side && a->received >= p->abort_at && draw(3) == 0) {
        p->aborted = true;
        finish_app(a, draw(2));
        return;
    }
    if (p->aborted && a->eof && list_empty(&a->rx)) {
        finish_app(a, false);
        return;
    }
    write_some(a);
    bool sent_all = a->sent == p->bytes[a->side];
    if (sent_all && p->half_close[a->side] && !a->shut) {
        a->shut = true;
        tcp_shutdown(&a->c, false, true);
    }
    /* Who doesn't close its half first waits for the end only if the other side does. */
    if (sent_all && got_all && list_empty(&a->rx) && (a->eof || !a->shut) &&
        (a->eof || !p->half_close[!a->side]))
        finish_app(a, false);
}

static void accept_all(struct app *l)
{
    struct tcp_conn *c;

    while ((c = tcp_accept(&l->c))) {
        struct app *a = (struct app *)c;
        a->plan = plans[c->entry.tuple.remote_port];
        a->side = 1;
        a->is_open = true;
        if (a->plan->accepted) {
            /* An old duplicate of an ACK with a cookie makes a call of nobody's: the price of keeping nothing. */
            need(a->host->stack.counters.cookies_good, "connection %u came twice", a->plan->id);
            a->is_open = false;
            tcp_close(c, true);
            continue;
        }
        a->plan->accepted = true;
        tcp_set_option(c, TCP_NODELAY, &(int){(int)draw(2)}, sizeof(int));
        make_dirty(a);
    }
}

static void step_all(void)
{
    struct app *a;

    while ((a = list_first(&dirty, struct app, dirty_link))) {
        list_remove(&a->dirty_link);
        if (a->is_open && !a->plan)
            accept_all(a);
        else if (a->is_open)
            step(a);
        tcp_put(&a->c);
    }
}

static void handle(struct event *e)
{
    now_ns = max(now_ns, e->when);
    switch (e->kind) {
    case PACKET:
        tcp_input(&e->host->stack, e->packet, peer_of(e->host)->address, e->host->address);
        break;
    case TIMER:
        if (e->app->armed == e->when) {
            e->app->armed = 0;
            tcp_timer(&e->app->c);
        }
        tcp_put(&e->app->c);
        break;
    case STACK_TIMER:
        if (e->host->armed == e->when) {
            e->host->armed = 0;
            tcp_stack_timer(&e->host->stack);
        }
        break;
    case WAKE:
        e->app->nap = false;
        make_dirty(e->app);
        tcp_put(&e->app->c);
        break;
    }
    step_all();
    need(num_held == 0, "a lock is still held");
}

/* --- rounds --- */

static void random_link(struct link *l)
{
    static const unsigned rates[] = {0, 0, 10, 100, 1000};

    *l = (struct link){.delay = 50000 + (nsec_t)draw(draw(2) ? 1000000 : 200000000)};
    if (draw(4)) {
        l->loss = draw(2) ? draw(30) : draw(200);
        l->dup = draw(2) ? draw(100) : 0;
        l->corrupt = draw(2) ? draw(50) : 0;
        l->reorder = draw(2) ? draw(200) : 0;
        l->jitter = draw(2) ? 1 + draw(5000000) : 0;
    }
    l->rate = rates[draw(ARRAY_SIZE(rates))];
    l->queue = 20000 + draw(100000);
}

static void random_host(struct host *h)
{
    static const uint32_t mtus[] = {576, 1400, 1500, 3500};
    struct tcp_params *p = &h->stack.params;

    random_link(&h->out);
    h->mtu = mtus[draw(ARRAY_SIZE(mtus))];
    h->tso = draw(2) ? 65535 : 0;
    h->armed = 0;
    tcp_stack_init(&h->stack, &ops);
    /* However bad the network, nobody is to give up: a connection that ends with an error is then a bug. */
    p->retries = p->syn_retries = p->synack_retries = p->orphan_retries = 200;
    p->rto_max = 20 * NSEC_PER_SEC;
    /* One whose peer's RST, or whose ACK of a cookie, was lost would wait for ever: so keepalive is on. */
    p->keep_idle = 60 * NSEC_PER_SEC;
    p->keep_interval = 10 * NSEC_PER_SEC;
    p->keep_count = 100;
    p->timestamps = draw(3) > 0;
    p->sack = draw(3) > 0;
    p->window_scaling = draw(4) > 0;
    p->congestion = draw(2) ? &tcp_cubic : &tcp_reno;
    p->syncookies = (uint8_t)draw(3);
    p->time_wait = draw(2) ? 60 * NSEC_PER_SEC : NSEC_PER_SEC;
    p->receive_default = draw(4) ? 131072 : 2000 + draw(10000);
    p->receive_max = max(p->receive_default, 6u << 20);
}

static uint32_t random_size(void)
{
    unsigned kind = draw(20);

    return kind == 0 ? draw(100000) : kind < 6 ? draw(16000) : draw(1000);
}

static void random_plan(struct plan *p, unsigned id)
{
    *p = (struct plan){.id = id, .abort_side = -1};
    for (int side = 0; side < 2; side++) {
        p->bytes[side] = random_size();
        p->piece[side] = draw(3) ? 1 + draw(5000) : 10 + draw(100);
        p->slow[side] = draw(5) ? 0 : 100 + draw(3000);
        p->half_close[side] = draw(2);
    }
    if (draw(10) == 0) {
        p->abort_side = (int)draw(2);
        p->abort_at = p->bytes[!p->abort_side] ? draw(p->bytes[!p->abort_side]) : 0;
    }
}

static void call(struct plan *p)
{
    struct app *a = NULL;

    while (!(a = new_app(&hosts[0])))
        ;
    a->plan = p;
    a->is_open = true;
    tcp_set_option(&a->c, TCP_NODELAY, &(int){(int)draw(2)}, sizeof(int));
    tcp_set_keepalive(&a->c, true);
    if (draw(8) == 0)
        tcp_set_receive_limit(&a->c, 1000 + draw(20000));
    int error = tcp_connect(&a->c, hosts[1].address, PORT);
    need(!error, "connect: %d", error);
    plans[a->c.entry.tuple.local_port] = p;
}

static struct app *start_listener(void)
{
    struct app *l;

    while (!(l = new_app(&hosts[1])))
        ;
    l->is_open = true;
    need(!tcp_bind(&l->c, 0, PORT), "bind");
    tcp_set_keepalive(&l->c, true);
    need(!tcp_listen(&l->c, 1 + draw(20)), "listen");
    return l;
}

/* How many plans have not ended. An abort may leave a side that was never accepted. */
static unsigned unfinished(const struct plan *all, unsigned n)
{
    unsigned left = 0;

    for (unsigned i = 0; i < n; i++)
        left += all[i].ended < 2 && !all[i].aborted;
    return left;
}

static void round_of(unsigned first, unsigned n)
{
    static struct plan all[ROUND];
    unsigned started = 0, together = 1 + draw(40);

    random_host(&hosts[0]);
    random_host(&hosts[1]);
    host_fail_one_in = draw(5) ? 0 : 50 + draw(500);
    for (unsigned i = 0; i < n; i++)
        random_plan(&all[i], first + i);
    struct app *l = start_listener();
    nsec_t begun = now_ns;
    while (started < n || unfinished(all, n)) {
        if (started < n && unfinished(all, started) < together) {
            call(&all[started++]);
            continue;
        }
        need(heap_len, "nothing will happen any more, but %u connections have not ended",
             unfinished(all, n));
        struct event e = pop();
        handle(&e);
        need(now_ns - begun < STUCK, "a round takes for ever: %u of %u not ended",
             unfinished(all, n), n);
    }
    l->is_open = false;
    tcp_close(&l->c, false);
    while (heap_len) {
        struct event e = pop();
        handle(&e);
        need(now_ns - begun < 2 * STUCK, "it doesn't come to rest");
    }
    host_fail_one_in = 0;
    struct app *left = list_first(&apps, struct app, link);
    need(!left, "not freed: references %d, state %d, orphan %d, embryo %d, sent %u, received %u",
         left->c.ref.count, left->c.state, left->c.orphan, left->c.embryo, left->sent,
         left->received);
    need(hosts[0].stack.time_waits == 0 && hosts[1].stack.time_waits == 0, "TIME-WAIT lasts");
    need(host_live == 0, "%ld pieces of memory were not freed", host_live);
}

int main(int argc, char **argv)
{
    const char *given = argc > 1 ? argv[1] : getenv("UNIT_SEED");
    const char *count = argc > 2 ? argv[2] : getenv("TCP_CONNECTIONS");
    unsigned n = count ? (unsigned)strtoul(count, NULL, 0) : CONNECTIONS;

    if (given)
        seed = (uint32_t)strtoul(given, NULL, 0);
    else if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        abort();
    printf("seed %u\n", seed);
    random_seed(seed);
    host_on_panic = tell_all;
    packet_init_subsystem();
    hosts[0].address = net32(0x0a000001);
    hosts[1].address = net32(0x0a000002);
    now_ns = NSEC_PER_SEC;
    for (unsigned first = 0; first < n; first += ROUND)
        round_of(first, min(n - first, (unsigned)ROUND));
    free(heap);
    printf("ok 1 - %u connections, %llu packets, %llu bytes\n", n, (unsigned long long)packets_sent,
           (unsigned long long)bytes_moved);
    return 0;
}
