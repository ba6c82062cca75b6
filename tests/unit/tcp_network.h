/*
 * Two hosts and the network between them, for tcp_random.c: events in order of time, links that lose, duplicate,
 * damage, delay and choke, and what the engine asks of the world.
 */
#include "tcp_host.h"

#define PORT 80

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
    uint32_t iss; /* the caller's first sequence number */
    bool refused; /* a listener that had sent cookies, or who accepts from it, answered with RST */
    int ended;   /* sides that have finished */
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
    const struct tcp_header *header = packet_header(p, TCP_HEADER);

    if (h == &hosts[1] && !c && header->flags & TCP_RST && plans[t->remote_port])
        plans[t->remote_port]->refused |= stack->counters.cookies_sent > 0;
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
