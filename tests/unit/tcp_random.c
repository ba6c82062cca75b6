/*
 * Many connections over a network that loses, duplicates, delays, reorders, damages and chokes, between two hosts with
 * random wishes: how much to send each way, in what pieces, how slowly to read, who closes first and how. Claimed:
 * every byte arrives, once, in order; both sides end; no error but where one side aborts; and all memory comes back.
 * In some rounds memory runs out now and then.
 *
 *     tcp_random [SEED [CONNECTIONS]]     also UNIT_SEED and TCP_CONNECTIONS of the environment
 */
#include "tcp_host.h"

#define CONNECTIONS 2500
#define ROUND 100
#define PORT 80
#define STUCK (6 * 3600 * NSEC_PER_SEC)

struct link {
    unsigned loss, dup, corrupt, reorder; /* per mille */
    nsec_t delay, jitter;
    unsigned rate;  /* bytes a millisecond; 0: any */
    unsigned queue; /* bytes that may wait for it */
    nsec_t busy_until;
};

struct host {
    struct tcp_stack stack; /* first member */
    uint32_t address;
    uint32_t mtu, tso;
    struct link out;
    nsec_t armed;
};

/* What a connection is to do; [0] is the caller's side. */
struct plan {
    unsigned id;
    uint32_t bytes[2];  /* to send */
    unsigned piece[2];  /* largest write */
    unsigned slow[2];   /* read at most so much at a time; 0: all */
    bool half_close[2]; /* shutdown as soon as all is sent */
    int abort_side;     /* -1: none */
    uint32_t abort_at;  /* bytes received by then */
    bool aborted;
    bool accepted;
    int ended; /* sides that have finished */
};

struct app {
    struct tcp_conn c; /* first member */
    struct host *host;
    struct plan *plan; /* NULL: the listener, or not accepted yet */
    int side;
    struct list rx;
    uint32_t received, sent;
    bool is_open; /* the owner's reference is ours */
    bool eof, shut, nap;
    unsigned events;
    nsec_t armed;
    struct list dirty_link;
    struct list link;
};

enum kind { PACKET, TIMER, STACK_TIMER, WAKE };
struct event {
    nsec_t when;
    uint64_t order;
    enum kind kind;
    struct app *app;
    struct host *host;
    struct packet *packet;
    uint32_t src;
};

static struct host hosts[2];
static nsec_t now_ns;
static struct event *heap;
static size_t heap_len, heap_room;
static uint64_t order;
static struct list dirty = LIST_INIT(dirty);
static struct plan *plans[65536];          /* by the caller's port */
static struct list apps = LIST_INIT(apps); /* not yet freed */
static uint32_t seed;
static uint64_t packets_sent, bytes_moved;

/* --- events --- */

static bool before(const struct event *a, const struct event *b)
{
    return a->when < b->when || (a->when == b->when && a->order < b->order);
}

