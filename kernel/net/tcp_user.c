/*
 * Calls from above: OPEN, SEND, CLOSE, ABORT of RFC 9293, section 3.10, in the clothes of the socket calls.
 */
#include "lib/string.h"
#include "mm/slab.h"
#include "net/tcp_internal.h"

#define GATHER_MAX 1024 /* bytes: small writes share a page */

void tcp_init(struct tcp_conn *c, struct tcp_stack *stack)
{
    const struct tcp_params *p = &stack->params;

    c->stack = stack;
    ref_init(&c->ref, 1);
    spin_init(&c->lock, RANK_TCP, "tcp");
    spin_init(&c->accept_lock, RANK_TCP_ACCEPT, "tcp accept");
    list_init(&c->entry.link);
    list_init(&c->entry.bound_link);
    list_init(&c->listen_link);
    list_init(&c->embryos);
    list_init(&c->ready);
    list_init(&c->child_link);
    list_init(&c->send_bufs);
    c->state = TCP_CLOSED;
    c->rcv_limit = READ_ONCE(p->receive_default);
    c->send_limit = READ_ONCE(p->send_default);
    c->rto = READ_ONCE(p->rto_initial);
    c->timestamps_ok = READ_ONCE(p->timestamps);
    c->scale_ok = READ_ONCE(p->window_scaling);
    c->sack_ok = READ_ONCE(p->sack);
    c->path.mtu = TCP_MSS_DEFAULT + TCP_IP_HEADER + TCP_HEADER;
    tcp_update_mss(c);
    c->rcv_mss = c->mss;
}

/* --- OPEN --- */

static int begin_call(struct tcp_conn *c, uint32_t remote, uint16_t port)
{
    struct tcp_stack *stack = c->stack;
    struct tcp_tuple *t = &c->entry.tuple;
    struct tcp_tuple way = {c->bound_local, remote, 0, port};
    int error = stack->ops->route(stack, c, &way, &c->path);

    if (error)
        return error;
    uint32_t old_local = t->local;
    t->local = c->bound_local ? c->bound_local : c->path.local;
    t->remote = remote;
    t->remote_port = port;
    error = tcp_enter_call(c);
    if (error) {
        t->local = old_local;
        t->remote = 0;
        t->remote_port = 0;
    }
    return error;
}

int tcp_connect(struct tcp_conn *c, uint32_t remote, uint16_t port)
{
    int error = 0;

    tcp_lock(c);
    if (c->state != TCP_CLOSED)
        error = c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED ? -EALREADY : -EISCONN;
    else if (c->over)
        error = -EISCONN; /* as on Linux, until it is disconnected */
    else
        error = begin_call(c, remote, port);
    if (!error) { /* LAB tcp:connect begin */
        const struct tcp_tuple *t = &c->entry.tuple;
        nsec_t now = tcp_now(c);
        struct tcp_beginning begin = tcp_begin(c->stack, t, now);
        c->iss = c->snd_una = begin.sequence;
        c->snd_nxt = c->iss + 1;
        c->ts_offset = begin.timestamp;
        c->last_heard = c->stalled = now;
        tcp_choose_scale(c);
        tcp_update_mss(c);
        tcp_set_state(c, TCP_SYN_SENT);
        tcp_send_syn(c);
        tcp_set_timer(c, TCP_TIMER_RETRANSMIT, now + tcp_rto(c));
        tcp_count(c->stack, active_opens);
    } /* LAB tcp:connect end */
    tcp_unlock(c);
    return error;
}

int tcp_listen(struct tcp_conn *c, unsigned backlog)
{
    int error = 0;

    spin_lock(&c->lock);
    if ((c->state != TCP_CLOSED && c->state != TCP_LISTEN) || c->over)
        error = -EINVAL;
    else if (c->state == TCP_CLOSED)
        error = tcp_enter_listener(c);
    if (!error) {
        spin_lock(&c->accept_lock);
        c->backlog = backlog;
        c->accepting = true;
        spin_unlock(&c->accept_lock);
        tcp_choose_scale(c);
        if (c->state == TCP_CLOSED)
            tcp_set_state(c, TCP_LISTEN);
    }
    spin_unlock(&c->lock);
    return error;
}

/* --- SEND --- */

