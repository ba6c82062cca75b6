/*
 * Panic: say what is wrong, where every CPU is, and stop.
 *
 * The first CPU to come here owns the panic. It prints its message, registers and backtrace,
 * interrupts the others by NMI (which no lock and no loop with interrupts off keeps out), and gives
 * each its turn to print the same. CPUs that panic at the same time wait for that NMI. Then QEMU is
 * told to exit, with a status that no program's end can produce; on a machine without that port the
 * CPU halts, or restarts when the command line says panic=-1 (panic=N: after N seconds).
 *
 * Nothing here allocates, sleeps or takes a lock. A fault while printing comes here again and cuts
 * short what is left; one in that, shorter still.
 *
 * A backtrace is a walk along the frame pointers. Trap entries leave an odd one: the address of the
 * interrupted code's registers plus one, from where the walk goes on.
 */
#include "x86/panic.h"

#include <stdarg.h>

#include "lib/atomic.h"
#include "lib/cmdline.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "lib/symbols.h"
#include "sched/thread.h"
#include "x86/clock.h"
#include "x86/clock_internal.h"
#include "x86/context.h"
#include "x86/cpu.h"
#include "x86/extable.h"
#include "x86/io.h"
#include "x86/ipi.h"
#include "x86/msr.h"
#include "x86/power.h"

#define MAX_FRAMES 40
#define PUSH_RBP 0x55
#define PROLOGUE_SIZE 4 /* push rbp; mov rbp, rsp */
#define NOBODY (-1)
#define TURN_CYCLES 4000000000UL /* a second or more for a CPU to print */
#define KERNEL_HALF 0xffff800000000000UL

static int owner = NOBODY;     /* atomic: the CPU that panics */
static int turn = NOBODY;      /* atomic: the CPU that may print */
static bool printed[MAX_CPUS]; /* atomic: had its turn */
static unsigned depth;         /* the owner only: panics within the panic */

static _Noreturn void stop_here(void)
{
    for (;;)
        asm volatile("cli; hlt" ::: "memory");
}

static _Noreturn void end_machine(void)
{
    const char *word = cmdline_get("panic");
    uint64_t seconds = 0;

    outb(PANIC_EXIT_PORT, PANIC_EXIT_VALUE);
    for (uint64_t start = rdtsc(); rdtsc() - start < TURN_CYCLES / 16;)
        cpu_relax(); /* the exit needs a moment */
    if (word && *word == '-')
        machine_restart();
    if (word && !parse_u64(word, 0, &seconds) && seconds && seconds < 86400 && clock_tsc_hz()) {
        clock_delay((nsec_t)seconds * NSEC_PER_SEC);
        machine_restart();
    }
    stop_here();
}

/* --- printing -------------------------------------------------------------------------------- */

/* One code address. A return address may lie behind its function's end: 1 back it is inside. */
static void print_frame(uintptr_t ip, unsigned back)
{
    uintptr_t offset;
    const char *name = symbol_lookup(ip - back, &offset);

    if (name)
        log_at(LOG_EMERG, "  %016lx %s+%#lx", ip, name, offset + back);
    else
        log_at(LOG_EMERG, "  %016lx", ip);
}

/*
 * Code that was interrupted before it made its frame, or that never makes one (a leaf, a jump to
 * nowhere), is not in the chain with its caller: that one's address is on top of the stack at SP.
 * Functions with a frame begin by pushing rbp.
 */
static void print_frameless_caller(uintptr_t ip, uintptr_t sp)
{
    uintptr_t offset;
    uint64_t code, caller;

    if (symbol_lookup(ip, &offset) && offset >= PROLOGUE_SIZE &&
        kernel_read_word(&code, ip - offset) && (code & 0xff) == PUSH_RBP)
        return;
    if (kernel_read_word(&caller, sp) && symbol_lookup(caller, &offset))
        print_frame(caller, 1);
}

/* The registers that a trap left at ADDR. False when they can't be read. */
static bool read_regs(struct regs *r, uintptr_t addr)
{
    return kernel_read_word(&r->rip, addr + offsetof(struct regs, rip)) &&
           kernel_read_word(&r->cs, addr + offsetof(struct regs, cs)) &&
           kernel_read_word(&r->rsp, addr + offsetof(struct regs, rsp)) &&
           kernel_read_word(&r->rbp, addr + offsetof(struct regs, rbp));
}

/* From where a trap, or (CALLED) a call of panic(), left off. */
static void backtrace(const struct regs *from, bool called)
{
    uintptr_t ip = from->rip, bp = from->rbp;
    struct regs r;

    log_at(LOG_EMERG, "call trace:");
    print_frame(ip, called);
    if (!called)
        print_frameless_caller(ip, from->rsp);
    for (unsigned n = 0; n < MAX_FRAMES && bp >= KERNEL_HALF; n++) {
        if (bp & 1) {
            if (!read_regs(&r, bp - 1))
                return;
            log_at(LOG_EMERG, "  --- trap ---");
            if (regs_from_user(&r)) {
                log_at(LOG_EMERG, "  %016lx in user mode", r.rip);
                return;
            }
            print_frame(r.rip, 0);
            print_frameless_caller(r.rip, r.rsp);
            bp = r.rbp;
        } else {
            if (!kernel_read_word(&ip, bp + 8) || !kernel_read_word(&bp, bp))
                return;
            print_frame(ip, 1);
        }
    }
}