static void push(struct event e)
{
    e.order = order++;
    if (heap_len == heap_room) {
        heap_room = heap_room ? 2 * heap_room : 1024;
        heap = realloc(heap, heap_room * sizeof(*heap));
    }
    size_t i = heap_len++;
    for (; i > 0 && before(&e, &heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = e;
}

static struct event pop(void)
{
    struct event top = heap[0], last = heap[--heap_len];
    size_t i = 0, child;

    while ((child = 2 * i + 1) < heap_len) {
        if (child + 1 < heap_len && before(&heap[child + 1], &heap[child]))
            child++;
        if (!before(&heap[child], &last))
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = last;
    return top;
}

/* --- the network --- */

static struct host *peer_of(struct host *h)
{
    return &hosts[h == &hosts[0]];
}

/* The same bytes in one buffer of their own, as a device would deliver them. */
static struct packet *flatten(struct packet *p)
{
    struct packet *flat = packet_alloc(PACKET_HEADROOM, PACKET_HEADROOM + p->len);

    if (flat && PACKET_HEADROOM + p->len > PAGE_SIZE) {
        packet_free(flat);
        return NULL;
    }
    if (flat)
        packet_copy(p, 0, packet_put(flat, p->len), p->len);
    return flat;
}

static void arrive_later(struct host *from, struct packet *p, nsec_t extra)
{
    struct link *l = &from->out;
    nsec_t when = now_ns + l->delay + extra + (l->jitter ? draw((unsigned)l->jitter) : 0);

    if (l->rate) {
        nsec_t start = max(l->busy_until, now_ns);
        if ((start - now_ns) / NSEC_PER_MSEC * l->rate > l->queue) {
            packet_free(p);
            return;
        }
        l->busy_until = start + p->len * NSEC_PER_MSEC / l->rate;
        when += l->busy_until - now_ns;
    }
    push((struct event){.when = when, .kind = PACKET, .host = peer_of(from), .packet = p});
}

static bool happens(unsigned per_mille)
{
    return draw(1000) < per_mille;
}

/* One packet of at most MTU on the wire; taken over. */
static void transmit(struct host *from, struct packet *p)
{
    struct link *l = &from->out;
    struct packet *flat;

    packets_sent++;
    p->checksum = CHECKSUM_UNKNOWN;
    if (happens(l->loss)) {
        packet_free(p);
        return;
    }
    if (happens(l->corrupt) && (flat = flatten(p))) {
        uint8_t *bytes = packet_header(flat, flat->len);
        bytes[draw(flat->len)] ^= (uint8_t)(1u << draw(8));
        packet_free(p);
        p = flat;
    } else if (draw(2) && (flat = flatten(p))) {
        packet_free(p);
        p = flat;
    }
    if (happens(l->dup)) {
        struct packet *copy = packet_clone(p);
        if (copy)
            arrive_later(from, copy, draw(2) ? draw(20000000) : 0);
    }
    arrive_later(from, p, happens(l->reorder) ? draw(50000000) : 0);
}

/* Cut P into segments, as a device does. */
static void segment(struct host *from, const struct tcp_tuple *t, struct packet *p)
{
    struct tcp_header *h = packet_header(p, TCP_HEADER);
    uint32_t header_len = (h->offset >> 4) * 4u, total = p->len - header_len, done = 0;
    uint8_t header[TCP_HEADER_MAX];

    packet_copy(p, 0, header, header_len);
    while (done < total) {
        uint32_t len = min((uint32_t)p->segment_size, total - done);
        struct packet *s = packet_alloc(PACKET_HEADROOM, PACKET_HEADROOM + header_len + len);
        if (s && PACKET_HEADROOM + header_len + len > PAGE_SIZE)
            panic("a segment of %u bytes is too long for this test", len);
        if (s) {
            struct tcp_header *sh = packet_put(s, header_len);
            memcpy(sh, header, header_len);
            sh->seq = net32(net32(h->seq) + done);
            if (done + len < total)
                sh->flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
            sh->checksum =
                (uint16_t)~checksum_finish(tcp_pseudo_sum(t->local, t->remote, header_len + len));
            packet_copy(p, header_len + done, packet_put(s, len), len);
            s->checksum = CHECKSUM_PARTIAL;
            s->checksum_offset = 16;
            packet_checksum_complete(s);
            transmit(from, s);
        }
        done += len;
    }
    packet_free(p);
}

static int op_output(struct tcp_stack *stack, struct tcp_conn *c, const struct tcp_tuple *t,
                     struct packet *p)
{
    struct host *h = (struct host *)stack;

    (void)c;
    need(p->len <= max(h->mtu, h->tso) - 20, "a packet of %u bytes, the MTU is %u", p->len, h->mtu);
    need(p->segment_size || p->len <= h->mtu - 20, "%u bytes and nobody is to cut them", p->len);
    if (p->segment_size) {
        segment(h, t, p);
    } else {
        packet_checksum_complete(p);
        transmit(h, p);
    }
    return 0;
}

/* --- what the engine asks --- */

static nsec_t op_now(void)
{
    return now_ns;
}

static int op_route(struct tcp_stack *stack, struct tcp_conn *c, const struct tcp_tuple *t,
                    struct tcp_path *path)
{
    struct host *h = (struct host *)stack;

    (void)c, (void)t;
    *path = (struct tcp_path){.local = h->address, .mtu = h->mtu, .tso_size = h->tso};
    return 0;
}

static void op_arm(struct tcp_conn *c, nsec_t when)
{
    struct app *a = (struct app *)c;

    a->armed = when;
    if (!when)
        return;
    tcp_get(c);
    push((struct event){.when = when, .kind = TIMER, .app = a});
}

static void op_arm_stack(struct tcp_stack *stack, nsec_t when)
{
    struct host *h = (struct host *)stack;

    if (h->armed == when)
        return;
    h->armed = when;
    if (when)
        push((struct event){.when = when, .kind = STACK_TIMER, .host = h});
}

static void make_dirty(struct app *a)
{
    if (list_empty(&a->dirty_link)) {
        tcp_get(&a->c);
        list_push_back(&dirty, &a->dirty_link);
    }
}

static void op_notify(struct tcp_conn *c, unsigned events)
{
    struct app *a = (struct app *)c;

    need(a->is_open || a->c.listener, "a closed owner is told of %x", events);
    a->events |= events;
    a->eof |= (events & TCP_EVENT_EOF) != 0;
    make_dirty(a);
}

static void op_deliver(struct tcp_conn *c, struct buf *b)
{
    list_push_back(&((struct app *)c)->rx, &b->link);
}

static struct app *new_app(struct host *h)
{
    struct app *a = kzalloc(sizeof(*a));

    if (!a)
        return NULL;
    tcp_init(&a->c, &h->stack);
    a->host = h;
    list_init(&a->rx);
    list_init(&a->dirty_link);
    list_push_back(&apps, &a->link);
    return a;
}

static struct tcp_conn *op_create(struct tcp_conn *l)
{
    struct app *a = new_app(((struct app *)l)->host);

    return a ? &a->c : NULL;
}

static void op_destroy(struct tcp_conn *c)
{
    struct app *a = (struct app *)c;
    struct buf *b, *next;

    need(c->state == TCP_CLOSED || c->state == TCP_SYN_RECEIVED, "freed in state %d", c->state);
    need(list_empty(&c->entry.link) && list_empty(&c->entry.bound_link), "freed, but in a table");
    need(!c->send_bytes && list_empty(&c->send_bufs) && !c->reorder.root, "freed with data");
    list_for_each_safe (b, next, &a->rx, link)
        buf_free(b);
    list_remove(&a->link);
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
