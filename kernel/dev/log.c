/*
 * The kernel's log (lib/log.h). Text lives in a ring that overwrites its oldest; a byte is named by its
 * position since boot, so a reader that fell behind can tell. A line is stored as "<level>[seconds] text\n"
 * and handed to the sinks at once.
 *
 * log_lock guards the ring and the sinks' list. In a panic or a report nothing is locked: the other CPUs stand
 * still, and a lock that one of them holds would not come free.
 */
#include "lib/log.h"

#include "lib/printf.h"
#include "lib/string.h"
#include "sched/lock.h"
#include "x86/clock.h"

#define RING_SIZE (64u * 1024)
#define LINE_MAX 512

static struct spinlock log_lock = SPINLOCK_INIT(RANK_LOG, "log");
static char ring[RING_SIZE];   /* log_lock */
static uint64_t end;           /* log_lock: position after the newest byte */
static struct log_sink *sinks; /* log_lock */
static bool panicking;         /* atomic: one way */
static bool reporting;         /* atomic: a report is being printed, everybody else stands still */
static bool ring_is_torn;      /* who reports: log_lock was held when everybody stopped */
void (*log_notify)(void);      /* const after init */

static bool lock_log(void)
{
    if (READ_ONCE(panicking) || READ_ONCE(reporting))
        return false;
    spin_lock(&log_lock);
    return true;
}

static void unlock_log(bool locked)
{
    if (locked)
        spin_unlock(&log_lock);
}

static uint64_t oldest(void)
{
    return end > RING_SIZE ? end - RING_SIZE : 0;
}

static void ring_append(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ring[end++ % RING_SIZE] = text[i];
}

static void feed_sinks(const char *text, size_t n)
{
    for (struct log_sink *s = sinks; s; s = s->next)
        if (!s->panic_only || panicking || reporting)
            s->write(text, n);
}

void log_at(enum log_level level, const char *format, ...)
{
    char line[LINE_MAX];
    nsec_t now = clock_monotonic();
    va_list args;

    size_t prefix = (size_t)snprintf(line, sizeof(line), "<%d>[%5lld.%06lld] ", (int)level,
                                     (long long)(now / NSEC_PER_SEC),
                                     (long long)(now % NSEC_PER_SEC / NSEC_PER_USEC));
    va_start(args, format);
    vsnprintf(line + prefix, sizeof(line) - prefix - 1, format, args);
    va_end(args);
    size_t n = prefix + strlen(line + prefix);
    line[n++] = '\n';

    bool locked = lock_log();
    if (!READ_ONCE(reporting) || !ring_is_torn)
        ring_append(line, n);
    feed_sinks(line + 3, n - 3); /* without the level: sinks are for people */
    unlock_log(locked);
    if (log_notify && locked)
        log_notify();
}

/* A sink that joins late first hears all that was logged before it. */
void log_add_sink(struct log_sink *sink)
{
    char c;

    spin_lock(&log_lock);
    sink->next = sinks;
    sinks = sink;
    if (!sink->panic_only) {
        bool in_prefix = true;
        for (uint64_t pos = oldest(); pos < end; pos++) {
            c = ring[pos % RING_SIZE];
            if (!in_prefix)
                sink->write(&c, 1);
            if (c == '>' && in_prefix)
                in_prefix = false;
            if (c == '\n')
                in_prefix = true;
        }
    }
    spin_unlock(&log_lock);
}

size_t log_read(uint64_t *pos, char *buf, size_t size)
{
    size_t n = 0;

    spin_lock(&log_lock);
    if (*pos < oldest())
        *pos = oldest();
    while (n < size && *pos < end)
        buf[n++] = ring[(*pos)++ % RING_SIZE];
    spin_unlock(&log_lock);
    return n;
}

uint64_t log_end(void)
{
    return READ_ONCE(end);
}

uint64_t log_start(void)
{
    spin_lock(&log_lock);
    uint64_t start = oldest();
    spin_unlock(&log_lock);
    return start;
}

void log_enter_panic(void)
{
    WRITE_ONCE(panicking, true);
}

void log_enter_report(void)
{
    ring_is_torn = READ_ONCE(log_lock.locked);
    WRITE_ONCE(reporting, true);
}

void log_leave_report(void)
{
    WRITE_ONCE(reporting, false);
}
