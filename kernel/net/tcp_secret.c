/*
 * Numbers that nobody can guess. Who knows a connection's sequence numbers can speak for either side, so a
 * new one begins where only a keyed hash of its tuple says (RFC 6528); the clock is added, so that a tuple's
 * next life begins above its last.
 *
 * SYN cookies (D. J. Bernstein): a listener whose queue is full keeps nothing of a call. All that it must remember
 * it puts into the sequence number of its answer, which the caller's acknowledgment brings back:
 *
 *     cookie = H(tuple) + caller's number + (minutes << 24) + ((H(tuple, minutes, caller's number) + mss) mod 2^24)
 *
 * (Were the caller's number not in the second hash, a cookie for a number one higher would look like one with another
 * MSS, and later data that overtakes the first ACK would begin the connection too late.)
 * If the caller has timestamps, the rest is in the lowest bits of ours: its window scale and whether it can SACK.
 */
#include "lib/siphash.h"
#include "net/tcp_internal.h"

#define COOKIE_MINUTE (60 * NSEC_PER_SEC)
#define COOKIE_LIFE 2 /* minutes begun */
#define COOKIE_BITS 24
#define COOKIE_MASK ((1u << COOKIE_BITS) - 1)

/* What callers usually say; the largest that is not above is remembered. */
static const uint16_t cookie_mss[] = {TCP_MSS_DEFAULT, 1220, 1440, 1460, 4312, 8960, 16344, 65495};

/* The low bits of the timestamp: scale in four, 15 for none, and one for SACK. */
#define STAMP_BITS 5
#define STAMP_MASK ((1u << STAMP_BITS) - 1)
#define STAMP_SACK 0x10u
#define STAMP_NO_SCALE 0xfu

static uint64_t hash_tuple(const uint64_t key[2], const struct tcp_tuple *t, uint64_t extra)
{
    uint64_t words[] = {
        (uint64_t)t->local << 32 | t->remote,
        (uint64_t)t->local_port << 16 | t->remote_port,
        extra,
    };
    return siphash(key, words, ARRAY_SIZE(words));
}

/*
 * RFC 6528, section 3: ISN = M + F(tuple, secret), M counting by four microseconds. RFC 7323, section 7.1: where a
 * tuple's timestamps begin tells nothing of how long the machine runs. Two halves of one hash.
 */
struct tcp_beginning tcp_begin(const struct tcp_stack *stack, const struct tcp_tuple *t, nsec_t now)
{
    uint64_t hash = hash_tuple(stack->isn_key, t, 0);

    return (struct tcp_beginning){
        .sequence = (uint32_t)(now / (4 * NSEC_PER_USEC)) + (uint32_t)hash,
        .timestamp = (uint32_t)(hash >> 32),
    };
}

static uint32_t minutes(const struct tcp_stack *stack)
{
    return (uint32_t)(stack->ops->now() / COOKIE_MINUTE);
}

static uint32_t cookie(const struct tcp_stack *stack, const struct tcp_tuple *t, uint32_t irs,
                       uint32_t minute, uint32_t data)
{
    uint32_t low = (uint32_t)hash_tuple(
        stack->cookie_key, t, 1 | (uint64_t)(minute & 0xffffff) << 8 | (uint64_t)irs << 32);

    return (uint32_t)hash_tuple(stack->cookie_key, t, 0) + irs + (minute << COOKIE_BITS) +
           ((low + data) & COOKIE_MASK);
}

uint32_t tcp_cookie_make(const struct tcp_stack *stack, const struct tcp_segment *syn, uint16_t mss)
{
    uint32_t i = ARRAY_SIZE(cookie_mss) - 1;

    while (i > 0 && cookie_mss[i] > mss)
        i--;
    return cookie(stack, &syn->tuple, syn->seq, minutes(stack), i);
}

uint32_t tcp_cookie_timestamp(const struct tcp_stack *stack, const struct tcp_segment *syn)
{
    uint32_t now = (uint32_t)(syn->now / NSEC_PER_MSEC);
    uint32_t bits = syn->options.has_scale ? syn->options.scale : STAMP_NO_SCALE;
    uint32_t stamp = (now & ~STAMP_MASK) | bits | (syn->options.sack_permitted ? STAMP_SACK : 0);

    if (stamp > now)
        stamp -= STAMP_MASK + 1; /* it is to be past, not future */
    return stamp + tcp_begin(stack, &syn->tuple, syn->now).timestamp;
}

bool tcp_cookie_check(const struct tcp_stack *stack, const struct tcp_segment *ack,
                      struct tcp_cookie *out)
{
    uint32_t irs = ack->seq - 1, seen = ack->ack - 1;
    unsigned tries = COOKIE_LIFE * ARRAY_SIZE(cookie_mss), i = 0;

    while (i < tries && cookie(stack, &ack->tuple, irs, minutes(stack) - i % COOKIE_LIFE,
                               i / COOKIE_LIFE) != seen)
        i++;
    if (i == tries)
        return false;
    uint32_t stamp = ack->options.tsecr - tcp_begin(stack, &ack->tuple, ack->now).timestamp;
    bool has = ack->options.has_timestamps;
    out->mss = cookie_mss[i / COOKIE_LIFE];
    out->has_scale = has && (stamp & STAMP_NO_SCALE) != STAMP_NO_SCALE;
    out->scale = out->has_scale ? stamp & STAMP_NO_SCALE : 0;
    out->sack_permitted = has && (stamp & STAMP_SACK);
    return true;
}
