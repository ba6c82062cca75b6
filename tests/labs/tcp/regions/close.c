    /*
     * YOURS (step 3): CLOSE (RFC 9293, 3.10.4), by state:
     *
     * SYN-SENT: nobody knows of it: tcp_end().
     * Any other, when the user wants an ABORT, or has left data unread (c->rcv_unread): the peer must hear that its
     * data was lost (RFC 9293, 3.6.1; RFC 2525, 2.17): tcp_abort() without an error.
     * ESTABLISHED, CLOSE-WAIT: tcp_queue_fin().
     * SYN-RECEIVED: the FIN has to wait for the handshake: fin_queued.
     * FIN-WAIT-2: nobody is there any more to wait for the peer's FIN: TCP_TIMER_FIN, as in fin_acked()
     *             (tcp_state.c).
     * The others are closing already.
     *
     * As it stands every close is an abort. Lock: c->lock is held; C isn't CLOSED.
     */
    (void)abort;
    tcp_abort(c, 0);
