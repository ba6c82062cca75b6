/*
 * Making packets: header, options, and data by reference. The send queue keeps its buffers until they are acknowledged;
 * a packet refers to the same pages (a few bytes are copied instead, which is cheaper than a second buffer).
 * Whoever appends to a buffer of the queue writes behind the bytes that packets refer to.
 */
#include "lib/string.h"
#include "net/tcp_internal.h"

#define COPY_MAX 256  /* bytes that are rather copied than referred to */
#define PIECES_MAX 17 /* buffers of a packet: 64 KiB of pages that begin anywhere */

uint32_t tcp_pseudo_sum(uint32_t a, uint32_t b, uint32_t len)
{
    uint32_t pseudo[] = {a, b, net32(TCP_PROTOCOL << 16 | len)};

    return checksum_words(pseudo, ARRAY_SIZE(pseudo));
}

/* Put the header in front of P and send it. */
static int finish(struct tcp_stack *stack, struct tcp_conn *c, struct packet *p,
                  const struct tcp_bare *b, uint16_t urgent)
{
    unsigned header_len = TCP_HEADER + b->options_len;
    struct tcp_header *h = packet_push(p, header_len);

    h->source = net16(b->tuple.local_port);
    h->dest = net16(b->tuple.remote_port);
    h->seq = net32(b->seq);
    h->ack = net32(b->ack);
    h->offset = (uint8_t)(header_len / 4 << 4);
    h->flags = b->flags;
    h->window = net16(b->window);
    h->urgent = net16(urgent);
    memcpy(h + 1, b->options, b->options_len);
    uint32_t sum = tcp_pseudo_sum(b->tuple.local, b->tuple.remote, p->len);
    h->checksum = (uint16_t)~checksum_finish(sum);
    p->checksum = CHECKSUM_PARTIAL;
    p->checksum_start = 0;
    p->checksum_offset = offsetof(struct tcp_header, checksum);
    tcp_count(stack, out_segs);
    if (b->flags & TCP_RST)
        tcp_count(stack, out_rsts);
    return stack->ops->output(stack, c, &b->tuple, p);
}

void tcp_send_bare(struct tcp_stack *stack, const struct tcp_bare *b)
{
    struct packet *p = packet_alloc(PACKET_HEADROOM, PACKET_HEADROOM);

    if (p)
        finish(stack, NULL, p, b, 0);
}

/* --- a connection's --- */

/* SEG.WND, and what follows from having said it. The window of a SYN is never scaled. */
static uint16_t tell_window(struct tcp_conn *c, uint8_t flags)
{
    if (flags & TCP_SYN) {
        uint32_t room = min(c->rcv_limit, 65535u);
        room = c->rcv_clamp ? min(room, c->rcv_clamp) : room;
        c->rcv_right = c->rcv_nxt + room;
        return (uint16_t)room;
    }
    uint32_t room = tcp_right_edge(c) - c->rcv_nxt;
    /*
     * Rounded up, for the edge must not seem to move left (RFC 7323, section 2.4); down when the limit is reached, or
     * each ACK would move it a little further to the right.
     */
    uint32_t round = c->rcv_unread + room < c->rcv_limit ? (1u << c->rcv_scale) - 1 : 0;
    uint32_t units = min((room + round) >> c->rcv_scale, 65535u);
    c->rcv_right = seq_max(c->rcv_right, c->rcv_nxt + (units << c->rcv_scale));
    return (uint16_t)units;
}

static void acknowledged(struct tcp_conn *c, bool alone)
{
    c->rcv_acked = c->rcv_nxt;
    c->ack_now = c->ack_delayed = c->ack_on_read = false;
    tcp_stop_timer(c, TCP_TIMER_DELACK);
    if (alone && c->quick_acks)
        c->quick_acks--;
}

/* Header of a segment of C, from SEQ on; P has the data. */
static int send(struct tcp_conn *c, struct packet *p, uint32_t seq, uint8_t flags)
{
    uint16_t urgent = 0;
    struct tcp_bare b = {.tuple = c->entry.tuple, .seq = seq};

    if (c->snd_urgent && seq_lt(seq, c->snd_up) && !(flags & (TCP_SYN | TCP_RST))) {
        flags |= TCP_URG;
        urgent = (uint16_t)min(c->snd_up - seq, 65535u);
    }
    b.flags = flags;
    b.options_len = tcp_options_write(c, flags, b.options);
    b.window = tell_window(c, flags);
    if (flags & TCP_ACK) {
        b.ack = c->rcv_nxt;
        acknowledged(c, p->len == 0);
    }
    c->segs_out++;
    return finish(c->stack, c, p, &b, urgent);
}

static void send_empty(struct tcp_conn *c, uint32_t seq, uint8_t flags)
{
    struct packet *p = packet_alloc(PACKET_HEADROOM, PACKET_HEADROOM);

    if (p)
        send(c, p, seq, flags);
    else if (flags & TCP_ACK && tcp_is_synchronized(c->state))
        tcp_delay_ack(c); /* try again then */
}

