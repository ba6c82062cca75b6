/*
 * TCP's options (RFC 9293, section 3.1; RFC 7323; RFC 2018). Each is a kind, a length and data, but two that
 * are one byte alone. What is malformed ends the list; what is unknown is skipped by its length.
 */
#include "lib/string.h"
#include "net/tcp_internal.h"

enum { END = 0, NOP = 1, MSS = 2, SCALE = 3, SACK_PERMITTED = 4, SACK = 5, TIMESTAMP = 8 };
enum { MSS_LEN = 4, SCALE_LEN = 3, SACK_PERMITTED_LEN = 2, TIMESTAMP_LEN = 10 };
#define OPTIONS_MAX 40

static uint32_t read32(const uint8_t *at)
{
    uint32_t x;

    memcpy(&x, at, 4);
    return net32(x);
}

static uint8_t *write32(uint8_t *at, uint32_t x)
{
    x = net32(x);
    memcpy(at, &x, 4);
    return at + 4;
}

static void parse_sacks(const uint8_t *at, unsigned n, struct tcp_options *o)
{
    for (unsigned i = 0; i < n && o->num_sacks < TCP_SACK_BLOCKS; i++, at += 8)
        o->sacks[o->num_sacks++] = (struct tcp_range){read32(at), read32(at + 4)};
}

static void parse_one(const uint8_t *at, unsigned len, struct tcp_options *o)
{
    if (at[0] == MSS && len == MSS_LEN) {
        o->mss = (uint16_t)(at[2] << 8 | at[3]);
    } else if (at[0] == SCALE && len == SCALE_LEN) {
        o->has_scale = true;
        o->scale = min(at[2], (uint8_t)TCP_SCALE_MAX);
    } else if (at[0] == SACK_PERMITTED && len == SACK_PERMITTED_LEN) {
        o->sack_permitted = true;
    } else if (at[0] == SACK && len >= 10 && (len - 2) % 8 == 0) {
        parse_sacks(at + 2, (len - 2) / 8, o);
    } else if (at[0] == TIMESTAMP && len == TIMESTAMP_LEN) {
        o->has_timestamps = true;
        o->tsval = read32(at + 2);
        o->tsecr = read32(at + 6);
    }
}

/* Nearly all segments carry this alone: two NOPs and a timestamp. */
static bool parse_usual(const uint8_t *at, unsigned len, struct tcp_options *o)
{
    if (len != TCP_TIMESTAMP_SPACE ||
        read32(at) != (NOP << 24 | NOP << 16 | TIMESTAMP << 8 | TIMESTAMP_LEN))
        return false;
    o->has_timestamps = true;
    o->tsval = read32(at + 4);
    o->tsecr = read32(at + 8);
    return true;
}

/* False: malformed; what came before it counts. */
bool tcp_options_parse(const uint8_t *at, unsigned len, struct tcp_options *o)
{
    memset(o, 0, sizeof(*o));
    if (parse_usual(at, len, o))
        return true;
    while (len > 0 && at[0] != END) {
        unsigned n = at[0] == NOP ? 1 : len < 2 ? 0 : at[1];
        if (n > len || (at[0] != NOP && n < 2))
            return false;
        if (at[0] != NOP)
            parse_one(at, n, o);
        at += n;
        len -= n;
    }
    return true;
}

unsigned tcp_options_timestamp(uint8_t *out, uint32_t tsval, uint32_t tsecr)
{
    uint8_t *at = out;

    *at++ = NOP;
    *at++ = NOP;
    *at++ = TIMESTAMP;
    *at++ = TIMESTAMP_LEN;
    at = write32(at, tsval);
    at = write32(at, tsecr);
    return (unsigned)(at - out);
}

/* Of a SYN. SCALE: -1 for none. */
unsigned tcp_options_syn(uint8_t *out, uint16_t mss, int scale, bool sack, bool timestamps,
                         uint32_t tsval, uint32_t tsecr)
{
    uint8_t *at = out;

    *at++ = MSS;
    *at++ = MSS_LEN;
    *at++ = (uint8_t)(mss >> 8);
    *at++ = (uint8_t)mss;
    if (timestamps) {
        at += tcp_options_timestamp(at, tsval, tsecr);
        if (sack) { /* in place of the two NOPs */
            at[-TCP_TIMESTAMP_SPACE] = SACK_PERMITTED;
            at[-TCP_TIMESTAMP_SPACE + 1] = SACK_PERMITTED_LEN;
        }
    } else if (sack) {
        *at++ = NOP;
        *at++ = NOP;
        *at++ = SACK_PERMITTED;
        *at++ = SACK_PERMITTED_LEN;
    }
    if (scale >= 0) {
        *at++ = NOP;
        *at++ = SCALE;
        *at++ = SCALE_LEN;
        *at++ = (uint8_t)scale;
    }
    return (unsigned)(at - out);
}

/* How many blocks a segment can report now, a duplicate (RFC 2883) among them. */
static unsigned blocks_to_send(const struct tcp_conn *c)
{
    unsigned room = OPTIONS_MAX - (c->timestamps_ok ? TCP_TIMESTAMP_SPACE : 0);
    unsigned n = c->num_reports + (c->dsack.start != c->dsack.end);

    return c->sack_ok ? min(n, (room - 4) / 8) : 0;
}

unsigned tcp_options_length(const struct tcp_conn *c)
{
    unsigned blocks = blocks_to_send(c);

    return (c->timestamps_ok ? TCP_TIMESTAMP_SPACE : 0) + (blocks ? 4 + 8 * blocks : 0);
}

static uint8_t *write_block(uint8_t *at, const struct tcp_range *r)
{
    return write32(write32(at, r->start), r->end);
}

/* RFC 2018, section 3: the block with the newest segment first, then those reported last. */
static uint8_t *write_sacks(struct tcp_conn *c, uint8_t *at)
{
    unsigned n = blocks_to_send(c), i = 0;

    if (!n)
        return at;
    *at++ = NOP;
    *at++ = NOP;
    *at++ = SACK;
    *at++ = (uint8_t)(2 + 8 * n);
    if (c->dsack.start != c->dsack.end) {
        at = write_block(at, &c->dsack);
        c->dsack.end = c->dsack.start; /* it is said once */
        n--;
    }
    for (; i < n; i++)
        at = write_block(at, &c->report[i]);
    return at;
}

unsigned tcp_options_write(struct tcp_conn *c, uint8_t flags, uint8_t *out)
{
    uint32_t stamp = tcp_timestamp(c, tcp_now(c));
    uint8_t *at = out;

    if (flags & TCP_SYN) {
        uint32_t mss = c->path.mtu - TCP_IP_HEADER - TCP_HEADER;
        mss = min(mss, c->mss_user ? c->mss_user : 65535u);
        return tcp_options_syn(out, (uint16_t)mss, c->scale_ok ? c->rcv_scale : -1, c->sack_ok,
                               c->timestamps_ok, stamp, c->ts_recent);
    }
    if (c->timestamps_ok)
        at += tcp_options_timestamp(at, stamp, c->ts_recent);
    if (!(flags & TCP_RST))
        at = write_sacks(c, at);
    return (unsigned)(at - out);
}