/* 0: C takes data; else why not: a socket that was never connected is as good as broken (Linux). */
static int sending_error(const struct tcp_conn *c)
{
    bool can = c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT;

    return can && !c->fin_queued ? 0 : -EPIPE;
}

/* How many bytes the limits let come. */
static uint32_t room_left(const struct tcp_conn *c)
{
    if (c->notsent_low && tcp_unsent_bytes(c) >= c->notsent_low)
        return 0;
    return c->send_bytes < c->send_limit ? c->send_limit - c->send_bytes : 0;
}

ssize_t tcp_send_room(struct tcp_conn *c)
{
    ssize_t room = 0;

    spin_lock(&c->lock);
    if (c->state != TCP_SYN_SENT && c->state != TCP_SYN_RECEIVED)
        room = sending_error(c);
    if (!room && (c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT))
        room = room_left(c);
    if (!room)
        c->write_blocked = true;
    spin_unlock(&c->lock);
    return room;
}

static bool append(struct buf *last, const struct buf *b)
{
    if (last->flags & BUF_SHARED || last->room - last->off - last->len < b->len)
        return false;
    memcpy(last->base + last->off + last->len, b->base + b->off, b->len);
    last->len += b->len;
    return true;
}

/* B goes to the end of the queue; small ones are gathered in a page, behind what packets may refer to. */
static void queue_buf(struct tcp_conn *c, struct buf *b)
{
    struct buf *last = list_last(&c->send_bufs, struct buf, link);

    c->send_bytes += b->len;
    if (last && b->len <= GATHER_MAX) {
        struct buf *page = NULL;
        if (append(last, b)) {
            buf_free(b);
            return;
        }
        if (last->len <= GATHER_MAX && (page = buf_alloc())) {
            append(page, b);
            buf_free(b);
            b = page;
        }
    }
    list_push_back(&c->send_bufs, &b->link);
}

int tcp_send(struct tcp_conn *c, struct list *bufs, unsigned flags)
{
    struct buf *b;

    tcp_lock(c);
    int error = sending_error(c);
    while (!error && (b = list_first(bufs, struct buf, link))) {
        list_remove(&b->link);
        if (b->len)
            queue_buf(c, b);
        else
            buf_free(b);
    }
    if (!error) {
        /* Who has more but finds no room waits for this to arrive: it mustn't be held back for him. */
        c->more = flags & TCP_SEND_MORE && room_left(c);
        if (flags & TCP_SEND_URGENT) {
            c->snd_urgent = true;
            c->snd_up = tcp_data_end(c);
        }
        /* Who answers soon will do so again: its data can carry the ACK. */
        if (tcp_now(c) - c->last_data_in < READ_ONCE(c->stack->params.delack)) {
            c->quick_acks = 0;
            c->converses = true;
        }
    }
    tcp_unlock(c);
    return error;
}

/* --- CLOSE --- */

int tcp_shutdown(struct tcp_conn *c, bool read, bool write)
{
    int error = 0;

    tcp_lock(c);
    switch (c->state) {
    case TCP_CLOSED:
    case TCP_LISTEN: error = -ENOTCONN; break;
    case TCP_SYN_SENT: error = -EINPROGRESS; break;
    case TCP_SYN_RECEIVED:
        c->fin_queued |= write; /* FIN follows when our SYN is acknowledged */
        break;
    case TCP_ESTABLISHED:
    case TCP_CLOSE_WAIT:
        if (write)
            tcp_queue_fin(c);
        break;
    default: break;
    }
    if (!error)
        c->shut_read |= read;
    tcp_unlock(c);
    return error;
}

/* Unread data makes an RST of CLOSE: nothing will be acknowledged then. */
bool tcp_linger(struct tcp_conn *c)
{
    return !READ_ONCE(c->rcv_unread) && !tcp_shutdown(c, false, true) && tcp_is_lingering(c);
}

/* RFC 9293, section 3.9.1.4: until all that was sent, FIN with it, is acknowledged. */
bool tcp_is_lingering(const struct tcp_conn *c)
{
    enum tcp_state s = READ_ONCE(c->state);

    return s == TCP_FIN_WAIT_1 || s == TCP_CLOSING || s == TCP_LAST_ACK;
}

