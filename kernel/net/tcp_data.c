/*
 * Data in. What is next in the stream is delivered; what comes early waits in a tree by sequence number until
 * the hole is filled, and is reported to the sender meanwhile (RFC 2018); what comes twice is reported too (RFC 2883).
 *
 *      read by the user | delivered, unread | expected next                 window's right edge
 *     ------------------|-------------------|------[early]---[early]--------|
 *                                        rcv_nxt                        rcv_right
 *
 * The right edge never moves left: what was promised is kept. It moves right only by steps worth a segment (RFC 9293,
 * section 3.8.6.2.2).
 *
 * Each early fragment costs memory beyond its bytes, so what waits is counted by the room of its buffers; small
 * fragments are copied into small buffers, and what follows a fragment into its last one.
 */
#include "lib/string.h"
#include "mm/slab.h"
#include "net/tcp_internal.h"

#define COMPACT_MAX 512 /* bytes that are worth copying out of a page */

/* --- the window --- */

void tcp_choose_scale(struct tcp_conn *c)
{
    const struct tcp_params *p = &c->stack->params;
    uint32_t most = c->rcv_limit_fixed ? c->rcv_limit : max(c->rcv_limit, p->receive_max);

    if (c->rcv_clamp)
        most = min(most, c->rcv_clamp);
    c->rcv_scale = 0;
    while (c->scale_ok && c->rcv_scale < TCP_SCALE_MAX && (65535u << c->rcv_scale) < most)
        c->rcv_scale++;
}

uint32_t tcp_right_edge(const struct tcp_conn *c)
{
    uint32_t room = c->rcv_limit > c->rcv_unread ? c->rcv_limit - c->rcv_unread : 0;

    room = min(room, 65535u << c->rcv_scale);
    if (c->rcv_clamp)
        room = min(room, c->rcv_clamp);
    if (room < min(c->rcv_limit / 2, c->rcv_mss))
        room = 0; /* a silly window is none */
    room &= ~((1u << c->rcv_scale) - 1);
    return seq_max(c->rcv_nxt + room, c->rcv_right);
}

/* The user reads so much in a round trip: let twice that wait (as Linux's dynamic right-sizing). */
static void grow_limit(struct tcp_conn *c)
{
    nsec_t now = tcp_now(c);

    if (c->rcv_limit_fixed || now - c->space_time < max(c->srtt, NSEC_PER_MSEC))
        return;
    uint32_t most = READ_ONCE(c->stack->params.receive_max);
    if (2 * c->space_bytes > c->rcv_limit && c->rcv_limit < most)
        c->rcv_limit = min(2 * c->space_bytes, most);
    c->space_time = now;
    c->space_bytes = 0;
}

void tcp_consumed(struct tcp_conn *c, uint32_t n)
{
    tcp_lock(c);
    c->rcv_unread -= min(n, c->rcv_unread);
    c->space_bytes += n;
    grow_limit(c);
    uint32_t copied = c->rcv_nxt - c->fin_received - c->rcv_unread;
    if (c->urgent > TCP_URGENT_PENDING && seq_lt(c->rcv_up, copied))
        c->urgent = TCP_URGENT_NONE;
    if (tcp_may_receive(c->state) && !c->fin_seen) {
        uint32_t now = c->rcv_right - c->rcv_nxt, then = tcp_right_edge(c) - c->rcv_nxt;
        if (then > now && (then >= 2 * now || then - now >= c->rcv_limit / 2))
            c->ack_now = true;
    }
    if (c->ack_on_read && !c->rcv_unread)
        c->ack_now = true;
    tcp_unlock(c);
}

/* --- SACK blocks to send --- */

void tcp_note_duplicate(struct tcp_conn *c, uint32_t start, uint32_t end)
{
    if (c->sack_ok)
        c->dsack = (struct tcp_range){start, end};
}

/* [START, END) has come early: it, with what touches it, becomes the first block. */
static void report(struct tcp_conn *c, uint32_t start, uint32_t end)
{
    struct tcp_range r = {start, end};
    unsigned kept = 0;

    for (unsigned i = 0; i < c->num_reports; i++) {
        struct tcp_range *o = &c->report[i];
        if (seq_le(o->start, r.end) && seq_le(r.start, o->end)) {
            r.start = seq_min(r.start, o->start);
            r.end = seq_max(r.end, o->end);
        } else {
            c->report[kept++] = *o;
        }
    }
    kept = min(kept, TCP_SACK_BLOCKS - 1u);
    memmove(&c->report[1], &c->report[0], kept * sizeof(r));
    c->report[0] = r;
    c->num_reports = (uint8_t)(kept + 1);
}

