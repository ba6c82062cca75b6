/*
 * Options of IPPROTO_TCP and what TCP_INFO tells. Values are checked as Linux checks them.
 */
#include "lib/string.h"
#include "net/tcp_internal.h"

#define LINGER2_MAX 120     /* seconds, as on Linux */
#define KEEP_IDLE_MAX 32767 /* seconds */
#define KEEP_INTERVAL_MAX 32767
#define KEEP_COUNT_MAX 127
#define SYN_COUNT_MAX 127
#define WINDOW_CLAMP_MIN 1024
#define MAXSEG_MIN 88
#define MAXSEG_MAX 32767

/* --- setting --- */

static bool within(int value, int low, int high)
{
    return value >= low && value <= high;
}

static int set_congestion(struct tcp_conn *c, const char *value, unsigned len)
{
    char name[TCP_CA_NAME_MAX] = "";

    memcpy(name, value, min(len, TCP_CA_NAME_MAX - 1u));
    const struct tcp_congestion *cong = tcp_congestion_find(name);
    if (!cong)
        return -ENOENT;
    if (cong != c->cong) {
        c->cong = cong;
        cong->init(c);
    }
    return 0;
}

static void set_cork(struct tcp_conn *c, bool on)
{
    c->cork = on;
    c->cork_over = false;
    if (!on) {
        c->more = false;
        tcp_stop_timer(c, TCP_TIMER_CORK);
    }
}

/* TCP_LINGER2: below zero, FIN-WAIT-2 isn't waited in at all; for what nobody owns any more not for ever either. */
static void set_linger2(struct tcp_conn *c, int seconds)
{
    c->fin_timeout = seconds < 0 ? -1 : min(seconds, LINGER2_MAX) * NSEC_PER_SEC;
}

static int set_keep(struct tcp_conn *c, int name, int v)
{
    if (name == TCP_KEEPCNT && within(v, 1, KEEP_COUNT_MAX))
        c->keep_count = (unsigned)v;
    else if (name == TCP_KEEPIDLE && within(v, 1, KEEP_IDLE_MAX))
        c->keep_idle = v * NSEC_PER_SEC;
    else if (name == TCP_KEEPINTVL && within(v, 1, KEEP_INTERVAL_MAX))
        c->keep_interval = v * NSEC_PER_SEC;
    else
        return -EINVAL;
    if (c->keepalive)
        tcp_start_keepalive(c);
    return 0;
}

static int set_maxseg(struct tcp_conn *c, int v)
{
    if (v && !within(v, MAXSEG_MIN, MAXSEG_MAX))
        return -EINVAL;
    c->mss_user = (uint16_t)v;
    tcp_update_mss(c);
    return 0;
}

static int set_clamp(struct tcp_conn *c, int v)
{
    if (v < 0 || (v == 0 && c->state != TCP_CLOSED))
        return -EINVAL;
    c->rcv_clamp = v ? (uint32_t)max(v, WINDOW_CLAMP_MIN) : 0;
    return 0;
}

static void set_quickack(struct tcp_conn *c, bool on)
{
    c->quick_acks = on ? TCP_QUICK_ACKS : 0;
    if (on && c->ack_delayed)
        c->ack_now = true;
}

static int set_int(struct tcp_conn *c, int name, int v)
{
    switch (name) {
    case TCP_NODELAY: c->nodelay = v != 0; return 0;
    case TCP_CORK: set_cork(c, v != 0); return 0;
    case TCP_KEEPIDLE:
    case TCP_KEEPINTVL:
    case TCP_KEEPCNT: return set_keep(c, name, v);
    case TCP_MAXSEG: return set_maxseg(c, v);
    case TCP_WINDOW_CLAMP: return set_clamp(c, v);
    case TCP_QUICKACK: set_quickack(c, v & 1); return 0;
    case TCP_LINGER2: set_linger2(c, v); return 0;
    case TCP_NOTSENT_LOWAT: c->notsent_low = (uint32_t)v; return 0;
    case TCP_DEFER_ACCEPT: c->defer_accept = max(v, 0) * NSEC_PER_SEC; return 0;
    case TCP_SYNCNT:
        if (!within(v, 1, SYN_COUNT_MAX))
            return -EINVAL;
        c->syn_retries = (unsigned)v;
        return 0;
    case TCP_USER_TIMEOUT:
        if (v < 0)
            return -EINVAL;
        c->user_timeout = v * NSEC_PER_MSEC;
        return 0;
    default: return -ENOPROTOOPT;
    }
}

