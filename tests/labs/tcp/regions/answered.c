    /*
     * YOURS (step 2): the fifth check in SYN-RECEIVED (RFC 9293, 3.10.7.4): does SEG acknowledge our SYN?
     *
     * An ACK that isn't above snd_una, or is above snd_nxt: tcp_refuse(), and false.
     * TCP_DEFER_ACCEPT: an embryo stays one (false) when the segment has neither data nor FIN, as long as
     * c->defer_accept nanoseconds since c->space_time haven't passed.
     * An embryo must find room among those that wait to be accepted: tcp_child_ready(). If it finds none, false, as
     * if the ACK had been lost; the peer's next segment, or our SYN again, will bring another. But when the listener
     * isn't `accepting` any more, there is no next time, and the caller believes that it is connected:
     * tcp_abort(c, 0).
     *
     * Otherwise go on to the line that follows. Lock: c->lock is held.
     */
    bool acceptable = false;

    (void)seg;
    if (!acceptable)
        return false;
