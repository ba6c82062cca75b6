/*
 * The frame that a signal handler finds on its stack, exactly as Linux builds it, and the way back from
 * it (sys_rt_sigreturn). signal/deliver.c decides that a handler is to run; this is how.
 */
#pragma once

#include "lib/types.h"

struct regs;
struct siginfo;
struct kernel_sigaction;

/*
 * Make the current thread, whose user registers are REGS, go on in ACTION's handler with SIGNO and INFO. BLOCKED
 * is the mask that sigreturn puts back. -EFAULT when the frame can't be written; REGS are untouched then. May
 * sleep.
 */
int must_check sigframe_push(struct regs *regs, int signo, const struct siginfo *info,
                             const struct kernel_sigaction *action, uint64_t blocked);

/* The current thread's trap became a signal: what the next frames say of it. */
void sigframe_note_fault(uintptr_t addr, unsigned trapno, uint64_t error);

/* Once XSAVE's features are known (fpu_init). */
void sigframe_init(void);

/* The largest frame, for AT_MINSIGSTKSZ. */
size_t sigframe_min_stack(void);
