/*
 * What to send, and when. tcp_unlock calls tcp_output after whatever has happened to a connection, so this is the
 * one place that decides; it asks, in this order:
 *
 *   1. Is something lost that should be sent again (RFC 6675, NextSeg)?
 *   2. Is there new data (or FIN) that the peer's window, cwnd, and Nagle allow?
 *   3. Is an ACK owed that nothing has carried?
 *
 * and then sees that a timer runs whenever something must happen later.
 */
#include "net/tcp_internal.h"

#define TLP_DELACK (200 * NSEC_PER_MSEC) /* RFC 8985, section 7.2: WCDelAckT */

uint32_t tcp_segment_size(const struct tcp_conn *c)
{
    uint32_t usual = c->timestamps_ok ? TCP_TIMESTAMP_SPACE : 0;

    return c->mss - (tcp_options_length(c) - usual);
}

void tcp_delay_ack(struct tcp_conn *c)
{
    if (c->ack_delayed && c->deadline[TCP_TIMER_DELACK])
        return;
    c->ack_delayed = true;
    tcp_set_timer(c, TCP_TIMER_DELACK, tcp_now(c) + READ_ONCE(c->stack->params.delack));
}

bool tcp_send_is_full(const struct tcp_conn *c)
{
    uint32_t low = c->notsent_low;

    /* Room is told of when a third is free, so that a writer isn't woken for every segment. */
    if (low && tcp_unsent_bytes(c) >= low)
        return true;
    return c->send_bytes > c->send_limit - c->send_limit / 3;
}

/* --- lost data --- */

static bool send_again(struct tcp_conn *c, const struct tcp_range *r, uint32_t *pipe)
{
    uint32_t size = tcp_segment_size(c);
    int sent = tcp_send_range(c, r->start, r->start + min(size, r->end - r->start));

    if (sent < 0)
        return false;
    c->rxt_now = false;
    *pipe += (uint32_t)sent;
    if (r->start == c->snd_una)
        tcp_set_timer(c, TCP_TIMER_RETRANSMIT, tcp_now(c) + tcp_rto(c));
    c->high_rxt = seq_max(c->high_rxt, r->start + (uint32_t)sent);
    return true;
}

/* True: as much as may be was sent, and there is more. */
static bool send_lost(struct tcp_conn *c, uint32_t *pipe)
{
    struct tcp_range r;

    while (tcp_next_lost(c, false, &r)) {
        if (!c->rxt_now && *pipe + c->mss > c->cwnd)
            return true;
        if (!send_again(c, &r, pipe))
            return true;
    }
    return false;
}

/*
 * Rules 3 and 4 of RFC 6675, NextSeg: nothing else can be sent, so what may be lost is; but not what rule 1 has just
 * sent again.
 */
static void send_doubtful(struct tcp_conn *c, uint32_t *pipe)
{
    struct tcp_range r;

    while (*pipe + c->mss <= c->cwnd && tcp_next_lost(c, true, &r)) {
        if (!send_again(c, &r, pipe))
            return;
    }
    if (*pipe + c->mss <= c->cwnd && !c->rescued && tcp_last_unsacked(c, &r) &&
        seq_le(c->high_rxt, r.start)) {
        c->rescued = true;
        tcp_send_range(c, r.start, r.end);
    }
}

/* --- new data --- */

static bool fin_is_due(const struct tcp_conn *c)
{
    return c->fin_queued && !c->fin_sent;
}

static uint32_t window_room(const struct tcp_conn *c)
{
    uint32_t end = c->snd_una + c->snd_wnd;

    return seq_lt(c->snd_nxt, end) ? end - c->snd_nxt : 0;
}

/*
 * N bytes, the last of what there is, are less than a segment: may they go (RFC 9293, section 3.7.4)? Nagle's rule in
 * Minshall's form: while another such is under way, no.
 */
static bool may_send_small(struct tcp_conn *c)
{
    if (fin_is_due(c) || (c->snd_urgent && seq_le(c->snd_nxt, c->snd_up)))
        return true;
    if ((c->cork || c->more) && !c->cork_over) {
        if (!c->deadline[TCP_TIMER_CORK])
            tcp_set_timer(c, TCP_TIMER_CORK, tcp_now(c) + TCP_CORK_TIME);
        return false;
    }
    return c->nodelay || !seq_lt(c->snd_una, c->snd_small);
}

/* How many bytes of new data to send in one packet now. */
static uint32_t new_bytes(struct tcp_conn *c, uint32_t pipe)
{
    uint32_t unsent = tcp_unsent_bytes(c), size = tcp_segment_size(c);
    uint32_t quota = c->cwnd > pipe ? c->cwnd - pipe : 0;
    uint32_t n = min(unsent, window_room(c));

    if (n == 0)
        return 0;
    if (n >= size) {
        const uint32_t headers = TCP_IP_HEADER + TCP_HEADER_MAX; /* there are MTUs below that */
        uint32_t most = max(c->path.tso_size, size + headers) - headers;
        if (quota < size)
            return pipe ? 0 : size;
        n = min(n, min(quota, most));
        return n - n % size;
    }
    if (quota < n && pipe)
        return 0;
    /* The window ends before the data: RFC 9293, section 3.8.6.2.1, condition (3). */
    if (n < unsent)
        return n >= c->snd_wnd_usual / 2 ? n : 0;
    return may_send_small(c) ? n : 0;
}