/* rcv_nxt has moved: what it passed is no longer reported. */
static void unreport(struct tcp_conn *c)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < c->num_reports; i++) {
        if (seq_lt(c->rcv_nxt, c->report[i].end))
            c->report[kept++] = c->report[i];
    }
    c->num_reports = (uint8_t)kept;
}

/* --- delivery --- */

/* A few bytes in a large buffer: in a small one of their own, if there is memory. */
static struct buf *compact(struct buf *b)
{
    struct buf *copy;

    if (b->len > COMPACT_MAX || b->room < 4 * b->len + 256 || !(copy = buf_alloc_small(b->len)))
        return b;
    memcpy(copy->base, b->base + b->off, b->len);
    copy->len = b->len;
    buf_free(b);
    return copy;
}

/* The bytes of P, which is freed, are the next LEN of the stream. */
static void deliver(struct tcp_conn *c, struct packet *p, uint32_t len)
{
    struct buf *b, *next;

    c->rcv_nxt += len;
    c->bytes_received += len;
    if (!c->orphan) {
        c->rcv_unread += len;
        c->events |= TCP_EVENT_READ;
        list_for_each_safe (b, next, &p->bufs, link) {
            if (!b->len)
                continue;
            list_remove(&b->link);
            c->stack->ops->deliver(c, compact(b));
        }
    }
    packet_free(p);
}

/* --- early data --- */

static struct tcp_fragment *fragment_of(struct tree_node *n)
{
    return n ? tree_entry(n, struct tcp_fragment, node) : NULL;
}

static bool fragment_before(const struct tree_node *a, const struct tree_node *b)
{
    return seq_lt(tree_entry(a, struct tcp_fragment, node)->seq,
                  tree_entry(b, struct tcp_fragment, node)->seq);
}

static uint32_t packet_room(const struct packet *p)
{
    uint32_t room = sizeof(struct tcp_fragment) + sizeof(*p);
    struct buf *b;

    list_for_each (b, &p->bufs, link)
        room += b->room + (uint32_t)sizeof(*b);
    return room;
}

static void drop_fragment(struct tcp_conn *c, struct tcp_fragment *f)
{
    tree_remove(&c->reorder, &f->node);
    if (f->packet) {
        c->reorder_room -= packet_room(f->packet);
        packet_free(f->packet);
    }
    kfree(f);
}

void tcp_drop_reorder(struct tcp_conn *c)
{
    struct tree_node *n;

    while ((n = tree_first(&c->reorder)))
        drop_fragment(c, fragment_of(n));
    c->num_reports = 0;
}

/* Is the urgent byte among the LEN in P, from SEQ on? */
static void take_urgent(struct tcp_conn *c, const struct packet *p, uint32_t seq, uint32_t len)
{
    uint32_t off = c->rcv_up - seq;

    if (c->urgent != TCP_URGENT_PENDING || off >= len)
        return;
    packet_copy(p, off, &c->urgent_byte, 1);
    c->urgent = TCP_URGENT_READY;
    c->events |= TCP_EVENT_PRIORITY;
}

/* What waits and is next, or is too late now. */
static void drain(struct tcp_conn *c)
{
    struct tcp_fragment *f;

    while ((f = fragment_of(tree_first(&c->reorder))) && seq_le(f->seq, c->rcv_nxt)) {
        uint32_t late = c->rcv_nxt - f->seq;
        if (late < f->len) {
            struct packet *p = f->packet;
            c->reorder_room -= packet_room(p);
            f->packet = NULL;
            packet_pull(p, late);
            take_urgent(c, p, c->rcv_nxt, f->len - late); /* it may have come too early */
            deliver(c, p, f->len - late);
        }
        drop_fragment(c, f);
    }
    unreport(c);
}

/* Put BUFS behind P's bytes: into its last buffer as long as they fit. */
static void absorb(struct packet *p, struct list *bufs)
{
    struct buf *b, *next;

    list_for_each_safe (b, next, bufs, link) {
        char *at = packet_put(p, b->len);
        list_remove(&b->link);
        if (at) {
            memcpy(at, b->base + b->off, b->len);
            buf_free(b);
        } else {
            packet_append(p, b);
        }
    }
}

