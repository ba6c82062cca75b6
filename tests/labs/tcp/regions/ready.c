    /*
     * YOURS (step 2): C's handshake is done: from the embryos to those that are ready to be accepted.
     *
     * There is room while the listener is accepting and at most `backlog` are ready (so backlog + 1 can be: that is
     * BSD's and Linux's reading). Then move C (child_link) to the end of l->ready, count num_embryos down and
     * num_ready up, C is no embryo any more, tell who waits in accept (ops->notify of L with TCP_EVENT_ACCEPT: with
     * the lock held, so that the wakeup can't be lost), and count passive_opens. Without room change nothing, count
     * listen_overflows. True: there was room.
     *
     * Lock: C's is held; l->accept_lock, which guards both lists and both numbers, is yours to take.
     */
    (void)c;
    return false;
