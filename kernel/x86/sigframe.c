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
 *   FPU        is copied to the thread's own area first, and what XRSTOR would refuse is refused here:
 *              unknown features, a compacted format, reserved bits in MXCSR. Between the copy and XRSTOR the
 *              thread doesn't sleep, for a switch would store the live registers into that area.
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
#define XSAVE_HEADER_SIZE (sizeof(struct xsave_area) - FXSAVE_SIZE)
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

/* The current FPU state to user address TO. */
static int write_fpstate(uintptr_t to)
{
    struct xsave_area *area = current->arch.fpu;
    struct fpx_sw_bytes sw = {0};

    /* Should the thread sleep in the copy, a switch stores the same state over it. */
    fpu_save(area);
    if (copy_to_user((void __user *)to, area, fpu_area_size))
        return -EFAULT;
    if (cpu_has.xsave) {
        sw.magic1 = FP_XSTATE_MAGIC1;
        sw.extended_size = (uint32_t)fpstate_size();
        sw.xfeatures = fpu_features;
        sw.xstate_size = (uint32_t)fpu_area_size;
    }
    uintptr_t sw_at = to + offsetof(struct fpstate, sw_reserved);
    if (copy_to_user((void __user *)sw_at, &sw, sizeof(sw)))
        return -EFAULT;
    if (!cpu_has.xsave)
        return 0;
    /* A program that changes the first 512 bytes needn't know of the header that says they are in use. */
    uint64_t in_use = area->xstate_bv | XFEATURES_LEGACY;
    if (put_user(in_use, (uint64_t __user *)(to + FXSAVE_SIZE)))
        return -EFAULT;
    uint32_t magic2 = FP_XSTATE_MAGIC2;
    return put_user(magic2, (uint32_t __user *)(to + fpu_area_size));
}

static void fill_sigcontext(struct sigcontext *sc, const struct regs *r, uintptr_t fpstate,
                            uint64_t blocked)
{
    const struct arch_thread *a = &current->arch;

    *sc = (struct sigcontext){
        .r8 = r->r8,
        .r9 = r->r9,
        .r10 = r->r10,
        .r11 = r->r11,
        .r12 = r->r12,
        .r13 = r->r13,
        .r14 = r->r14,
        .r15 = r->r15,
        .rdi = r->rdi,
        .rsi = r->rsi,
        .rbp = r->rbp,
        .rbx = r->rbx,
        .rdx = r->rdx,
        .rax = r->rax,
        .rcx = r->rcx,
        .rsp = r->rsp,
        .rip = r->rip,
        .eflags = r->rflags,
        .cs = (uint16_t)r->cs,
        .ss = (uint16_t)r->ss,
        .err = a->fault_error,
        .trapno = a->fault_trapno,
        .oldmask = blocked,
        .cr2 = a->fault_addr,
        .fpstate = (struct fpstate *)fpstate,
    };
}

/* The registers that a handler starts with. */
static void enter_handler(struct regs *r, const struct kernel_sigaction *action, int signo,
                          uintptr_t frame)
{
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
    struct rt_sigframe f = {.return_address = (uintptr_t)action->restorer};
    bool with_info = action->flags & SA_SIGINFO;
    uintptr_t floor;

    if (!(action->flags & SA_RESTORER))
        return -EFAULT;
    uintptr_t sp = signal_frame_stack(regs->rsp, RED_ZONE, action->flags & SA_ONSTACK, &floor);
    uintptr_t fpstate = ALIGN_DOWN(sp - fpstate_size(), XSAVE_ALIGN);
    uintptr_t frame = ALIGN_DOWN(fpstate - sizeof(f), 16) - 8;
    if (floor && (frame <= floor || frame > sp))
        return -EFAULT;

    f.uc.uc_flags = (cpu_has.xsave ? UC_FP_XSTATE : 0) | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
    f.uc.uc_stack = current->altstack;
    f.uc.uc_sigmask = blocked;
    fill_sigcontext(&f.uc.uc_mcontext, regs, fpstate, blocked);
    if (with_info)
        f.info = *info;
    if (write_fpstate(fpstate) ||
        copy_to_user((void __user *)frame, &f,
                     with_info ? sizeof(f) : offsetof(struct rt_sigframe, info)))
        return -EFAULT;
    enter_handler(regs, action, signo, frame);
    return 0;
}

