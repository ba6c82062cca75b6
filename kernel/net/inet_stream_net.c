/* What the TCP engine asks of this kernel: struct tcp_ops. See inet_stream.h. */
#include <abi/if_packet.h>

#include "dev/random.h"
#include "fs/async.h"
#include "fs/poll.h"
#include "lib/byteorder.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/inet_stream.h"
#include "net/netdev.h"
#include "x86/clock.h"

#define SMALL \
    256u /* bytes: it is cheaper to copy them behind others than to keep a buffer for them */

struct tcp_stack tcp_stack;

static struct timer stack_timer;

/* --- the way out --- */

static int stream_route(struct tcp_stack *stack, struct tcp_conn *c, const struct tcp_tuple *t,
                        struct tcp_path *path)
{
    struct route_path r;

    (void)stack, (void)c;
    int error = route_lookup(t->remote, NULL, &r);
    if (error)
        return error;
    if (r.type != ROUTE_UNICAST && r.type != ROUTE_LOCAL)
        return -ENETUNREACH;
    path->local = t->local ? t->local : r.source;
    path->mtu = min(r.mtu, IPV4_MAX);
    path->tso_size = r.dev->features & NETDEV_SEGMENT ? IPV4_MAX : 0;
    return 0;
}

static int stream_output(struct tcp_stack *stack, struct tcp_conn *c, const struct tcp_tuple *t,
                         struct packet *p)
{
    struct ipv4_send to = {
        .source = t->local,
        .destination = t->remote,
        .protocol = IPPROTO_TCP,
        .ttl = IPV4_TTL,
        .dont_fragment = true,
    };

    (void)stack;
    if (c) {
        struct stream_socket *st = stream_of_conn(c);
        to.tos = READ_ONCE(st->tos);
        if (READ_ONCE(st->ttl) > 0)
            to.ttl = (uint8_t)st->ttl;
    }
    int error = route_lookup(t->remote, NULL, &to.path);
    if (error) {
        packet_free(p);
        return error;
    }
    /* What routers have said of other connections is nothing to this one: it hears for itself. */
    to.path.mtu = READ_ONCE(to.path.dev->mtu);
    return ipv4_output(p, &to);
}

/* --- time --- */

static void stream_timer(struct timer *t)
{
    struct stream_socket *st = container_of(t, struct stream_socket, timer);

    tcp_timer(&st->c);
    backlog_run();
    tcp_put(&st->c);
}

static void stream_arm(struct tcp_conn *c, nsec_t when)
{
    struct timer *t = &stream_of_conn(c)->timer;
    bool was_armed = timer_cancel(t);

    if (when && !was_armed)
        tcp_get(c);
    if (when)
        timer_set(t, when);
    else if (was_armed)
        tcp_put(c); /* never the last: who holds the lock has one too */
}

static void stack_timer_fired(struct timer *t)
{
    (void)t;
    tcp_stack_timer(&tcp_stack);
    backlog_run();
}

static void stream_arm_stack(struct tcp_stack *stack, nsec_t when)
{
    (void)stack;
    if (when)
        timer_set(&stack_timer, when);
    else
        (void)timer_cancel(&stack_timer);
}

/* --- the way up --- */

static void stream_notify(struct tcp_conn *c, unsigned events)
{
    struct stream_socket *st = stream_of_conn(c);
    unsigned key = 0;

    if (events & TCP_EVENT_ERROR) {
        int error = tcp_take_error(c);
        if (error)
            socket_set_error(&st->s, error);
    }
    if (events & TCP_EVENT_CONNECTED)
        WRITE_ONCE(st->was_connected, true);
    struct file *file = READ_ONCE(st->s.file);
    if (unlikely(events & TCP_EVENT_URGENT) && file)
        async_urgent(file);
    spin_lock(&st->s.rx.lock);
    if (events & TCP_EVENT_ERROR)
        stream_changed(st, POLLERR, true);
    else if (events & (TCP_EVENT_WRITE | TCP_EVENT_CONNECTED))
        stream_changed(st, POLLOUT | POLLWRNORM, false);
    if (events & (TCP_EVENT_CLOSED | TCP_EVENT_URGENT))
        stream_changed(st, 0, true);
    if (events & TCP_EVENT_EOF)
        key = POLLIN | POLLRDNORM | POLLRDHUP |
              (READ_ONCE(st->s.shutdown) & SHUTDOWN_WRITE ? POLLHUP : 0);
    if (events & TCP_EVENT_PRIORITY)
        key |= POLLIN | POLLRDNORM | POLLPRI;
    if (key)
        wake_all(&st->s.rx.readable, key);
    else if ((events & (TCP_EVENT_READ | TCP_EVENT_ACCEPT)) && !waitq_is_empty(&st->s.rx.readable))
        wake_one(&st->s.rx.readable, POLLIN | POLLRDNORM);
    spin_unlock(&st->s.rx.lock);
}

