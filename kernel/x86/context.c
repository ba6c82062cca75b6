/*
 * Threads as the machine sees them: making one, switching between two, and the registers that a
 * program enters with.
 *
 * A thread's kernel stack, from the top down: its user registers (struct regs, where system calls
 * and traps from user mode always put them), then the kernel's frames. A switch pushes the
 * registers that C keeps and stores the stack pointer in thread->arch.rsp; a new thread gets a
 * frame that looks as if it had done so.
 *
 * FS and GS bases: with FSGSBASE a program changes them by itself, so a switch reads them back.
 * Without, they change only by arch_prctl() and what is stored is the truth. In the kernel the
 * program's GS base waits in the other GS register, which swapgs reaches.
 */
#include "x86/context.h"

#include <abi/prctl.h>

#include "lib/assert.h"
#include "lib/string.h"
#include "mm/kstack.h"
#include "sched/thread.h"
#include "x86/cpu.h"
#include "x86/features.h"
#include "x86/fpu.h"
#include "x86/gdt.h"
#include "x86/msr.h"
#include "x86/uaccess.h"

_Static_assert(offsetof(struct thread, work) == 0, "x86/regs.inc says the same");

struct thread *switch_stacks(struct thread *prev, uintptr_t *prev_rsp, uintptr_t next_rsp);
extern const char thread_start_user[], thread_start_kernel[]; /* trap.asm */

/* What switch_stacks() pushes, lowest address first. */
struct switch_frame {
    uint64_t r15, r14, r13, r12, rbx, rbp;
    uint64_t rip;
};

static uintptr_t stack_top(const struct thread *t)
{
    return (uintptr_t)t->kstack + KSTACK_SIZE;
}

struct regs *thread_regs(struct thread *t)
{
    return (struct regs *)stack_top(t) - 1;
}

/* FS and GS bases of the current program. With FSGSBASE interrupts must be off for GS. */

static uint64_t read_user_fs(const struct thread *t)
{
    uint64_t base = t->arch.fs_base;
    if (likely(cpu_has.fsgsbase))
        asm volatile("rdfsbase %0" : "=r"(base));
    return base;
}

static uint64_t read_user_gs(const struct thread *t)
{
    uint64_t base = t->arch.gs_base;
    if (likely(cpu_has.fsgsbase))
        asm volatile("swapgs; rdgsbase %0; swapgs" : "=r"(base));
    return base;
}

static void load_user_bases(uint64_t fs, uint64_t gs)
{
    if (likely(cpu_has.fsgsbase)) {
        asm volatile("wrfsbase %0" : : "r"(fs));
        asm volatile("swapgs; wrgsbase %0; swapgs" : : "r"(gs));
        return;
    }
    struct arch_cpu *a = arch_of(this_cpu());
    if (a->loaded_fs != fs)
        wrmsr(MSR_FS_BASE, a->loaded_fs = fs);
    if (a->loaded_gs != gs)
        wrmsr(MSR_KERNEL_GS_BASE, a->loaded_gs = gs);
}

/*
 * Null data segments: a program may have put other selectors there, the next one shall not see
 * them.
 */
static void reset_data_segments(void)
{
    asm volatile("mov %0, %%ds\n\tmov %0, %%es" : : "r"(0));
}

struct thread *context_switch(struct thread *prev, struct thread *next)
{
    struct cpu *c = this_cpu();
    bool were_on = c->irq_were_on;

    assert(!irqs_enabled());
    if (prev->arch.fpu) {
        fpu_save(prev->arch.fpu);
        prev->arch.fs_base = read_user_fs(prev);
        prev->arch.gs_base = read_user_gs(prev);
    }
    c->running = next;
    c->kstack_top = stack_top(next);
    arch_of(c)->tss.rsp0 = stack_top(next);
    if (next->arch.fpu) {
        fpu_load(next->arch.fpu);
        load_user_bases(next->arch.fs_base, next->arch.gs_base);
        reset_data_segments();
    }
    prev = switch_stacks(prev, &prev->arch.rsp, next->arch.rsp);

    /* Later, perhaps on another CPU. */
    this_cpu()->irq_were_on = were_on;
    return prev;
}

/* A frame below the user registers that makes switch_stacks() return to ENTRY. */
static struct switch_frame *first_frame(struct thread *t, const char *entry)
{
    struct switch_frame *f = (struct switch_frame *)thread_regs(t) - 1;

    memset(f, 0, sizeof(*f));
    f->rip = (uint64_t)entry;
    t->arch.rsp = (uintptr_t)f;
    return f;
}

