    /*
     * YOURS (step 3): the next buffer that the device is done with.
     *
     * NULL when q->used_seen says that we have seen all, or the device is stopped. The index is used_index(), an
     * acquire load: what was written before it is there. The entry is the device's memory: read it once, into a copy,
     * and look at the copy alone.
     *
     * A device may lie. Before a word of it is used, see that
     *   - no more is finished than the ring can hold,
     *   - the id is that of a descriptor, and of one where a buffer begins that is the device's now,
     *   - the length isn't larger than what the device may write there;
     * otherwise virtio_fail() with a sentence that says what it did, and NULL. Nothing is changed then.
     *
     * Else count q->used_seen on, *WRITTEN is the length, and the token is what release() returns. Lock: q->lock is
     * held.
     */
    (void)q;
    (void)used_index;
    (void)release;
    *written = 0;
    return NULL;
