    /*
     * YOURS (step 1): SEGMENT ARRIVES in SYN-SENT (RFC 9293, 3.10.7.3), in the RFC's order:
     *
     * first   An ACK of something that we haven't sent, or that is older than our SYN: answer with a reset
     *         (tcp_refuse), unless it is one itself, and drop it. Compare by seq_lt and seq_le: numbers go round.
     * second  RST: with an acceptable ACK the call is refused: count attempt_fails, tcp_end() with ECONNREFUSED.
     *         Without ACK it proves nothing: drop it.
     * fourth  Without SYN: drop it. With SYN, learn where the peer begins: irs; rcv_nxt and rcv_acked stand behind
     *         its SYN; the window that our SYN promised (rcv_right - rcv_nxt) is counted from there. Take its options
     *         in (tcp_take_options).
     *         No ACK: both have called at once: SYN-RECEIVED, no backoff, and our SYN again, which now carries an
     *         ACK.
     *         ACK: established(), with the window as it stands: that of a SYN is never scaled. An ACK is owed at once
     *         (ack_now; tcp_unlock sends it). Our SYN counts as one of bytes_acked.
     * sixth   What else is in the segment, data or FIN, is handled by process_text(), which doesn't expect a SYN:
     *         step over it first.
     *
     * Lock: c->lock is held.
     */
    (void)c;
    (void)seg;