/* --- and back ------------------------------------------------------------------------------------- */

/* What a frame says about its FPU state. */
struct fpstate_layout {
    size_t size;       /* bytes to be copied */
    uint64_t features; /* of them, what is to be loaded; all else starts afresh */
};

/* Without the two magic numbers, in order, it is what FXSAVE wrote, or what a program made of it. */
static int read_layout(uintptr_t from, struct fpstate_layout *l)
{
    struct fpx_sw_bytes sw;
    uint32_t magic2;

    *l = (struct fpstate_layout){FXSAVE_SIZE, XFEATURES_LEGACY};
    if (from % FXSAVE_ALIGN)
        return -EFAULT;
    if (!cpu_has.xsave)
        return 0;
    if (copy_from_user(&sw, (void __user *)(from + offsetof(struct fpstate, sw_reserved)),
                       sizeof(sw)))
        return -EFAULT;
    if (sw.magic1 != FP_XSTATE_MAGIC1 || sw.xstate_size < sizeof(struct xsave_area) ||
        sw.xstate_size > fpu_area_size || sw.xstate_size > sw.extended_size)
        return 0;
    if (get_user(magic2, (uint32_t __user *)(from + sw.xstate_size)))
        return -EFAULT;
    if (magic2 != FP_XSTATE_MAGIC2)
        return 0;
    if (from % XSAVE_ALIGN)
        return -EFAULT;
    *l = (struct fpstate_layout){sw.xstate_size, sw.xfeatures};
    return 0;
}

/*
 * AREA holds what the program left there; make of it something that XRSTOR or FXRSTOR takes without a
 * fault (SDM volume 1, 13.8.1, standard form), or refuse it.
 */
static int check_area(struct xsave_area *area, const struct fpstate_layout *l)
{
    const struct fpstate *image = (const struct fpstate *)area->legacy;

    if (image->mxcsr & ~fpu_mxcsr_mask())
        return -EFAULT;
    if (!cpu_has.xsave)
        return 0;
    if (l->size == FXSAVE_SIZE) {
        memset((uint8_t *)area + FXSAVE_SIZE, 0, sizeof(*area) - FXSAVE_SIZE);
        area->xstate_bv = XFEATURES_LEGACY;
        return 0;
    }
    if (area->xstate_bv & ~fpu_features || area->xcomp_bv || area->reserved[0])
        return -EFAULT;
    area->xstate_bv &= l->features;
    memset((uint8_t *)area + l->size, 0, fpu_area_size - l->size);
    return 0;
}

static int read_fpstate(uintptr_t from)
{
    struct xsave_area *area = current->arch.fpu;
    struct fpstate_layout layout;

    if (!from) {
        fpu_reset();
        return 0;
    }
    if (read_layout(from, &layout))
        return -EFAULT;
    for (;;) {
        /* No sleep, and so no switch, from here ... */
        size_t left = copy_from_user_nofault(area, (void __user *)from, layout.size);
        bool good = !left && check_area(area, &layout) == 0;
        if (good && fpu_load_checked(area))
            return 0; /* ... to here. */
        /* XSAVE writes no more of the header than its first word: nothing of the program's may stay. */
        memset(&area->xstate_bv, 0, XSAVE_HEADER_SIZE);
        if (!left)
            return -EFAULT;
        if (fatal_pending(current) ||
            user_fault_in((void __user *)(from + layout.size - left), false))
            return -EFAULT;
    }
}

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
    r->rip = sc->rip;
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
}

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
