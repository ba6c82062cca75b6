    /*
     * YOURS (step 4): the first check of SEGMENT ARRIVES (RFC 9293, 3.10.7.4): is any of SEG in the window, that is
     * in [rcv_nxt, rcv_right)? The RFC's table has four cases: with and without space (tcp_segment_space: SYN and FIN
     * count), window open or closed.
     *
     * Two points where the table is too strict: a segment without space may also stand at the right edge itself (the
     * ACK of a peer that has filled our window); and one that begins exactly at rcv_nxt is taken though the window is
     * closed, for its ACK counts, and its text is cut off later. Compare by seq_lt and seq_le.
     *
     * As it stands everything is believed. Lock: c->lock is held.
     */
    (void)c;
    (void)seg;
    return true;
