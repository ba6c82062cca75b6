    /*
     * YOURS (step 3): the buffer at HEAD is ours again: return its token.
     *
     * Its descriptors, of which slots[head].count says how many and slots[].next which, go back to the free chain (in
     * front of it is easiest: the last one's next becomes the old q->free_head). Free the table of an indirect
     * buffer. The slot must know afterwards that no buffer is there: its token is NULL. Lock: q->lock is held.
     */
    void *token = q->slots[head].token;

    q->slots[head].token = NULL; /* whoever empties the ring must come to an end */
    return token;
