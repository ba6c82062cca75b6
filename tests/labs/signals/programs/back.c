/*
 * The way back from a handler: what it changed in the frame is in the registers, and what no program may have is not.
 *
 *     back REGISTER... FLAGS ZONE NEW... [forge]     17 numbers, and 15 registers that a handler writes
 *
 * With `forge` the frames are forged.
 */
#include "trip.h"

static void (*tamper)(struct ucontext *uc);
static uint64_t new_registers[TRIP_REGISTERS];
static struct ucontext *seen;

void landed(void)
{
    struct ucontext *uc = (void *)entered.rdx;

    uc->uc_mcontext.rip += UD2_LENGTH;
    seen = uc;
    if (tamper)
        tamper(uc);
}

static void prepare(void)
{
    set_action(SIGILL, entry, SA_SIGINFO, 0);
}

static void untouched(void)
{
    uint64_t zone = 0;

    tamper = NULL;
    trip();
    report_words("same", trip_state.out, TRIP_REGISTERS);
    lab_report("flags", "%lx", (unsigned long)trip_state.flags_out);
    for (int i = 0; i < RED_ZONE; i++)
        zone += trip_state.zone_out[i] != trip_state.zone_in;
    lab_report("rsp", "%ld %lu", (long)(trip_state.rsp_out - trip_state.rsp), (unsigned long)zone);
    lab_report("returns", "%lu", (unsigned long)trip_state.returns);
}

static void write_registers(struct ucontext *uc)
{
    int n = 0;

    for (int i = 0; i < 16; i++)
        if (i != REG_RSP)
            uc->uc_mcontext.gregs[i] = (greg_t)new_registers[n++];
}

static void all_flags(struct ucontext *uc)
{
    uc->uc_mcontext.eflags = ~0x40100UL; /* but AC and TF, which would make themselves felt */
}

static void block_all(struct ucontext *uc)
{
    uc->uc_sigmask = ~0UL;
}

static volatile int usr1s;

static void on_usr1(int number)
{
    (void)number;
    usr1s++;
}

static void raise_usr1(struct ucontext *uc)
{
    uint64_t usr1 = 1UL << (SIGUSR1 - 1);

    syscall(SYS_rt_sigprocmask, SIG_BLOCK, &usr1, NULL, 8);
    raise(SIGUSR1);
    uc->uc_sigmask = 0;
}

static int changed(void *arg)
{
    (void)arg;
    prepare();
    tamper = write_registers;
    trip();
    report_words("written", trip_state.out, TRIP_REGISTERS);
    tamper = all_flags;
    trip();
    lab_report("forbidden", "%lx",
               (unsigned long)(trip_state.flags_out & 0x1f7200)); /* IF IOPL NT VM and above */
    lab_report("allowed", "%lx",
               (unsigned long)(trip_state.flags_out & 0xcd5)); /* CF PF AF ZF SF DF OF */
    set_action(SIGUSR1, on_usr1, 0, 0);
    tamper = raise_usr1;
    trip();
    lab_report("let_in", "%d", usr1s);
    tamper = block_all;
    trip();
    lab_report("mask", "%lx", (unsigned long)blocked_now());
    return 0;
}

/* --- frames that are refused ------------------------------------------------------------------------- */

static void kernel_code(struct ucontext *uc)
{
    uc->uc_mcontext.cs = 0x10;
}
static void no_selector(struct ucontext *uc)
{
    uc->uc_mcontext.cs = 0;
}
static void code_for_ring_0(struct ucontext *uc)
{
    uc->uc_mcontext.cs &= (uint16_t)~3u;
}
static void kernel_stack(struct ucontext *uc)
{
    uc->uc_mcontext.ss = 0x18;
}
static void repaired_stack(struct ucontext *uc)
{
    uc->uc_mcontext.ss = 0x18;
    uc->uc_flags &= ~0x4UL;
}
static void odd_rip(struct ucontext *uc)
{
    uc->uc_mcontext.rip = 0x800000000000;
}
static void kernel_rip(struct ucontext *uc)
{
    uc->uc_mcontext.rip = 0xffffffff80100000;
}
static void no_frame(struct ucontext *uc)
{
    (void)uc;
    __asm__ volatile("mov $16, %%rsp; mov $15, %%eax; syscall" ::: "memory");
}
static void kernel_frame(struct ucontext *uc)
{
    (void)uc;
    __asm__ volatile("mov $0xffffffff80100000, %%rsp; mov $15, %%eax; syscall" ::: "memory");
}

static const struct {
    const char *key;
    void (*fn)(struct ucontext *uc);
} forged[] = {
    {"kernel_code", kernel_code},
    {"no_selector", no_selector},
    {"code_for_ring_0", code_for_ring_0},
    {"kernel_stack", kernel_stack},
    {"odd_rip", odd_rip},
    {"kernel_rip", kernel_rip},
    {"repaired_stack", repaired_stack},
    {"no_frame", no_frame},
    {"kernel_frame", kernel_frame},
};

/* What the handler of that SIGSEGV is shown: the registers that the refused frame named. */
static void on_segv(int number, siginfo_t *info, void *context)
{
    struct ucontext *uc = context;

    lab_report("refusal", "%d %d %d", number, info->si_code,
               uc->uc_mcontext.r15 == new_registers[7]);
    _exit(44);
}

static void forge_and_show(struct ucontext *uc)
{
    write_registers(uc);
    kernel_code(uc);
}

static int shown(void *arg)
{
    (void)arg;
    prepare();
    set_action(SIGSEGV, on_segv, SA_SIGINFO, 0);
    tamper = forge_and_show;
    trip();
    return 1;
}

static int forge(void *arg)
{
    prepare();
    tamper = forged[*(int *)arg].fn;
    trip();
    return 0;
}

int main(int argc, char **argv)
{
    load_trip(argv + 1);
    for (int i = 0; i < TRIP_REGISTERS; i++)
        new_registers[i] = strtoul(argv[1 + TRIP_ARGUMENTS + i], NULL, 16);
    if (argc > 1 + TRIP_ARGUMENTS + TRIP_REGISTERS) {
        for (int i = 0; i < (int)(sizeof(forged) / sizeof(forged[0])); i++)
            lab_report(forged[i].key, "%s", fate(start(forge, &i)));
        lab_report("shown_end", "%s", fate(start(shown, NULL)));
        return 0;
    }
    lab_report("changed_end", "%s", fate(start(changed, NULL)));
    prepare();
    be_patient(PATIENCE);
    untouched();
    return 0;
}
