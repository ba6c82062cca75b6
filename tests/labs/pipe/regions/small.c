    /*
     * Write: put the N bytes at DATA, at most SMALL_WRITE, into Q, which has room for them: behind the bytes of
     * the last buffer when appendable() offers one (queue_append), else in a buffer of their own (buf_alloc,
     * put_marked). 0, or -ENOMEM when there is no buffer. q->lock is held, so nothing here may sleep.
     */
    (void)how;
    (void)data;
    (void)n;
    (void)appendable;
    (void)put_marked;
    assert(spin_is_held(&q->lock));
    return -ENOSYS;
}

static ssize_t write_small(struct queue *q, const struct queue_manner *how, struct uio *u)
{
    /*
     * Write: all u->left bytes (1 to SMALL_WRITE) go into Q in one piece, or none. The number of bytes, or the
     * error of wait_for_room(), -EFAULT, -ENOMEM. No lock is held at the call or on return.
     *
     * Fetching the program's bytes (uio_copy_in: the bytes it got) may fault and sleep, so it comes before the
     * lock. -EPIPE and -EAGAIN are looked for before -EFAULT is told. After the wait, pass the wakeup on (pass_on).
     * Without memory: drop the lock, ask memory_make_room(&tries) for some, and begin again when it says so.
     */
    bool slept = false;

    (void)u;
    (void)publish_small;
    spin_lock(&q->lock);
    int error = wait_for_room(q, how, 1, &slept);
    pass_on(q, slept);
    spin_unlock(&q->lock);
    return error ? error : -ENOSYS;
