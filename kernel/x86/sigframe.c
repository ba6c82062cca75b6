/*
 * The signal frame.
 *
 *        old stack pointer, or the top of the alternate stack
 *        ------------------
 *        red zone            128 bytes that leaf functions use without asking (not on the alternate stack)
 *        FP_XSTATE_MAGIC2    4 bytes
 *        XSAVE area          64-byte aligned; its software bytes say how long it is and what is in it
 *        siginfo             128 bytes, filled for SA_SIGINFO
 *        ucontext            alternate stack, general registers, pointer to the XSAVE area, signal mask
 *        return address      the program's restorer, which calls rt_sigreturn
 *        ------------------  stack pointer in the handler, 8 below a multiple of 16: as after a call
 *
 * Programs read and change all of this, and rt_sigreturn takes it back. It trusts nothing:
 *
 *   flags      only those that a program can change by itself are taken; IF, IOPL, NT, VM stay.
 *   cs, ss     only the two selectors that programs have here. Anything else is a general protection
 *              fault of the program's, as it is on Linux when IRET refuses it.
 *   rip        may be anything: user_return (trap.asm) looks at it before it loads it.
 *   rsp        may be anything: the processor loads it without looking.
 *   FPU        is loaded from where it lies by XRSTOR, which refuses all that it can't load; only features
 *              that programs have here are asked for. It can change nothing but the program's own registers,
 *              so it is no matter if the program changes the area at the same time.
 *   mask       without SIGKILL and SIGSTOP.
 *
 * What can't be read or is refused ends in SIGSEGV.
 */
#include "x86/sigframe.h"

#include <abi/signal.h>

#include "lib/string.h"
#include "sched/thread.h"
#include "x86/context.h"
#include "x86/features.h"
#include "x86/fpu.h"
#include "x86/gdt.h"
#include "x86/msr.h"
#include "x86/syscall.h"
#include "x86/trap.h"
#include "x86/uaccess.h"
#include "x86/upcalls.h"
#include <syscall_protos.h>

#define RED_ZONE 128
#define XSAVE_ALIGN 64
#define FXSAVE_ALIGN 16
#define FXSAVE_SIZE 512

/* Flags that POPF changes in user mode: CF PF AF ZF SF TF DF OF RF AC. */
#define USER_RFLAGS                                                                             \
    (1UL << 0 | 1UL << 2 | 1UL << 4 | 1UL << 6 | 1UL << 7 | RFLAGS_TF | RFLAGS_DF | 1UL << 11 | \
     RFLAGS_RF | RFLAGS_AC)

/* Bits of the XSAVE header for the state that FXSAVE knew too. */
#define XFEATURES_LEGACY 3UL

struct rt_sigframe {
    uintptr_t return_address;
    struct ucontext uc;
    siginfo_t info;
};

_Static_assert(sizeof(struct ucontext) == 304 && sizeof(siginfo_t) == 128 &&
                   sizeof(struct fpstate) == FXSAVE_SIZE && sizeof(struct rt_sigframe) == 440,
               "the frame is Linux's");

static size_t fpstate_size(void)
{
    return cpu_has.xsave ? fpu_area_size + FP_XSTATE_MAGIC2_SIZE : FXSAVE_SIZE;
}

size_t sigframe_min_stack(void)
{
    return ALIGN_UP(sizeof(struct rt_sigframe) + 15 + fpstate_size() + XSAVE_ALIGN - 1, 16UL);
}

void sigframe_note_fault(uintptr_t addr, unsigned trapno, uint64_t error)
{
    struct arch_thread *a = &current->arch;

    a->fault_trapno = trapno;
    a->fault_error = error;
    if (trapno == TRAP_PAGE_FAULT)
        a->fault_addr = addr;
}

/* --- to the program ------------------------------------------------------------------------------- */

/* What stands behind the registers that FXSAVE writes: how large all of it is, and a header for XSAVE to fill. */
static struct {
    struct fpx_sw_bytes sw;
    struct xstate_header header;
} fpstate_tail; /* const after init */

void sigframe_init(void)
{
    if (!cpu_has.xsave)
        return;
    fpstate_tail.sw.magic1 = FP_XSTATE_MAGIC1;
    fpstate_tail.sw.extended_size = (uint32_t)fpstate_size();
    fpstate_tail.sw.xfeatures = fpu_features;
    fpstate_tail.sw.xstate_size = (uint32_t)fpu_area_size;
}