void arch_thread_init_kernel(struct thread *t, void (*fn)(void *), void *arg)
{
    memset(thread_regs(t), 0, sizeof(struct regs));
    /*
     * thread_start_kernel calls C, so it wants the stack aligned: one word lower than where regs
     * begin.
     */
    struct switch_frame *f = (struct switch_frame *)((uintptr_t)thread_regs(t) - 8) - 1;
    memset(f, 0, sizeof(*f) + 8);
    f->rip = (uint64_t)thread_start_kernel;
    f->r12 = (uint64_t)fn;
    f->r13 = (uint64_t)arg;
    t->arch = (struct arch_thread){.rsp = (uintptr_t)f};
}

_Noreturn void kthread_returned(void);
_Noreturn void kthread_returned(void)
{
    panic("a kernel thread's function returned");
}

int arch_thread_init_user(struct thread *t, const struct regs *regs, uintptr_t sp)
{
    struct thread *parent = current;
    struct xsave_area *fpu = fpu_alloc();

    if (!fpu)
        return -ENOMEM;
    fpu_save(fpu);
    t->arch.fpu = fpu;
    t->arch.fs_base = arch_get_tls(parent);
    irq_push_off();
    t->arch.gs_base = read_user_gs(parent);
    irq_pop_off();

    struct regs *r = thread_regs(t);
    *r = *regs;
    r->rax = 0;
    if (sp)
        r->rsp = sp;
    first_frame(t, thread_start_user);
    return 0;
}

void arch_thread_destroy(struct thread *t)
{
    fpu_free(t->arch.fpu);
    t->arch.fpu = NULL;
}

void arch_exec(struct regs *regs, uintptr_t entry, uintptr_t sp)
{
    struct thread *t = current;

    memset(regs, 0, sizeof(*regs));
    regs->rip = entry;
    regs->rsp = sp;
    regs->cs = USER_CS;
    regs->ss = USER_DS;
    regs->rflags = RFLAGS_FIXED | RFLAGS_IF;
    regs->orig_rax = (uint64_t)-1;
    regs->trapno = (uint64_t)-1; /* not TRAPNO_SYSCALL: all registers are to be loaded from here */

    /* A kernel thread becomes a program once, at boot. */
    if (!t->arch.fpu && !(t->arch.fpu = fpu_alloc()))
        panic("no memory for the first program's FPU state");
    irq_push_off();
    t->arch.fs_base = t->arch.gs_base = 0;
    fpu_reset();
    load_user_bases(0, 0);
    reset_data_segments();
    irq_pop_off();
}

void arch_set_tls(struct thread *t, uint64_t fs_base)
{
    irq_push_off();
    t->arch.fs_base = fs_base;
    if (t == current)
        load_user_bases(fs_base, read_user_gs(t));
    irq_pop_off();
}

uint64_t arch_get_tls(struct thread *t)
{
    return t == current ? read_user_fs(t) : t->arch.fs_base;
}

static void set_user_gs(struct thread *t, uint64_t base)
{
    irq_push_off();
    uint64_t fs = read_user_fs(t);
    t->arch.gs_base = base;
    load_user_bases(fs, base);
    irq_pop_off();
}

void arch_core_regs(struct thread *t, uint64_t out[CORE_REGS])
{
    const struct regs *r = thread_regs(t);
    uint64_t gs = t->arch.gs_base;

    if (t == current) {
        irq_push_off();
        gs = read_user_gs(t);
        irq_pop_off();
    }
    const uint64_t regs[CORE_REGS] = {
        r->r15,    r->r14, r->r13, r->r12,          r->rbp, r->rbx, r->r11,      r->r10, r->r9,
        r->r8,     r->rax, r->rcx, r->rdx,          r->rsi, r->rdi, r->orig_rax, r->rip, r->cs,
        r->rflags, r->rsp, r->ss,  arch_get_tls(t), gs,     0,      0,           0,      0,
    };
    memcpy(out, regs, sizeof(regs));
}

/* Debuggers look for XCR0 in the bytes that FXSAVE leaves to software. */
#define XCR0_OFFSET 464

size_t arch_core_fpu(struct thread *t, const void **area)
{
    struct xsave_area *x = t->arch.fpu;

    if (t == current)
        fpu_save(x);
    if (cpu_has.xsave)
        memcpy(&x->legacy[XCR0_OFFSET], &fpu_features, sizeof(fpu_features));
    *area = x;
    return cpu_has.xsave ? fpu_area_size : FPU_LEGACY_SIZE;
}

long arch_prctl(int code, uint64_t addr)
{
    struct thread *t = current;
    uint64_t base;

    switch (code) {
    case ARCH_SET_FS:
    case ARCH_SET_GS:
        if (addr >= USER_END)
            return -EPERM;
        if (code == ARCH_SET_FS)
            arch_set_tls(t, addr);
        else
            set_user_gs(t, addr);
        return 0;
    case ARCH_GET_FS: base = arch_get_tls(t); return put_user(base, (uint64_t __user *)addr);
    case ARCH_GET_GS:
        irq_push_off();
        base = read_user_gs(t);
        irq_pop_off();
        return put_user(base, (uint64_t __user *)addr);
    default: return -EINVAL;
    }
}
