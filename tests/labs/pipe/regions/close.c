    /*
     * Write: an open description that could read (READS), write (WRITES) or both is gone. q.lock is held.
     *
     * Count it off p->readers and p->writers. When the last one goes, tell the other side: no reader sets
     * q.no_readers and wakes all who wait to write (poll hears POLLOUT, POLLWRNORM and POLLERR); no writer sets
     * q.no_writers and wakes all who wait to read (POLLIN, POLLRDNORM, POLLHUP). All: there is nothing left that one
     * could take from another. First the state, then the wakeup.
     */
    (void)p;
    (void)reads;
    (void)writes;
