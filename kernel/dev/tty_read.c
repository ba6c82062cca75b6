/*
 * Reading a terminal, and polling it.
 *
 * In canonical mode a read returns one line, or the part of it that fits. In raw mode VMIN and VTIME decide
 * (POSIX 11.1.7):
 *
 *     MIN > 0, TIME = 0   wait until MIN bytes have come
 *     MIN > 0, TIME > 0   the same, but a pause of TIME after a byte ends it
 *     MIN = 0, TIME > 0   wait for TIME at most, return with the first bytes or nothing
 *     MIN = 0, TIME = 0   take what is there
 *
 * Readers sleep on t->in.readable under t->in.lock, which also covers termios.
 */
#include "dev/tty_internal.h"

#include <abi/signal.h>

#include "fs/file.h"
#include "fs/poll.h"
#include "sched/sched.h"
#include "signal/signal.h"
#include "x86/clock.h"

#define DECISECOND (NSEC_PER_SEC / 10)

/* What a read waits for. */
struct want {
    size_t min;     /* bytes that end it */
    nsec_t pause;   /* between bytes; 0: no matter */
    nsec_t timeout; /* from the start: 0 not at all, DEADLINE_NONE for ever */
};

/* in.lock held. */
static struct want what_is_wanted(const struct tty *t)
{
    struct want w = {.min = 1, .pause = 0, .timeout = DEADLINE_NONE};
    nsec_t time = t->termios.c_cc[VTIME] * DECISECOND;

    if (t->termios.c_lflag & ICANON) {
        w.min = 0; /* any line will do, an empty one too */
    } else if (t->termios.c_cc[VMIN]) {
        w.min = t->termios.c_cc[VMIN];
        w.pause = time;
    } else {
        w.timeout = time;
    }
    return w;
}

static nsec_t deadline_after(nsec_t timeout)
{
    return timeout == DEADLINE_NONE ? DEADLINE_NONE : clock_monotonic() + timeout;
}

/* Wait until there is something to read. *END: there will be nothing, the read is over. in.lock held. */
static long wait_for_input(struct file *f, const struct want *w, nsec_t deadline, bool *end)
{
    const struct tty_open *o = f->private;
    struct tty *t = o->tty;

    *end = tty_is_hung_up(o) || !w->timeout;
    if (*end)
        return 0;
    if (f->flags & O_NONBLOCK)
        return -EAGAIN;
    long error = wait_event_exclusive(&t->in.readable, !queue_is_empty(&t->in) || tty_is_hung_up(o),
                                      deadline);
    *end = error == -ETIMEDOUT;
    return *end ? 0 : error;
}

static ssize_t read_locked(struct file *f, struct uio *u)
{
    const struct tty_open *o = f->private;
    struct tty *t = o->tty;
    struct want w = what_is_wanted(t);
    nsec_t deadline = deadline_after(w.timeout);
    size_t done = 0;
    long error = 0;
    bool end = false;

    while (u->left && !end && !error) {
        if (queue_is_empty(&t->in)) {
            error = wait_for_input(f, &w, deadline, &end);
            continue;
        }
        ssize_t n = queue_read(&t->in, u, u->left, 0);
        if (n == -EAGAIN)
            continue;
        if (n < 0) {
            error = n;
            break;
        }
        done += (size_t)n;
        end = done >= w.min;
        if (w.pause)
            deadline = deadline_after(w.pause);
    }
    if (!queue_is_empty(&t->in) && !waitq_is_empty(&t->in.readable))
        wake_next(&t->in.readable);
    return done ? (ssize_t)done : error;
}

ssize_t tty_read(struct file *f, struct uio *u, off_t *pos)
{
    const struct tty_open *o = f->private;
    struct tty *t = o->tty;
    long error;

    (void)pos;
    if (tty_is_hung_up(o))
        return 0;
    if (!o->console && (error = tty_check_job(t, SIGTTIN)))
        return error;
    spin_lock(&t->in.lock);
    ssize_t n = read_locked(f, u);
    spin_unlock(&t->in.lock);
    tty_unthrottle(t);
    return n;
}

/* in.lock held. */
static bool is_readable(const struct tty *t)
{
    const struct termios2 *tio = &t->termios;
    size_t amount = 1;

    if (tio->c_lflag & ICANON)
        return !queue_is_empty(&t->in);
    if (!tio->c_cc[VTIME] && tio->c_cc[VMIN])
        amount = tio->c_cc[VMIN];
    return t->in.bytes >= amount;
}

unsigned tty_poll(struct file *f, struct poll_table *pt)
{
    const struct tty_open *o = f->private;
    struct tty *t = o->tty;
    unsigned ready = 0;

    spin_lock(&t->in.lock);
    poll_wait(pt, &t->in.readable);
    if (is_readable(t))
        ready |= POLLIN | POLLRDNORM;
    spin_unlock(&t->in.lock);
    spin_lock(&t->out.lock);
    poll_wait(pt, &t->out.writable);
    if (t->out.bytes < TTY_OUT_WAKE)
        ready |= POLLOUT | POLLWRNORM;
    spin_unlock(&t->out.lock);
    if (tty_is_hung_up(o))
        ready |= POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM;
    return ready;
}
