    /*
     * YOURS (step 1): describe a buffer by a chain of descriptors (virtio 1.2, 2.7.5).
     *
     * HEAD is the first free descriptor, and q->slots[i].next the one that is free after i; the caller has made sure
     * that N are free. Describe piece by piece with describe(): the first OUT are for the device to read, the others
     * for it to write; each but the last has a successor. Then note down what release() needs and the device can't
     * reach: in q->slots[head] that there is no table, and how many descriptors the buffer takes. What is left of the
     * free chain begins where yours ended (q->free_head, q->free_count).
     *
     * describe_indirectly() above does the same with a table. Lock: q->lock is held. Errors: none.
     */
    (void)q;
    (void)head;
    (void)pieces;
    (void)n;
    (void)out;
