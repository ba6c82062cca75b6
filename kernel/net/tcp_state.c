/*
 * SEGMENT ARRIVES: RFC 9293, section 3.10.7, in its order; the comments "first" to "eighth" are the RFC's. And its
 * figure 5, without the TCB's coming and going:
 *
 *                                    +---------+
 *                                    |  CLOSED | <----- from anywhere by RST, abort or timeout
 *                                    +---------+
 *                            listen /           \ connect: send SYN
 *                         +--------+             \
 *                         | LISTEN |              \
 *                         +--------+               v
 *          +---------+  child: rcv SYN,          +----------+
 *          |SYN-RECV |<----- send SYN,ACK        | SYN-SENT |
 *          |         |<--------------------------|          |
 *          +---------+  rcv SYN: send SYN,ACK    +----------+
 *               | rcv ACK of SYN                      | rcv SYN,ACK: send ACK
 *               |               +---------+           |
 *               +-------------->|  ESTAB  |<----------+
 *          close: send FIN      +---------+    rcv FIN: send ACK
 *               +----------------/       \-----------------+
 *               v                                          v
 *          +---------+   rcv FIN: send ACK            +----------+
 *          |FIN-WAIT1|-----------------+              |CLOSE-WAIT|
 *          +---------+                 v              +----------+
 *               | rcv ACK of FIN   +---------+             | close: send FIN
 *               v                  | CLOSING |             v
 *          +---------+             +---------+        +----------+
 *          |FIN-WAIT2|                 | rcv ACK      | LAST-ACK |
 *          +---------+                 v  of FIN      +----------+
 *               |                  +---------+             | rcv ACK of FIN
 *               +----------------->|TIME-WAIT|             v
 *           rcv FIN: send ACK      +---------+--------> CLOSED
 *                                         after 2 MSL
 */
#include "lib/string.h"
#include "net/tcp_internal.h"

#define CHALLENGE_INTERVAL (500 * NSEC_PER_MSEC) /* between ACKs to one peer's bad segments */

#define TO(s) (1u << TCP_##s)
/* The arrows. */
static const uint16_t arrows[] = {
    [TCP_CLOSED] = TO(LISTEN) | TO(SYN_SENT) | TO(SYN_RECEIVED),
    [TCP_LISTEN] = TO(CLOSED),
    [TCP_SYN_SENT] = TO(SYN_RECEIVED) | TO(ESTABLISHED) | TO(CLOSED),
    [TCP_SYN_RECEIVED] = TO(ESTABLISHED) | TO(FIN_WAIT_1) | TO(CLOSED),
    [TCP_ESTABLISHED] = TO(FIN_WAIT_1) | TO(CLOSE_WAIT) | TO(CLOSED),
    [TCP_FIN_WAIT_1] = TO(FIN_WAIT_2) | TO(CLOSING) | TO(TIME_WAIT) | TO(CLOSED),
    [TCP_FIN_WAIT_2] = TO(TIME_WAIT) | TO(CLOSED),
    [TCP_CLOSE_WAIT] = TO(LAST_ACK) | TO(CLOSED),
    [TCP_CLOSING] = TO(TIME_WAIT) | TO(CLOSED),
    [TCP_LAST_ACK] = TO(CLOSED),
    [TCP_TIME_WAIT] = TO(CLOSED),
};

void tcp_set_state(struct tcp_conn *c, enum tcp_state s)
{
    assert(arrows[c->state] & 1u << s);
    WRITE_ONCE(c->state, s);
}

/* --- the end --- */

static void free_send_queue(struct tcp_conn *c)
{
    struct buf *b, *next;

    list_for_each_safe (b, next, &c->send_bufs, link) {
        list_remove(&b->link);
        buf_free(b);
    }
    c->send_bytes = 0;
    c->cursor = NULL;
}

