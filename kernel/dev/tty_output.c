/*
 * The line discipline's output side: what a program writes, expanded as termios asks, goes into t->out, from
 * where the driver pulls it (tty_pull) in its interrupts.
 *
 * One write(2) at a time: t->writing is its flag, and t->write_turn where others wait. A writer that finds no
 * space sleeps on t->out.writable, as do those who drain.
 */
#include "dev/tty_internal.h"

#include <abi/signal.h>

#include "fs/file.h"
#include "fs/poll.h"
#include "sched/sched.h"
#include "signal/signal.h"
#include "x86/clock.h"

#define CHUNK 512 /* bytes taken from the program at a time */

static inline bool oflag(const struct tty *t, unsigned bit)
{
    return t->termios.c_oflag & bit;
}

static size_t one(char out[8], char c)
{
    out[0] = c;
    return 1;
}

static size_t opost_newline(struct tty *t, char out[8])
{
    if (oflag(t, ONLRET))
        t->column = 0;
    if (oflag(t, ONLCR)) {
        t->column = t->line_column = 0;
        out[0] = '\r';
        out[1] = '\n';
        return 2;
    }
    t->line_column = t->column;
    return one(out, '\n');
}

static size_t opost_return(struct tty *t, char out[8])
{
    if (oflag(t, ONOCR) && t->column == 0)
        return 0;
    if (oflag(t, OCRNL)) {
        if (oflag(t, ONLRET))
            t->column = t->line_column = 0;
        return one(out, '\n');
    }
    t->column = t->line_column = 0;
    return one(out, '\r');
}

static size_t opost_tab(struct tty *t, char out[8])
{
    unsigned spaces = 8 - t->column % 8;

    t->column += spaces;
    if ((t->termios.c_oflag & TABDLY) != XTABS)
        return one(out, '\t');
    for (unsigned i = 0; i < spaces; i++)
        out[i] = ' ';
    return spaces;
}

/* Of Latin-1's letters, those that have a capital there. */
static bool is_lower(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 0xe0 && c <= 0xfe && c != 0xf7);
}

size_t tty_opost(struct tty *t, char c, char out[8])
{
    unsigned char u = (unsigned char)c;

    switch (c) {
    case '\n': return opost_newline(t, out);
    case '\r': return opost_return(t, out);
    case '\t': return opost_tab(t, out);
    case '\b':
        if (t->column)
            t->column--;
        return one(out, c);
    default:
        if (u < 32 || u == 127)
            return one(out, c);
        if (oflag(t, OLCUC) && is_lower(u))
            c = (char)(u - 0x20);
        if (!(t->termios.c_iflag & IUTF8) || (u & 0xc0) != 0x80)
            t->column++;
        return one(out, c);
    }
}

size_t tty_pull(struct tty *t, char *data, size_t n)
{
    size_t done = 0;

    if (t->urgent && n) {
        data[done++] = t->urgent;
        t->urgent = 0;
    }
    if (!t->stopped)
        done += queue_read_kernel(&t->out, data + done, n - done);
    return done;
}

void tty_stop_output(struct tty *t, bool hold)
{
    t->stopped = true;
    t->held |= hold;
}

void tty_start_output(struct tty *t, bool release)
{
    if (release)
        t->held = false;
    if (!t->stopped || t->held)
        return;
    t->stopped = false;
    t->ops->start(t);
}

void tty_send_urgent(struct tty *t, char c)
{
    if (c == _POSIX_VDISABLE)
        return;
    t->urgent = c;
    t->ops->start(t);
}

void tty_flush_output(struct tty *t)
{
    spin_lock(&t->out.lock);
    queue_flush(&t->out);
    t->ops->discard(t);
    spin_unlock(&t->out.lock);
}

/* Bytes a program may add now. out.lock held. */
static size_t out_space(const struct tty *t)
{
    return t->out.bytes < TTY_OUT_LIMIT ? TTY_OUT_LIMIT - t->out.bytes : 0;
}

