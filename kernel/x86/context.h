/*
 * What a thread is to the machine: the registers it had in user mode, the stack pointer it left in
 * the kernel, its FPU state. Folders above see the registers only through the functions here.
 */
#pragma once

#include "lib/types.h"

struct thread;

/*
 * The user's registers as the kernel's entry saved them, at the top of the thread's kernel stack.
 */
struct regs {
    uint64_t r15, r14, r13, r12, rbp, rbx;
    uint64_t r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t orig_rax; /* system call number, or -1 when a trap or interrupt brought us here */
    uint64_t error;    /* the trap's error code; 0 for a system call */
    uint64_t trapno;   /* vector; TRAPNO_SYSCALL for a system call */
    uint64_t rip, cs, rflags, rsp, ss;
};
#define TRAPNO_SYSCALL 0x100

/* struct thread begins with one of these. */
struct arch_thread {
    uintptr_t rsp;    /* owner only, while it does not run: saved kernel stack pointer */
    uint64_t fs_base; /* owner only (with FSGSBASE the truth is in the register while it runs) */
    uint64_t gs_base; /* owner only */
    struct xsave_area *fpu; /* owner only; NULL for kernel threads */
    /* owner only, all three: the last fault that became a signal, for its frame */
    uint64_t fault_addr;
    uint64_t fault_error;
    uint64_t fault_trapno;
};

/* True when these registers are a user program's. */
static inline bool regs_from_user(const struct regs *r)
{
    return (r->cs & 3) == 3;
}
static inline uintptr_t regs_ip(const struct regs *r)
{
    return r->rip;
}
static inline uintptr_t regs_sp(const struct regs *r)
{
    return r->rsp;
}
static inline bool regs_in_syscall(const struct regs *r)
{
    return (int64_t)r->orig_rax >= 0;
}
static inline long regs_syscall_nr(const struct regs *r)
{
    return (long)r->orig_rax;
}
static inline long regs_result(const struct regs *r)
{
    return (long)r->rax;
}
static inline void regs_set_result(struct regs *r, long value)
{
    r->rax = (uint64_t)value;
}

/*
 * Go back to the SYSCALL instruction, with call number NR, when the thread next enters user mode.
 */
static inline void regs_restart_syscall(struct regs *r, long nr)
{
    r->rax = (uint64_t)nr;
    r->rip -= 2; /* the length of SYSCALL */
}
/* From now on regs_in_syscall() is false: the result can't be taken for one that restarts. */
static inline void regs_leave_syscall(struct regs *r)
{
    r->orig_rax = (uint64_t)-1;
}

/* The user registers of T, which is in the kernel (or is current). */
struct regs *thread_regs(struct thread *t);

/*
 * What core files say of T, which is current or will not run before this is done: its registers in the order
 * of Linux's user_regs_struct; and where its FPU state lies, in the XSAVE format, of which the first
 * FPU_LEGACY_SIZE bytes are FXSAVE's. Returns how many bytes that has.
 */
#define CORE_REGS 27
#define FPU_LEGACY_SIZE 512
void arch_core_regs(struct thread *t, uint64_t out[CORE_REGS]);
size_t arch_core_fpu(struct thread *t, const void **area);

/*
 * A kernel thread that runs fn(arg) with interrupts on when first switched to; fn must not return.
 * The top of its stack is kept free for user registers: after arch_exec(thread_regs(current), ...)
 * it may become a user thread by arch_enter_user().
 */
void arch_thread_init_kernel(struct thread *t, void (*fn)(void *), void *arg);

/*
 * A user thread that first appears in user mode with a copy of REGS, result 0, and, unless SP is 0,
 * that stack pointer; FPU state and FS/GS bases copied from the current thread. Returns -ENOMEM.
 */
int arch_thread_init_user(struct thread *t, const struct regs *regs, uintptr_t sp);
void arch_thread_destroy(struct thread *t);

/* exec: registers of the current thread as the ABI has them at process entry; FPU state reset. */
void arch_exec(struct regs *regs, uintptr_t entry, uintptr_t sp);
_Noreturn void arch_enter_user(
    struct regs *regs); /* the current thread's, at the top of its stack */
void arch_set_tls(struct thread *t, uint64_t fs_base);
uint64_t arch_get_tls(struct thread *t);
long arch_prctl(int code,
                uint64_t addr); /* ARCH_{SET,GET}_{FS,GS}; -EPERM for kernel addresses; -EINVAL */

/*
 * Switch kernel stacks from PREV (the current thread) to NEXT. Called with interrupts off by the
 * scheduler alone; returns, in PREV's later life, the thread that was switched away from.
 */
struct thread *context_switch(struct thread *prev, struct thread *next);
