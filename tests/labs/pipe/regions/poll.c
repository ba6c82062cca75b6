    /*
     * Write: what F can do now, as POLL* bits. The lock may be held or not: only look.
     *
     * A description that reads: POLLIN and POLLRDNORM while there are bytes. POLLHUP when no writer is left; but on
     * a FIFO not before one has come since it was opened: f->pos says so (the head of this file).
     * One that writes: POLLOUT and POLLWRNORM unless the queue is full, POLLERR when no reader is left.
     * What is read without its lock is read once: READ_ONCE.
     */
    (void)f;
    (void)p;
    return 0;
}

static noinline unsigned pipe_poll_join(struct file *f, struct poll_table *pt)
{
    /*
     * Write: join the wait queues of F's doors (poll_wait: readable for one that reads, writable for one that
     * writes), then say what is ready. Both under one holding of q.lock: what becomes ready after the look
     * finds the waiter on the list.
     */
    (void)pt;
    return pipe_ready(f, f->private);