int tcp_set_option(struct tcp_conn *c, int name, const void *value, unsigned len)
{
    int v = 0, error;

    if (name != TCP_CONGESTION) {
        if (len < sizeof(v))
            return -EINVAL;
        memcpy(&v, value, sizeof(v));
    } else if (len < 1) {
        return -EINVAL;
    }
    tcp_lock(c);
    error = name == TCP_CONGESTION ? set_congestion(c, value, len) : set_int(c, name, v);
    tcp_unlock(c); /* what NODELAY or the end of CORK lets go is sent here */
    return error;
}

void tcp_set_send_limit(struct tcp_conn *c, uint32_t bytes)
{
    tcp_lock(c);
    c->send_limit = bytes;
    c->limit_fixed = true;
    if (c->write_blocked && !tcp_send_is_full(c)) {
        c->write_blocked = false;
        c->events |= TCP_EVENT_WRITE;
    }
    tcp_unlock(c);
}

void tcp_set_receive_limit(struct tcp_conn *c, uint32_t bytes)
{
    tcp_lock(c);
    c->rcv_limit = bytes;
    c->rcv_limit_fixed = true;
    tcp_unlock(c);
}

void tcp_set_keepalive(struct tcp_conn *c, bool on)
{
    tcp_lock(c);
    c->keepalive = on;
    c->keep_probes = 0;
    tcp_start_keepalive(c);
    tcp_unlock(c);
}

/* --- getting --- */

static uint32_t usec(nsec_t t)
{
    return (uint32_t)(t / NSEC_PER_USEC);
}

static uint32_t msec_since(nsec_t then, nsec_t now)
{
    return then ? (uint32_t)((now - then) / NSEC_PER_MSEC) : 0;
}

static uint32_t segments(const struct tcp_conn *c, uint32_t bytes)
{
    return (bytes + c->mss - 1) / c->mss;
}

static uint8_t congestion_state(const struct tcp_conn *c)
{
    if (c->recovery == TCP_LOSS)
        return TCP_CA_Loss;
    if (c->recovery == TCP_RECOVERY)
        return TCP_CA_Recovery;
    return c->num_sacked || c->dupacks ? TCP_CA_Disorder : TCP_CA_Open;
}

/* Bytes that were lost and have not been sent again; that were. */
static void count_lost(const struct tcp_conn *c, struct tcp_info *i)
{
    uint32_t sacked = tcp_sacked_bytes(c), out = tcp_flight(c) - sacked, pipe = tcp_pipe(c);

    i->tcpi_unacked = segments(c, tcp_flight(c));
    i->tcpi_sacked = segments(c, sacked);
    i->tcpi_lost = segments(c, out > pipe ? out - pipe : 0);
    if (c->recovery != TCP_OPEN)
        i->tcpi_retrans = segments(c, c->high_rxt - c->snd_una);
}

