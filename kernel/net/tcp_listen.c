/*
 * Listeners. A call makes a child, which is an embryo until the caller has answered our SYN,ACK, then ready to be
 * accepted:
 *
 *     SYN ---> embryos (SYN-RECEIVED) ---ACK---> ready ---accept---> the program
 *                at most backlog                at most backlog + 1
 *
 * When there is no place for an embryo, a SYN cookie keeps the call alive without one (tcp_secret.c). When there is
 * no place among the ready, the ACK is as if lost.
 *
 * A child's first reference is its owner's; until it is accepted the listener stands for the owner. The child has a
 * reference on its listener. Lists and numbers are under the listener's accept_lock, which is taken inside a child's
 * lock; nobody holds the listener's own lock and that of a child.
 */
#include "lib/string.h"
#include "net/tcp_internal.h"

#define COOKIE_TIME (120 * NSEC_PER_SEC) /* so long an ACK may be the answer to a cookie */

/* --- children --- */

static void inherit(struct tcp_conn *c, const struct tcp_conn *l)
{
    c->nodelay = l->nodelay;
    c->cork = l->cork;
    c->keepalive = l->keepalive;
    c->keep_idle = l->keep_idle;
    c->keep_interval = l->keep_interval;
    c->keep_count = l->keep_count;
    c->user_timeout = l->user_timeout;
    c->fin_timeout = l->fin_timeout;
    c->defer_accept = l->defer_accept;
    c->notsent_low = l->notsent_low;
    c->mss_user = l->mss_user;
    c->rcv_clamp = l->rcv_clamp;
    c->rcv_limit = l->rcv_limit;
    c->rcv_limit_fixed = l->rcv_limit_fixed;
    c->send_limit = l->send_limit;
    c->limit_fixed = l->limit_fixed;
    c->min_ttl = READ_ONCE(l->min_ttl);
    c->tell_errors = READ_ONCE(l->tell_errors);
    c->oob_inline = READ_ONCE(l->oob_inline);
    c->cong = l->cong;
}

static uint16_t syn_window(const struct tcp_conn *l)
{
    uint32_t most = l->rcv_clamp ? min(l->rcv_clamp, 65535u) : 65535u;

    return (uint16_t)min(l->rcv_limit, most);
}

/*
 * Called by SEG: everything but the place in tables and lists. It begins at *ISS, or
 * where it may. NULL: no memory, no route. L is locked.
 */
static struct tcp_conn *new_child(struct tcp_conn *l, const struct tcp_segment *seg,
                                  const uint32_t *iss)
{
    struct tcp_stack *stack = l->stack;
    struct tcp_conn *c = stack->ops->create(l);

    if (!c)
        return NULL;
    if (stack->ops->route(stack, c, &seg->tuple, &c->path)) {
        tcp_put(c);
        return NULL;
    }
    c->entry.tuple = seg->tuple;
    tcp_bind_like(c, l);
    inherit(c, l); /* LAB tcp:child begin */
    c->irs = seg->seq;
    c->rcv_nxt = c->rcv_acked = seg->seq + 1;
    c->rcv_right = c->rcv_nxt + syn_window(l); /* as our answer tells */
    struct tcp_beginning begin = tcp_begin(stack, &seg->tuple, seg->now);
    c->iss = c->snd_una = iss ? *iss : begin.sequence;
    c->snd_nxt = c->iss + 1;
    c->snd_wnd = seg->window;
    c->ts_offset = begin.timestamp;
    c->space_time = c->last_heard = seg->now;
    tcp_choose_scale(c);
    tcp_take_options(c, seg);
    tcp_set_state(c, TCP_SYN_RECEIVED); /* LAB tcp:child end */
    return c;
}

/* C is no embryo of L any more. Two may find that at a time; who takes it off the list puts the references. */
static void leave_embryos(struct tcp_conn *l, struct tcp_conn *c)
{
    spin_lock(&l->accept_lock);
    bool was_in = !list_empty(&c->child_link);
    if (was_in) {
        list_remove(&c->child_link);
        l->num_embryos--;
    }
    spin_unlock(&l->accept_lock);
    if (!was_in)
        return;
    tcp_put(l);
    tcp_put(c);
}

/*
 * Into the table and among the embryos: false: somebody was faster. L is locked; the caller has a reference on C of its
 * own, for from now on a segment may end it.
 */
static bool adopt(struct tcp_conn *l, struct tcp_conn *c)
{
    c->listener = l;
    c->embryo = true;
    tcp_get(l);
    spin_lock(&l->accept_lock);
    list_push_back(&l->embryos, &c->child_link);
    l->num_embryos++;
    spin_unlock(&l->accept_lock);
    if (tcp_enter(c))
        return true;
    leave_embryos(l, c);
    return false;
}