/* The current FPU state to user address TO. */
static int write_fpstate(uintptr_t to)
{ /* LAB signals:save begin */
    uint64_t in_use;
    uint64_t __user *header = (uint64_t __user *)(to + FXSAVE_SIZE);
    void __user *tail = (void __user *)(to + offsetof(struct fpstate, sw_reserved));

    if (!user_range_ok((void __user *)to, fpstate_size()))
        return -EFAULT;
    if (!cpu_has.xsave)
        return copy_to_user(tail, &fpstate_tail.sw, sizeof(fpstate_tail.sw)) || !fpu_save_user(to)
                   ? -EFAULT
                   : 0;
    if (copy_to_user(tail, &fpstate_tail, sizeof(fpstate_tail)) || !fpu_save_user(to))
        return -EFAULT;
    /* A program that changes the first 512 bytes needn't know of the header that says they are in use. */
    if (get_user(in_use, header) || put_user(in_use | XFEATURES_LEGACY, header))
        return -EFAULT;
    uint32_t magic2 = FP_XSTATE_MAGIC2;
    return put_user(magic2, (uint32_t __user *)(to + fpu_area_size));
} /* LAB signals:save end */

static void fill_sigcontext(struct sigcontext *sc, const struct regs *r, uintptr_t fpstate,
                            uint64_t blocked)
{
    const struct arch_thread *a = &current->arch;

    sc->r8 = r->r8;
    sc->r9 = r->r9;
    sc->r10 = r->r10;
    sc->r11 = r->r11;
    sc->r12 = r->r12;
    sc->r13 = r->r13;
    sc->r14 = r->r14;
    sc->r15 = r->r15;
    sc->rdi = r->rdi;
    sc->rsi = r->rsi;
    sc->rbp = r->rbp;
    sc->rbx = r->rbx;
    sc->rdx = r->rdx;
    sc->rax = r->rax;
    sc->rcx = r->rcx;
    sc->rsp = r->rsp;
    sc->rip = r->rip;
    sc->eflags = r->rflags;
    sc->cs = (uint16_t)r->cs;
    sc->gs = sc->fs = 0;
    sc->ss = (uint16_t)r->ss;
    sc->err = a->fault_error;
    sc->trapno = a->fault_trapno;
    sc->oldmask = blocked;
    sc->cr2 = a->fault_addr;
    sc->fpstate = (struct fpstate *)fpstate;
    memset(sc->reserved1, 0, sizeof(sc->reserved1));
}

/* The registers that a handler starts with. */
static void enter_handler(struct regs *r, const struct kernel_sigaction *action, int signo,
                          uintptr_t frame)
{ /* LAB signals:frame begin */
    r->rdi = (uint64_t)signo;
    r->rsi = frame + offsetof(struct rt_sigframe, info);
    r->rdx = frame + offsetof(struct rt_sigframe, uc);
    r->rax =
        0; /* no vector registers are used, should the handler be called as a variadic function */
    r->rip = (uint64_t)action->handler;
    r->rsp = frame;
    r->cs = USER_CS;
    r->ss = USER_DS;
    r->rflags &= ~(RFLAGS_DF | RFLAGS_RF | RFLAGS_TF);
    fpu_reset();
}

int sigframe_push(struct regs *regs, int signo, const struct siginfo *info,
                  const struct kernel_sigaction *action, uint64_t blocked)
{
    struct rt_sigframe f; /* every field is set below: it goes to user memory */
    bool with_info = action->flags & SA_SIGINFO;
    uintptr_t floor;

    if (!(action->flags & SA_RESTORER))
        return -EFAULT;
    uintptr_t sp = signal_frame_stack(regs->rsp, RED_ZONE, action->flags & SA_ONSTACK, &floor);
    uintptr_t fpstate = ALIGN_DOWN(sp - fpstate_size(), XSAVE_ALIGN);
    uintptr_t frame = ALIGN_DOWN(fpstate - sizeof(f), 16) - 8;
    if (floor && (frame <= floor || frame > sp))
        return -EFAULT;

    f.return_address = (uintptr_t)action->restorer;
    f.uc.uc_link = NULL;
    f.uc.uc_flags = (cpu_has.xsave ? UC_FP_XSTATE : 0) | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
    memset(&f.uc.uc_stack, 0, sizeof(f.uc.uc_stack)); /* it has padding */
    f.uc.uc_stack.ss_sp = current->altstack.ss_sp;
    f.uc.uc_stack.ss_flags = current->altstack.ss_flags;
    f.uc.uc_stack.ss_size = current->altstack.ss_size;
    f.uc.uc_sigmask = blocked;
    fill_sigcontext(&f.uc.uc_mcontext, regs, fpstate, blocked);
    if (with_info) {
        memcpy(&f.info, info, SIGINFO_USED);
        memset((uint8_t *)&f.info + SIGINFO_USED, 0, sizeof(f.info) - SIGINFO_USED);
    }
    if (write_fpstate(fpstate) ||
        copy_to_user((void __user *)frame, &f,
                     with_info ? sizeof(f) : offsetof(struct rt_sigframe, info)))
        return -EFAULT;
    enter_handler(regs, action, signo, frame);
    return 0;
} /* LAB signals:frame end */

