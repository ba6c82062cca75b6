/*
 * Round trips and the retransmission timeout (RFC 6298): a smoothed round trip and its mean deviation make the
 * timeout; each timeout in a row doubles it.
 */
#include "net/tcp_internal.h"

/* RFC 6298, section 2, with alpha 1/8, beta 1/4 and K 4. */
void tcp_rtt_sample(struct tcp_conn *c, nsec_t rtt)
{
    const struct tcp_params *p = &c->stack->params;

    if (rtt < 1)
        rtt = 1;
    if (!c->srtt) {
        c->srtt = rtt;
        c->rttvar = rtt / 2;
    } else {
        nsec_t off = c->srtt > rtt ? c->srtt - rtt : rtt - c->srtt;
        c->rttvar += (off - c->rttvar) / 4;
        c->srtt += (rtt - c->srtt) / 8;
        c->srtt = max(c->srtt, (nsec_t)1);
    }
    if (!c->rtt_min || rtt < c->rtt_min)
        c->rtt_min = rtt;
    c->rto = c->srtt + max(4 * c->rttvar, NSEC_PER_MSEC);
    c->rto = min(max(c->rto, READ_ONCE(p->rto_min)), READ_ONCE(p->rto_max));
}

nsec_t tcp_rto(const struct tcp_conn *c)
{
    nsec_t limit = READ_ONCE(c->stack->params.rto_max), rto = c->rto;

    for (unsigned i = 0; i < c->backoff && rto < limit; i++)
        rto *= 2;
    return min(rto, limit);
}

/* Our timestamp clock ticks once a millisecond (RFC 7323, section 5.4). */
uint32_t tcp_timestamp(const struct tcp_conn *c, nsec_t now)
{
    return (uint32_t)(now / NSEC_PER_MSEC) + c->ts_offset;
}
