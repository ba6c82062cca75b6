/*
 * Reading and writing a pipe: who may, what signals follow, and which times change. How bytes get into the
 * queue is in queue_io.c.
 *
 * Readers sleep exclusively. The chain of wakeups doesn't break because who was woken passes it on when
 * there are still bytes. Who did not sleep has used up nobody's wakeup and wakes nobody: an edge-triggered
 * epoll would take it for an arrival.
 */
#include "ipc/pipe_io.h"

#include <abi/fcntl.h>
#include <abi/limits.h>

#include "fs/file.h"
#include "fs/inode.h"
#include "fs/poll.h"
#include "ipc/pipe.h"
#include "lib/string.h"
#include "mm/reclaim.h"
#include "proc/proc.h"
#include "signal/signal.h"

#define READ_BATCH (16 * PAGE_SIZE) /* bytes copied out without letting go of the lock */

ssize_t pipe_read_bytes(struct pipe *p, struct uio *u, bool nonblock)
{ /* LAB pipe:read begin */
    struct queue *q = &p->q;
    ssize_t done = 0;
    long error = 0;
    bool slept = false;

    spin_lock(&q->lock);
    for (;;) {
        if (!queue_is_empty(q)) {
            bool packet = queue_first(q)->flags & BUF_RECORD;
            ssize_t n = queue_read(q, u, min(u->left, READ_BATCH), QUEUE_CUT);
            if (n == -EAGAIN)
                continue;
            error = min(n, (ssize_t)0);
            if (error)
                break;
            done += n;
            if (packet || !u->left)
                break;
            if (!queue_is_empty(q)) {
                spin_unlock(&q->lock);
                spin_lock(&q->lock);
            }
            continue;
        }
        if (done || q->no_writers)
            break;
        error = -EAGAIN;
        if (nonblock)
            break;
        slept = true;
        error =
            wait_event_exclusive(&q->readable, !queue_is_empty(q) || q->no_writers, DEADLINE_NONE);
        if (error)
            break;
    }
    if (slept && !queue_is_empty(q) && !waitq_is_empty(&q->readable))
        wake_one(&q->readable, POLLIN | POLLRDNORM);
    spin_unlock(&q->lock);
    return done ? done : error;
} /* LAB pipe:read end */

ssize_t pipe_read(struct file *f, struct uio *u, off_t *pos)
{
    struct pipe *p = f->private;

    (void)pos;
    if (!u->left)
        return 0;
    ssize_t done = pipe_read_bytes(p, u, f->flags & O_NONBLOCK);
    if (done > 0 && p->named)
        inode_accessed(f->path);
    return done;
}

void signal_broken_pipe(void)
{
    siginfo_t info = {.si_signo = SIGPIPE, .si_code = SI_USER};

    info.si_pid = current_proc()->pid->nr;
    info.si_uid = current_cred()->uid;
    (void)signal_send_info(current_proc(), current, &info);
}

ssize_t pipe_write(struct file *f, struct uio *u, off_t *pos)
{
    struct pipe *p = f->private;
    struct queue_manner how = {
        .nonblock = f->flags & O_NONBLOCK,
        .record = f->flags & O_DIRECT,
        .deadline = DEADLINE_NONE,
    };

    (void)pos;
    if (!u->left)
        return 0;
    ssize_t done = queue_write_user(&p->q, u, &how);
    if (how.broken)
        signal_broken_pipe();
    if (done > 0 && p->named)
        inode_touch(f->inode, TOUCH_M | TOUCH_C);
    return done;
}