/* What the state and the circumstances make of CLOSE. */
static void close_connection(struct tcp_conn *c, bool abort)
{ /* LAB tcp:close begin */
    /* RFC 9293, section 3.6.1; RFC 2525, section 2.17: data that nobody reads is lost, and the peer hears it. */
    bool lost = c->rcv_unread > 0;

    if (c->state == TCP_SYN_SENT) {
        tcp_end(c, 0);
    } else if (c->state != TCP_CLOSED && (abort || lost)) {
        tcp_abort(c, 0);
    } else if (c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT) {
        tcp_queue_fin(c);
    } else if (c->state == TCP_SYN_RECEIVED) {
        c->fin_queued = true;
    } else if (c->state == TCP_FIN_WAIT_2) {
        nsec_t wait = c->fin_timeout ? c->fin_timeout : READ_ONCE(c->stack->params.fin_timeout);
        tcp_set_timer(c, TCP_TIMER_FIN, tcp_now(c) + max(wait, (nsec_t)1));
    }
} /* LAB tcp:close end */

static void close_listener(struct tcp_conn *c)
{
    tcp_leave_listener(c);
    tcp_set_state(c, TCP_CLOSED);
    /* Here, and not among what follows: once the lock is let go somebody may listen anew. */
    spin_lock(&c->accept_lock);
    c->accepting = false;
    spin_unlock(&c->accept_lock);
    tcp_unlock(c);
    tcp_stop_listening(c);
    tcp_lock(c);
}

void tcp_close(struct tcp_conn *c, bool abort)
{
    tcp_lock(c);
    if (c->state == TCP_LISTEN)
        close_listener(c);
    c->orphan = true;
    c->shut_read = true;
    if (c->state != TCP_CLOSED) {
        close_connection(c, abort);
        tcp_drop_reorder(c);
    }
    if (c->state == TCP_CLOSED)
        tcp_leave(c, true);
    tcp_unlock(c);
    tcp_put(c);
}

/* Back to what tcp_init made, but for what the user has set. */
static void forget(struct tcp_conn *c)
{
    const struct tcp_params *p = &c->stack->params;

    c->iss = c->irs = c->snd_una = c->snd_nxt = c->rcv_nxt = c->rcv_right = 0;
    c->snd_probe = c->snd_small = 0;
    c->rcv_unread = 0;
    c->fin_queued = c->fin_sent = c->fin_seen = c->fin_received = false;
    c->over = c->shut_read = c->snd_urgent = c->write_blocked = false;
    c->urgent = TCP_URGENT_NONE;
    c->srtt = c->rttvar = c->rtt_min = c->rtt_sent = 0;
    c->rto = READ_ONCE(p->rto_initial);
    c->backoff = c->probes = c->keep_probes = 0;
    c->last_sent = c->stalled = 0;
    c->dupacks = 0;
    c->tlp_out = c->rxt_now = c->more = c->cork_over = c->converses = false;
    c->timestamps_ok = READ_ONCE(p->timestamps);
    c->scale_ok = READ_ONCE(p->window_scaling);
    c->sack_ok = READ_ONCE(p->sack);
    c->dsack.end = c->dsack.start;
    c->ts_recent = 0;
    c->mss_peer = c->mtu_passed = 0;
    c->bytes_acked = c->bytes_received = c->bytes_sent = c->bytes_retrans = 0;
    c->segs_in = c->segs_out = c->data_segs_in = c->data_segs_out = c->data_segs_again = 0;
    c->total_retrans = c->dsacks = c->reordered_in = 0;
    memset(c->spent, 0, sizeof(c->spent));
    c->rate = c->rate_from = 0;
    c->rate_limited = false;
    c->entry.tuple.remote = 0;
    c->entry.tuple.remote_port = 0;
    c->entry.tuple.local = c->bound_local;
    c->error = 0;
}

void tcp_disconnect(struct tcp_conn *c)
{
    tcp_lock(c);
    while (c->state == TCP_LISTEN)
        close_listener(c); /* lets go of the lock: others may begin something meanwhile */
    if (c->state == TCP_SYN_SENT)
        tcp_end(c, 0);
    else if (c->state != TCP_CLOSED)
        tcp_abort(c, 0);
    tcp_leave(c, !c->entry.port_chosen);
    forget(c);
    tcp_unlock(c);
}