/*
 * The packet's data in as few bytes of memory as it is worth. A card puts each segment into a page of its own: if that
 * were what early data cost, there would be no room for the window that was promised.
 */
static void compact_packet(struct packet *p)
{
    struct buf *b = list_first(&p->bufs, struct buf, link);
    struct list more = LIST_INIT(more);

    list_remove(&b->link);
    list_splice_back(&more, &p->bufs);
    p->len = 0;
    packet_append(p, compact(b));
    absorb(p, &more);
}

/* The last fragment that begins at or before SEQ. */
static struct tcp_fragment *fragment_at(struct tcp_conn *c, uint32_t seq)
{
    struct tree_node *n = c->reorder.root, *best = NULL;

    while (n) {
        if (seq_le(fragment_of(n)->seq, seq)) {
            best = n;
            n = n->right;
        } else {
            n = n->left;
        }
    }
    return fragment_of(best);
}

/* P's data follow what F has. */
static void extend_fragment(struct tcp_conn *c, struct tcp_fragment *f, struct packet *p)
{
    c->reorder_room -= packet_room(f->packet);
    f->len += p->len;
    absorb(f->packet, &p->bufs);
    packet_free_empty(p);
    c->reorder_room += packet_room(f->packet);
}

/* A fragment of SEG's own; NULL: no memory. */
static struct tcp_fragment *new_fragment(struct tcp_conn *c, const struct tcp_segment *seg)
{
    struct tcp_fragment *f = kmalloc(sizeof(*f));

    if (!f)
        return NULL;
    f->packet = seg->packet;
    f->seq = seg->seq;
    f->len = seg->len;
    c->reorder_room += packet_room(seg->packet);
    tree_insert(&c->reorder, &f->node, fragment_before);
    return f;
}

/* Keep SEG's data, which is early; fragments may overlap, since each is only counted when its turn comes. */
static void keep_early(struct tcp_conn *c, struct tcp_segment *seg)
{
    uint32_t end = seg->seq + seg->len;
    struct tcp_fragment *f = fragment_at(c, seg->seq);

    c->reordered_in++;
    if (f && seq_le(end, f->seq + f->len)) {
        tcp_note_duplicate(c, seg->seq, end);
        return;
    }
    compact_packet(seg->packet);
    uint32_t room = packet_room(seg->packet);
    if (c->reorder_room + room > 2 * c->rcv_limit + 65536)
        return; /* it will come again */
    if (f && f->seq + f->len == seg->seq)
        extend_fragment(c, f, seg->packet);
    else if (!(f = new_fragment(c, seg)))
        return;
    seg->packet = NULL;
    /* What it covers wholly isn't needed any more: so overlaps can't pile up. */
    struct tree_node *n;
    while ((n = tree_next(&f->node)) && seq_le(fragment_of(n)->seq + fragment_of(n)->len, end)) {
        tcp_note_duplicate(c, fragment_of(n)->seq, fragment_of(n)->seq + fragment_of(n)->len);
        drop_fragment(c, fragment_of(n));
    }
    if (c->sack_ok)
        report(c, seg->seq, end);
}

/* --- urgent data: RFC 9293, section 3.8.5, and RFC 6093: one byte, the one before the pointer --- */

void tcp_urgent_arrives(struct tcp_conn *c, const struct tcp_segment *seg)
{
    uint32_t up = seg->seq + seg->urgent - 1;
    uint32_t copied = c->rcv_nxt - c->rcv_unread;

    if (!seg->urgent || c->fin_received || seq_lt(up, copied) || seq_lt(up, c->rcv_nxt))
        return;
    if (c->urgent != TCP_URGENT_NONE && seq_le(up, c->rcv_up))
        return;
    c->rcv_up = up;
    c->urgent = TCP_URGENT_PENDING;
    c->events |= TCP_EVENT_URGENT;
}

/* Sequence number of the byte that the user, who has taken TAKEN bytes, takes next. */
static uint32_t next_to_take(const struct tcp_conn *c, uint32_t taken)
{
    return c->irs + 1 + taken;
}

