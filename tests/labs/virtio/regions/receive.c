    /*
     * YOURS (step 6): the interrupt handler of the receive queue: take in what has come, and hand it on.
     *
     * Under r->rx->lock: ask for no more interrupts; take_buffer() and take_packet() until the ring is empty, at most
     * BUDGET packets, onto a list of your own; ask for interrupts again, and go on if virtqueue_listen() says that
     * more has come meanwhile. Then refill. If the refill left the ring empty, or the budget was used up, arm the
     * timer r->again, RETRY from now or at once (timer_set, clock_monotonic): otherwise nobody would come back here.
     *
     * Not under the lock: netdev_receive() for each packet, in order (list_for_each_safe, list_remove). Why not under
     * it? See question 5. Interrupts are off here.
     */
    (void)r;
    (void)take_packet;
