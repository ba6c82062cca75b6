/*
 * What happens when nothing happens. Each kind of timer is a deadline in the connection; the owner's one timer is
 * armed for the earliest. A deadline that moves away is left armed: the timer then fires for nothing and is armed
 * again, which is cheaper than moving it with every segment.
 */
#include "net/tcp_internal.h"

void tcp_set_timer(struct tcp_conn *c, enum tcp_timer_kind k, nsec_t when)
{
    c->deadline[k] = when;
}

void tcp_arm(struct tcp_conn *c)
{
    nsec_t first = 0;

    for (unsigned k = 0; k < TCP_TIMERS; k++) {
        if (c->deadline[k] && (!first || c->deadline[k] < first))
            first = c->deadline[k];
    }
    if (first ? !c->armed || first < c->armed : c->armed && c->state == TCP_CLOSED) {
        c->armed = first;
        c->stack->ops->arm(c, first);
    }
}

/* Has it gone on for too long: TRIES of MOST, or the user's own limit? */
static bool is_hopeless(const struct tcp_conn *c, unsigned tries, unsigned most, nsec_t now)
{
    if (c->orphan)
        most = min(most, READ_ONCE(c->stack->params.orphan_retries));
    else if (c->user_timeout)
        return c->stalled && now - c->stalled >= c->user_timeout;
    return tries >= most;
}

static void give_up(struct tcp_conn *c)
{
    tcp_end(c, c->soft_error ? c->soft_error : ETIMEDOUT);
}

/* RFC 9293, section 3.8.3: SYN has a limit of its own. */
static void handshake_timeout(struct tcp_conn *c, nsec_t now)
{
    const struct tcp_params *p = &c->stack->params;
    bool ours = c->state == TCP_SYN_SENT;
    unsigned most = !ours            ? READ_ONCE(p->synack_retries)
                    : c->syn_retries ? c->syn_retries
                                     : READ_ONCE(p->syn_retries);

    if (is_hopeless(c, c->backoff, most, now)) {
        tcp_count(c->stack, attempt_fails);
        give_up(c);
        return;
    }
    c->backoff++;
    tcp_send_syn(c);
    tcp_set_timer(c, TCP_TIMER_RETRANSMIT, now + tcp_rto(c));
}

/*
 * The window is closed, or too small to be worth a segment. A probe is the next byte, though there is no room for
 * it, or what room there is. As long as the peer answers, this goes on (RFC 9293, section 3.8.6.1).
 */
static void probe_window(struct tcp_conn *c, nsec_t now)
{
    uint32_t end = c->snd_una + c->snd_wnd;
    uint32_t room = seq_lt(c->snd_nxt, end) ? end - c->snd_nxt : 0;
    uint32_t n = min(tcp_unsent_bytes(c), min(room, tcp_segment_size(c)));

    const struct tcp_params *p = &c->stack->params;
    /* An orphan ends, though the peer answers, once the pauses don't grow any more: nobody else would see to it. */
    bool stuck = c->orphan && tcp_rto(c) >= READ_ONCE(p->rto_max) &&
                 c->backoff >= READ_ONCE(p->orphan_retries);
    if (stuck || is_hopeless(c, c->probes, READ_ONCE(p->retries), now)) {
        give_up(c);
        return;
    }
    c->probes++;
    if (!n && room)
        return; /* there was no memory for FIN: tcp_output tries again */
    if (n) {
        /* All that was sent is acknowledged, so this is the window it has now: next time it isn't waited for. */
        c->snd_wnd_usual = c->snd_wnd;
        int sent = tcp_send_range(c, c->snd_nxt, c->snd_nxt + n);
        if (sent > 0) {
            c->snd_nxt += (uint32_t)sent;
            c->backoff = 0;
        }
    } else if (tcp_send_range(c, c->snd_nxt, c->snd_nxt + 1) > 0) {
        c->snd_probe = c->snd_nxt + 1;
        c->data_segs_again += c->send_bytes > 0; /* unless it is taken: see take_probe() */
        c->rtt_sent = 0;
        c->backoff++;
    }
    tcp_set_timer(c, TCP_TIMER_RETRANSMIT, now + tcp_rto(c));
}

/* RFC 6298, sections 5.4 to 5.6. */
static void retransmit_timeout(struct tcp_conn *c, nsec_t now)
{
    const struct tcp_params *p = &c->stack->params;
    /* A peer that has closed its window but still answers is alive. */
    bool alive = !c->orphan && !c->snd_wnd && now - c->last_ack_in < READ_ONCE(p->rto_max);

    if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED) {
        handshake_timeout(c, now);
        return;
    }
    if (!tcp_flight(c)) {
        if (tcp_unsent_bytes(c) || (c->fin_queued && !c->fin_sent))
            probe_window(c, now);
        return;
    }
    if (!alive && is_hopeless(c, c->backoff, READ_ONCE(p->retries), now)) {
        give_up(c);
        return;
    }
    tcp_count(c->stack, timeouts);
    tcp_path_doubt(c, now);
    tcp_enter_loss(c);
    c->backoff++;
    tcp_stop_timer(c, TCP_TIMER_PROBE);
    tcp_set_timer(c, TCP_TIMER_RETRANSMIT, now + tcp_rto(c));
}

