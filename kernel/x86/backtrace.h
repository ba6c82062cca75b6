/* Backtraces into the log, for panics and reports: they need no lock and stand broken stacks. */
#pragma once

#include "lib/types.h"

struct regs;
struct thread;

/* From where a trap, or (CALLED) a call of panic() and the like, left off. */
void backtrace(const struct regs *from, bool called);

/*
 * The return addresses on the stack of T, which does not run: the innermost first, at most MAX of them.
 * Returns how many. *T may be a copy.
 */
size_t backtrace_sleeping(const struct thread *t, uintptr_t *ips, size_t max);
