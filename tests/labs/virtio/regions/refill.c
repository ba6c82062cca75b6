    /*
     * YOURS (step 6): put empty pages into the receive ring until it is full, and tell the device once.
     *
     * One buffer is one page (buf_alloc(), its memory is at b->base), which the device writes; its token is the
     * struct buf. r->in_ring counts those that the device has. When memory is out, stop, and keep what is there. When
     * virtqueue_put() refuses, the buffer is still yours: free it (buf_free).
     *
     * True: the ring is as full as it can be, or has at least some buffers, so that an interrupt will come. False: it
     * has none; no interrupt ever comes then, and the caller must try again by the clock. Lock: r->rx->lock is held.
     */
    (void)r;
    return true;
