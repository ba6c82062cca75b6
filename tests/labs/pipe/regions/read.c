    /*
     * Write: move up to u->left bytes out of P's queue to the program, sleeping while there are none.
     *
     * Returns the bytes moved; 0 when the queue is empty and no writer is left (q->no_writers); -EAGAIN
     * instead of a sleep when NONBLOCK; -ERESTARTSYS when a signal ended the sleep; -EFAULT. An error is
     * only an answer while nothing has been moved: bytes that are out of the queue are reported.
     *
     * q->lock is held wherever the queue is looked at, and not on return. queue_read() moves bytes; its -EAGAIN
     * is not the program's, it means "the lock was dropped to fetch a page: look again". Move at most
     * READ_BATCH bytes at a time, and let others have the lock between two batches. A buffer with BUF_RECORD
     * is a packet: a read takes one, what does not fit is dropped (QUEUE_CUT), and the read ends.
     *
     * Sleep on q->readable with wait_event_exclusive(): one buffer wakes one reader. The price: who was woken
     * and leaves bytes behind owes the wakeup to the next reader and passes it on (wake_one), once, at the end.
     * Who did not sleep has used up nobody's wakeup and passes none on.
     */
    (void)p;
    (void)u;
    (void)nonblock;
    return -ENOSYS;