void tcp_end(struct tcp_conn *c, int error)
{
    if (c->state == TCP_CLOSED)
        return;
    assert(list_empty(&c->listen_link));
    if (error && c->state != TCP_TIME_WAIT)
        atomic_store(&c->error, error);
    tcp_set_state(c, TCP_CLOSED);
    c->over = true;
    if (c->doing != TCP_IDLE)
        tcp_account(c, TCP_IDLE, tcp_now(c));
    memset(c->deadline, 0, sizeof(c->deadline));
    free_send_queue(c);
    tcp_drop_reorder(c);
    c->ack_now = c->ack_delayed = c->ack_on_read = false;
    c->recovery = TCP_OPEN;
    c->num_sacked = 0;
    c->events |= TCP_EVENT_CLOSED | (error ? TCP_EVENT_ERROR : 0);
    tcp_leave(c, c->orphan || c->embryo || !c->entry.port_chosen);
    if (c->embryo)
        tcp_child_gone(c);
}

/* RFC 9293, section 3.10.5: both have said all that they had to say; at most acknowledgments are missing. */
static bool nothing_is_lost(const struct tcp_conn *c)
{
    bool last = c->state == TCP_CLOSING || c->state == TCP_LAST_ACK;

    return last && c->fin_sent && !c->rcv_unread;
}

void tcp_abort(struct tcp_conn *c, int error)
{
    bool begun = tcp_is_synchronized(c->state) || c->state == TCP_SYN_RECEIVED;

    if (begun && !nothing_is_lost(c))
        tcp_send_reset(c);
    tcp_end(c, error);
}

bool tcp_fin_is_acked(const struct tcp_conn *c)
{
    return c->fin_sent && c->snd_una == c->snd_nxt;
}

void tcp_to_time_wait(struct tcp_conn *c)
{
    if (c->ack_now)
        tcp_send_ack(c);
    tcp_set_state(c, TCP_TIME_WAIT);
    tcp_time_wait_begin(c);
    tcp_end(c, 0);
}

void tcp_queue_fin(struct tcp_conn *c)
{ /* LAB tcp:queuefin begin */
    if (c->fin_queued)
        return;
    c->fin_queued = true;
    tcp_set_state(c, c->state == TCP_CLOSE_WAIT ? TCP_LAST_ACK : TCP_FIN_WAIT_1);
} /* LAB tcp:queuefin end */

/* --- answers to what shouldn't have come --- */

/* RFC 5961, section 7: so many a second, whoever they are for. */
bool tcp_challenge_allowed(struct tcp_stack *stack, nsec_t now)
{
    if (now - stack->challenge_second >= NSEC_PER_SEC || !stack->challenge_second) {
        uint32_t random, most = READ_ONCE(stack->params.challenge_acks);
        stack->ops->random(&random, sizeof(random));
        stack->challenge_second = now;
        stack->challenge_left =
            most / 2 + random % (most + 1); /* CVE-2016-5696: not to be counted */
    }
    if (!stack->challenge_left)
        return false;
    stack->challenge_left--;
    return true;
}

void tcp_challenge(struct tcp_conn *c, const struct tcp_segment *seg)
{
    spin_lock(&c->stack->lock);
    bool allowed = tcp_challenge_allowed(c->stack, seg->now);
    spin_unlock(&c->stack->lock);
    if (!allowed)
        return;
    c->ack_now = true;
    tcp_count(c->stack, challenge_acks);
}

/* SEG is outside the window, or too old: an ACK tells the peer where we are; not too often, or two could go on. */
static void answer_unacceptable(struct tcp_conn *c, const struct tcp_segment *seg)
{
    if (seg->flags & TCP_RST)
        return;
    if (seg->len && seq_lt(seg->seq, c->rcv_nxt))
        tcp_note_duplicate(c, seg->seq, seg->seq + seg->len);
    if (!tcp_segment_space(seg) || seg->flags & TCP_SYN) { /* RFC 5961, section 7 */
        if (c->challenge_at && seg->now - c->challenge_at < CHALLENGE_INTERVAL)
            return;
        c->challenge_at = seg->now;
    }
    c->ack_now = true;
}

