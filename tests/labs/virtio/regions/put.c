    /*
     * YOURS (step 1): the buffer is described from descriptor HEAD on; hand it in.
     *
     * Remember in q->slots[head] its token and how many bytes the device may write: the lengths of all pieces from
     * OUT on. Enter HEAD in the available ring, at the place that q->avail_next stands for, and count q->avail_next
     * on: it is a number modulo 2^16 that never stops at q->size. The device isn't told yet: virtqueue_notify() does
     * that once for all that was put. 0. Lock: q->lock is held.
     */
    (void)token;
    return -EIO;