/* --- and back ------------------------------------------------------------------------------------- */

/*
 * What the frame at FROM says about its FPU state: the features to be loaded, 0 for FXSAVE's alone. Without the two
 * magic numbers, in order, it is what FXSAVE wrote, or what a program made of it.
 */
static int read_layout(uintptr_t from, uint64_t *features)
{ /* LAB signals:load begin */
    struct fpx_sw_bytes sw;
    uint32_t magic2;

    *features = 0;
    if (from % FXSAVE_ALIGN || !user_range_ok((void __user *)from, fpstate_size()))
        return -EFAULT;
    if (!cpu_has.xsave)
        return 0;
    if (copy_from_user(&sw, (void __user *)(from + offsetof(struct fpstate, sw_reserved)),
                       offsetof(struct fpx_sw_bytes, padding)))
        return -EFAULT;
    if (sw.magic1 != FP_XSTATE_MAGIC1 || sw.xstate_size < sizeof(struct xsave_area) ||
        sw.xstate_size > fpu_area_size || sw.xstate_size > sw.extended_size)
        return 0;
    if (get_user(magic2, (uint32_t __user *)(from + sw.xstate_size)))
        return -EFAULT;
    if (magic2 != FP_XSTATE_MAGIC2)
        return 0;
    *features = sw.xfeatures & fpu_features;
    if (from % XSAVE_ALIGN)
        return -EFAULT;
    return 0;
}

static int read_fpstate(uintptr_t from)
{
    uint64_t features;
    uint32_t mxcsr;

    if (!from) {
        fpu_reset();
        return 0;
    }
    /* Processors refuse reserved bits of MXCSR, emulated ones may not. */
    if (read_layout(from, &features) ||
        get_user(mxcsr, (uint32_t __user *)(from + offsetof(struct fpstate, mxcsr))) ||
        mxcsr & ~fpu_mxcsr_mask())
        return -EFAULT;
    return fpu_load_user(from, features) ? 0 : -EFAULT;
} /* LAB signals:load end */

static void read_sigcontext(struct regs *r, const struct sigcontext *sc)
{
    r->r8 = sc->r8;
    r->r9 = sc->r9;
    r->r10 = sc->r10;
    r->r11 = sc->r11;
    r->r12 = sc->r12;
    r->r13 = sc->r13;
    r->r14 = sc->r14;
    r->r15 = sc->r15;
    r->rdi = sc->rdi;
    r->rsi = sc->rsi;
    r->rbp = sc->rbp;
    r->rbx = sc->rbx;
    r->rdx = sc->rdx;
    r->rax = sc->rax;
    r->rcx = sc->rcx;
    r->rsp = sc->rsp;
    r->rip = sc->rip; /* LAB signals:return begin */
    r->rflags = (r->rflags & ~USER_RFLAGS) | (sc->eflags & USER_RFLAGS);
}

/* Would IRET to these selectors have worked on Linux? Without the flag SS is repaired there. */
static bool selectors_ok(const struct ucontext *uc)
{
    if ((uc->uc_mcontext.cs | 3) != USER_CS)
        return false;
    return (uc->uc_mcontext.ss | 3) == USER_DS || !(uc->uc_flags & UC_STRICT_RESTORE_SS);
}

static int sigreturn(struct regs *r)
{
    struct ucontext uc;
    /* The handler's return has taken the return address off the frame. */
    uintptr_t frame = r->rsp - offsetof(struct rt_sigframe, uc);

    if (copy_from_user(&uc, (void __user *)(frame + offsetof(struct rt_sigframe, uc)), sizeof(uc)))
        return -EFAULT;
    signal_frame_mask(uc.uc_sigmask);
    read_sigcontext(r, &uc.uc_mcontext);
    r->cs = USER_CS;
    r->ss = USER_DS;
    if (read_fpstate((uintptr_t)uc.uc_mcontext.fpstate)) {
        fpu_reset();
        return -EFAULT;
    }
    signal_frame_altstack(&uc.uc_stack, r->rsp);
    return selectors_ok(&uc) ? 0 : -EFAULT;
} /* LAB signals:return end */

long sys_rt_sigreturn(void)
{
    struct regs *r = syscall_regs();

    /* No call returns here: all registers are loaded as they stand, and no result is looked at. */
    regs_leave_syscall(r);
    r->trapno = (uint64_t)-1;
    if (sigreturn(r))
        signal_fault(SIGSEGV, SI_KERNEL, 0, TRAP_PROTECTION, 0);
    return regs_result(r);
}
