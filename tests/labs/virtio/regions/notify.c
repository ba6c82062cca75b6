    /*
     * YOURS (step 2): make what was put since the last time visible to the device, and wake it if it wants that.
     *
     * 1. Nothing was put since q->avail_published, or the device is stopped: do nothing.
     * 2. Publish: q->avail->idx becomes q->avail_next, by a store that no earlier one can be seen after (atomic_store
     *    is a release store): who reads the index may rely on the ring entries before it.
     * 3. Then look whether the device wants to be told: with the event index (2.7.10.1, has_event_idx) when the
     *    number in avail_event(q) is among those that were just published; without, unless the device has set
     *    VIRTQ_USED_NO_NOTIFY in q->used->flags (a word that changes under our eyes: read it as volatile). Between
     *    the store of 2 and this load the processor must not change the order: device_fence(). See the handout, hint
     *    2, for why a release store isn't enough.
     * 4. To tell: write the queue's number to *q->notify.
     *
     * Numbers go round at 65536: subtract in uint16_t, and compare differences. Lock: q->lock is held.
     */
    (void)q;
    (void)avail_event;
