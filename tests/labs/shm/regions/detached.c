    /*
     * Lab, step 2: called when OBJECT, a segment's, is mapped by an area less, whatever took it: shmdt, munmap,
     * exec, exit, a signal that killed. The area is off the object's list already. Note when (dtime) and who
     * (lpid); current_proc() is NULL where an address space is torn down by a thread that belongs to no
     * process any more.
     *
     * The last one out turns off the light: call destroy_if_unused(), and put what it returns after the lock
     * has been dropped. No lock is held at the call.
     */
    (void)object;