/* --- options and the beginning --- */

void tcp_take_options(struct tcp_conn *c, const struct tcp_segment *seg)
{
    const struct tcp_options *o = &seg->options;

    c->mss_peer = o->mss ? o->mss : TCP_MSS_DEFAULT;
    c->scale_ok = c->scale_ok && o->has_scale;
    c->timestamps_ok = c->timestamps_ok && o->has_timestamps;
    c->sack_ok = c->sack_ok && o->sack_permitted;
    c->snd_scale = c->scale_ok ? o->scale : 0;
    if (!c->scale_ok)
        c->rcv_scale = 0;
    if (c->timestamps_ok) {
        c->ts_recent = o->tsval;
        c->ts_recent_age = seg->now;
    }
    tcp_update_mss(c);
    c->rcv_mss = min(c->mss, (uint16_t)TCP_MSS_DEFAULT);
}

/* Our SYN is acknowledged. WINDOW: what SEG says, scaled if that is due. */
static void established(struct tcp_conn *c, const struct tcp_segment *seg, uint32_t window)
{
    if (c->rtt_sent)
        tcp_rtt_sample(c, seg->now - c->rtt_sent);
    c->rtt_sent = 0;
    c->snd_una = seg->ack;
    c->snd_wnd = c->snd_wnd_max = c->snd_wnd_usual = window;
    c->snd_wl1 = seg->seq;
    c->snd_wl_stamp = seg->options.tsval;
    c->snd_probe = c->snd_una;
    tcp_begin_congestion(c);
    tcp_stop_timer(c, TCP_TIMER_RETRANSMIT);
    c->stalled = 0;
    c->soft_error = 0;
    c->quick_acks = TCP_QUICK_ACKS;
    c->space_time = seg->now;
    c->write_blocked = false;
    c->events |= TCP_EVENT_CONNECTED | TCP_EVENT_WRITE;
    if (c->fin_queued)
        tcp_set_state(c, TCP_FIN_WAIT_1);
    else
        tcp_set_state(c, TCP_ESTABLISHED);
    tcp_start_keepalive(c);
}

/* --- SYN-SENT: section 3.10.7.3 --- */

static void process_text(struct tcp_conn *c, struct tcp_segment *seg);

static void syn_sent_arrives(struct tcp_conn *c, struct tcp_segment *seg)
{ /* LAB tcp:synsent begin */
    bool acked = seg->flags & TCP_ACK;

    /* first */
    if (acked && (seq_le(seg->ack, c->iss) || seq_lt(c->snd_nxt, seg->ack))) {
        if (!(seg->flags & TCP_RST))
            tcp_refuse(c->stack, seg);
        return;
    }
    /* second */
    if (seg->flags & TCP_RST) {
        if (acked) {
            tcp_count(c->stack, attempt_fails);
            tcp_end(c, ECONNREFUSED);
        }
        return;
    }
    /* fourth */
    if (!(seg->flags & TCP_SYN))
        return;
    uint32_t room = c->rcv_right - c->rcv_nxt; /* as our SYN told */
    c->irs = seg->seq;
    c->rcv_nxt = c->rcv_acked = seg->seq + 1;
    c->rcv_right = c->rcv_nxt + room;
    tcp_take_options(c, seg);
    if (!acked) { /* both have called */
        tcp_set_state(c, TCP_SYN_RECEIVED);
        c->backoff = 0;
        tcp_send_syn(c);
        return;
    }
    c->bytes_acked++; /* our SYN: who was called doesn't count his, as on Linux */
    established(c, seg, seg->window);
    c->ack_now = true;
    seg->seq++;
    seg->flags &= (uint8_t)~TCP_SYN;
    process_text(c, seg); /* sixth and on */
} /* LAB tcp:synsent end */

/* --- the other states: section 3.10.7.4 --- */

