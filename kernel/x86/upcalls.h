/*
 * What the machine layer asks of the kernel above it. x86/ calls these and knows nothing else of
 * the folders above; each is defined where the comment says.
 */
#pragma once

#include "lib/types.h"

struct regs;
struct sigaltstack;
struct thread;

/* main.c: the boot CPU arrives, on its boot stack, interrupts off, console not yet up. */
_Noreturn void kernel_main(void);
/*
 * sched/sched.c: another CPU arrives, its struct cpu set up, interrupts off. Becomes its idle
 * thread.
 */
_Noreturn void sched_start_ap(void);

/*
 * A new user or kernel thread's first steps after its first context_switch: drops the run queue's
 * lock.
 */
void sched_finish_switch(struct thread *prev);

/*
 * Something is to be done before CURRENT goes back to user mode (current->work != 0): reschedule,
 * signals, exit. Called with interrupts on, again and again until work is 0.  sched/ and signal/.
 */
void user_return_work(struct regs *regs);

#define FAULT_WRITE 1u   /* the access was a write */
#define FAULT_EXEC 2u    /* an instruction fetch */
#define FAULT_USER 4u    /* by user code; else by the kernel's uaccess functions */
#define FAULT_PRESENT 8u /* a page was there: a protection fault */
/*
 * mm/fault.c: make ADDR accessible. Interrupts on, may sleep. 0, or the errno: -EFAULT no mapping
 * or not allowed (*sigcode says SEGV_MAPERR or SEGV_ACCERR), -EIO beyond the end of the object
 * (SIGBUS), -ENOMEM.
 */
int mm_fault(uintptr_t addr, unsigned flags, int *sigcode);

/* signal/fault.c: user code did something that the CPU refused: SIGxxx with si_code and si_addr. */
void signal_fault(int signo, int code, uintptr_t addr, unsigned trapno, uint64_t error);

/*
 * signal/altstack.c: where the frame of a handler goes when the program's stack pointer is SP:
 * below SP and the RED_ZONE bytes under it, or, if the action asks for it, at the top of the
 * alternate stack. Returns the stack pointer to start from. A frame that reaches down to *FLOOR
 * does not fit.
 */
uintptr_t signal_frame_stack(uintptr_t sp, size_t red_zone, bool alternate, uintptr_t *floor);
/*
 * A program has returned from a handler: the mask comes back as the frame has it, and then, with SP
 * its stack pointer again, the alternate stack. A call that waits to be restarted is forgotten.
 */
void signal_frame_mask(uint64_t blocked);
void signal_frame_altstack(const struct sigaltstack *altstack, uintptr_t sp);

/*
 * sched/timer.c: this CPU's timer fired.  sched/sched.c: another CPU asks this one to reschedule.
 */
void timer_interrupt(void);
void sched_ipi(void);
/*
 * sched/sched.c: an interrupt handler is about to return to user code (USER true) or to the kernel.
 */
void sched_account_interrupt(bool user);
/*
 * sched/lock_report.c, proc/report.c: parts of the report (x86/report.h), into the log, while all other
 * CPUs stand still: no locks, no trust in what is read.
 */
void report_locks(void);
void report_threads(void);
/* signal/altstack.c: the alternate stack as sigaltstack(2) reports it to who stands at SP. */
struct sigaltstack;
void signal_describe_altstack(struct sigaltstack *out, uintptr_t sp);
