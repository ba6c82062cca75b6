    /*
     * YOURS (step 3): has the ACK that was just taken in acknowledged our FIN (tcp_fin_is_acked)? If so:
     *
     * FIN-WAIT-1: FIN-WAIT-2; tell the owner (TCP_EVENT_CLOSED), who may linger for it. If there is no owner any more
     *             (c->orphan), the peer may not keep us for ever: TCP_TIMER_FIN, after c->fin_timeout or, if that is
     *             0, the stack's params.fin_timeout; but never at the time 0, which means no timer.
     * CLOSING:    tcp_to_time_wait(), false.
     * LAST-ACK:   tcp_end() without an error, false.
     *
     * True: SEGMENT ARRIVES goes on with the text. Lock: c->lock is held.
     */
    (void)c;
    (void)now;
    return true;