/* First: is it in the window? What isn't in order any more may not be trusted in anything. */
static bool is_in_window(const struct tcp_conn *c, const struct tcp_segment *seg)
{ /* LAB tcp:window begin */
    uint32_t space = tcp_segment_space(seg), end = seg->seq + space;

    if (!space)
        return seq_le(c->rcv_nxt, seg->seq) && seq_le(seg->seq, c->rcv_right);
    if (seg->seq == c->rcv_nxt)
        return true; /* with a closed window too: its ACK counts, its text is cut off */
    return seq_lt(seg->seq, c->rcv_right) && seq_lt(c->rcv_nxt, end);
} /* LAB tcp:window end */

/* RFC 7323, section 5.3: PAWS, and which timestamp to echo (section 4.3). */
static bool timestamps_allow(struct tcp_conn *c, const struct tcp_segment *seg)
{
    const struct tcp_options *o = &seg->options;

    if (!c->timestamps_ok || seg->flags & TCP_RST)
        return true;
    if (!o->has_timestamps)
        return seg->flags & TCP_SYN; /* section 3.2: silently; but a SYN: RFC 5961, section 4 */
    if (seq_lt(o->tsval, c->ts_recent)) {
        if (seg->now - c->ts_recent_age < TCP_PAWS_IDLE) {
            tcp_count(c->stack, paws_rejected);
            answer_unacceptable(c, seg);
            return false;
        }
        c->ts_recent = o->tsval; /* it has been quiet for so long that the clock may have wrapped */
    }
    return true;
}

static void note_timestamp(struct tcp_conn *c, const struct tcp_segment *seg)
{
    const struct tcp_options *o = &seg->options;

    if (c->timestamps_ok && o->has_timestamps && seq_le(seg->seq, c->rcv_acked) &&
        seq_le(c->ts_recent, o->tsval)) {
        c->ts_recent = o->tsval;
        c->ts_recent_age = seg->now;
    }
}

/* Second: RST; RFC 5961, section 3.2: only what stands exactly at rcv_nxt is believed. */
static void reset_arrives(struct tcp_conn *c, const struct tcp_segment *seg)
{ /* LAB tcp:reset begin */
    if (seg->seq != c->rcv_nxt) {
        tcp_challenge(c, seg);
        return;
    }
    if (c->state == TCP_SYN_RECEIVED)
        tcp_count(c->stack, attempt_fails);
    else
        tcp_count(c->stack, estab_resets);
    tcp_end(c, c->state == TCP_CLOSE_WAIT ? EPIPE : ECONNRESET);
} /* LAB tcp:reset end */

/* Fifth, in SYN-RECEIVED: the handshake is done. False: drop SEG. */
static bool syn_is_acked(struct tcp_conn *c, struct tcp_segment *seg)
{ /* LAB tcp:answered begin */
    if (seq_le(seg->ack, c->snd_una) || seq_lt(c->snd_nxt, seg->ack)) {
        tcp_refuse(c->stack, seg);
        return false;
    }
    /* TCP_DEFER_ACCEPT: a call counts when data comes, or when that takes too long. */
    if (c->embryo && !seg->len && !(seg->flags & TCP_FIN) && c->defer_accept &&
        seg->now - c->space_time < c->defer_accept)
        return false;
    if (c->embryo && !tcp_child_ready(c)) {
        /* The listener is being closed, and this ACK won't come again: the caller thinks that it is connected. */
        if (!READ_ONCE(c->listener->accepting))
            tcp_abort(c, 0);
        return false;
    }
    established(c, seg, (uint32_t)seg->window << c->snd_scale); /* LAB tcp:answered end */
    return true;
}

/* Eighth. rcv_nxt stands at the FIN. */
static void fin_arrives(struct tcp_conn *c)
{ /* LAB tcp:fin begin */
    c->rcv_nxt++;
    c->rcv_right = seq_max(c->rcv_right, c->rcv_nxt);
    c->fin_received = true;
    c->ack_now = true;
    c->events |= TCP_EVENT_EOF;
    tcp_drop_reorder(c);
    if (c->state == TCP_ESTABLISHED)
        tcp_set_state(c, TCP_CLOSE_WAIT);
    else if (c->state == TCP_FIN_WAIT_1)
        tcp_set_state(c, TCP_CLOSING); /* our FIN isn't acknowledged, or it were FIN-WAIT-2 */
    else
        tcp_to_time_wait(c);
} /* LAB tcp:fin end */

