/*
 * Traps: what the processor refuses to do, decoded.
 *
 * A program's fault becomes a page (mm_fault) or a signal (signal_fault), with the signal numbers
 * and codes that Linux uses. A fault of the kernel's own is one of three things:
 *
 *   - an access to user memory through x86/uaccess.h: the page is made and the access repeated, or
 *     else the fixup of the exception table ends the copy;
 *   - the same with interrupts off, or in an interrupt handler, where nobody may sleep: straight
 *     to the fixup. That is what the _nofault functions stand on;
 *   - a bug: panic.
 *
 * A kernel stack that overflows runs into its guard page. The processor can't push the page fault's
 * frame there either, so it comes as a double fault, on a stack of its own.
 */
#include "x86/trap.h"

#include <abi/signal.h>

#include "lib/assert.h"
#include "lib/log.h"
#include "mm/kstack.h"
#include "x86/context.h"
#include "x86/cpu.h"
#include "x86/event.h"
#include "x86/extable.h"
#include "x86/msr.h"
#include "x86/panic.h"
#include "x86/power.h"
#include "x86/report.h"
#include "x86/uaccess.h"
#include "x86/upcalls.h"
#include "x86/watchdog.h"

_Static_assert(offsetof(struct regs, rax) == 80 && offsetof(struct regs, orig_rax) == 120 &&
                   offsetof(struct regs, trapno) == 136 && offsetof(struct regs, rip) == 144 &&
                   offsetof(struct regs, ss) == 176 && sizeof(struct regs) == 184,
               "x86/regs.inc says the same");

/* Page fault error code, SDM volume 3, figure 4-12. */
#define PF_PRESENT 1u
#define PF_WRITE 2u
#define PF_USER 4u
#define PF_RESERVED 8u
#define PF_FETCH 16u

/* What user code's trap means: a signal, its code, and whether si_addr is the instruction. */
struct trap_meaning {
    const char *name;
    uint8_t signo; /* 0: never a program's fault */
    bool addr_is_ip;
    int code;
};

static const struct trap_meaning meanings[32] = {
    [TRAP_DIVIDE] = {"divide error", SIGFPE, true, FPE_INTDIV},
    [TRAP_DEBUG] = {"debug", SIGTRAP, true, TRAP_TRACE},
    [TRAP_NMI] = {"NMI", 0, false, 0},
    [TRAP_BREAKPOINT] = {"breakpoint", SIGTRAP, false, SI_KERNEL},
    [TRAP_OVERFLOW] = {"overflow", SIGSEGV, false, SI_KERNEL},
    [TRAP_BOUND] = {"bound range exceeded", SIGSEGV, false, SI_KERNEL},
    [TRAP_OPCODE] = {"invalid opcode", SIGILL, true, ILL_ILLOPN},
    [TRAP_NO_FPU] = {"device not available", 0, false, 0},
    [TRAP_DOUBLE_FAULT] = {"double fault", 0, false, 0},
    [TRAP_TSS] = {"invalid TSS", SIGSEGV, false, SI_KERNEL},
    [TRAP_SEGMENT] = {"segment not present", SIGBUS, false, SI_KERNEL},
    [TRAP_STACK] = {"stack segment fault", SIGBUS, false, SI_KERNEL},
    [TRAP_PROTECTION] = {"general protection fault", SIGSEGV, false, SI_KERNEL},
    [TRAP_PAGE_FAULT] = {"page fault", SIGSEGV, false, SEGV_MAPERR},
    [TRAP_X87] = {"x87 floating point error", SIGFPE, true, 0},
    [TRAP_ALIGNMENT] = {"alignment check", SIGBUS, false, BUS_ADRALN},
    [TRAP_MACHINE_CHECK] = {"machine check", 0, false, 0},
    [TRAP_SIMD] = {"SIMD floating point error", SIGFPE, true, 0},
    [TRAP_CONTROL] = {"control protection", SIGSEGV, false, SI_KERNEL},
};

