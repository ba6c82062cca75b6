/*
 * What the sender knows of data in flight: RFC 2018 blocks kept as a list of ranges, and RFC 6675's reasoning
 * about the holes between them.
 *
 *     snd_una        sacked[0]         sacked[1]                     snd_nxt
 *        |-- hole --|##########|-hole-|##########|-- above the last ----|
 *
 * A hole is lost when enough was sacked above it (RFC 6675, IsLost), or when it lies below lost_below: after a
 * retransmission timeout that is all that was in flight; after a tail loss probe all that the probe overtook; in
 * fast recovery at least the first segment. What of the lost is below high_rxt has been sent again in this recovery.
 *
 * Without SACK there is one hole, and each duplicate ACK says that some segment has left the network (RFC 6582
 * in the same words).
 */
#include "lib/string.h"
#include "net/tcp_internal.h"

/* --- the list --- */

/* Add R, joining what touches it. True if it held anything new. A full list forgets: that is allowed. */
static bool add_range(struct tcp_conn *c, struct tcp_range r)
{
    struct tcp_range *s = c->sacked;
    unsigned from = 0, to;

    while (from < c->num_sacked && seq_lt(s[from].end, r.start))
        from++;
    to = from;
    while (to < c->num_sacked && seq_le(s[to].start, r.end))
        to++;
    if (to == from + 1 && seq_le(s[from].start, r.start) && seq_le(r.end, s[from].end))
        return false;
    if (to == from) {
        if (c->num_sacked == TCP_SCOREBOARD)
            return false;
        memmove(&s[from + 1], &s[from], (c->num_sacked - from) * sizeof(*s));
        c->num_sacked++;
    } else {
        r.start = seq_min(r.start, s[from].start);
        r.end = seq_max(r.end, s[to - 1].end);
        memmove(&s[from + 1], &s[to], (c->num_sacked - to) * sizeof(*s));
        c->num_sacked = (uint8_t)(c->num_sacked - (to - from - 1));
    }
    s[from] = r;
    return true;
}

/* RFC 2883, section 4: a first block at or below the ACK, or inside the second, tells of a duplicate. */
static bool is_duplicate(const struct tcp_segment *seg)
{
    const struct tcp_range *s = seg->options.sacks;

    if (!seg->options.num_sacks || !seq_lt(s[0].start, s[0].end))
        return false;
    if (seq_le(s[0].end, seg->ack))
        return true;
    return seg->options.num_sacks > 1 && seq_le(s[1].start, s[0].start) &&
           seq_le(s[0].end, s[1].end);
}

bool tcp_sack_arrives(struct tcp_conn *c, const struct tcp_segment *seg, bool *dup)
{
    const struct tcp_options *o = &seg->options;
    bool any = false;

    *dup = is_duplicate(seg);
    for (unsigned i = *dup; i < o->num_sacks; i++) {
        struct tcp_range r = o->sacks[i];
        /* Only of what is in flight: anything else is old, or a lie. */
        if (!seq_lt(r.start, r.end) || seq_lt(c->snd_nxt, r.end) || seq_lt(r.start, c->snd_una) ||
            seq_le(r.end, seg->ack))
            continue;
        r.start = seq_max(r.start, seg->ack);
        any |= add_range(c, r);
    }
    return any;
}

void tcp_sack_advance(struct tcp_conn *c)
{
    unsigned gone = 0;

    while (gone < c->num_sacked && seq_le(c->sacked[gone].end, c->snd_una))
        gone++;
    c->num_sacked = (uint8_t)(c->num_sacked - gone);
    memmove(c->sacked, c->sacked + gone, c->num_sacked * sizeof(c->sacked[0]));
    if (c->num_sacked && seq_lt(c->sacked[0].start, c->snd_una))
        c->sacked[0].start = c->snd_una;
    /* These keep up, or half the sequence space later they would seem to lie ahead. */
    c->high_rxt = seq_max(c->high_rxt, c->snd_una);
    c->lost_below = seq_max(c->lost_below, c->snd_una);
    c->recover = seq_max(c->recover, c->snd_una - 1);
    c->snd_probe = seq_max(c->snd_probe, c->snd_una);
}

uint32_t tcp_sacked_bytes(const struct tcp_conn *c)
{
    uint32_t n = 0;

    for (unsigned i = 0; i < c->num_sacked; i++)
        n += c->sacked[i].end - c->sacked[i].start;
    return n;
}

