/*
 * The C side of the system call: what the processor must know about it, and the answer of calls
 * that are not there. The way in and out is entry.asm.
 */
#include "x86/syscall.h"

#include "lib/atomic.h"
#include "lib/log.h"
#include "sched/thread.h"
#include "x86/context.h"
#include "x86/cpu.h"
#include "x86/gdt.h"
#include "x86/msr.h"
#include "x86/init.h"

/* Calls from here on are not in the table; entry.asm compares with it. */
extern const uint32_t syscall_limit;
const uint32_t syscall_limit = NR_SYSCALLS;

extern const char syscall_entry[], syscall_compat_entry[]; /* entry.asm */

void syscall_init_cpu(void)
{
    wrmsr(MSR_STAR, (uint64_t)SYSRET_BASE << 48 | (uint64_t)KERNEL_CS << 32);
    wrmsr(MSR_LSTAR, (uint64_t)syscall_entry);
    wrmsr(MSR_CSTAR, (uint64_t)syscall_compat_entry);
    wrmsr(MSR_SFMASK,
          RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_IOPL | RFLAGS_NT | RFLAGS_RF | RFLAGS_AC);
}

struct regs *syscall_regs(void)
{
    return thread_regs(current);
}

long syscall_missing(long a, long b, long c, long d, long e, long f)
{
    static uint64_t told[DIV_ROUND_UP(NR_SYSCALLS, 64)]; /* atomic: calls that the log has named */
    uint32_t nr = (uint32_t)regs_syscall_nr(syscall_regs());

    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
    if (nr < NR_SYSCALLS && !(atomic_or(&told[nr / 64], 1UL << nr % 64) & 1UL << nr % 64)) {
        const char *name = syscall_info[nr].name;
        log_info("%s: call %u (%s) is not there", current->comm, nr, name ? name : "unknown");
    }
    return -ENOSYS;
}
