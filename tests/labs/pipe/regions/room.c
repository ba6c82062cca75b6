    /*
     * Write: wait until N bytes (at most a page) can go into Q. 0: they can; -EPIPE when nobody will ever read
     * them; -EAGAIN when HOW says not to sleep, or its deadline has passed; -ERESTARTSYS after a signal.
     *
     * There is room when the queue isn't full, or when the bytes fit behind those of its last buffer
     * (appendable()). Sleep on q->writable, exclusively, until there is room or no reader is left, and set *SLEPT
     * before. No reader comes first: it wins over room, over -EAGAIN, and over whatever ended the sleep.
     * q->lock is held at the call, on return, and whenever something is looked at.
     */
    (void)appendable(q, how, n);
    *slept = false;
    return -ENOSYS;
}

/*
 * Wait until N bytes (at most a page) can go into the queue: 0, -EPIPE when nobody will read them, -EAGAIN,
 * -ERESTARTSYS. Sets *SLEPT when it had to. q->lock held.
 */
static inline int wait_for_room(struct queue *q, const struct queue_manner *how, size_t n,
                                bool *slept)
{
    if (likely(!q->no_readers && !queue_is_full(q)))
        return 0;
    return sleep_for_room(q, how, n, slept);
}

/* The end of every write that slept: let the next writer have what is left. q->lock held. */
static void pass_on(struct queue *q, bool slept)
{
    /*
     * Write: a reader that takes a buffer out wakes one writer. If that writer SLEPT and leaves room behind,
     * another may go on as well, and nobody else will tell it so.
     */
    (void)q;
    (void)slept;
