        /*
         * YOURS (step 1): OPEN, active (RFC 9293, 3.10.1): the tuple is chosen and entered, now call.
         *
         * tcp_begin() says where our sequence numbers begin and by what our timestamps are shifted, so that nobody
         * can guess either (c->iss, c->ts_offset). SND.UNA is the SYN's number, SND.NXT the one behind it. The peer
         * was last heard now, and answers nothing since now (last_heard, stalled). Choose the window's scale and the
         * MSS (tcp_choose_scale, tcp_update_mss) before the SYN is made, for it tells both. Then SYN-SENT, send the
         * SYN, and arm the timer that sends it again: TCP_TIMER_RETRANSMIT after tcp_rto(c). One more of
         * active_opens.
         *
         * Lock: c->lock is held. Errors: none from here on; an unanswered call ends by the timer (tcp_timer.c).
         */
        error = -ENOSYS;