void tcp_send_ack(struct tcp_conn *c)
{
    c->ack_now = false;
    send_empty(c, c->snd_nxt, TCP_ACK);
}

void tcp_send_syn(struct tcp_conn *c)
{
    bool answer = c->state == TCP_SYN_RECEIVED;

    if (c->backoff == 0) {
        c->rtt_sent = tcp_now(c);
        c->rtt_seq = c->iss + 1;
    } else {
        c->rtt_sent = 0;
        c->total_retrans++;
        tcp_count(c->stack, retrans_segs);
    }
    send_empty(c, c->iss, answer ? TCP_SYN | TCP_ACK : TCP_SYN);
}

void tcp_send_reset(struct tcp_conn *c)
{
    send_empty(c, c->snd_nxt, TCP_RST | TCP_ACK);
}

void tcp_send_old_byte(struct tcp_conn *c)
{
    send_empty(c, c->snd_nxt - 1, TCP_ACK);
}

/* --- data --- */

/* The buffer with SEQ in it; *OFF: where in it. It is there, or it is a bug. */
static struct buf *find_data(struct tcp_conn *c, uint32_t seq, uint32_t *off)
{
    if (!c->cursor || seq_lt(seq, c->cursor_seq)) {
        c->cursor = list_first(&c->send_bufs, struct buf, link);
        c->cursor_seq = c->snd_una;
    }
    while (seq - c->cursor_seq >= c->cursor->len) {
        c->cursor_seq += c->cursor->len;
        c->cursor = list_entry(c->cursor->link.next, struct buf, link);
        assert(&c->cursor->link != &c->send_bufs);
    }
    *off = seq - c->cursor_seq;
    return c->cursor;
}

static struct buf *refer(const struct buf *b, uint32_t off, uint32_t len)
{
    struct buf *view;

    if (b->page)
        return buf_from_page(b->page, b->off + off, len);
    view = buf_alloc_small(len);
    if (view) {
        memcpy(view->base, b->base + b->off + off, len);
        view->len = len;
    }
    return view;
}

/* Add [SEQ, SEQ+LEN) to P, or as much of it as there are pieces for: how much. */
static uint32_t add_data(struct tcp_conn *c, struct packet *p, uint32_t seq, uint32_t len)
{
    bool copy = len <= COPY_MAX;
    uint32_t off, done = 0;
    unsigned pieces = 0;

    while (done < len && pieces < PIECES_MAX) {
        struct buf *b = find_data(c, seq + done, &off);
        uint32_t part = min(len - done, b->len - off);
        if (copy) {
            memcpy(packet_put(p, part), b->base + b->off + off, part);
        } else {
            struct buf *view = refer(b, off, part);
            if (!view)
                break;
            packet_append(p, view);
            pieces++;
        }
        done += part;
    }
    return done;
}

/* What was sent, for timing and counting. */
static void sent(struct tcp_conn *c, uint32_t seq, uint32_t space, uint32_t len, nsec_t now)
{
    c->last_sent = now;
    if (len)
        c->data_segs_out += (len + c->mss - 1) / c->mss;
    c->bytes_sent += len;
    if (seq_lt(seq, c->snd_nxt)) {
        c->total_retrans++;
        c->bytes_retrans += len;
        c->data_segs_again += (len + c->mss - 1) / c->mss;
        c->rtt_sent = 0; /* Karn: RFC 6298, section 3 */
        tcp_count(c->stack, retrans_segs);
    } else if (!c->rtt_sent && c->recovery == TCP_OPEN) {
        c->rtt_sent = now;
        c->rtt_seq = seq + space;
        c->rate_from = c->bytes_acked;
    }
}

int tcp_send_range(struct tcp_conn *c, uint32_t seq, uint32_t end)
{
    uint32_t data_end = tcp_data_end(c);
    uint32_t want = seq_lt(seq, data_end) ? seq_min(end, data_end) - seq : 0;
    uint8_t flags = TCP_ACK;
    struct packet *p =
        packet_alloc(PACKET_HEADROOM, PACKET_HEADROOM + (want <= COPY_MAX ? want : 0));

    if (!p)
        return -ENOMEM;
    uint32_t len = add_data(c, p, seq, want);
    if (want && !len) {
        packet_free(p);
        return -ENOMEM;
    }
    bool fin = len == want && seq_lt(data_end, end);
    if (fin)
        flags |= TCP_FIN;
    if (len && seq + len == data_end)
        flags |= TCP_PSH;
    uint32_t size = tcp_segment_size(c);
    if (len > size)
        p->segment_size = (uint16_t)size;
    nsec_t now = tcp_now(c);
    sent(c, seq, len + fin, len, now);
    send(c, p, seq, flags);
    return (int)(len + fin);
}
