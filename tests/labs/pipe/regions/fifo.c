    /*
     * Write: sleep on p->opened until *OPENS has moved on from what it is now: 0, or -ERESTARTSYS. p->q.lock is
     * held at the call and on return. Why a counter, and not "is there a partner?", says the head of this file.
     */
    (void)p;
    (void)opens;
    return -ENOSYS;
}

static int open_for_reading(struct pipe *p, struct file *f)
{
    /*
     * Write: open the reading door (pipe_open_side: it counts, and wakes who waits for a reader). A pipe without a
     * name waits for nobody, nor does a FIFO that has a writer. With O_NONBLOCK the open succeeds at once, and f->pos
     * notes p->write_opens, for poll. Else wait for the next opening of the writing door; when that fails, the
     * door that was opened is closed again (pipe_close_side). p->q.lock is held.
     */
    (void)f;
    return wait_for_partner(p, &p->write_opens);
}

static int open_for_writing(struct pipe *p, struct file *f)
{
    /*
     * Write: the same from the other side, but for one thing: with O_NONBLOCK and no reader a FIFO can't be opened
     * for writing, -ENXIO, and nothing has changed then. p->q.lock is held.
     */
    (void)f;
    return wait_for_partner(p, &p->read_opens);
