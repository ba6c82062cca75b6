/*
 * What routers say, and what size of packet the path takes by it. Anybody can forge an ICMP message, so one counts
 * only if the sequence number that it quotes is in flight (RFC 5927, section 4.1), and none ends a connection that
 * stands: at most it is remembered and told if the connection times out. A program that asks for it with IP_RECVERR
 * hears of it at once (RFC 9293, section 3.9.2.2), and the connection goes on; nothing is kept for MSG_ERRQUEUE.
 */
#include "net/tcp_internal.h"

#define MTU_MIN 552 /* a smaller one is hardly meant well: as Linux's min_pmtu */
#define MTU_LASTS (600 * NSEC_PER_SEC) /* RFC 1191, section 6.3 */

/* The connection of T, locked and referenced, if SEQ is in flight; else NULL. */
static struct tcp_conn *find_in_flight(struct tcp_stack *stack, const struct tcp_tuple *t,
                                       uint32_t seq)
{
    struct tcp_conn *c = NULL;

    spin_lock(&stack->lock);
    struct tcp_entry *e = tcp_find_locked(stack, t);
    if (e && !e->is_time_wait) {
        c = (struct tcp_conn *)e;
        tcp_get(c);
    }
    spin_unlock(&stack->lock);
    if (!c)
        return NULL;
    tcp_lock(c);
    if (tcp_is_still(c, t) && seq_le(c->snd_una, seq) && seq_lt(seq, c->snd_nxt))
        return c;
    tcp_unlock(c);
    tcp_put(c);
    return NULL;
}

void tcp_icmp_error(struct tcp_stack *stack, const struct tcp_tuple *t, uint32_t seq, int error,
                    bool hard)
{
    struct tcp_conn *c = find_in_flight(stack, t, seq);

    if (!c)
        return;
    bool tells = READ_ONCE(c->tell_errors);
    /* A call may fail at once (RFC 5461, section 4); soft errors may pass, so it goes on, as a connection does. */
    if ((hard || tells) && (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED)) {
        tcp_count(stack, attempt_fails);
        tcp_end(c, error);
    } else if (tells) {
        atomic_store(&c->error, error);
        c->events |= TCP_EVENT_ERROR;
    } else {
        c->soft_error = error;
    }
    tcp_unlock(c);
    tcp_put(c);
}

/* RFC 1191, section 7: what MTU lies below OLD, when the router didn't say. */
static uint32_t plateau(uint32_t old)
{
    static const uint32_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006};

    for (unsigned i = 0; i < ARRAY_SIZE(plateaus); i++) {
        if (plateaus[i] < old)
            return plateaus[i];
    }
    return MTU_MIN;
}

bool tcp_path_mtu(struct tcp_stack *stack, const struct tcp_tuple *t, uint32_t seq, uint32_t mtu)
{
    struct tcp_conn *c = find_in_flight(stack, t, seq);

    if (!c)
        return false;
    mtu = max(mtu ? mtu : plateau(c->path.mtu), (uint32_t)MTU_MIN);
    if (mtu < c->path.mtu) {
        uint16_t before = c->mss;
        c->path.mtu = mtu;
        c->mtu_passed = 0;
        tcp_update_mss(c);
        tcp_set_timer(c, TCP_TIMER_PATH, tcp_now(c) + MTU_LASTS);
        /* What is in flight was too large: send it again at once; the network isn't crowded for that. */
        if (c->mss < before && tcp_may_send(c->state) && c->recovery == TCP_OPEN) {
            c->recovery = TCP_RECOVERY;
            c->ssthresh = c->cwnd;
            c->recover = c->lost_below = c->snd_nxt;
            c->high_rxt = c->snd_una;
            c->rxt_now = c->rescued = true;
        }
    }
    tcp_unlock(c);
    tcp_put(c);
    return true;
}

/*
 * RFC 1191, section 6.3: what the first hop takes is tried, and if it is still too large a router says so. One that
 * says nothing any more must not end the connection: see below.
 */
void tcp_path_timeout(struct tcp_conn *c, nsec_t now)
{
    struct tcp_path first;

    if (c->stack->ops->route(c->stack, c, &c->entry.tuple, &first)) {
        tcp_set_timer(c, TCP_TIMER_PATH, now + MTU_LASTS);
    } else if (first.mtu > c->path.mtu) {
        c->mtu_passed = (uint16_t)c->path.mtu;
        c->path.mtu = first.mtu;
        tcp_update_mss(c);
    }
}

/*
 * RFC 8899, section 4.3: a black hole is found by what it swallows. And the first hop may take less than it did: its
 * MTU was changed, or another connection has heard of a narrow place.
 */
void tcp_path_doubt(struct tcp_conn *c, nsec_t now)
{
    uint32_t mtu = c->backoff && c->mtu_passed ? c->mtu_passed : c->path.mtu;
    struct tcp_path first;

    if (!c->stack->ops->route(c->stack, c, &c->entry.tuple, &first))
        mtu = min(mtu, first.mtu);
    if (mtu == c->path.mtu)
        return;
    c->path.mtu = mtu;
    c->mtu_passed = 0;
    tcp_update_mss(c);
    tcp_set_timer(c, TCP_TIMER_PATH, now + MTU_LASTS);
}