static void info_times(const struct tcp_conn *c, struct tcp_info *i)
{
    nsec_t now = tcp_now(c), spent[TCP_DOINGS];

    i->tcpi_rto = usec(tcp_rto(c));
    i->tcpi_ato = usec(READ_ONCE(c->stack->params.delack));
    i->tcpi_rtt = usec(c->srtt);
    i->tcpi_rttvar = usec(c->rttvar);
    i->tcpi_min_rtt = usec(c->rtt_min);
    i->tcpi_last_data_sent = msec_since(c->last_sent, now);
    i->tcpi_last_data_recv = msec_since(c->last_data_in, now);
    i->tcpi_last_ack_recv = msec_since(c->last_ack_in, now);
    memcpy(spent, c->spent, sizeof(spent));
    spent[c->doing] += now - c->doing_since;
    i->tcpi_rwnd_limited = (uint64_t)(spent[TCP_WINDOW_LIMITED] / NSEC_PER_USEC);
    i->tcpi_sndbuf_limited = (uint64_t)(spent[TCP_BUFFER_LIMITED] / NSEC_PER_USEC);
    i->tcpi_busy_time = (uint64_t)(spent[TCP_SENDING] / NSEC_PER_USEC) + i->tcpi_rwnd_limited +
                        i->tcpi_sndbuf_limited;
}

/* Segments that the peer has, our SYN with them: exact when nothing is in flight, else as if all there were full. */
static uint32_t delivered(const struct tcp_conn *c)
{
    uint32_t missing = tcp_flight(c) - tcp_sacked_bytes(c) - (c->fin_sent && tcp_flight(c));
    uint32_t first_sent = c->data_segs_out - c->data_segs_again;

    return tcp_is_synchronized(c->state) ? 1 + first_sent - min(first_sent, segments(c, missing)) : 0;
}

static void info_counts(const struct tcp_conn *c, struct tcp_info *i)
{
    i->tcpi_total_retrans = c->total_retrans;
    i->tcpi_bytes_acked = c->bytes_acked;
    i->tcpi_bytes_received = c->bytes_received;
    i->tcpi_bytes_sent = c->bytes_sent;
    i->tcpi_bytes_retrans = c->bytes_retrans;
    i->tcpi_segs_out = c->segs_out;
    i->tcpi_segs_in = c->segs_in;
    i->tcpi_data_segs_in = c->data_segs_in;
    i->tcpi_data_segs_out = c->data_segs_out;
    i->tcpi_dsack_dups = c->dsacks;
    i->tcpi_delivered = delivered(c);
    i->tcpi_delivery_rate = c->rate;
    i->tcpi_delivery_rate_app_limited = c->rate_limited;
    i->tcpi_pacing_rate = i->tcpi_max_pacing_rate = UINT64_MAX; /* nothing is paced */
    i->tcpi_rcv_ooopack = c->reordered_in;
    i->tcpi_notsent_bytes = tcp_is_synchronized(c->state) ? tcp_unsent_bytes(c) : 0;
}

static void fill_info(const struct tcp_conn *c, struct tcp_info *i)
{
    memset(i, 0, sizeof(*i));
    i->tcpi_state = c->state;
    i->tcpi_options = (c->timestamps_ok ? TCPI_OPT_TIMESTAMPS : 0) |
                      (c->sack_ok ? TCPI_OPT_SACK : 0) | (c->scale_ok ? TCPI_OPT_WSCALE : 0);
    i->tcpi_snd_wscale = c->snd_scale & 15;
    i->tcpi_rcv_wscale = c->rcv_scale & 15;
    i->tcpi_snd_mss = c->mss;
    i->tcpi_rcv_mss = c->rcv_mss;
    i->tcpi_advmss = c->path.mtu - TCP_IP_HEADER - TCP_HEADER -
                     (tcp_is_synchronized(c->state) && c->timestamps_ok ? TCP_TIMESTAMP_SPACE : 0);
    i->tcpi_pmtu = c->path.mtu;
    i->tcpi_snd_cwnd = c->cwnd / c->mss;
    i->tcpi_snd_ssthresh = c->ssthresh >= INT32_MAX ? INT32_MAX : c->ssthresh / c->mss;
    i->tcpi_snd_wnd = c->snd_wnd;
    i->tcpi_rcv_space = c->rcv_limit;
    i->tcpi_rcv_ssthresh = c->rcv_limit;
    i->tcpi_reordering = TCP_DUP_THRESHOLD;
    i->tcpi_retransmits = (uint8_t)(tcp_flight(c) ? min(c->backoff, 255u) : 0);
    i->tcpi_probes = (uint8_t)min(c->probes + c->keep_probes, 255u);
    i->tcpi_backoff = (uint8_t)min(c->backoff, 255u);
    info_times(c, i);
    info_counts(c, i);
    if (c->state == TCP_LISTEN) { /* the queue of those to accept, and its limit */
        i->tcpi_unacked = READ_ONCE(c->num_ready);
        i->tcpi_sacked = READ_ONCE(c->backlog);
    }
    if (c->state == TCP_CLOSED || c->state == TCP_LISTEN)
        return;
    i->tcpi_ca_state = congestion_state(c);
    count_lost(c, i);
}

