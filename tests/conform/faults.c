/* Faults: the signal that kills, and that a faulting call gives EFAULT instead. */
#include "tap.h"

#include <sys/mman.h>
#include <sys/prctl.h>

#define FAULT(name, signal, code) \
    TEST(name)                    \
    {                             \
        pid_t pid;                \
        CHILD (pid) {             \
            code;                 \
        }                         \
        dies(pid, signal);        \
    }

static void test_hlt_is_sigsegv(void);

FAULT(read_of_nothing_is_sigsegv, SIGSEGV, (void)*(volatile char *)NOWHERE)
FAULT(write_to_nothing_is_sigsegv, SIGSEGV, *(volatile char *)NOWHERE = 1)
FAULT(jump_to_nothing_is_sigsegv, SIGSEGV, ((void (*)(void))NOWHERE)())
FAULT(kernel_address_is_sigsegv, SIGSEGV, (void)*(volatile char *)0xffffffff80100000)
FAULT(non_canonical_address_is_sigsegv, SIGSEGV, (void)*(volatile char *)0x8000000000000000)
FAULT(write_to_code_is_sigsegv, SIGSEGV, *(volatile char *)(uintptr_t)&test_hlt_is_sigsegv = 1)
FAULT(division_by_zero_is_sigfpe, SIGFPE,
      __asm__ volatile("xor %%ecx, %%ecx; xor %%edx, %%edx; mov $1, %%eax; div %%ecx" ::
                           : "eax", "ecx", "edx"))
FAULT(ud2_is_sigill, SIGILL, __asm__ volatile("ud2"))
FAULT(int3_is_sigtrap, SIGTRAP, __asm__ volatile("int3"))
FAULT(hlt_is_sigsegv, SIGSEGV, __asm__ volatile("hlt"))
FAULT(cli_is_sigsegv, SIGSEGV, __asm__ volatile("cli"))
FAULT(port_output_is_sigsegv, SIGSEGV, __asm__ volatile("outb %%al, $0x80" ::"a"(0)))
FAULT(rdmsr_is_sigsegv, SIGSEGV, __asm__ volatile("rdmsr" ::"c"(0x10) : "eax", "edx"))
FAULT(control_register_is_sigsegv, SIGSEGV, __asm__ volatile("mov %%cr3, %%rax" ::: "rax"))
FAULT(unknown_interrupt_is_sigsegv, SIGSEGV, __asm__ volatile("int $0x70"))
FAULT(non_canonical_jump_is_sigsegv, SIGSEGV, __asm__ volatile("jmp *%0" ::"r"(0x8000000000000000)))
FAULT(unmasked_x87_division_by_zero_is_sigfpe, SIGFPE,
      __asm__ volatile("fldcw %0; fld1; fldz; fdivrp; fwait" ::"m"((short){0x37b})))

/* A stack fault by the manual, a protection fault on some emulators. */
TEST(non_canonical_stack_kills)
{
    pid_t pid;
    CHILD (pid) {
        __asm__ volatile("mov %0, %%rsp; push %%rax" ::"r"(0x8000000000000000));
    }
    int status = tap_reap(pid);
    check(WIFSIGNALED(status) && (WTERMSIG(status) == SIGBUS || WTERMSIG(status) == SIGSEGV),
          "SIGBUS or SIGSEGV, got wait status %#x", (unsigned)status);
}

TEST(blocked_fault_still_kills)
{
    pid_t pid;
    CHILD (pid) {
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, NULL);
        *(volatile char *)NOWHERE = 1;
    }
    dies(pid, SIGSEGV);
}

TEST(ignored_fault_still_kills)
{
    pid_t pid;
    CHILD (pid) {
        signal(SIGSEGV, SIG_IGN);
        *(volatile char *)NOWHERE = 1;
    }
    dies(pid, SIGSEGV);
}

TEST(syscall_with_a_bad_stack_pointer_is_no_fault)
{
    pid_t pid;
    CHILD (pid) {
        long result;
        __asm__ volatile(
            "mov %%rsp, %%rbx; mov $0x8000000000000000, %%rsp; syscall; mov %%rbx, %%rsp"
            : "=a"(result)
            : "a"(39) /* getpid */
            : "rbx", "rcx", "r11", "memory");
        same(result, getpid());
    }
    exits(pid, 0);
}

TEST(sse_registers_survive_switches)
{
    pid_t pid[3];
    for (int i = 0; i < 3; i++)
        CHILD (pid[i]) {
            double want = i + 0.5, got;
            __asm__ volatile("movsd %0, %%xmm15" ::"m"(want) : "xmm15");
            for (int n = 0; n < 30; n++)
                __asm__ volatile("mov $24, %%eax; syscall" ::
                                     : "rax", "rcx", "r11", "memory"); /* sched_yield */
            __asm__ volatile("movsd %%xmm15, %0" : "=m"(got));
            check(got == want, "xmm15 is kept");
        }
    for (int i = 0; i < 3; i++)
        exits(pid[i], 0);
}

TEST(flags_survive_a_system_call)
{
    long before, after;
    __asm__ volatile("std; pushf; pop %0; mov $39, %%eax; syscall; pushf; pop %1; cld"
                     : "=&r"(before), "=&r"(after)::"rax", "rcx", "r11", "memory");
    same(after & 0x400, before & 0x400);
}

TEST(registers_survive_a_system_call)
{
    long rbx = 1, rbp, r12, rdi, rsi, rdx, r8, r9, r10;
    __asm__ volatile(
        "mov $11, %%rbx; mov $12, %%r12; mov $13, %%rdi; mov $14, %%rsi; mov $15, %%rdx; mov $16, %%r8;"
        "mov $17, %%r9; mov $18, %%r10; mov $39, %%eax; syscall;"
        "mov %%rbx, %0; mov %%r12, %1; mov %%rdi, %2; mov %%rsi, %3; mov %%rdx, %4; mov %%r8, %5;"
        "mov %%r9, %6; mov %%r10, %7"
        : "=m"(rbx), "=m"(r12), "=m"(rdi), "=m"(rsi), "=m"(rdx), "=m"(r8), "=m"(r9),
          "=m"(r10)::"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
          "memory");
    rbp = 0;
    same(rbx, 11);
    same(r12, 12);
    same(rdi, 13);
    same(rsi, 14);
    same(rdx, 15);
    same(r8, 16);
    same(r9, 17);
    same(r10, 18);
    same(rbp, 0);
}

TEST(unknown_system_calls_are_enosys)
{
    fails(syscall(1000), ENOSYS);
    fails(syscall(0x7fffffff), ENOSYS);
    fails(syscall(-1L), ENOSYS);
    fails(syscall(1L << 40 | 1000), ENOSYS);
    fails(syscall(400), ENOSYS);
}

int main(void)
{
    return tap_run("faults");
}