/* Data in flight and no ACK for two round trips: send one segment to hear (RFC 8985, section 7.3). */
static void tail_probe(struct tcp_conn *c, nsec_t now)
{
    uint32_t end = c->snd_una + c->snd_wnd, room = seq_lt(c->snd_nxt, end) ? end - c->snd_nxt : 0;
    uint32_t n = min(tcp_unsent_bytes(c), min(room, tcp_segment_size(c)));
    struct tcp_range r = {c->snd_nxt, c->snd_nxt + n};
    int sent;

    /* What was sacked meanwhile tells more than a probe would. */
    if (c->recovery != TCP_OPEN || c->num_sacked || !tcp_flight(c) || !tcp_may_send(c->state))
        return;
    if (!n && !tcp_last_unsacked(c, &r))
        return;
    sent = tcp_send_range(c, r.start, r.end);
    if (sent <= 0)
        return;
    if (n)
        c->snd_nxt += (uint32_t)sent;
    c->tlp_out = true;
    c->tlp_again = !n;
    c->tlp_end = c->snd_nxt;
    tcp_set_timer(c, TCP_TIMER_RETRANSMIT, now + tcp_rto(c));
}

static void delack_timeout(struct tcp_conn *c, nsec_t now)
{
    (void)now;
    c->ack_now |= c->ack_delayed;
    c->converses = false; /* no data has carried it */
}

static void cork_timeout(struct tcp_conn *c, nsec_t now)
{
    (void)now;
    c->cork_over = true;
}

void tcp_start_keepalive(struct tcp_conn *c)
{
    const struct tcp_params *p = &c->stack->params;
    nsec_t idle = c->keep_idle ? c->keep_idle : READ_ONCE(p->keep_idle);

    if (!c->keepalive || !tcp_is_synchronized(c->state))
        tcp_stop_timer(c, TCP_TIMER_KEEPALIVE);
    else
        tcp_set_timer(c, TCP_TIMER_KEEPALIVE, max(c->last_heard, c->last_sent) + idle);
}

/* RFC 9293, section 3.8.4. */
static void keepalive_timeout(struct tcp_conn *c, nsec_t now)
{
    const struct tcp_params *p = &c->stack->params;
    nsec_t idle = c->keep_idle ? c->keep_idle : READ_ONCE(p->keep_idle);
    nsec_t interval = c->keep_interval ? c->keep_interval : READ_ONCE(p->keep_interval);
    unsigned count = c->keep_count ? c->keep_count : READ_ONCE(p->keep_count);
    nsec_t quiet = now - c->last_heard;

    if (!c->keepalive || !tcp_is_synchronized(c->state))
        return;
    /* What is in flight has a timer that finds out as well. */
    if (tcp_flight(c) || tcp_unsent_bytes(c) || quiet < idle) {
        tcp_set_timer(c, TCP_TIMER_KEEPALIVE, quiet < idle ? c->last_heard + idle : now + idle);
        return;
    }
    if (c->keep_probes && (c->user_timeout ? quiet >= c->user_timeout : c->keep_probes >= count)) {
        tcp_send_reset(c);
        give_up(c);
        return;
    }
    tcp_send_old_byte(c);
    c->keep_probes++;
    tcp_set_timer(c, TCP_TIMER_KEEPALIVE, now + interval);
}

/* The peer has never closed its half, and nobody would read what it sends. */
static void fin_timeout(struct tcp_conn *c, nsec_t now)
{
    (void)now;
    if (c->state == TCP_FIN_WAIT_2 && c->orphan)
        tcp_end(c, 0);
}

void tcp_timer(struct tcp_conn *c)
{
    static void (*const expired[TCP_TIMERS])(struct tcp_conn * c, nsec_t now) = {
        [TCP_TIMER_RETRANSMIT] = retransmit_timeout,
        [TCP_TIMER_DELACK] = delack_timeout,
        [TCP_TIMER_PROBE] = tail_probe,
        [TCP_TIMER_CORK] = cork_timeout,
        [TCP_TIMER_KEEPALIVE] = keepalive_timeout,
        [TCP_TIMER_FIN] = fin_timeout,
        [TCP_TIMER_PATH] = tcp_path_timeout,
    };
    nsec_t now = tcp_now(c);

    tcp_lock(c);
    c->armed = 0;
    for (unsigned k = 0; k < TCP_TIMERS && c->state != TCP_CLOSED; k++) {
        if (c->deadline[k] && c->deadline[k] <= now) {
            c->deadline[k] = 0;
            expired[k](c, now);
        }
    }
    tcp_unlock(c);
}