/* C with a reference, adopted by L; NULL: it wasn't. */
static struct tcp_conn *adopted(struct tcp_conn *l, struct tcp_conn *c)
{
    tcp_get(c);
    if (adopt(l, c))
        return c;
    tcp_put(c);
    return NULL;
}

bool tcp_child_ready(struct tcp_conn *c)
{ /* LAB tcp:ready begin */
    struct tcp_conn *l = c->listener;

    spin_lock(&l->accept_lock);
    bool room = l->accepting && l->num_ready <= l->backlog;
    if (room) {
        list_remove(&c->child_link);
        list_push_back(&l->ready, &c->child_link);
        l->num_embryos--;
        l->num_ready++;
        c->embryo = false;
        l->stack->ops->notify(l, TCP_EVENT_ACCEPT);
        tcp_count(l->stack, passive_opens);
    } else {
        tcp_count(l->stack, listen_overflows);
    }
    spin_unlock(&l->accept_lock);
    return room;
} /* LAB tcp:ready end */

void tcp_child_gone(struct tcp_conn *c)
{
    struct tcp_conn *l = c->listener;

    c->embryo = false;
    c->listener = NULL;
    c->orphan = true;
    leave_embryos(l, c);
}

/* --- calls: RFC 9293, section 3.10.7.2 --- */

static bool is_full(struct tcp_conn *l, bool *for_embryos)
{
    spin_lock(&l->accept_lock);
    bool full = l->num_ready > l->backlog;
    *for_embryos = l->num_embryos >= max(l->backlog, 1u);
    spin_unlock(&l->accept_lock);
    return full;
}

static void send_cookie(struct tcp_conn *l, const struct tcp_segment *seg)
{
    struct tcp_stack *stack = l->stack;
    const struct tcp_options *o = &seg->options;
    struct tcp_path path;
    bool stamps = o->has_timestamps && READ_ONCE(stack->params.timestamps);

    if (stack->ops->route(stack, NULL, &seg->tuple, &path))
        return;
    uint32_t mss = path.mtu - TCP_IP_HEADER - TCP_HEADER;
    mss = l->mss_user ? min(mss, (uint32_t)l->mss_user) : mss;
    /* What the timestamp can't carry isn't agreed on: only with it do scale and SACK come back. */
    struct tcp_bare b = {
        .tuple = seg->tuple,
        .seq = tcp_cookie_make(stack, seg, o->mss ? o->mss : TCP_MSS_DEFAULT),
        .ack = seg->seq + 1,
        .flags = TCP_SYN | TCP_ACK,
        .window = syn_window(l),
    };
    bool scale = stamps && o->has_scale && READ_ONCE(stack->params.window_scaling);
    bool sack = stamps && o->sack_permitted && READ_ONCE(stack->params.sack);
    b.options_len =
        tcp_options_syn(b.options, (uint16_t)min(mss, 65535u), scale ? l->rcv_scale : -1, sack,
                        stamps, stamps ? tcp_cookie_timestamp(stack, seg) : 0, o->tsval);
    l->cookie_at = seg->now;
    tcp_count(stack, cookies_sent);
    tcp_send_bare(stack, &b);
}

/* A SYN: the child that shall answer, with a reference; or NULL. L is locked. */
static struct tcp_conn *call_arrives(struct tcp_conn *l, const struct tcp_segment *seg,
                                     uint32_t isn)
{
    struct tcp_stack *stack = l->stack;
    unsigned cookies = READ_ONCE(stack->params.syncookies);
    bool crowded;

    if (is_full(l, &crowded)) {
        tcp_count(stack, listen_overflows);
        return NULL;
    }
    if (cookies > 1 || (crowded && cookies)) {
        send_cookie(l, seg);
        return NULL;
    }
    if (crowded)
        return NULL;
    struct tcp_conn *c = new_child(l, seg, isn ? &isn : NULL);
    return c ? adopted(l, c) : NULL;
}

