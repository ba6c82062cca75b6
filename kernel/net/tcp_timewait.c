/*
 * TIME-WAIT. When both sides have closed, the one that closed first must stay for two maximum segment
 * lifetimes: its last ACK may have been lost, and old segments of the connection must die before its
 * tuple lives again. All that is needed for that is a few numbers, so the connection itself goes and struct
 * tcp_timewait takes its place in the table.
 *
 * stack->time_wait is in the order of expiry, since each entry waits equally long from when it is put (back) at the
 * end. Everything is under the table lock.
 */
#include "lib/string.h"
#include "mm/slab.h"
#include "net/tcp_internal.h"

static void arm(struct tcp_stack *stack)
{
    struct tcp_timewait *first = list_first(&stack->time_wait, struct tcp_timewait, age_link);

    nsec_t when = first ? first->expires : 0;

    if (when == stack->armed)
        return;
    stack->armed = when;
    stack->ops->arm_stack(stack, when);
}

/* TW waits anew. */
static void restart(struct tcp_stack *stack, struct tcp_timewait *tw, nsec_t now)
{
    tw->expires = now + READ_ONCE(stack->params.time_wait);
    list_remove(&tw->age_link);
    list_push_back(&stack->time_wait, &tw->age_link);
    arm(stack);
}

void tcp_time_wait_free(struct tcp_stack *stack, struct tcp_timewait *tw)
{
    list_remove(&tw->age_link);
    list_remove(&tw->entry.link);
    list_remove(&tw->entry.bound_link);
    stack->time_waits--;
    kfree(tw);
}

void tcp_time_wait_begin(struct tcp_conn *c)
{
    struct tcp_stack *stack = c->stack;
    struct tcp_timewait *tw = kzalloc(sizeof(*tw));

    if (!tw || READ_ONCE(stack->time_waits) >= READ_ONCE(stack->params.time_wait_max)) {
        kfree(tw); /* without it an old duplicate may do harm; with it none could do anything new */
        return;
    }
    tw->entry.tuple = c->entry.tuple;
    tw->entry.uid = c->entry.uid;
    tw->entry.reuse_address = c->entry.reuse_address;
    tw->entry.reuse_port = c->entry.reuse_port;
    tw->entry.is_time_wait = true;
    tw->snd_nxt = c->snd_nxt;
    tw->rcv_nxt = c->rcv_nxt;
    tw->ts_recent = c->ts_recent;
    tw->ts_recent_age = c->ts_recent_age;
    tw->ts_offset = c->ts_offset;
    tw->timestamps_ok = c->timestamps_ok;
    tw->window = (uint16_t)((c->rcv_right - c->rcv_nxt) >> c->rcv_scale);
    list_init(&tw->entry.bound_link);
    list_init(&tw->entry.link);
    list_init(&tw->age_link);
    nsec_t now = tcp_now(c);
    spin_lock(&stack->lock);
    bool was_in = !list_empty(&c->entry.link);
    list_remove(
        &c->entry.link); /* with what follows in one step: a segment finds one or the other */
    tcp_enter_locked(stack, &tw->entry);
    stack->time_waits++;
    restart(stack, tw, now);
    spin_unlock(&stack->lock);
    if (was_in)
        tcp_put(c);
} /* LAB tcp:timewait begin */

static void answer(const struct tcp_timewait *tw, const struct tcp_segment *seg,
                   struct tcp_bare *out)
{
    *out = (struct tcp_bare){
        .tuple = tw->entry.tuple,
        .seq = tw->snd_nxt,
        .ack = tw->rcv_nxt,
        .flags = TCP_ACK,
        .window = tw->window,
    };
    if (tw->timestamps_ok)
        out->options_len = tcp_options_timestamp(
            out->options, (uint32_t)(seg->now / NSEC_PER_MSEC) + tw->ts_offset, tw->ts_recent);
}

/* RFC 6191, section 2: does the caller's SYN show that it is younger than all that was before? */
static bool is_new_call(const struct tcp_timewait *tw, const struct tcp_segment *seg)
{
    if ((seg->flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN)
        return false;
    if (tw->timestamps_ok && seg->options.has_timestamps && seg->options.tsval != tw->ts_recent)
        return seq_lt(tw->ts_recent, seg->options.tsval);
    return seq_lt(tw->rcv_nxt, seg->seq);
}

/* RFC 9293, section 3.10.7.4 for TIME-WAIT, with RFC 1337: an RST ends nothing here. */
enum tcp_verdict tcp_time_wait_input(struct tcp_stack *stack, struct tcp_timewait *tw,
                                     const struct tcp_segment *seg, struct tcp_bare *out,
                                     uint32_t *isn)
{
    bool old_stamp = tw->timestamps_ok && seg->options.has_timestamps &&
                     seq_lt(seg->options.tsval, tw->ts_recent);

    /* To end the wait for a SYN that comes to nothing would be what RFC 1337 is about. */
    if (is_new_call(tw, seg) && tcp_find_listener_locked(stack, &seg->tuple)) {
        *isn = tw->snd_nxt + 65536 + 1;
        tcp_time_wait_free(stack, tw);
        arm(stack);
        tcp_count(stack, time_wait_reused);
        return TCP_NEW_CALL;
    }
    if (seg->flags & TCP_RST)
        return TCP_DROP;
    if (old_stamp)
        tcp_count(stack, paws_rejected);
    /* An ACK that says nothing new needs no answer: two that wait would talk for ever. */
    if (!old_stamp && !tcp_segment_space(seg) && seg->seq == tw->rcv_nxt)
        return TCP_DROP;
    if (!old_stamp && (seg->flags & TCP_FIN))
        restart(stack, tw, seg->now); /* our ACK was lost */
    answer(tw, seg, out);
    return tcp_segment_space(seg) || tcp_challenge_allowed(stack, seg->now) ? TCP_ANSWER : TCP_DROP;
} /* LAB tcp:timewait end */

bool tcp_time_wait_reusable(const struct tcp_stack *stack, const struct tcp_timewait *tw,
                            nsec_t now)
{
    return READ_ONCE(stack->params.time_wait_reuse) && tw->timestamps_ok &&
           now - tw->ts_recent_age > NSEC_PER_SEC;
}

void tcp_stack_timer(struct tcp_stack *stack)
{
    nsec_t now = stack->ops->now();
    struct tcp_timewait *tw;

    spin_lock(&stack->lock);
    while ((tw = list_first(&stack->time_wait, struct tcp_timewait, age_link)) &&
           tw->expires <= now)
        tcp_time_wait_free(stack, tw);
    stack->armed = 0; /* it has fired */
    arm(stack);
    spin_unlock(&stack->lock);
}

void tcp_stack_drain(struct tcp_stack *stack)
{
    struct tcp_timewait *tw;

    spin_lock(&stack->lock);
    while ((tw = list_first(&stack->time_wait, struct tcp_timewait, age_link)))
        tcp_time_wait_free(stack, tw);
    arm(stack);
    spin_unlock(&stack->lock);
}