static void stream_deliver(struct tcp_conn *c, struct buf *b)
{
    struct queue *q = &stream_of_conn(c)->s.rx;

    spin_lock(&q->lock);
    struct buf *last = b->len <= SMALL ? queue_appendable(q, b->len) : NULL;
    if (last) {
        queue_append(q, last, b->base + b->off, b->len);
    } else {
        queue_put(q, b);
        b = NULL;
    }
    spin_unlock(&q->lock);
    if (b)
        buf_free(b);
}

static struct tcp_conn *stream_create_child(struct tcp_conn *listener)
{
    struct stream_socket *l = stream_of_conn(listener), *st = stream_alloc();

    if (!st)
        return NULL;
    st->s.options = READ_ONCE(l->s.options);
    st->s.linger = l->s.linger;
    st->s.priority = l->s.priority;
    st->s.receive_timeout = l->s.receive_timeout;
    st->s.send_timeout = l->s.send_timeout;
    st->s.send_limit = l->s.send_limit;
    st->s.receive_limit = l->s.receive_limit;
    st->s.low_water = l->s.low_water;
    st->tos = l->tos;
    st->ttl = l->ttl;
    st->was_connected = true;
    return &st->c;
}

static void stream_destroy(struct tcp_conn *c)
{
    struct stream_socket *st = stream_of_conn(c);

    assert(list_empty(&c->entry.link) && list_empty(&c->entry.bound_link) &&
           list_empty(&c->listen_link) && list_empty(&c->child_link));
    assert(list_empty(&c->embryos) && list_empty(&c->ready));
    queue_destroy(&st->s.rx);
    kfree(st);
}

struct stream_socket *stream_alloc(void)
{
    struct stream_socket *st = kzalloc(sizeof(*st));

    if (!st)
        return NULL;
    socket_init(&st->s, &stream_ops, AF_INET, SOCK_STREAM, IPPROTO_TCP);
    st->ttl = -1;
    waitq_init(&st->changed, &st->s.rx.lock);
    timer_init(&st->timer, stream_timer);
    tcp_init(&st->c, &tcp_stack);
    st->s.send_limit = st->c.send_limit;
    st->s.receive_limit = st->c.rcv_limit;
    return st;
}

static void fill_random(void *out, size_t n)
{
    random_bytes(out, n);
}

static const struct tcp_ops ops = {
    .now = clock_monotonic,
    .random = fill_random,
    .route = stream_route,
    .output = stream_output,
    .arm = stream_arm,
    .arm_stack = stream_arm_stack,
    .notify = stream_notify,
    .deliver = stream_deliver,
    .create = stream_create_child,
    .destroy = stream_destroy,
};

/* --- from IP --- */

static void input(struct packet *p)
{
    if (p->ip.local_broadcast || p->packet_type != PACKET_HOST) {
        packet_free(p); /* it came to all (RFC 1122, section 4.2.3.10) */
        return;
    }
    stream_input(p);
}

static void icmp_error(struct packet *p, int error, bool hard, uint32_t info,
                       const struct icmp_error *e)
{
    const struct {
        uint16_t source, destination;
        uint32_t sequence;
    } *h = packet_header(p, 8);

    (void)e;
    if (!h)
        return;
    /* That this machine finds no neighbour is no rumour: a call to it fails at once, as on Linux. */
    hard |= p->dev == loopback_dev;
    struct tcp_tuple t = {
        .local = p->ip.source,
        .remote = p->ip.destination,
        .local_port = ntohs(h->source),
        .remote_port = ntohs(h->destination),
    };
    if (error != EMSGSIZE)
        tcp_icmp_error(&tcp_stack, &t, ntohl(h->sequence), error, hard);
    else if (tcp_path_mtu(&tcp_stack, &t, ntohl(h->sequence), info))
        route_note_mtu(t.remote, info); /* for those that call next */
}

static struct ipv4_protocol protocol = {
    .protocol = IPPROTO_TCP, .input = input, .error = icmp_error};

void inet_drain(void)
{
    tcp_stack_drain(&tcp_stack);
}

void stream_net_init(void)
{
    timer_init(&stack_timer, stack_timer_fired);
    tcp_stack_init(&tcp_stack, &ops);
    ipv4_protocol_register(&protocol);
}
