/*
 * /dev/kmsg: the kernel's log, a record a read, in Linux's form "level,sequence,microseconds,-;text". The
 * sequence number is the position of the record's first byte in the log: it rises, but not by one. What is
 * written becomes a line of the log; "<N>" in front gives its level.
 *
 * The log can be written to below any lock, so it can't wake anybody. While somebody waits for new records
 * a timer looks ten times a second whether there are any.
 */
#include <abi/fcntl.h>
#include <abi/sysmacros.h>

#include "dev/mem.h"
#include "fs/file.h"
#include "fs/inode.h"
#include "fs/poll.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/cred.h"
#include "sched/timer.h"
#include "sched/wait.h"
#include "x86/clock.h"

#define RECORD_MAX 1024
#define WRITE_MAX 992 /* LOG_LINE_MAX of Linux */
#define LOOK_INTERVAL (100 * NSEC_PER_MSEC)

/* One open description. */
struct reader {
    struct mutex lock; /* RANK_TTY_MUTEX */
    uint64_t pos;      /* lock: where the next record begins */
};

static struct spinlock watch_lock = SPINLOCK_INIT(RANK_QUEUE, "kmsg");
static struct waitq watchers;    /* watch_lock */
static struct timer watch_timer; /* armed while there are watchers */
static uint64_t seen_end;        /* watch_lock: the log's end at the last look */

/* Someone is about to wait: begin looking. watch_lock held. */
static void watch(void)
{
    if (waitq_is_empty(&watchers)) {
        seen_end = log_end();
        timer_set(&watch_timer, clock_monotonic() + LOOK_INTERVAL);
    }
}

static void look(struct timer *t)
{
    spin_lock(&watch_lock);
    if (log_end() != seen_end) {
        seen_end = log_end();
        wake_all(&watchers, POLLIN | POLLRDNORM);
    }
    if (!waitq_is_empty(&watchers))
        timer_set(t, clock_monotonic() + LOOK_INTERVAL);
    spin_unlock(&watch_lock);
}

/* The position of the oldest line that is still whole. */
static uint64_t oldest_line(void)
{
    uint64_t pos = log_start();
    char c = '\0';

    if (pos == 0)
        return 0;
    while (c != '\n' && log_read(&pos, &c, 1))
        ;
    return pos;
}

static const struct file_ops kmsg_ops;

static int kmsg_open(struct inode *i, struct file *f)
{
    (void)i;
    struct reader *r = kmalloc(sizeof(*r));
    if (!r)
        return -ENOMEM;
    mutex_init(&r->lock, RANK_TTY_MUTEX, "kmsg");
    r->pos = oldest_line();
    f->ops = &kmsg_ops;
    f->private = r;
    return 0;
}

static void kmsg_release(struct file *f)
{
    kfree(f->private);
}

/* Copy the line at *POS, without newline, and move on. False at the end of the log. */
static bool read_line(uint64_t *pos, char *line, size_t size)
{
    size_t n = 0;
    char c;

    while (log_read(pos, &c, 1)) {
        if (c == '\n') {
            line[n] = '\0';
            return true;
        }
        if (n < size - 1)
            line[n++] = c;
    }
    return false;
}

/* Text from the log's "<6>[   12.345678] text" to "6,SEQ,12345678,-;text\n". Returns the length. */
static size_t format_record(const char *line, uint64_t sequence, char *out, size_t size)
{
    uint64_t numbers[3] = {0, 0, 0}; /* level, seconds, microseconds */
    const char *p = line;

    for (int i = 0; i < 3; i++) {
        while (*p && (*p < '0' || *p > '9'))
            p++;
        while (*p >= '0' && *p <= '9')
            numbers[i] = numbers[i] * 10 + (uint64_t)(*p++ - '0');
    }
    if (p[0] == ']' && p[1] == ' ')
        p += 2;
    size_t n = (size_t)snprintf(out, size, "%lu,%lu,%lu,-;", numbers[0], sequence,
                                numbers[1] * 1000000 + numbers[2]);
    for (; *p && n + 6 < size; p++) {
        unsigned char c = (unsigned char)*p;
        if (c < 32 || c >= 127 || c == '\\')
            n += (size_t)snprintf(out + n, size - n, "\\x%02x", c);
        else
            out[n++] = (char)c;
    }
    out[n++] = '\n';
    return n;
}

/* The next record for R: its length, 0 when there is none yet, -EPIPE when some were lost. r->lock held. */
static ssize_t next_record(struct reader *r, char *out, size_t size, uint64_t *after)
{
    char line[RECORD_MAX];

    if (r->pos < log_start()) {
        r->pos = oldest_line();
        return -EPIPE;
    }
    *after = r->pos;
    if (!read_line(after, line, sizeof(line)))
        return 0;
    return (ssize_t)format_record(line, r->pos, out, size);
}

static int wait_for_more(struct reader *r)
{
    uint64_t pos = r->pos;

    mutex_unlock(&r->lock);
    spin_lock(&watch_lock);
    watch();
    int error = wait_event(&watchers, log_end() > pos, DEADLINE_NONE);
    spin_unlock(&watch_lock);
    mutex_lock(&r->lock);
    return error;
}