const char *trap_name(unsigned trapno)
{
    const char *name = trapno < ARRAY_SIZE(meanings) ? meanings[trapno].name : NULL;
    return name ? name : "unexpected trap";
}

/* The x87 and SSE exceptions have the same six bits in the same order: invalid first. */
static int fpe_code(uint32_t raised)
{
    if (raised & 0x01)
        return FPE_FLTINV;
    if (raised & 0x04)
        return FPE_FLTDIV;
    if (raised & 0x08)
        return FPE_FLTOVF;
    if (raised & 0x12)
        return FPE_FLTUND;
    if (raised & 0x20)
        return FPE_FLTRES;
    return 0;
}

/* Why the FPU of the current thread complains; its state is still in the registers. */
static int fpu_trap_code(unsigned trapno)
{
    if (trapno == TRAP_X87) {
        uint16_t status, control;
        asm volatile("fnstsw %0" : "=m"(status));
        asm volatile("fnstcw %0" : "=m"(control));
        return fpe_code(status & ~control & 0x3f);
    }
    uint32_t mxcsr;
    asm volatile("stmxcsr %0" : "=m"(mxcsr));
    return fpe_code(~(mxcsr >> 7) & mxcsr & 0x3f);
}

static void user_exception(struct regs *r)
{
    unsigned trapno = (unsigned)r->trapno;
    const struct trap_meaning *m = &meanings[trapno];
    int code = m->code;

    if (!m->signo)
        panic_regs(r, "%s in user mode", trap_name(trapno));
    if (trapno == TRAP_X87 || trapno == TRAP_SIMD) {
        code = fpu_trap_code(trapno);
        if (!code)
            return; /* the flag is gone already: nothing to complain about */
    }
    irq_enable();
    signal_fault(m->signo, code, m->addr_is_ip ? r->rip : 0, trapno, r->error);
}

/* Every exception that has no function of its own. */
static void trap_exception(struct regs *r)
{
    event_note_timed(EVENT_TRAP, r->trapno);
    if (regs_from_user(r)) {
        user_exception(r);
        return;
    }
    const struct extable_entry *e = extable_find(r->rip);
    if (!e)
        panic_regs(r, "%s in the kernel, error code %#lx", trap_name((unsigned)r->trapno),
                   r->error);
    r->rip = e->fixup;
}

static void trap_debug(struct regs *r)
{
    if (!regs_from_user(r)) {
        r->rflags &= ~RFLAGS_TF;
        log_warn("debug trap in the kernel at %pS", (void *)r->rip);
        return;
    }
    /*
     * DR6 says which: single step (BS), or else INT1. It is sticky, so it is cleared for the next.
     */
    uint64_t dr6;
    asm volatile("mov %%dr6, %0" : "=r"(dr6));
    asm volatile("mov %0, %%dr6" : : "r"(0xffff0ff0UL));
    irq_enable();
    signal_fault(SIGTRAP, dr6 & (1UL << 14) ? TRAP_TRACE : TRAP_BRKPT, r->rip, TRAP_DEBUG, 0);
}

static unsigned fault_flags(uint64_t error)
{
    return (error & PF_WRITE ? FAULT_WRITE : 0) | (error & PF_FETCH ? FAULT_EXEC : 0) |
           (error & PF_PRESENT ? FAULT_PRESENT : 0);
}

static void user_fault_failed(struct regs *r, uintptr_t addr, int error, int sigcode)
{
    if (error == -ENOMEM) {
        /* Nothing could be freed for it; a program that can't have its own memory can't go on. */
        log_warn("out of memory for a fault at %#lx", addr);
        signal_fault(SIGKILL, SI_KERNEL, addr, TRAP_PAGE_FAULT, r->error);
    } else if (error == -EIO) {
        signal_fault(SIGBUS, BUS_ADRERR, addr, TRAP_PAGE_FAULT, r->error);
    } else {
        /* Of kernel addresses a program learns nothing, not even what is mapped. */
        uint64_t code = r->error | (addr >= USER_END ? PF_PRESENT : 0);
        signal_fault(SIGSEGV, sigcode, addr, TRAP_PAGE_FAULT, code);
    }
}