/* Where no trap saved them (trapno is -1) only those are known that calls keep: see snapshot(). */
static void print_regs(const struct regs *r)
{
    log_at(LOG_EMERG, "rip %016lx  rsp %016lx  rflags %08lx  cs %02lx  ss %02lx", r->rip, r->rsp,
           r->rflags, r->cs, r->ss);
    log_at(LOG_EMERG, "rbx %016lx  rbp %016lx  r12 %016lx  r13 %016lx", r->rbx, r->rbp, r->r12,
           r->r13);
    log_at(LOG_EMERG, "r14 %016lx  r15 %016lx", r->r14, r->r15);
    if (r->trapno < 256) {
        log_at(LOG_EMERG, "rax %016lx  rcx %016lx  rdx %016lx  rsi %016lx", r->rax, r->rcx, r->rdx,
               r->rsi);
        log_at(LOG_EMERG, "rdi %016lx  r8  %016lx  r9  %016lx  r10 %016lx", r->rdi, r->r8, r->r9,
               r->r10);
        log_at(LOG_EMERG, "r11 %016lx  trap %lu, error code %#lx", r->r11, r->trapno, r->error);
    }
    log_at(LOG_EMERG, "cr0 %016lx  cr2 %016lx  cr3 %016lx  cr4 %016lx", read_cr0(), read_cr2(),
           read_cr3(), read_cr4());
}

/* Who runs here; the thread may be part of what is broken, so its name is read with care. */
static void print_cpu(void)
{
    struct thread *t = current;
    uint64_t name[3] = {0};

    if (t && kernel_read_word(&name[0], (uintptr_t)t->comm))
        (void)kernel_read_word(&name[1], (uintptr_t)t->comm + 8);
    log_at(LOG_EMERG, "CPU %d, thread %p (%s)%s", cpu_id(), (void *)t,
           t ? (const char *)name : "none", this_cpu()->in_interrupt ? ", in an interrupt" : "");
}

/* What can be said of registers where no trap saved them: those that calls keep. */
static struct regs snapshot(uintptr_t ip, uintptr_t bp)
{
    struct regs r = {.rip = ip, .rbp = bp, .trapno = (uint64_t)-1};

    asm volatile("mov %%rbx, %0" : "=m"(r.rbx));
    asm volatile("mov %%r12, %0" : "=m"(r.r12));
    asm volatile("mov %%r13, %0" : "=m"(r.r13));
    asm volatile("mov %%r14, %0" : "=m"(r.r14));
    asm volatile("mov %%r15, %0" : "=m"(r.r15));
    asm volatile("mov %%rsp, %0" : "=m"(r.rsp));
    asm volatile("mov %%cs, %0" : "=r"(r.cs));
    asm volatile("mov %%ss, %0" : "=r"(r.ss));
    asm volatile("pushfq; popq %0" : "=r"(r.rflags));
    return r;
}

/* --- the panic ------------------------------------------------------------------------------- */

/* Everybody else, one after the other. A CPU that doesn't answer is left out. */
static void others_print(void)
{
    ipi_stop_others();
    for (int i = 0; i < num_cpus; i++) {
        if (i == cpu_id() || !cpus[i].online)
            continue;
        atomic_store(&turn, i);
        for (uint64_t start = rdtsc(); !atomic_load(&printed[i]);) {
            if (rdtsc() - start > TURN_CYCLES) {
                log_at(LOG_EMERG, "CPU %d does not answer", i);
                break;
            }
            cpu_relax();
        }
    }
    atomic_store(&turn, NOBODY);
}

/* Become the panic's owner. A CPU that comes second waits for the owner's NMI instead. */
static void take_over(const char *message)
{
    int expected = NOBODY;

    if (__atomic_compare_exchange_n(&owner, &expected, cpu_id(), false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return;
    if (expected != cpu_id())
        stop_here();
    if (++depth == 1)
        log_at(LOG_EMERG, "panic in the panic: %s", message);
    end_machine();
}

static _Noreturn void die(const struct regs *r, bool called, const char *message)
{
    take_over(message);
    log_enter_panic();
    log_at(LOG_EMERG, "kernel panic: %s", message);
    print_cpu();
    print_regs(r);
    backtrace(r, called);
    others_print();
    log_at(LOG_EMERG, "end of panic");
    end_machine();
}

void panic(const char *format, ...)
{
    char message[256];
    va_list args;

    irq_disable();
    /* My caller's frame: where it will not return to, and its frame pointer. */
    uintptr_t *frame = __builtin_frame_address(0);
    struct regs r = snapshot(frame[1], frame[0]);
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    die(&r, true, message);
}

void panic_regs(const struct regs *r, const char *format, ...)
{
    char message[256];
    va_list args;

    irq_disable();
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    die(r, false, message);
}

void panic_nmi(const struct regs *r)
{
    int me = cpu_id();

    if (atomic_load(&owner) == NOBODY || atomic_load(&owner) == me)
        return;
    while (atomic_load(&turn) != me)
        cpu_relax(); /* for ever, if the owner has given me up */
    print_cpu();
    print_regs(r);
    backtrace(r, false);
    atomic_store(&printed[me], true);
    stop_here();
}