/* --- holes --- */

struct hole {
    uint32_t start, end;
    uint32_t lost_end;     /* [start, lost_end) is lost */
    uint32_t above;        /* bytes sacked above */
    unsigned ranges_above; /* as how many ranges */
};

/*
 * DupThresh, but with so little in flight that three segments can't follow a lost one, and nothing more to
 * send, fewer must do (RFC 5827).
 */
static unsigned threshold(const struct tcp_conn *c)
{
    uint32_t segments = (tcp_flight(c) + c->mss - 1) / c->mss;

    if (segments <= TCP_DUP_THRESHOLD && segments > 1 && !tcp_unsent_bytes(c))
        return segments - 1;
    return TCP_DUP_THRESHOLD;
}

static uint32_t clamp_to(uint32_t x, const struct hole *h)
{
    return seq_min(seq_max(x, h->start), h->end);
}

/* RFC 6675, IsLost, for a hole that h->above and ranges_above stand for. */
static void judge(const struct tcp_conn *c, struct hole *h)
{
    unsigned enough = threshold(c);

    if (h->ranges_above >= enough || h->above > (enough - 1) * c->mss)
        h->lost_end = h->end;
    else
        h->lost_end = clamp_to(c->lost_below, h);
}

/* The next hole, from the lowest on; H zero-filled at first, with *I 0. False: no more. */
static bool next_hole(const struct tcp_conn *c, unsigned *i, struct hole *h)
{
    const struct tcp_range *s = c->sacked;

    if (*i > c->num_sacked)
        return false;
    if (*i == 0) {
        h->above = tcp_sacked_bytes(c);
        h->ranges_above = c->num_sacked;
        h->start = c->snd_una;
    } else {
        h->above -= s[*i - 1].end - s[*i - 1].start;
        h->ranges_above--;
        h->start = s[*i - 1].end;
    }
    h->end = *i < c->num_sacked ? s[*i].start : c->snd_nxt;
    ++*i;
    judge(c, h);
    return true;
}

/*
 * RFC 6675, SetPipe: what isn't sacked and isn't lost is under way, and so is what has been sent again.
 */
uint32_t tcp_pipe(const struct tcp_conn *c)
{
    uint32_t pipe = 0;
    struct hole h;
    unsigned i = 0;

    if (!c->num_sacked && !c->dupacks && c->recovery == TCP_OPEN)
        return tcp_flight(c);
    while (next_hole(c, &i, &h)) {
        pipe += h.end - h.lost_end;
        pipe += clamp_to(seq_min(c->high_rxt, h.lost_end), &h) - h.start;
    }
    if (!c->sack_ok) {
        /* Before recovery, or without one, only two count: RFC 3042, limited transmit. */
        uint32_t most = c->recovery == TCP_OPEN ? TCP_DUP_THRESHOLD - 1 : UINT32_MAX;
        uint32_t left = min(min(c->dupacks, most), tcp_flight(c) / c->mss) * c->mss;
        pipe -= min(pipe, left);
    }
    return pipe;
}

bool tcp_head_is_lost(const struct tcp_conn *c)
{
    struct hole h;
    unsigned i = 0;

    if (!c->sack_ok)
        return c->dupacks >= threshold(c);
    return c->num_sacked && next_hole(c, &i, &h) && seq_lt(h.start, h.lost_end);
}

/* RFC 6675, NextSeg, rules 1 and 3. */
bool tcp_next_lost(const struct tcp_conn *c, bool even_doubtful, struct tcp_range *out)
{
    struct hole h;
    unsigned i = 0;

    while (next_hole(c, &i, &h)) {
        out->start = seq_max(h.start, c->high_rxt);
        out->end = even_doubtful && h.ranges_above ? h.end : h.lost_end;
        if (seq_lt(out->start, out->end))
            return true;
    }
    return false;
}

bool tcp_last_unsacked(const struct tcp_conn *c, struct tcp_range *out)
{
    struct hole h;
    unsigned i = 0;
    uint32_t size = tcp_segment_size(c);
    bool any = false;

    while (next_hole(c, &i, &h)) {
        if (h.start == h.end)
            continue;
        out->end = h.end;
        out->start = h.end - h.start > size ? h.end - size : h.start;
        any = true;
    }
    return any;
}
