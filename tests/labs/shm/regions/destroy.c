    /*
     * Lab, step 3: a segment goes when three things are true: it is to be removed (SHM_DEST in its mode),
     * nobody has it attached, nobody is about to (sys_shmat sleeps between finding it and mapping it). This is
     * called wherever one of them may just have become true. S->o.lock is held. When S stays: NULL.
     *
     * When it goes: no page of it counts as locked any more (unlock_segment), its id is nobody's
     * (sysv_remove, which drops the lock for a moment, so another caller may come in between: what has to be
     * true by then?), total_pages doesn't count it, and S has no object. The object is returned rather than
     * put: its last reference frees pages, and a spinlock is held here.
     *
     * A segment is removed once. Who comes second finds S->o.removed.
     */
    (void)s;
    return NULL;