static int seconds_or(nsec_t own, nsec_t usual)
{
    return (int)((own ? own : usual) / NSEC_PER_SEC);
}

static int get_int(const struct tcp_conn *c, int name, int *v)
{
    const struct tcp_params *p = &c->stack->params;

    switch (name) {
    case TCP_NODELAY: *v = c->nodelay; break;
    case TCP_CORK: *v = c->cork; break;
    case TCP_KEEPIDLE: *v = seconds_or(c->keep_idle, p->keep_idle); break;
    case TCP_KEEPINTVL: *v = seconds_or(c->keep_interval, p->keep_interval); break;
    case TCP_KEEPCNT: *v = (int)(c->keep_count ? c->keep_count : p->keep_count); break;
    case TCP_SYNCNT: *v = (int)(c->syn_retries ? c->syn_retries : p->syn_retries); break;
    case TCP_WINDOW_CLAMP: *v = (int)c->rcv_clamp; break;
    case TCP_QUICKACK: *v = c->quick_acks > 0; break;
    case TCP_NOTSENT_LOWAT: *v = (int)c->notsent_low; break;
    case TCP_DEFER_ACCEPT: *v = (int)(c->defer_accept / NSEC_PER_SEC); break;
    case TCP_USER_TIMEOUT: *v = (int)(c->user_timeout / NSEC_PER_MSEC); break;
    case TCP_LINGER2:
        *v = c->fin_timeout < 0 ? -1 : seconds_or(c->fin_timeout, p->fin_timeout);
        break;
    case TCP_MAXSEG:
        *v = c->mss;
        if (c->state == TCP_CLOSED || c->state == TCP_LISTEN)
            *v = c->mss_user ? c->mss_user : TCP_MSS_DEFAULT;
        break;
    default: return -ENOPROTOOPT;
    }
    return 0;
}

int tcp_get_option(struct tcp_conn *c, int name, void *value, unsigned *len)
{
    union {
        int v;
        char name[TCP_CA_NAME_MAX];
        struct tcp_info info;
    } out = {0};
    unsigned size = sizeof(out.v);
    int error = 0;

    spin_lock(&c->lock);
    if (name == TCP_INFO) {
        fill_info(c, &out.info);
        size = sizeof(out.info);
    } else if (name == TCP_CONGESTION) {
        const struct tcp_congestion *cong = c->cong;
        memcpy(out.name, (cong ? cong : READ_ONCE(c->stack->params.congestion))->name,
               sizeof(out.name));
        size = sizeof(out.name);
    } else {
        error = get_int(c, name, &out.v);
    }
    spin_unlock(&c->lock);
    if (error)
        return error;
    *len = min(*len, size);
    memcpy(value, &out, *len);
    return 0;
}

uint32_t tcp_unacknowledged(struct tcp_conn *c)
{
    spin_lock(&c->lock);
    uint32_t n = c->send_bytes;
    spin_unlock(&c->lock);
    return n;
}

uint32_t tcp_unsent(struct tcp_conn *c)
{
    spin_lock(&c->lock);
    uint32_t n = tcp_is_synchronized(c->state) ? tcp_unsent_bytes(c) : 0;
    spin_unlock(&c->lock);
    return n;
}
