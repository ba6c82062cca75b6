    /*
     * YOURS (step 2): the numbers of a connection that SEG has called for (RFC 9293, 3.10.7.2, third).
     *
     * Receive: irs is the caller's number; rcv_nxt and rcv_acked stand behind its SYN; rcv_right is as far as our
     * answer will tell: syn_window(l) from there. Send: tcp_begin() gives our number and what shifts our timestamps
     * (ts_offset), but *ISS stands for the number if there is one (a SYN cookie, or a tuple that was in TIME-WAIT).
     * iss and snd_una are it; snd_nxt is behind our SYN, though that is sent later. snd_wnd is the caller's window,
     * not scaled: it stood in a SYN. last_heard and space_time are now. Last, in this order: our scale
     * (tcp_choose_scale), the caller's options (tcp_take_options), and the state SYN-RECEIVED.
     *
     * Lock: L's; nobody else knows C yet.
     */
    (void)iss;
    (void)tcp_choose_scale;
