    /*
     * Lab, step 2: called when OBJECT, a segment's, is mapped by an area more without shmat: by a fork, or
     * because an area was cut in two. object->owner is the segment. Linux counts that as an attach: note when
     * (atime) and who (lpid: the process that forks). The caller holds its address space's mm->lock, a mutex;
     * the segment's lock may be taken below it.
     */
    (void)object;
