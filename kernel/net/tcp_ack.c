/*
 * What an acknowledgment says (RFC 9293, section 3.10.7.4, fifth): data has arrived and can be forgotten; a round
 * trip took so long; the peer's window is so large; and perhaps that something was lost. Recovery is a small
 * machine of its own:
 *
 *              third duplicate, or sacked enough                  timeout
 *     OPEN ---------------------------------------> RECOVERY --------------+
 *      | ^                                              |                  v
 *      | +---------- all that was in flight is acknowledged ------------- LOSS
 *      +-------------------------- timeout ------------------------------> |
 *
 * In all three, tcp_pipe says how much is in the network and cwnd how much may be: there is no inflating and
 * deflating of cwnd as RFC 5681 describes it; RFC 6675's way serves NewReno too.
 */
#include "net/tcp_internal.h"

#define CWND_MAX (1u << 30)

/* --- beginning --- */

void tcp_update_mss(struct tcp_conn *c)
{
    uint32_t mss = c->path.mtu - TCP_IP_HEADER - TCP_HEADER;

    mss = min(mss, (uint32_t)(c->mss_peer ? c->mss_peer : TCP_MSS_DEFAULT));
    if (c->mss_user)
        mss = min(mss, (uint32_t)c->mss_user);
    mss = max(mss, (uint32_t)TCP_MSS_MIN);
    c->mss = (uint16_t)(mss - (c->timestamps_ok ? TCP_TIMESTAMP_SPACE : 0));
    c->cwnd = max(c->cwnd, (uint32_t)c->mss);    /* one segment may always go */
    c->ssthresh = max(c->ssthresh, 2u * c->mss); /* RFC 5681, section 3.1, (4) */
}

/* RFC 6928, section 2: one segment only if SYN was lost more than once. RFC 6298, section 5.7: and no hurry then. */
void tcp_begin_congestion(struct tcp_conn *c)
{
    c->cwnd = c->backoff > 1 ? c->mss : tcp_initial_window(c);
    c->ssthresh = INT32_MAX;
    c->high_rxt = c->lost_below = c->snd_una;
    c->recover = c->snd_una - 1;
    c->snd_small = c->snd_una;
    if (c->backoff)
        c->rto = max(c->rto, 3 * NSEC_PER_SEC);
    c->backoff = 0;
    if (!c->cong)
        c->cong = READ_ONCE(c->stack->params.congestion);
    c->cong->init(c);
}

/* --- what is acknowledged --- */

static void forget_data(struct tcp_conn *c, uint32_t n)
{
    struct buf *b;

    c->send_bytes -= n;
    while (n > 0 && (b = list_first(&c->send_bufs, struct buf, link))) {
        uint32_t part = min(n, b->len);
        b->off += part;
        b->len -= part;
        n -= part;
        if (c->cursor == b)
            c->cursor_seq += part;
        if (b->len)
            break;
        if (c->cursor == b)
            c->cursor = NULL;
        list_remove(&b->link);
        buf_free(b);
    }
}

/*
 * What was acknowledged while the timed segment was on its way, ACKED now, is a rate of delivery; one that the user has
 * limited only says that at least so much can be.
 */
static void take_rate(struct tcp_conn *c, uint32_t acked, nsec_t time)
{
    uint64_t bytes = c->bytes_acked + acked - c->rate_from;
    uint64_t rate = bytes * NSEC_PER_SEC / (uint64_t)max(time, (nsec_t)1);
    bool limited = !tcp_unsent_bytes(c);

    if (!limited || rate >= c->rate) {
        c->rate = rate;
        c->rate_limited = limited;
    }
}

/* By the timed segment; else by the echo, which counts milliseconds (RFC 7323, section 4.1). */
static void take_sample(struct tcp_conn *c, const struct tcp_segment *seg)
{
    if (c->rtt_sent && seq_le(c->rtt_seq, seg->ack)) {
        if (c->send_bytes)
            take_rate(c, seg->ack - c->snd_una, seg->now - c->rtt_sent);
        tcp_rtt_sample(c, seg->now - c->rtt_sent);
        c->rtt_sent = 0;
    } else if (c->timestamps_ok && seg->options.has_timestamps && seg->options.tsecr) {
        uint32_t ms = tcp_timestamp(c, seg->now) - seg->options.tsecr;
        if (ms < INT32_MAX / 2 && (!c->rtt_sent || c->recovery != TCP_OPEN))
            tcp_rtt_sample(c, max((nsec_t)ms, (nsec_t)1) * NSEC_PER_MSEC);
    }
}

/* A probe of a closed window was taken: what it carried counts as sent. */
static void take_probe(struct tcp_conn *c, uint32_t ack)
{
    c->fin_sent = seq_lt(tcp_data_end(c), ack);
    c->data_segs_again -= !c->fin_sent;
    c->snd_nxt = ack;
}

