/*
 * The signal frame: what a handler finds in it comes back unchanged, what a handler changes takes effect,
 * and a frame that makes no sense costs the program a SIGSEGV, from which it recovers, and nobody else
 * anything.
 */
#include "tap.h"

#include <sched.h>
#include <setjmp.h>

#include <abi/signal.h>

#define FLAGS_FORBIDDEN 0x7000UL /* IOPL and NT */

static jmp_buf recovery;
static volatile int segv_count;
static void (*tamper)(struct ucontext *uc);
static int tamper_signal = SIGUSR1;

static void on_segv(int sig)
{
    (void)sig;
    segv_count++;
    longjmp(recovery, 1);
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)info;
    tamper(context);
}

static void install(void)
{
    static char stack[65536];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct sigaction segv = {.sa_handler = on_segv, .sa_flags = SA_ONSTACK | SA_NODEFER};
    struct sigaction usr = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

    works(sigaltstack(&alternate, NULL));
    works(sigaction(SIGSEGV, &segv, NULL));
    works(sigaction(SIGBUS, &segv, NULL));
    works(sigaction(tamper_signal, &usr, NULL));
}

/* Return from a handler through a frame that FN has changed: how many SIGSEGV that makes. Then go on living. */
static int segvs_after(void (*fn)(struct ucontext *uc))
{
    tamper = fn;
    segv_count = 0;
    install();
    if (!setjmp(recovery))
        raise(tamper_signal);
    for (int i = 0; i < 20; i++) {
        sched_yield();
        usleep(500);
    }
    return segv_count;
}

static struct xstate_header *header_of(struct ucontext *uc)
{
    return (struct xstate_header *)(uc->uc_mcontext.fpstate + 1);
}

static void nothing(struct ucontext *uc)
{
    (void)uc;
}

static void compact_format(struct ucontext *uc)
{
    header_of(uc)->xcomp_bv = ~0UL;
}

static void reserved_header(struct ucontext *uc)
{
    header_of(uc)->reserved[0] = ~0UL;
}

static void unknown_features(struct ucontext *uc)
{
    header_of(uc)->xfeatures = ~0UL;
}

static void reserved_mxcsr(struct ucontext *uc)
{
    uc->uc_mcontext.fpstate->mxcsr = ~0U;
}

static void all_ones(struct ucontext *uc)
{
    memset(uc->uc_mcontext.fpstate, 0xff, sizeof(struct fpstate) + sizeof(struct xstate_header));
}

static void misaligned_state(struct ucontext *uc)
{
    uc->uc_mcontext.fpstate = (struct fpstate *)((char *)uc->uc_mcontext.fpstate + 8);
}

static void unmapped_state(struct ucontext *uc)
{
    uc->uc_mcontext.fpstate = NOWHERE;
}

static void kernel_state(struct ucontext *uc)
{
    uc->uc_mcontext.fpstate = (struct fpstate *)0xffff888000000000;
}

static void non_canonical_rip(struct ucontext *uc)
{
    uc->uc_mcontext.rip = 0x8000000000000000;
}

static void first_non_canonical_rip(struct ucontext *uc)
{
    uc->uc_mcontext.rip = 0x800000000000;
}

static void kernel_rip(struct ucontext *uc)
{
    uc->uc_mcontext.rip = 0xffffffff80100000;
}

static void non_canonical_rsp(struct ucontext *uc)
{
    uc->uc_mcontext.rsp = 0x8000000000000000;
}

TEST(an_untouched_frame_returns)
{
    same(segvs_after(nothing), 0);
}
TEST(a_compact_header_is_sigsegv)
{
    same(segvs_after(compact_format), 1);
}
TEST(a_reserved_header_is_sigsegv)
{
    same(segvs_after(reserved_header), 1);
}
TEST(unknown_features_are_sigsegv)
{
    same(segvs_after(unknown_features), 1);
}
TEST(reserved_mxcsr_bits_are_sigsegv)
{
    same(segvs_after(reserved_mxcsr), 1);
}
TEST(a_state_of_ones_is_sigsegv)
{
    same(segvs_after(all_ones), 1);
}
TEST(a_misaligned_state_is_sigsegv)
{
    same(segvs_after(misaligned_state), 1);
}
TEST(an_unmapped_state_is_sigsegv)
{
    same(segvs_after(unmapped_state), 1);
}
TEST(a_kernel_state_is_sigsegv)
{
    same(segvs_after(kernel_state), 1);
}
TEST(a_non_canonical_rip_is_sigsegv)
{
    same(segvs_after(non_canonical_rip), 1);
}
TEST(the_first_non_canonical_rip_is_sigsegv)
{
    same(segvs_after(first_non_canonical_rip), 1);
}
TEST(a_kernel_rip_is_sigsegv)
{
    same(segvs_after(kernel_rip), 1);
}
TEST(a_non_canonical_rsp_is_sigsegv)
{
    same(segvs_after(non_canonical_rsp), 1);
}

