/*
 * A packet arrives: is it sound, and whose is it? The order of looking is connection, TIME-WAIT, listener; what belongs
 * to nobody is refused with RST (RFC 9293, section 3.10.7.1).
 */
#include "lib/string.h"
#include "net/tcp_internal.h"

void tcp_refuse(struct tcp_stack *stack, const struct tcp_segment *seg)
{
    struct tcp_bare b = {.tuple = seg->tuple};

    if (seg->flags & TCP_RST)
        return;
    if (seg->flags & TCP_ACK) {
        b.seq = seg->ack;
        b.flags = TCP_RST;
    } else {
        b.ack = seg->seq + tcp_segment_space(seg);
        b.flags = TCP_RST | TCP_ACK;
    }
    tcp_send_bare(stack, &b);
}

static bool checksum_is_good(const struct packet *p, uint32_t src, uint32_t dst)
{
    if (p->checksum == CHECKSUM_GOOD || p->checksum == CHECKSUM_PARTIAL)
        return true;
    return checksum_finish(packet_checksum_add(p, 0, tcp_pseudo_sum(src, dst, p->len))) == 0;
}

/* Take P apart. False: it is damaged. */
static bool parse(struct packet *p, uint32_t src, uint32_t dst, struct tcp_segment *seg)
{
    struct tcp_header *h = packet_header(p, TCP_HEADER);

    if (!h || !checksum_is_good(p, src, dst))
        return false;
    unsigned len = h->offset >> 4;
    len *= 4;
    if (len < TCP_HEADER || !(h = packet_header(p, len)))
        return false;
    seg->tuple = (struct tcp_tuple){
        .local = dst,
        .remote = src,
        .local_port = net16(h->dest),
        .remote_port = net16(h->source),
    };
    seg->seq = net32(h->seq);
    seg->ack = net32(h->ack);
    seg->flags = h->flags;
    seg->window = net16(h->window);
    seg->urgent = net16(h->urgent);
    tcp_options_parse((const uint8_t *)(h + 1), len - TCP_HEADER, &seg->options);
    packet_pull(p, len);
    seg->len = p->len;
    seg->pieces = p->segment_size && p->len ? DIV_ROUND_UP(p->len, p->segment_size) : 1;
    seg->packet = p;
    return true;
}

struct finding {
    struct tcp_conn *conn;     /* a reference; NULL: none */
    struct tcp_conn *listener; /* a reference; NULL: none */
    enum tcp_verdict verdict;  /* of a TIME-WAIT */
    uint32_t isn;              /* where a call that ended a TIME-WAIT should begin; 0: anywhere */
    struct tcp_bare answer;
};

static void find_owner(struct tcp_stack *stack, const struct tcp_segment *seg, struct finding *f)
{
    spin_lock(&stack->lock);
    struct tcp_entry *e = tcp_find_locked(stack, &seg->tuple);
    f->verdict = TCP_NEW_CALL;
    if (e && e->is_time_wait)
        f->verdict = tcp_time_wait_input(stack, (struct tcp_timewait *)e, seg, &f->answer, &f->isn);
    else if (e)
        f->conn = (struct tcp_conn *)e;
    if (!f->conn && f->verdict == TCP_NEW_CALL)
        f->listener = tcp_find_listener_locked(stack, &seg->tuple);
    if (f->conn)
        tcp_get(f->conn);
    if (f->listener)
        tcp_get(f->listener);
    spin_unlock(&stack->lock);
}

/* IP_MINTTL, RFC 5082: what has come a longer way than C's user believes in is as if lost. */
static bool came_too_far(const struct tcp_conn *c, const struct tcp_segment *seg)
{
    return seg->packet->ip.ttl < READ_ONCE(c->min_ttl);
}

static void dispatch(struct tcp_stack *stack, struct tcp_segment *seg)
{
    struct finding f = {0};

    find_owner(stack, seg, &f);
    if (f.conn) {
        tcp_lock(f.conn);
        if (came_too_far(f.conn, seg))
            tcp_count(stack, in_errs);
        else if (!tcp_is_still(f.conn, &seg->tuple)) /* it ended while we looked */
            tcp_refuse(stack, seg);
        else
            tcp_segment_arrives(f.conn, seg);
        tcp_unlock(f.conn);
        tcp_put(f.conn);
    } else if (f.listener) {
        if (came_too_far(f.listener, seg))
            tcp_count(stack, in_errs);
        else
            tcp_listen_input(f.listener, seg, f.isn);
        tcp_put(f.listener);
    } else if (f.verdict == TCP_ANSWER) {
        tcp_send_bare(stack, &f.answer);
    } else if (f.verdict == TCP_NEW_CALL) {
        tcp_refuse(stack, seg);
    }
}

void tcp_input(struct tcp_stack *stack, struct packet *p, uint32_t src, uint32_t dst)
{
    struct tcp_segment seg;

    if (!parse(p, src, dst, &seg)) {
        tcp_count(stack, in_segs);
        tcp_count(stack, in_errs);
        packet_free(p);
        return;
    }
    tcp_count_many(stack, in_segs, seg.pieces);
    seg.now = stack->ops->now();
    dispatch(stack, &seg);
    packet_free(seg.packet);
}