/* SND.UNA moves to seg->ack. */
static void advance(struct tcp_conn *c, const struct tcp_segment *seg)
{
    uint32_t acked = seg->ack - c->snd_una;

    take_sample(c, seg);
    if (seq_lt(c->snd_nxt, seg->ack))
        take_probe(c, seg->ack);
    forget_data(c, min(acked, c->send_bytes));
    c->bytes_acked += acked;
    c->snd_una = seg->ack;
    c->backoff = 0;
    c->stalled = tcp_flight(c) ? seg->now : 0;
    c->soft_error = 0;
    tcp_sack_advance(c);
    if (tcp_flight(c))
        tcp_set_timer(c, TCP_TIMER_RETRANSMIT, seg->now + tcp_rto(c)); /* RFC 6298, section 5.3 */
    else
        tcp_stop_timer(c, TCP_TIMER_RETRANSMIT);
    if (!tcp_flight(c) && !c->send_bytes)
        tcp_account(c, TCP_IDLE, seg->now);
    tcp_stop_timer(c, TCP_TIMER_PROBE);
    if (seq_lt(c->snd_small, c->snd_una))
        c->snd_small = c->snd_una;
    if (c->snd_urgent && seq_le(c->snd_up, c->snd_una))
        c->snd_urgent = false;
    if (c->write_blocked && !tcp_send_is_full(c)) {
        c->write_blocked = false;
        c->events |= TCP_EVENT_WRITE;
    }
}

/* SEG, whose timestamp was looked at, was sent later than what told the window. */
static bool stamp_is_newer(const struct tcp_conn *c, const struct tcp_segment *seg)
{
    return !c->timestamps_ok || seq_lt(c->snd_wl_stamp, seg->options.tsval);
}

/*
 * SND.WND, by the newest segment only. True if it changed. Of two that neither data nor an ACK tells apart, nor a
 * timestamp, the larger window is the newer one, for a right edge seldom moves left: they may have come by different
 * processors, and who believes that a window is closed when it has been opened waits for a probe. A peer without
 * memory may close it nevertheless, and its next answer has another timestamp.
 */
static bool take_window(struct tcp_conn *c, const struct tcp_segment *seg)
{
    uint32_t window = (uint32_t)seg->window << c->snd_scale;
    bool newer = seq_lt(c->snd_una, seg->ack) || seq_lt(c->snd_wl1, seg->seq) ||
                 (c->snd_wl1 == seg->seq && (c->snd_wnd < window || stamp_is_newer(c, seg)));

    if (!newer)
        return false;
    bool changed = window != c->snd_wnd;
    if (changed && !c->snd_wnd && !tcp_flight(c)) {
        c->backoff = 0;
        c->stalled = 0;                          /* what is sent now has all of TCP_USER_TIMEOUT */
        tcp_stop_timer(c, TCP_TIMER_RETRANSMIT); /* it was the persist timer */
    }
    c->snd_wnd = window;
    c->snd_wl1 = seg->seq;
    c->snd_wl_stamp = seg->options.tsval;
    c->snd_wnd_max = max(c->snd_wnd_max, window);
    c->snd_wnd_usual = max(c->snd_wnd_usual, window);
    return changed;
}

/* --- losses --- */

static void enter_recovery(struct tcp_conn *c)
{
    c->recovery = TCP_RECOVERY;
    c->ssthresh = c->cong->ssthresh(c, false);
    c->cwnd = c->ssthresh;
    c->recover = c->snd_nxt;
    c->high_rxt = c->snd_una;
    c->lost_below = seq_max(c->lost_below, seq_min(c->snd_una + c->mss, c->snd_nxt));
    c->rescued = false;
    c->rxt_now = true; /* RFC 6675, section 5, step 4.3 */
    c->rtt_sent = 0;
    c->tlp_out = false;
    tcp_count(c->stack, fast_recoveries);
}

/* The retransmission timer has expired (RFC 5681, section 3.1; RFC 6675, section 5.1). */
void tcp_enter_loss(struct tcp_conn *c)
{
    if (c->recovery != TCP_LOSS || c->backoff == 0)
        c->ssthresh = c->cong->ssthresh(c, true);
    /* RFC 2018, section 8: a receiver may have thrown away what it sacked: when the head was. */
    if (c->num_sacked && seq_le(c->sacked[0].start, c->snd_una))
        c->num_sacked = 0;
    c->recovery = TCP_LOSS;
    c->cwnd = c->mss;
    c->recover = c->lost_below = c->snd_nxt;
    c->high_rxt = c->snd_una;
    c->dupacks = 0;
    c->rxt_now = true;
    c->rtt_sent = 0; /* Karn: RFC 6298, section 3 */
    c->tlp_out = false;
}

static void leave_recovery(struct tcp_conn *c)
{
    if (c->recovery == TCP_RECOVERY) /* RFC 6582, section 3.2, step 3, (1): no burst */
        c->cwnd = min(c->ssthresh, max(tcp_flight(c), (uint32_t)c->mss) + c->mss);
    c->recovery = TCP_OPEN;
    c->dupacks = 0;
    c->rxt_now = false;
    c->lost_below = c->high_rxt = c->snd_una;
}

