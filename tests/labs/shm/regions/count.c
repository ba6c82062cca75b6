    /*
     * Lab, step 2: how often S is attached: by all processes together, twice by one that attached it twice.
     * S->o.lock is held, so S has its object; the object's own lock, which comes after it, guards what you
     * read.
     */
    (void)s;
    return 0;
