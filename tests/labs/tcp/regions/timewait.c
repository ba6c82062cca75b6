
/*
 * YOURS (step 5): SEGMENT ARRIVES in TIME-WAIT (RFC 9293, 3.10.7.4). Of the connection only TW is left.
 *
 * A new call (RFC 6191): a SYN alone, for somebody who listens (tcp_find_listener_locked), of which it is certain that
 * it is younger than the old connection: with timestamps on both sides and not the same one, when its stamp is above
 * tw->ts_recent; else when its number is above tw->rcv_nxt. Then *isn is where the new connection may begin, above all
 * that the old one has sent: snd_nxt + 65536 + 1. TW is freed (tcp_time_wait_free) and the timer armed for the next
 * (arm); count time_wait_reused; TCP_NEW_CALL.
 *
 * RST: TCP_DROP: it may be an old one, and would end the wait too early (RFC 1337).
 * Otherwise the peer shall hear where we are: TCP_ANSWER with *OUT: an ACK of the two numbers in TW, with its window,
 * and, if timestamps were agreed on, tcp_options_timestamp() of the clock in milliseconds + ts_offset and of
 * ts_recent. Three things to know:
 *   - Nothing new (no space, stands at rcv_nxt, no old stamp): TCP_DROP. Two in TIME-WAIT would answer each other for
 *     ever.
 *   - A FIN that comes again, and isn't of old (its stamp isn't below ts_recent): our last ACK was lost; the wait
 *     begins anew: restart().
 *   - What has no space is answered only as often as tcp_challenge_allowed() allows. Count paws_rejected for old
 *     stamps.
 *
 * Lock: the table lock is held.
 */
enum tcp_verdict tcp_time_wait_input(struct tcp_stack *stack, struct tcp_timewait *tw,
                                     const struct tcp_segment *seg, struct tcp_bare *out,
                                     uint32_t *isn)
{
    (void)stack;
    (void)tw;
    (void)seg;
    (void)out;
    (void)isn;
    return TCP_DROP;