/* RFC 8985, section 7.4: what the probe says of the tail. DUP: it came twice, so nothing was lost. */
static void judge_probe(struct tcp_conn *c, bool dup)
{
    if (c->num_sacked && seq_le(c->tlp_end, c->sacked[c->num_sacked - 1].end)) {
        c->lost_below = c->tlp_end; /* the probe was sent last and came: what it overtook is lost */
        c->tlp_out = false;
        return;
    }
    if (!seq_le(c->tlp_end, c->snd_una))
        return;
    c->tlp_out = false;
    if (c->tlp_again && !dup && c->recovery == TCP_OPEN) {
        c->ssthresh = c->cong->ssthresh(c, false);
        c->cwnd = min(c->cwnd, c->ssthresh);
    }
}

/* Without SACK: how many segments have left the network besides those acknowledged. */
static void count_duplicates(struct tcp_conn *c, uint32_t acked, bool duplicate)
{
    if (duplicate) {
        c->dupacks++;
    } else if (acked) {
        uint32_t segments = (acked + c->mss - 1) / c->mss;
        c->dupacks =
            c->recovery == TCP_OPEN || c->dupacks < segments ? 0 : c->dupacks - segments + 1;
    }
}

static void recover(struct tcp_conn *c, uint32_t acked, bool duplicate, bool dsack)
{
    count_duplicates(c, acked, duplicate);
    if (c->tlp_out)
        judge_probe(c, dsack);
    if (c->recovery != TCP_OPEN && acked && seq_le(c->recover, c->snd_una))
        leave_recovery(c);
    else if (c->recovery == TCP_RECOVERY && acked && !c->sack_ok) {
        /* RFC 6582, section 3.2, step 3, (2): a partial ACK: the next hole begins here. */
        c->high_rxt = c->snd_una;
        c->lost_below = seq_min(c->snd_una + c->mss, c->snd_nxt);
        c->rxt_now = true;
    }
    /* RFC 6582, section 3.2, step 2: not for duplicates of what the last recovery sent again. */
    bool fresh = c->sack_ok || seq_lt(c->recover, c->snd_una);
    if (c->recovery == TCP_OPEN && tcp_flight(c) && tcp_head_is_lost(c) && fresh)
        enter_recovery(c);
}

/* Was cwnd what kept us from sending more? Otherwise it must not grow (RFC 5681, RFC 7661). */
static bool was_limited(const struct tcp_conn *c, uint32_t pipe)
{
    if (c->cwnd < c->ssthresh)
        return c->cwnd < 2 * pipe;
    return pipe + 2 * c->mss > c->cwnd;
}

/* --- the whole --- */

/* RFC 5961, section 5.2: an ACK of what was never sent, or of long ago, is an attack or a mistake. */
static bool is_acceptable(struct tcp_conn *c, const struct tcp_segment *seg)
{
    uint32_t newest = seq_max(c->snd_nxt, c->snd_probe);

    return seq_le(seg->ack, newest) && seq_le(c->snd_una - c->snd_wnd_max, seg->ack);
}

bool tcp_ack_arrives(struct tcp_conn *c, struct tcp_segment *seg)
{
    bool dsack = false, sacked = false;

    if (!is_acceptable(c, seg)) {
        tcp_challenge(c, seg);
        return false;
    }
    c->last_ack_in = seg->now;
    c->probes = 0;
    if (seq_lt(seg->ack, c->snd_una))
        return true; /* old: what it carries may still be new */
    uint32_t pipe = tcp_pipe(c), flight = tcp_flight(c), acked = seg->ack - c->snd_una;
    if (c->sack_ok)
        sacked = tcp_sack_arrives(c, seg, &dsack);
    c->dsacks += dsack;
    bool changed = take_window(c, seg);
    if (acked)
        advance(c, seg);
    /* RFC 5681, section 2: what a duplicate is; with SACK, RFC 6675: what tells something new. */
    bool duplicate =
        !acked && flight && (c->sack_ok ? sacked : !changed && !tcp_segment_space(seg));
    bool growing = c->recovery != TCP_RECOVERY && acked && was_limited(c, pipe);
    if (duplicate || sacked || c->recovery != TCP_OPEN || c->dupacks || c->tlp_out || c->num_sacked)
        recover(c, acked, duplicate, dsack);
    if (growing && c->recovery != TCP_RECOVERY) {
        c->cong->acked(c, acked);
        c->cwnd = min(c->cwnd, CWND_MAX);
    }
    /* The send buffer keeps up with cwnd, unless the user has fixed it. */
    if (!c->limit_fixed && c->send_limit < 2 * c->cwnd)
        c->send_limit = min(2 * c->cwnd, max(READ_ONCE(c->stack->params.send_max), c->send_limit));
    return true;
}