static void user_page_fault(struct regs *r, uintptr_t addr)
{
    int sigcode = SEGV_MAPERR;
    int error = -EFAULT;

    if (unlikely(r->error & PF_RESERVED))
        panic_regs(r, "page table corrupted at %#lx", addr);
    irq_enable();
    if (likely(addr < USER_END))
        error = mm_fault(addr, fault_flags(r->error) | FAULT_USER, &sigcode);
    if (unlikely(error))
        user_fault_failed(r, addr, error, sigcode);
}

static void kernel_page_fault(struct regs *r, uintptr_t addr)
{
    const struct extable_entry *e = extable_find(r->rip);

    if (e && (e->kind == EXTABLE_ANY || addr < USER_END)) {
        if (e->kind == EXTABLE_USER && (r->rflags & RFLAGS_IF) && !this_cpu()->in_interrupt) {
            int sigcode;
            irq_enable();
            int error = mm_fault(addr, fault_flags(r->error), &sigcode);
            irq_disable();
            if (!error)
                return;
        }
        r->rip = e->fixup;
        return;
    }
    if (kstack_is_guard(addr))
        panic_regs(r, "kernel stack overflow at %#lx", addr);
    panic_regs(r, "kernel %s %#lx, error code %#lx",
               r->error & PF_FETCH   ? "jumped to"
               : r->error & PF_WRITE ? "wrote to"
                                     : "read from",
               addr, r->error);
}

static void trap_page_fault(struct regs *r)
{
    uintptr_t addr = read_cr2(); /* before interrupts come on and another fault changes it */

    event_note_timed(EVENT_FAULT, (addr & ((1UL << EVENT_ERROR_SHIFT) - 1)) |
                                      (r->error & 0xff) << EVENT_ERROR_SHIFT);

    if (likely(regs_from_user(r)))
        user_page_fault(r, addr);
    else
        kernel_page_fault(r, addr);
}

static void trap_double_fault(struct regs *r)
{
    uintptr_t addr = read_cr2();
    extern const char boot_stack_guard[];

    if (kstack_is_guard(addr) || addr - (uintptr_t)boot_stack_guard < PAGE_SIZE)
        panic_regs(r, "kernel stack overflow at %#lx", addr);
    panic_regs(r, "double fault, last page fault at %#lx", addr);
}

static void trap_nmi(struct regs *r)
{
    if (report_is_mine() || report_nmi(r))
        return;
    power_nmi(); /* doesn't return when the NMI is its own */
    if (watchdog_nmi(r))
        return;
    /* Somebody has pressed the button, which is every CPU's: asked where everybody is. */
    if (cpu_id() == 0)
        report_live(r, "asked for by an NMI");
}

static void trap_machine_check(struct regs *r)
{
    panic_regs(r, "machine check");
}

/*
 * user_return (trap.asm) was about to go back to an address that iretq can't load. Only the
 * program itself can have asked for it.
 */
void trap_bad_return(struct regs *r);
void trap_bad_return(struct regs *r)
{
    irq_enable();
    signal_fault(SIGSEGV, SI_KERNEL, 0, TRAP_PROTECTION, 0);
    regs_leave_syscall(r);
}

extern void (*const trap_table[256])(struct regs *);
void (*const trap_table[256])(struct regs *) = {
    [0] = trap_exception,
    [TRAP_DEBUG] = trap_debug,
    [TRAP_NMI] = trap_nmi,
    [3 ... 7] = trap_exception,
    [TRAP_DOUBLE_FAULT] = trap_double_fault,
    [9 ... 13] = trap_exception,
    [TRAP_PAGE_FAULT] = trap_page_fault,
    [15 ... 17] = trap_exception,
    [TRAP_MACHINE_CHECK] = trap_machine_check,
    [19 ... 31] = trap_exception,
    [VECTOR_DEVICE_FIRST... 255] = interrupt_dispatch,
};
