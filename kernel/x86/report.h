/*
 * The report: where every CPU is and was, which locks are held, what each sleeping thread waits for.
 * A panic prints it and ends; a live one is printed while all CPUs stand still, and the machine goes on.
 */
#pragma once

#include "lib/types.h"
#include "x86/context.h"

/*
 * Print a live report, headed WHY, unless another is under way. R: the registers of the trap that
 * asks for it; NULL: the caller's. Callable from anywhere, NMIs included. Interrupts are off meanwhile.
 */
void report_live(const struct regs *r, const char *why);

/* An NMI came. True when it was to stop this CPU for a report, which is over; a panic's never is. */
bool report_nmi(const struct regs *r);
/* A report is under way on this CPU. */
bool report_is_mine(void);

/* --- for panic.c --- */

/* Become the one who reports, for good. True when this CPU was in the middle of a report already. */
bool report_take_over(void);
/* Make the others stand still. One that doesn't answer is left out of the report. */
void report_stop_others(void);
/* Print everything, beginning with R and the stack that it stands on (CALLED: see backtrace()). */
void report_print(const struct regs *r, bool called);
/* CPU's thread; its registers and backtrace. */
void report_cpu(int cpu, const struct regs *r, bool called);
/* What can be said of registers that no trap saved: those that calls keep, for code at IP with frame BP. */
struct regs regs_snapshot(uintptr_t ip, uintptr_t bp);
