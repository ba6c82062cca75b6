/*
 * The programs at both ends of tcp_network.h: each sends and reads as its plan says and compares every byte.
 */
#include "tcp_network.h"

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
        bool all_came = a->received + a->c.rcv_unread == p->bytes[!a->side];
        bool done = (error ? all_came : got_all) && a->sent == p->bytes[a->side];
        /* With no memory for TIME-WAIT the last FIN may meet an RST, while a slow reader still has to read. */
        if (!list_empty(&a->rx) && !error)
            return; /* it has ended, but is still to be read */
        /*
         * A cookie is only in the first ACK's number: if later data overtakes it, or a late SYN has made
         * an embryo since, the call is refused; and if the first ACK comes then, who accepts it is reset.
         */
        p->aborted |= p->refused;
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

/* A, fresh, calls the listener as P says. */
static void call_for(struct app *a, struct plan *p)
{
    a->plan = p;
    a->is_open = true;
    int error = tcp_connect(&a->c, hosts[1].address, PORT);
    need(!error, "connect: %d", error);
    p->iss = a->c.iss;
    plans[a->c.entry.tuple.local_port] = p;
}

static void accept_all(struct app *l)
{
    struct tcp_conn *c;

    while ((c = tcp_accept(&l->c))) {
        struct app *a = (struct app *)c;
        a->plan = plans[c->entry.tuple.remote_port];
        a->side = 1;
        a->is_open = true;
        if (a->plan->accepted || c->irs != a->plan->iss) {
            /*
             * An old duplicate of an ACK with a cookie makes a call of nobody's, or of one who had this port before:
             * the price of keeping nothing. Once in some million times a later segment's numbers look like a cookie
             * too, and then the reset has the very number that the caller waits for.
             */
            need(a->host->stack.counters.cookies_good, "connection %u came twice", a->plan->id);
            a->plan->refused = true;
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