uint32_t tcp_readable(struct tcp_conn *c, uint32_t taken, uint32_t want, bool *skip)
{
    spin_lock(&c->lock);
    uint32_t next = next_to_take(c, taken), to_mark = c->rcv_up - next;
    uint32_t there = min(c->rcv_nxt - c->fin_received - next, c->rcv_unread);
    *skip = false;
    if (c->urgent != TCP_URGENT_NONE && to_mark < there) {
        if (to_mark > 0)
            want = min(want, to_mark);
        else if (!READ_ONCE(c->oob_inline)) {
            *skip = true;
            want = 0;
        }
    }
    want = min(want, there);
    spin_unlock(&c->lock);
    return want;
}

int tcp_read_urgent(struct tcp_conn *c, bool peek)
{
    int result = -EINVAL;

    spin_lock(&c->lock);
    if (READ_ONCE(c->oob_inline))
        result = -EINVAL;
    else if (c->urgent == TCP_URGENT_PENDING)
        result = c->state == TCP_CLOSED ? 0 : -EAGAIN;
    else if (c->urgent == TCP_URGENT_READY) {
        result = c->urgent_byte;
        if (!peek)
            c->urgent = TCP_URGENT_TAKEN;
    }
    spin_unlock(&c->lock);
    return result;
}

bool tcp_at_mark(struct tcp_conn *c, uint32_t taken)
{
    spin_lock(&c->lock);
    bool at = c->urgent != TCP_URGENT_NONE && c->rcv_up == next_to_take(c, taken);
    spin_unlock(&c->lock);
    return at;
}

/* --- a segment's text: RFC 9293, section 3.10.7.4, seventh --- */

/* What was received already, and what lies beyond the window, is cut off. */
static void trim(struct tcp_conn *c, struct tcp_segment *seg)
{
    if (seq_lt(seg->seq, c->rcv_nxt)) {
        uint32_t old = min(c->rcv_nxt - seg->seq, seg->len);
        if (old) {
            tcp_note_duplicate(c, seg->seq, seg->seq + old);
            c->ack_now = true;
        }
        packet_pull(seg->packet, old);
        seg->seq += old;
        seg->len -= old;
    }
    uint32_t room = seq_lt(seg->seq, c->rcv_right) ? c->rcv_right - seg->seq : 0;
    if (seg->len > room) {
        packet_trim(seg->packet, room);
        seg->len = room;
        seg->flags &= (uint8_t)~TCP_FIN;
        c->ack_now = true;
    }
}

/*
 * RFC 5681, section 4.2: every second full segment at once, others soon; what fills a hole, or makes one, at once. PSH
 * says that the peer has no more to send for now, perhaps because this fills its buffer: once all is read nothing is
 * gained by waiting, unless the user is one who answers.
 */
static void acknowledge(struct tcp_conn *c, const struct tcp_segment *seg, bool hole)
{
    if (hole || c->quick_acks || c->rcv_nxt - c->rcv_acked > c->rcv_mss) {
        c->ack_now = true;
    } else {
        c->ack_on_read = (seg->flags & TCP_PSH) && !c->converses;
        tcp_delay_ack(c);
    }
}

void tcp_data_arrives(struct tcp_conn *c, struct tcp_segment *seg)
{
    bool had_hole = c->reorder.root != NULL;

    trim(c, seg);
    if (seg->flags & TCP_FIN && !c->fin_seen) {
        c->fin_seen = true;
        c->fin_seq = seg->seq + seg->len;
    }
    if (c->fin_seen && seq_lt(c->fin_seq, seg->seq + seg->len))
        return; /* behind the end: nonsense */
    if (!seg->len)
        return;
    c->data_segs_in += seg->pieces;
    c->last_data_in = seg->now;
    uint32_t size = seg->pieces > 1 ? seg->packet->segment_size : seg->len;
    c->rcv_mss = max(min(size, (uint32_t)c->mss), c->rcv_mss);
    take_urgent(c, seg->packet, seg->seq, seg->len);
    if (seg->seq != c->rcv_nxt) {
        keep_early(c, seg);
        /* RFC 5681, section 4.2: a duplicate ACK, at once; one each for a peer that hears no SACK: it counts them. */
        for (uint32_t n = 1; n < seg->pieces && !c->sack_ok; n++)
            tcp_send_ack(c);
        c->ack_now = true;
        return;
    }
    deliver(c, seg->packet, seg->len);
    seg->packet = NULL;
    if (had_hole)
        drain(c);
    acknowledge(c, seg, had_hole);
}
