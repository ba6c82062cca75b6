    /*
     * Write: move the buffers of FRESH, first to last, into Q. Wait for room before each; at an error put it into
     * *ERROR and stop, what is left stays in FRESH. Returns the bytes that went in. q->lock is held.
     *
     * A buffer of less than a page goes behind the bytes of the last one when appendable() says that it fits: then
     * its bytes are copied (queue_append) and the buffer itself is freed. All others go in as they are (put_marked).
     */
    (void)q;
    (void)how;
    (void)fresh;
    (void)slept;
    *error = -ENOSYS;
    return 0;
}

static void discard(struct list *fresh)
{
    struct buf *b;

    while ((b = list_first(fresh, struct buf, link))) {
        list_remove(&b->link);
        buf_free(b);
    }
}

static ssize_t write_pages(struct queue *q, struct queue_manner *how, struct uio *u)
{
    /*
     * Write: all of U, which is more than SMALL_WRITE bytes, goes into Q. Unless HOW says otherwise the call comes
     * back only when all of it has, or when there is an error: then with the bytes that did go in, if any, else
     * with the error. how->broken is true when it ended because nobody will read any more (-EPIPE), even if
     * some bytes went in before.
     *
     * A write of at most a page goes in in one piece. A longer one is cut: next_chunk() says how many bytes to
     * fetch next; it and wait_for_room() want the lock. First wait for room, for the odd bytes that would make the
     * rest a multiple of the page size, or for a page when there are none. Then fill fresh buffers
     * (fill_buffers): that copies from the program, may fault and sleep, so without the lock. Then publish them.
     * A fault comes after the bytes before it: they are published all the same, and the loop ends.
     *
     * At the end pass the wakeup on, and free what did not go in (discard): without the lock.
     */
    struct list fresh = LIST_INIT(fresh);
    bool slept = false;
    int error = 0;

    (void)u;
    (void)next_chunk;
    (void)fill_buffers;
    spin_lock(&q->lock);
    (void)publish(q, how, &fresh, &slept, &error);
    spin_unlock(&q->lock);
    discard(&fresh);
    return error;
