/*
 * Terminals as files: opening and closing them, hanging up, and the list of those there are. The rest is in
 * tty_ldisc.c (what is typed), tty_read.c, tty_output.c (what is written), tty_job.c (sessions and groups)
 * and tty_ioctl.c.
 *
 * A hangup makes every description that was open dead at once: reads find the end, writes fail. It is done by
 * counting t->generation up; a description remembers the generation it was opened in. Those opened as
 * /dev/console live on, as in Linux: process 1 must not lose its voice when a shell exits.
 */
#include "dev/tty.h"

#include <abi/fcntl.h>
#include <abi/sysmacros.h>

#include "dev/tty_internal.h"
#include "fs/file.h"
#include "fs/inode.h"
#include "fs/poll.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/cred.h"
#include "x86/clock.h"

#define AUX_MAJOR 5
#define TTY_MINOR 0     /* /dev/tty */
#define CONSOLE_MINOR 1 /* /dev/console */
#define CLOSING_WAIT (30 * NSEC_PER_SEC)
#define FLUSH_PATIENCE (2 * NSEC_PER_SEC)

static struct tty *ttys; /* const after init */
static struct slab_cache *open_cache;

/* What Linux's tty_std_termios has, at a serial line's speed. */
static const struct termios2 usual_termios = {
    .c_iflag = ICRNL | IXON,
    .c_oflag = OPOST | ONLCR,
    .c_cflag = B115200 | CS8 | CREAD | HUPCL | CLOCAL,
    .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    .c_line = N_TTY,
    .c_cc = {[VINTR] = 3,
             [VQUIT] = 28,
             [VERASE] = 127,
             [VKILL] = 21,
             [VEOF] = 4,
             [VMIN] = 1,
             [VSTART] = 17,
             [VSTOP] = 19,
             [VSUSP] = 26,
             [VREPRINT] = 18,
             [VDISCARD] = 15,
             [VWERASE] = 23,
             [VLNEXT] = 22},
    .c_ispeed = 115200,
    .c_ospeed = 115200,
};

void tty_init(struct tty *t, const char *name, dev_t dev, const struct tty_ops *ops, void *driver)
{
    memset(t, 0, sizeof(*t));
    ref_init(&t->ref, 1);
    t->ops = ops;
    t->driver = driver;
    strlcpy(t->name, name, sizeof(t->name));
    t->dev = dev;
    t->termios = usual_termios;
    spin_init(&t->lock, RANK_TTY, "tty");
    queue_init(&t->in, TTY_IN_LIMIT, TTY_IN_LINES);
    queue_init(&t->out, TTY_OUT_LIMIT + TTY_ECHO_EXTRA, TTY_OUT_LIMIT);
    waitq_init(&t->write_turn, &t->out.lock);
}

void tty_register(struct tty *t)
{
    t->next = ttys;
    ttys = t;
}

struct tty *tty_find(const char *name)
{
    for (struct tty *t = ttys; t; t = t->next)
        if (strcmp(t->name, name) == 0)
            return t;
    return NULL;
}

/* A driver's terminals are there for good: it keeps the first reference. */
void tty_put(struct tty *t)
{
    bool last = ref_put(&t->ref);
    assert(!last);
    (void)last;
}

/* Which terminal a device number means, with a reference; NULL and *ERROR for none. */
static struct tty *tty_of_device(dev_t dev, int *error)
{
    struct tty *t = NULL;

    if (dev == makedev(AUX_MAJOR, TTY_MINOR)) {
        *error = -ENXIO;
        return tty_controlling();
    }
    *error = -ENODEV;
    if (dev == makedev(AUX_MAJOR, CONSOLE_MINOR)) {
        t = console_tty;
    } else {
        for (t = ttys; t && t->dev != dev; t = t->next)
            ;
    }
    if (t)
        tty_get(t);
    return t;
}

static const struct file_ops tty_file_ops;

int tty_open(struct inode *i, struct file *f)
{
    int error;
    bool admin = capable(CAP_SYS_ADMIN);
    struct tty *t = tty_of_device(i->rdev, &error);

    if (!t)
        return error;
    struct tty_open *o = slab_alloc(open_cache);
    if (!o) {
        tty_put(t);
        return -ENOMEM;
    }
    spin_lock(&t->lock);
    bool refused = t->exclusive && !admin;
    if (!refused)
        t->count++;
    o->generation = t->generation;
    spin_unlock(&t->lock);
    if (refused) {
        slab_free(open_cache, o);
        tty_put(t);
        return -EBUSY;
    }
    o->tty = t;
    o->console = i->rdev == makedev(AUX_MAJOR, CONSOLE_MINOR);
    f->ops = &tty_file_ops;
    f->private = o;
    if (!(f->flags & O_NOCTTY) && major(i->rdev) != AUX_MAJOR)
        tty_maybe_acquire(t, f);
    return 0;
}

/* Nobody has the terminal open any more: back to a clean state, settings kept. t->lock held. */
static void reset(struct tty *t)
{
    tty_flush_input(t);
    t->exclusive = false;
    memset(&t->winsize, 0, sizeof(t->winsize));
    spin_lock(&t->out.lock);
    tty_start_output(t, true);
    spin_unlock(&t->out.lock);
}

static void tty_release(struct file *f)
{
    struct tty_open *o = f->private;
    struct tty *t = o->tty;

    if (READ_ONCE(t->count) == 1)
        (void)tty_drain(t, clock_monotonic() + CLOSING_WAIT);
    spin_lock(&t->lock);
    if (--t->count == 0)
        reset(t);
    spin_unlock(&t->lock);
    slab_free(open_cache, o);
    tty_put(t);
}

void tty_hangup(struct tty *t, bool leader_exits)
{
    spin_lock(&t->lock);
    t->generation++;
    tty_flush_input(t);
    spin_unlock(&t->lock);
    spin_lock(&t->in.lock);
    wake_all(&t->in.readable, POLLIN | POLLHUP);
    spin_unlock(&t->in.lock);
    spin_lock(&t->out.lock);
    wake_all(&t->out.writable, POLLOUT | POLLHUP);
    spin_unlock(&t->out.lock);
    tty_forget_session(t, leader_exits);
}

static bool is_flushed(struct tty *t)
{
    spin_lock(&t->out.lock);
    t->ops->start(t);
    bool empty = queue_is_empty(&t->out) || t->stopped;
    spin_unlock(&t->out.lock);
    return empty && t->ops->idle(t);
}

void tty_flush_all(void)
{
    nsec_t deadline = clock_monotonic() + FLUSH_PATIENCE;

    for (struct tty *t = ttys; t; t = t->next)
        while (!is_flushed(t) && clock_monotonic() < deadline)
            clock_delay(20 * NSEC_PER_USEC);
}

static const struct file_ops tty_file_ops = {
    .read = tty_read,
    .write = tty_write,
    .poll = tty_poll,
    .ioctl = tty_ioctl,
    .async_owner = tty_async_owner,
    .release = tty_release,
    .splice_from = true,
    .splice_to = true,
};

static struct chrdev tty_device = {.name = "tty", .mode = 0666, .open = tty_open};

void tty_init_subsystem(void)
{
    open_cache = slab_cache_create("tty_open", sizeof(struct tty_open), 0);
    tty_device.dev = makedev(AUX_MAJOR, TTY_MINOR);
    tty_device.fops = &tty_file_ops;
    chrdev_register(&tty_device);
}