/* RFC 5681, section 4.1: after a pause nothing is known of the network any more. */
static void restart_after_idle(struct tcp_conn *c)
{
    if (c->last_sent && tcp_now(c) - c->last_sent > c->rto)
        c->cwnd = min(c->cwnd, tcp_initial_window(c));
}

static void begin_flight(struct tcp_conn *c)
{
    restart_after_idle(c);
    c->backoff = 0;
    tcp_stop_timer(c, TCP_TIMER_RETRANSMIT); /* it was the persist timer */
}

/* One packet of new data, if any may go. */
static bool send_new(struct tcp_conn *c, uint32_t *pipe)
{
    uint32_t n = new_bytes(c, *pipe), unsent = tcp_unsent_bytes(c);
    bool fin = fin_is_due(c) && n == unsent && window_room(c) > n;

    if (!n && !fin)
        return false;
    if (!tcp_flight(c))
        begin_flight(c);
    int sent = tcp_send_range(c, c->snd_nxt, c->snd_nxt + n + fin);
    if (sent < 0)
        return false;
    c->fin_sent = fin && (uint32_t)sent == n + 1;
    c->snd_nxt += (uint32_t)sent;
    *pipe += (uint32_t)sent;
    if (!tcp_unsent_bytes(c)) {
        if ((uint32_t)sent % tcp_segment_size(c))
            c->snd_small = c->snd_nxt;
        tcp_stop_timer(c, TCP_TIMER_CORK);
        c->cork_over = false;
    }
    return true;
}

/* --- timers that follow --- */

/* RFC 8985, section 7.2: if no ACK comes in two round trips, the tail may be lost. */
static void schedule_probe(struct tcp_conn *c, nsec_t now)
{
    if (c->recovery != TCP_OPEN || !c->sack_ok || c->tlp_out || c->num_sacked || !c->srtt)
        return;
    nsec_t wait = 2 * c->srtt + (tcp_flight(c) <= c->mss ? TLP_DELACK : 2 * NSEC_PER_MSEC);
    if (now + wait < c->deadline[TCP_TIMER_RETRANSMIT])
        tcp_set_timer(c, TCP_TIMER_PROBE, now + wait);
}

/* What keeps more data from being in flight. */
static enum tcp_doing sender_is(const struct tcp_conn *c)
{
    uint32_t unsent = tcp_unsent_bytes(c);

    if (!unsent)
        return c->write_blocked ? TCP_BUFFER_LIMITED : TCP_SENDING;
    return window_room(c) < min(unsent, tcp_segment_size(c)) ? TCP_WINDOW_LIMITED : TCP_SENDING;
}

static void schedule(struct tcp_conn *c, bool sent)
{
    bool waiting = tcp_unsent_bytes(c) || fin_is_due(c);

    if (tcp_flight(c)) {
        nsec_t now = tcp_now(c);
        if (!c->stalled)
            c->stalled = now;
        if (!c->deadline[TCP_TIMER_RETRANSMIT]) /* RFC 6298, section 5.1 */
            tcp_set_timer(c, TCP_TIMER_RETRANSMIT, now + tcp_rto(c));
        if (sent || !c->deadline[TCP_TIMER_PROBE])
            schedule_probe(c, now);
        if (c->send_bytes)
            tcp_account(c, sender_is(c), now);
    } else if (waiting && !c->deadline[TCP_TIMER_RETRANSMIT] && !c->deadline[TCP_TIMER_CORK]) {
        /* The window keeps us, or memory: RFC 9293, section 3.8.6.1. */
        nsec_t now = tcp_now(c);
        if (!c->stalled)
            c->stalled = now;
        tcp_set_timer(c, TCP_TIMER_RETRANSMIT, now + tcp_rto(c));
        tcp_account(c, sender_is(c), now);
    }
}

void tcp_output(struct tcp_conn *c)
{
    bool sent = false;

    if (!tcp_may_send(c->state) ||
        (c->recovery == TCP_OPEN && !tcp_unsent_bytes(c) && !c->fin_queued && !tcp_flight(c)))
        return;
    uint32_t pipe = tcp_pipe(c);
    bool held = c->recovery != TCP_OPEN && send_lost(c, &pipe);
    while (!held && send_new(c, &pipe))
        sent = true;
    if (!held && !sent && c->recovery == TCP_RECOVERY && c->sack_ok)
        send_doubtful(c, &pipe);
    schedule(c, sent);
}

void tcp_unlock(struct tcp_conn *c)
{
    tcp_output(c);
    if (c->ack_now && c->state != TCP_CLOSED && c->state != TCP_LISTEN && c->state != TCP_SYN_SENT)
        tcp_send_ack(c);
    tcp_arm(c);
    unsigned events = c->events;
    c->events = 0;
    if (events && !c->orphan)
        c->stack->ops->notify(c, events);
    spin_unlock(&c->lock);
}