/* Bring as many of N bytes on their way as there is space for; returns how many, or -ENOMEM. */
static ssize_t put_output(struct tty *t, const char *data, size_t n)
{
    char out[CHUNK + 8];
    size_t taken = 0, made = 0;

    spin_lock(&t->lock);
    spin_lock(&t->out.lock);
    size_t space = out_space(t);
    size_t written;
    if (oflag(t, OPOST)) {
        while (taken < n && made < CHUNK && made + 8 <= space)
            made += tty_opost(t, data[taken++], out + made);
        written = queue_write_kernel(&t->out, out, made);
    } else {
        made = min(n, space);
        written = taken = queue_write_kernel(&t->out, data, made);
    }
    if (written)
        t->ops->start(t);
    spin_unlock(&t->out.lock);
    spin_unlock(&t->lock);
    return written < made && (oflag(t, OPOST) || !written) ? -ENOMEM : (ssize_t)taken;
}

/* Wait for space, or find that there will be none. */
static int wait_for_space(struct tty *t, const struct tty_open *o, bool block)
{
    int error = -EAGAIN;

    spin_lock(&t->out.lock);
    if (t->out.bytes < TTY_OUT_WAKE)
        error = 0;
    else if (block)
        error = wait_event(&t->out.writable, t->out.bytes < TTY_OUT_WAKE || tty_is_hung_up(o),
                           DEADLINE_NONE);
    spin_unlock(&t->out.lock);
    return error;
}

static int begin_write(struct tty *t, bool block)
{
    int error = 0;

    spin_lock(&t->out.lock);
    if (t->writing && !block)
        error = -EAGAIN;
    else
        error = wait_event_exclusive(&t->write_turn, !t->writing, DEADLINE_NONE);
    if (!error)
        t->writing = true;
    spin_unlock(&t->out.lock);
    return error;
}

static void end_write(struct tty *t)
{
    spin_lock(&t->out.lock);
    t->writing = false;
    wake_one(&t->write_turn, 0);
    spin_unlock(&t->out.lock);
}

/* All of N bytes, sleeping as need be. Returns the bytes written; *ERROR says why it was less. */
static size_t write_chunk(struct file *f, const char *data, size_t n, long *error)
{
    const struct tty_open *o = f->private;
    struct tty *t = o->tty;
    bool block = !(f->flags & O_NONBLOCK);
    size_t done = 0;

    while (done < n && !*error) {
        if (tty_is_hung_up(o)) {
            *error = -EIO;
            break;
        }
        ssize_t taken = put_output(t, data + done, n - done);
        if (taken > 0)
            done += (size_t)taken;
        else if (taken < 0)
            *error = taken;
        else
            *error = wait_for_space(t, o, block);
    }
    return done;
}

ssize_t tty_write(struct file *f, struct uio *u, off_t *pos)
{
    const struct tty_open *o = f->private;
    struct tty *t = o->tty;
    char data[CHUNK];
    size_t done = 0;
    long error = 0;

    (void)pos;
    if (tty_is_hung_up(o))
        return -EIO;
    if (t->termios.c_lflag & TOSTOP && !o->console && (error = tty_check_job(t, SIGTTOU)))
        return error;
    if ((error = begin_write(t, !(f->flags & O_NONBLOCK))))
        return error;
    while (u->left && !error) {
        size_t n = min(u->left, sizeof(data));
        if (uio_copy_in(u, data, n) < n) {
            error = -EFAULT;
            break;
        }
        done += write_chunk(f, data, n, &error);
        if (!error && u->left && signal_pending(current))
            error = -ERESTARTSYS;
    }
    end_write(t);
    return done ? (ssize_t)done : error;
}

int tty_drain(struct tty *t, nsec_t deadline)
{
    int error = 0;

    spin_lock(&t->out.lock);
    error = wait_event(&t->out.writable, queue_is_empty(&t->out), deadline);
    spin_unlock(&t->out.lock);
    while (!error && !t->ops->idle(t)) {
        nsec_t now = clock_monotonic();
        if (now >= deadline)
            return -ETIMEDOUT;
        error = sched_sleep_until(now + NSEC_PER_MSEC, WAIT_INTERRUPTIBLE);
    }
    return error;
}