/* Sixth to eighth. */
static void process_text(struct tcp_conn *c, struct tcp_segment *seg)
{
    bool deaf = c->orphan || (c->shut_read && c->state != TCP_ESTABLISHED);

    if (!tcp_may_receive(c->state))
        return;
    /* Nobody will read it: RFC 9293, section 3.6.1: say so. */
    if (deaf && seg->len && seq_lt(c->rcv_nxt, seg->seq + seg->len)) {
        tcp_abort(c, ECONNRESET);
        return;
    }
    if (seg->flags & TCP_URG)
        tcp_urgent_arrives(c, seg);
    tcp_data_arrives(c, seg);
    if (!c->fin_seen)
        return;
    if (c->rcv_nxt == c->fin_seq)
        fin_arrives(c);
    else
        c->ack_now = true; /* something before it is missing */
}

/* What the ACK of our FIN does. False: the connection is over. */
static bool fin_acked(struct tcp_conn *c, nsec_t now)
{ /* LAB tcp:finacked begin */
    if (!tcp_fin_is_acked(c))
        return true;
    if (c->state == TCP_FIN_WAIT_1) {
        tcp_set_state(c, TCP_FIN_WAIT_2);
        c->events |= TCP_EVENT_CLOSED;
        nsec_t wait = c->fin_timeout ? c->fin_timeout : READ_ONCE(c->stack->params.fin_timeout);
        if (c->orphan)
            tcp_set_timer(c, TCP_TIMER_FIN, now + max(wait, (nsec_t)1));
    } else if (c->state == TCP_CLOSING) {
        tcp_to_time_wait(c);
        return false;
    } else if (c->state == TCP_LAST_ACK) {
        tcp_end(c, 0);
        return false;
    }
    return true;
} /* LAB tcp:finacked end */

void tcp_segment_arrives(struct tcp_conn *c, struct tcp_segment *seg)
{
    c->segs_in += seg->pieces;
    c->last_heard = seg->now;
    if (c->state == TCP_SYN_SENT) {
        syn_sent_arrives(c, seg);
        return;
    }
    /* The caller hasn't heard our SYN,ACK. */
    if (c->state == TCP_SYN_RECEIVED && seg->flags & TCP_SYN && seg->seq == c->irs &&
        !(seg->flags & (TCP_ACK | TCP_RST))) {
        tcp_send_syn(c);
        return;
    }
    /* first */
    if (!timestamps_allow(c, seg))
        return;
    bool both_called = c->state == TCP_SYN_RECEIVED && seg->seq == c->irs && seg->flags & TCP_ACK;
    if (both_called &&
        seg->flags & TCP_SYN) { /* the SYN,ACK of one who called too: its SYN is known */
        seg->seq++;
        seg->flags &= (uint8_t)~TCP_SYN;
    }
    if (!is_in_window(c, seg)) {
        answer_unacceptable(c, seg);
        return;
    }
    c->keep_probes = 0;
    /* second */
    if (seg->flags & TCP_RST) {
        reset_arrives(c, seg);
        return;
    }
    /* fourth: RFC 5961, section 4.2 */
    if (seg->flags & TCP_SYN) {
        tcp_challenge(c, seg);
        return;
    }
    /* fifth */
    if (!(seg->flags & TCP_ACK) || (c->state == TCP_SYN_RECEIVED && !syn_is_acked(c, seg)) ||
        !tcp_ack_arrives(c, seg))
        return;
    note_timestamp(c, seg); /* not before: what is thrown away leaves nothing behind */
    if (!fin_acked(c, seg->now))
        return;
    process_text(c, seg);
}