static void no_state(struct ucontext *uc)
{
    uc->uc_mcontext.fpstate = NULL;
}

TEST(a_frame_without_state_gives_a_fresh_one)
{
    uint32_t mxcsr = 0x1fa0;

    __asm__ volatile("ldmxcsr %0" ::"m"(mxcsr));
    same(segvs_after(no_state), 0);
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    same(mxcsr, 0x1f80);
}

static void all_flags(struct ucontext *uc)
{
    uc->uc_mcontext.eflags = ~0x40500UL; /* but AC, TF and DF, which would make themselves felt */
}

TEST(flags_of_the_kernel_stay_the_kernels)
{
    unsigned long flags;

    tamper = all_flags;
    install();
    raise(tamper_signal);
    __asm__ volatile("pushfq; popq %0" : "=r"(flags));
    same(flags & FLAGS_FORBIDDEN, 0);
    check(flags & 0x200, "interrupts are off");
}

static void all_selectors(struct ucontext *uc)
{
    uc->uc_mcontext.cs = 0x10;
    uc->uc_mcontext.gs = uc->uc_mcontext.fs = 0x18;
}

TEST(a_kernel_code_selector_gives_no_privilege)
{
    pid_t pid;

    CHILD (pid) {
        segvs_after(all_selectors);
        signal(SIGSEGV, SIG_DFL);
        __asm__ volatile("cli");
    }
    dies(pid, SIGSEGV);
}

/* --- what must come back as it was ----------------------------------------------------------------- */

static void spoil_registers(struct ucontext *uc)
{
    (void)uc;
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm7, %%xmm7; pcmpeqd %%xmm15, %%xmm15" ::
                         : "xmm0", "xmm7", "xmm15");
}

/* Load registers with SEED, make the system call NR(A, B), and see whether they are as they were. */
static bool registers_survive(uint64_t seed, long nr, long a, long b)
{
    uint64_t in[6] = {seed, ~seed, seed * 3, seed * 5, seed * 7, seed * 11}, out[6], r12, r15;
    long result = nr;

    __asm__ volatile(
        "movups (%[in]), %%xmm0; movups 16(%[in]), %%xmm7; movups 32(%[in]), %%xmm15\n\t"
        "mov %[seed], %%r12; mov %[seed], %%r15; syscall\n\t"
        "mov %%r12, %[r12]; mov %%r15, %[r15]\n\t"
        "movups %%xmm0, (%[out]); movups %%xmm7, 16(%[out]); movups %%xmm15, 32(%[out])"
        : "+a"(result), [r12] "=&r"(r12), [r15] "=&r"(r15)
        : [in] "r"(in), [out] "r"(out), [seed] "r"(seed), "D"(a), "S"(b)
        : "rcx", "r11", "r12", "r15", "xmm0", "xmm7", "xmm15", "memory");
    return !memcmp(in, out, sizeof(in)) && r12 == seed && r15 == seed;
}

TEST(registers_survive_a_handler)
{
    tamper = spoil_registers;
    install();
    for (uint64_t i = 1; i <= 200; i++)
        check(registers_survive(i * 0x9e3779b97f4a7c15, 62, getpid(), tamper_signal),
              "registers changed in round %d", (int)i);
}

TEST(registers_survive_other_processes)
{
    pid_t pid[4];

    for (int p = 0; p < 4; p++)
        CHILD (pid[p]) {
            for (uint64_t i = 1; i <= 500; i++)
                check(registers_survive((i * 4 + (uint64_t)p) * 0x9e3779b97f4a7c15, 24, 0, 0),
                      "registers changed");
        }
    for (int p = 0; p < 4; p++)
        exits(pid[p], 0);
}

static void change_registers(struct ucontext *uc)
{
    uc->uc_mcontext.rbx = 0x1234;
    uc->uc_mcontext.r15 = 0x5678;
}

TEST(what_a_handler_writes_is_loaded)
{
    long rbx, r15, nr = 62;

    tamper = change_registers;
    install();
    __asm__ volatile("syscall; mov %%rbx, %1; mov %%r15, %2"
                     : "+a"(nr), "=&r"(rbx), "=&r"(r15)
                     : "D"((long)getpid()), "S"((long)tamper_signal)
                     : "rcx", "r11", "rbx", "r15", "memory");
    same(rbx, 0x1234);
    same(r15, 0x5678);
}

int main(void)
{
    return tap_run("sigframe");
}
