    /*
     * YOURS (step 5): the interrupt handler of the send queue: packets have gone out.
     *
     * Under the queue's lock: take them back, ask for the next interrupt (still_more(), which does that by
     * virtqueue_listen_later()), and go on for as long as more has come in between. Then free them all
     * (free_all), and tell the device's queue, which may hold packets back for lack of room, to go on:
     * netdev_resume(&t->net->dev, t->index). Both without the lock: see question 5.
     */
    (void)t;
