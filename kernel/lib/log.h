/*
 * The kernel's log: a ring of the newest text, which dmesg and /dev/kmsg read, and a list of sinks
 * (the second serial port; both ports in a panic) that receive each line as it is written. Callable
 * from anywhere, interrupts and panics included.
 */
#pragma once

#include <stdarg.h>

#include "lib/types.h"

enum log_level {
    LOG_EMERG,
    LOG_ALERT,
    LOG_CRIT,
    LOG_ERR,
    LOG_WARN,
    LOG_NOTICE,
    LOG_INFO,
    LOG_DEBUG
};

/* One line, without the newline. The log adds the time and the level. Cut at 512 bytes. */
void log_at(enum log_level level, const char *format, ...) format_printf(2, 3);
#define log_err(...) log_at(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

/* A place that log text goes to. write() may be called with interrupts off and must not sleep or log. */
struct log_sink {
    struct log_sink *next;                       /* log lock */
    void (*write)(const char *text, size_t len); /* const after init */
    bool panic_only;                             /* const after init: hears panics alone */
};
void log_add_sink(struct log_sink *sink);

/*
 * The ring as one growing stream: each byte has a position, counted from boot. log_read copies up to
 * SIZE bytes from position *POS (moved up to the oldest kept byte first if that is gone), advances *POS
 * and returns the count, 0 at the end.
 */
size_t log_read(uint64_t *pos, char *buf, size_t size);
uint64_t log_end(void);
uint64_t log_start(void);

/* Called (with no lock held) after new text arrived; set once by /dev/kmsg's driver to wake readers. */
extern void (*log_notify)(void);

/*
 * A live report, x86/report.h: between these two every sink gets everything and no lock is taken, for the
 * other CPUs stand still. A ring that one of them was changing is left alone.
 */
void log_enter_report(void);
void log_leave_report(void);

/* From now on every sink gets everything and no lock is taken: the machine is dying. */
void log_enter_panic(void);
