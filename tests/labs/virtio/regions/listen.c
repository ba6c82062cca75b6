    /*
     * YOURS (step 4): no interrupts, please. With the event index: an event that lies as far ahead as can be, the
     * number before q->used_seen; the flags stay 0 (2.7.7.1). Without: VIRTQ_AVAIL_NO_INTERRUPT. Lock: q->lock is
     * held.
     */
    (void)q;
    (void)used_event;
    (void)has_event_idx;
}

bool virtqueue_listen(struct virtqueue *q)
{
    /*
     * YOURS (step 4): an interrupt for the next buffer that is finished, that is for the number q->used_seen.
     *
     * Write the event (or clear the flags), device_fence(), and then look at the used index AGAIN: true when something
     * has come in that we haven't seen. The device may have finished it before it saw what we wrote; then it has sent
     * no interrupt, and will send none. Lock: q->lock is held.
     */
    (void)q;
    return false;
}

void virtqueue_ask_later(struct virtqueue *q)
{
    /*
     * YOURS (step 4): an interrupt, but only when three quarters of the buffers in the ring now are done: put
     * (avail_next) and not yet taken (used_seen), rounded down. So a sender isn't interrupted for each packet. Without
     * the event index it can't be said when; then any interrupt will do. Only the word is written here: the fence is
     * that of the virtqueue_notify() that the caller puts behind it. Lock: q->lock is held.
     */
    (void)q;
}

bool virtqueue_look_later(struct virtqueue *q)
{
    /*
     * YOURS (step 4): true when more than three quarters are done already, of which no interrupt may tell. Lock:
     * q->lock is held.
     */
    (void)q;
    return false;
}

bool virtqueue_listen_later(struct virtqueue *q)
{
    /*
     * YOURS (step 4): both, where there is no virtqueue_notify() in between: ask, device_fence(), look. Lock: q->lock
     * is held.
     */
    (void)q;
    return false;
