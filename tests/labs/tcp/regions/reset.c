    /*
     * YOURS (step 4): the second check: SEG is in the window and has RST. Who can't see our segments can still guess
     * a number inside a window; so (RFC 5961, 3.2) only a reset at exactly rcv_nxt is believed, and any other gets a
     * challenge: tcp_challenge() makes an ACK of it, so that a peer that is really dead can reset us rightly.
     *
     * A reset that is believed: count attempt_fails in SYN-RECEIVED, otherwise estab_resets, and tcp_end(): with
     * EPIPE in CLOSE-WAIT, where the peer had said that it sends no more, else with ECONNRESET.
     *
     * As it stands resets are ignored. Lock: c->lock is held.
     */
    (void)c;
    (void)seg;
