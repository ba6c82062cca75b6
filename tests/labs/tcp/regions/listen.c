    /*
     * YOURS (step 2): SEGMENT ARRIVES in LISTEN (RFC 9293, 3.10.7.2), in the RFC's order:
     *
     * Under l->lock: no listener any more, or not of this port (is_called_by()): refuse. Else
     * first   RST: nothing.
     * second  ACK: nothing can have been acknowledged, so refuse; only that it may be the answer to a SYN cookie,
     *         when it has no SYN: cookie_arrives() makes the child, or says that it is to be refused.
     * third   SYN without FIN: call_arrives() makes the child, with a reference, or NULL.
     * Anything else is dropped.
     *
     * Then without it (a child's lock and its listener's are never held together): refuse by tcp_refuse(), or, under
     * the child's lock (tcp_lock), if it is in SYN-RECEIVED still: answer a SYN by tcp_send_syn() and arm
     * TCP_TIMER_RETRANSMIT, tcp_rto(c) from now; or let an ACK go the way of all segments (tcp_segment_arrives), and
     * tcp_end() the child if it is an embryo after that, for a cookie keeps none. tcp_unlock, tcp_put.
     *
     * No lock is held here. L is the caller's reference.
     */
    (void)l;
    (void)seg;
    (void)isn;
    (void)is_called_by;
    (void)call_arrives;
    (void)cookie_arrives;
