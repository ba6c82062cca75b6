/*
 * How much may be in flight. Both ways double cwnd each round trip until ssthresh (slow start), then probe gently
 * until something is lost.
 *
 * NewReno (RFC 5681): one segment more each round trip; half after a loss.
 * CUBIC (RFC 9438): a cubic of the time since the last loss, flat around the window at which that happened:
 *
 *     cwnd                                  :   W(t) = C (t - K)^3 + Wmax
 *          Wmax ______.......------.........:   K = cbrt((Wmax - cwnd at t = 0) / C)
 *              /   :           :            :   C = 0.4 segments / s^3
 *             /    :           :            :   after a loss cwnd becomes 0.7 of what it was
 *            t=0               K        time
 *
 * and never below what NewReno would have by now. Everything is in bytes and milliseconds.
 */
#include "lib/string.h"
#include "net/tcp_internal.h"

/* RFC 6928. */
uint32_t tcp_initial_window(const struct tcp_conn *c)
{
    uint32_t mss = c->mss;

    return min(10 * mss, max(2 * mss, 14600u));
}

static void slow_start(struct tcp_conn *c, uint32_t acked)
{
    c->cwnd += min(acked, c->ssthresh - c->cwnd);
}

static uint32_t half(struct tcp_conn *c)
{
    return max(tcp_flight(c) / 2, 2u * c->mss); /* RFC 5681, equation 4 */
}

/* --- NewReno --- */

static void reno_init(struct tcp_conn *c)
{
    c->cong_state[0] = 0; /* bytes acknowledged since the last segment was added */
}

static void reno_acked(struct tcp_conn *c, uint32_t acked)
{
    if (c->cwnd < c->ssthresh) {
        slow_start(c, acked);
        return;
    }
    c->cong_state[0] += acked;
    if (c->cong_state[0] >= c->cwnd) { /* RFC 5681, section 3.1: byte counting (RFC 3465) */
        c->cong_state[0] -= c->cwnd;
        c->cwnd += c->mss;
    }
}

static uint32_t reno_ssthresh(struct tcp_conn *c, bool timeout)
{
    (void)timeout;
    c->cong_state[0] = 0;
    return half(c);
}

const struct tcp_congestion tcp_reno = {"reno", reno_init, reno_acked, reno_ssthresh};

/* --- CUBIC --- */

enum { EPOCH, W_MAX, K, ORIGIN, W_EST, COUNT };

static void cubic_init(struct tcp_conn *c)
{
    memset(c->cong_state, 0, sizeof(c->cong_state));
}

/* The largest whole number whose cube isn't above X. */
static uint64_t cube_root(uint64_t x)
{
    uint64_t root = 0;

    for (int bit = 20; bit >= 0; bit--) {
        uint64_t next = root | 1UL << bit;
        if (next * next * next <= x)
            root = next;
    }
    return root;
}

static void cubic_begin(struct tcp_conn *c, nsec_t now)
{
    uint64_t *s = c->cong_state;

    s[EPOCH] = (uint64_t)now;
    s[W_EST] = c->cwnd;
    s[COUNT] = 0;
    s[ORIGIN] = max(s[W_MAX], (uint64_t)c->cwnd);
    /* (Wmax - cwnd) / C is in s^3 if in segments; a second has 10^3 ms: 10^9 / 0.4. */
    uint64_t segments = (s[ORIGIN] - c->cwnd) / c->mss;
    s[K] = cube_root(segments * 2500000000UL);
}

/* W(t), T milliseconds after the epoch: equation 1. */
static uint64_t cubic_window(const struct tcp_conn *c, uint64_t t)
{
    const uint64_t *s = c->cong_state;
    uint64_t off = t > s[K] ? t - s[K] : s[K] - t;

    off = min(off, (uint64_t)100000);
    uint64_t bytes = off * off / 1000 * off / 1000 * 4 * c->mss / 10 / 1000;
    if (t > s[K])
        return s[ORIGIN] + bytes;
    return bytes < s[ORIGIN] ? s[ORIGIN] - bytes : 0;
}

static void cubic_acked(struct tcp_conn *c, uint32_t acked)
{
    uint64_t *s = c->cong_state;
    nsec_t now = tcp_now(c);

    if (c->cwnd < c->ssthresh) {
        slow_start(c, acked);
        return;
    }
    if (!s[EPOCH])
        cubic_begin(c, now);
    /* Section 4.3: what NewReno would have: alpha is 3 (1 - 0.7) / (1 + 0.7) until Wmax, then 1. */
    uint64_t gain = (uint64_t)acked * c->mss / c->cwnd;
    s[W_EST] += s[W_EST] < s[W_MAX] ? gain * 9 / 17 : gain;
    /* Section 4.2: where the cubic will be one round trip from now, but not over half as much again. */
    uint64_t t = ((uint64_t)now - s[EPOCH] + (uint64_t)c->srtt) / NSEC_PER_MSEC;
    uint64_t target = max(cubic_window(c, t), (uint64_t)c->cwnd);
    target = min(target, (uint64_t)c->cwnd * 3 / 2);
    s[COUNT] += (target - c->cwnd) * acked;
    c->cwnd += (uint32_t)(s[COUNT] / c->cwnd);
    s[COUNT] %= c->cwnd;
    if (s[W_EST] > c->cwnd)
        c->cwnd = (uint32_t)s[W_EST];
}

/* Sections 4.6 and 4.7: fast convergence gives way to newcomers. */
static uint32_t cubic_ssthresh(struct tcp_conn *c, bool timeout)
{
    uint64_t *s = c->cong_state;
    uint32_t window = min(c->cwnd, max(tcp_flight(c), 2u * c->mss));

    (void)timeout;
    s[W_MAX] = window < s[W_MAX] ? (uint64_t)window * 17 / 20 : window;
    s[EPOCH] = 0;
    return max((uint32_t)((uint64_t)window * 7 / 10), 2u * c->mss);
}

const struct tcp_congestion tcp_cubic = {"cubic", cubic_init, cubic_acked, cubic_ssthresh};

const struct tcp_congestion *tcp_congestion_find(const char *name)
{
    static const struct tcp_congestion *const all[] = {&tcp_cubic, &tcp_reno};

    for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    }
    return NULL;
}
