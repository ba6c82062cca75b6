/*
 * The watchdog: a CPU that hangs becomes a panic with a report, instead of a machine that is silent.
 * The command line's watchdog=N says after how many seconds; 0, or nowatchdog, switches it off.
 */
#pragma once

#include "lib/types.h"

struct regs;

/* After the CPUs have been started. */
void watchdog_init(void);

/* An NMI came to this CPU. True when the watchdog had it sent; panics when a CPU hangs. */
bool watchdog_nmi(const struct regs *r);

/* The scheduler's tick, which comes every PERIOD ns, found user code or (USER false) the kernel running. */
void watchdog_tick(bool user, nsec_t period);

/* What runs here is long on purpose (a self-test): the time in the kernel counts from now. */
void watchdog_touch(void);

/* An interrupt ends the idleness in which the watchdog sleeps. */
extern bool watchdog_sleeps; /* atomic */
void watchdog_wake(void);

/*
 * A report begins, all other CPUs stand still, and it is over. Its NMIs may have swallowed the watchdog's, and one of
 * the watchdog's that came during it would look like the button's behind it: the timer stands still meanwhile.
 */
void watchdog_pause(void);
void watchdog_resume(void);
