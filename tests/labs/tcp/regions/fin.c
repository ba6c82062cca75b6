    /*
     * YOURS (step 3): the eighth check: everything up to the peer's FIN has come, rcv_nxt stands at it.
     *
     * Step over it (rcv_nxt, and rcv_right isn't left of it), remember it (fin_received), owe an ACK, tell the reader
     * (TCP_EVENT_EOF into c->events), and drop what waits out of order behind it (tcp_drop_reorder). Then the state
     * (RFC 9293, 3.10.7.4, eighth): the peer was first: CLOSE-WAIT; our FIN is out and not yet acknowledged: CLOSING;
     * it is acknowledged: both are done: tcp_to_time_wait().
     *
     * Lock: c->lock is held. Called once, in ESTABLISHED, FIN-WAIT-1 or FIN-WAIT-2.
     */
    (void)c;
