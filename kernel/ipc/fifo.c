/*
 * Opening a FIFO: who opens for reading waits until somebody has opened for writing, and the other way round.
 *
 * What they wait for is the counter of opens, not that a partner is there now: a writer may open, write and
 * close before the reader gets to run, and the reader must then read what was written. Opening for both never
 * waits; opening for reading with O_NONBLOCK succeeds at once, for writing fails with ENXIO when nobody reads.
 */
#include <abi/fcntl.h>

#include "fs/file.h"
#include "fs/inode.h"
#include "ipc/pipe.h"

/* Sleep until *OPENS has moved on from what it is. p->q.lock held. */
static int wait_for_partner(struct pipe *p, const unsigned *opens)
{ /* LAB pipe:fifo begin */
    unsigned seen = *opens;

    return wait_event(&p->opened, *opens != seen, DEADLINE_NONE);
}

static int open_for_reading(struct pipe *p, struct file *f)
{
    pipe_open_side(p, true, false);
    if (!p->named || p->writers)
        return 0;
    if (f->flags & O_NONBLOCK) {
        f->pos = p->write_opens; /* see pipe.c: no HUP before a writer has come */
        return 0;
    }
    int error = wait_for_partner(p, &p->write_opens);
    if (error)
        pipe_close_side(p, true, false);
    return error;
}

static int open_for_writing(struct pipe *p, struct file *f)
{
    if (p->named && (f->flags & O_NONBLOCK) && !p->readers)
        return -ENXIO;
    pipe_open_side(p, false, true);
    if (!p->named || p->readers)
        return 0;
    int error = wait_for_partner(p, &p->read_opens);
    if (error)
        pipe_close_side(p, false, true);
    return error;
} /* LAB pipe:fifo end */

static int open_locked(struct pipe *p, struct file *f)
{
    switch (f->flags & O_ACCMODE) {
    case O_RDONLY: return open_for_reading(p, f);
    case O_WRONLY: return open_for_writing(p, f);
    case O_RDWR: pipe_open_side(p, true, true); return 0;
    default: return -EINVAL;
    }
}

int fifo_open(struct inode *i, struct file *f)
{
    struct pipe *p = pipe_attach(i, true);

    if (!p)
        return -ENOMEM;
    f->pos = 0;
    spin_lock(&p->q.lock);
    int error = open_locked(p, f);
    if (!error &&
        f->flags & O_DIRECT) { /* packets are for pipe2 alone; Linux finds out this late */
        pipe_close_side(p, FMODE_READ(f), FMODE_WRITE(f));
        error = -EINVAL;
    }
    spin_unlock(&p->q.lock);
    if (error) {
        pipe_detach(i);
        return error;
    }
    f->ops = &pipe_file_ops;
    f->private = p;
    return 0;
}