/* An ACK: the child that a cookie in it makes, with a reference; or NULL. *REFUSE: it has none. L is locked. */
static struct tcp_conn *cookie_arrives(struct tcp_conn *l, const struct tcp_segment *seg,
                                       bool *refuse)
{
    struct tcp_stack *stack = l->stack;
    struct tcp_cookie cookie;
    struct tcp_segment syn = *seg;

    if (!l->cookie_at || seg->now - l->cookie_at > COOKIE_TIME ||
        !tcp_cookie_check(stack, seg, &cookie)) {
        if (l->cookie_at)
            tcp_count(stack, cookies_bad);
        *refuse = true;
        return NULL;
    }
    tcp_count(stack, cookies_good);
    syn.seq = seg->seq - 1;
    syn.options.mss = cookie.mss;
    syn.options.has_scale = cookie.has_scale;
    syn.options.scale = cookie.scale;
    syn.options.sack_permitted = cookie.sack_permitted;
    uint32_t iss = seg->ack - 1;
    struct tcp_conn *c = new_child(l, &syn, &iss);
    return c ? adopted(l, c) : NULL;
}

/* Does L, which is locked only now, still listen where SEG called? */
static bool is_called_by(const struct tcp_conn *l, const struct tcp_segment *seg)
{
    const struct tcp_tuple *own = &l->entry.tuple;

    return l->state == TCP_LISTEN && own->local_port == seg->tuple.local_port &&
           (!own->local || own->local == seg->tuple.local);
}

void tcp_listen_input(struct tcp_conn *l, struct tcp_segment *seg, uint32_t isn)
{ /* LAB tcp:listen begin */
    uint8_t flags = seg->flags;
    struct tcp_conn *c = NULL;
    bool refuse = false;

    spin_lock(&l->lock);
    if (!is_called_by(l, seg)) {
        refuse = true;
    } else if (flags & TCP_RST) {
        refuse = false;           /* first */
    } else if (flags & TCP_ACK) { /* second */
        refuse = flags & TCP_SYN;
        c = refuse ? NULL : cookie_arrives(l, seg, &refuse);
    } else if (flags & TCP_SYN && !(flags & TCP_FIN)) { /* third */
        c = call_arrives(l, seg, isn);
    }
    spin_unlock(&l->lock);
    if (refuse)
        tcp_refuse(l->stack, seg);
    if (!c)
        return;
    tcp_lock(c);
    if (c->state == TCP_SYN_RECEIVED && flags & TCP_ACK) {
        tcp_segment_arrives(c, seg);
        if (c->embryo) /* no room after all: cookies keep no embryos */
            tcp_end(c, 0);
    } else if (c->state == TCP_SYN_RECEIVED) {
        tcp_send_syn(c);
        tcp_set_timer(c, TCP_TIMER_RETRANSMIT, seg->now + tcp_rto(c));
    }
    tcp_unlock(c);
    tcp_put(c);
} /* LAB tcp:listen end */

/* --- the listener's owner --- */

struct tcp_conn *tcp_accept(struct tcp_conn *l)
{
    spin_lock(&l->accept_lock);
    struct tcp_conn *c = list_first(&l->ready, struct tcp_conn, child_link);
    if (c) {
        list_remove(&c->child_link);
        l->num_ready--;
    }
    spin_unlock(&l->accept_lock);
    if (!c)
        return NULL;
    spin_lock(&c->lock);
    c->listener = NULL;
    spin_unlock(&c->lock);
    tcp_put(l);
    return c;
}

/*
 * One child of L, with a reference; NULL: there are no more. L is locked for that: who listens anew with it meanwhile
 * adopts others, and one that has no place in the table yet can't be ended.
 */
static struct tcp_conn *some_child(struct tcp_conn *l)
{
    spin_lock(&l->lock);
    spin_lock(&l->accept_lock);
    struct tcp_conn *c = list_first(&l->embryos, struct tcp_conn, child_link);
    if (!c)
        c = list_first(&l->ready, struct tcp_conn, child_link);
    if (c)
        tcp_get(c);
    spin_unlock(&l->accept_lock);
    spin_unlock(&l->lock);
    return c;
}

void tcp_stop_listening(struct tcp_conn *l)
{
    struct tcp_conn *c;

    while ((c = some_child(l))) {
        tcp_lock(c);
        /* Who is accepting it now has taken it off the list, though it may still call us its listener. */
        spin_lock(&l->accept_lock);
        bool ready = c->listener == l && !c->embryo && !list_empty(&c->child_link);
        if (ready) {
            list_remove(&c->child_link);
            l->num_ready--;
        }
        spin_unlock(&l->accept_lock);
        if (c->embryo) {
            /* Its ACK may have come and found no place: it will say nothing more. */
            tcp_abort(c, 0);
        } else if (ready) {
            c->listener = NULL;
            c->orphan = true;
            if (c->state == TCP_CLOSED)
                tcp_leave(c, true);
            else
                tcp_abort(c, 0);
        }
        tcp_unlock(c);
        if (ready) {
            tcp_put(l);
            tcp_put(c); /* the owner's */
        }
        tcp_put(c);
    }
}