static ssize_t kmsg_read(struct file *f, struct uio *u, off_t *pos)
{
    struct reader *r = f->private;
    char record[RECORD_MAX];
    uint64_t after = 0;
    ssize_t n;

    (void)pos;
    mutex_lock(&r->lock);
    while ((n = next_record(r, record, sizeof(record), &after)) == 0) {
        n = f->flags & O_NONBLOCK ? -EAGAIN : wait_for_more(r);
        if (n)
            break;
    }
    if (n > 0 && (size_t)n > u->left)
        n = -EINVAL;
    if (n > 0 && uio_copy_out(u, record, (size_t)n) < (size_t)n)
        n = -EFAULT;
    if (n > 0)
        r->pos = after;
    mutex_unlock(&r->lock);
    return n;
}

static ssize_t kmsg_write(struct file *f, struct uio *u, off_t *pos)
{
    char text[WRITE_MAX + 1];
    size_t n = u->left;
    unsigned level = LOG_WARN;

    (void)f, (void)pos;
    if (n > WRITE_MAX)
        return -EINVAL;
    if (uio_copy_in(u, text, n) < n)
        return -EFAULT;
    text[n] = '\0';
    char *p = text;
    if (*p == '<') {
        unsigned value = 0;
        char *q = p + 1;
        while (*q >= '0' && *q <= '9')
            value = value * 10 + (unsigned)(*q++ - '0');
        if (q > p + 1 && *q == '>') {
            level = value & 7;
            p = q + 1;
        }
    }
    for (size_t end = strlen(p); end && p[end - 1] == '\n'; end--)
        p[end - 1] = '\0';
    for (char *q = p; *q; q++)
        if (*q == '\n')
            *q = ' ';
    log_at((enum log_level)level, "%s", p);
    return (ssize_t)n;
}

static off_t kmsg_lseek(struct file *f, off_t offset, int whence)
{
    struct reader *r = f->private;
    off_t result = 0;

    if (offset)
        return -ESPIPE;
    mutex_lock(&r->lock);
    switch (whence) {
    case SEEK_SET:
    case SEEK_DATA: r->pos = oldest_line(); break;
    case SEEK_END: r->pos = log_end(); break;
    default: result = -EINVAL;
    }
    mutex_unlock(&r->lock);
    return result;
}

static unsigned kmsg_poll(struct file *f, struct poll_table *pt)
{
    struct reader *r = f->private;

    mutex_lock(&r->lock);
    uint64_t pos = r->pos;
    mutex_unlock(&r->lock);
    spin_lock(&watch_lock);
    if (pt) {
        watch();
        poll_wait(pt, &watchers);
    }
    unsigned ready = POLLOUT | POLLWRNORM;
    if (log_end() > pos)
        ready |= POLLIN | POLLRDNORM;
    if (pos < log_start())
        ready |= POLLERR | POLLPRI;
    spin_unlock(&watch_lock);
    return ready;
}

static const struct file_ops kmsg_ops = {
    .read = kmsg_read,
    .write = kmsg_write,
    .lseek = kmsg_lseek,
    .poll = kmsg_poll,
    .release = kmsg_release,
};

/* ---- /proc/kmsg ---- */

static struct spinlock stream_lock = SPINLOCK_INIT(RANK_PROC, "kmsg_stream");
static uint64_t stream_pos; /* stream_lock: how far the log has been read */

static bool stream_has_more(void)
{
    return log_end() > READ_ONCE(stream_pos);
}

static ssize_t stream_read(struct file *f, struct uio *u, off_t *pos)
{
    char text[256];
    int error = 0;

    (void)pos;
    spin_lock(&watch_lock);
    if (!stream_has_more() && !(f->flags & O_NONBLOCK)) {
        watch();
        error = wait_event(&watchers, stream_has_more(), DEADLINE_NONE);
    }
    spin_unlock(&watch_lock);
    if (error)
        return error;
    spin_lock(&stream_lock);
    size_t n = log_read(&stream_pos, text, min(u->left, sizeof(text)));
    spin_unlock(&stream_lock);
    if (!n && u->left)
        return -EAGAIN;
    return uio_copy_out(u, text, n) < n ? -EFAULT : (ssize_t)n;
}

static unsigned stream_poll(struct file *f, struct poll_table *pt)
{
    (void)f;
    spin_lock(&watch_lock);
    if (pt) {
        watch();
        poll_wait(pt, &watchers);
    }
    unsigned ready = stream_has_more() ? POLLIN | POLLRDNORM : 0;
    spin_unlock(&watch_lock);
    return ready;
}

const struct file_ops kmsg_stream_ops = {.read = stream_read, .poll = stream_poll};

static struct chrdev kmsg_device = {
    .name = "kmsg", .mode = 0644, .fops = &kmsg_ops, .open = kmsg_open};

void kmsg_init(void)
{
    waitq_init(&watchers, &watch_lock);
    timer_init(&watch_timer, look);
    kmsg_device.dev = makedev(1, 11);
    chrdev_register(&kmsg_device);
}
