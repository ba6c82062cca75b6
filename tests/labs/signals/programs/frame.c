/*
 * What a handler finds: the registers it starts with, and the frame. It does not return.
 *
 *     frame REGISTER... FLAGS ZONE VALUE MASK        17 numbers and two more, in hexadecimal
 *
 * One child faults with these registers and looks; another gets a signal with VALUE queued while MASK is blocked.
 */
#include "trip.h"

static uint64_t value, mask;

static void report_frame(const struct ucontext *uc)
{
    const struct sigcontext *sc = &uc->uc_mcontext;
    uint64_t registers[TRIP_REGISTERS];
    int n = 0;

    for (int i = 0; i < 16; i++)
        if (i != REG_RSP)
            registers[n++] = (uint64_t)sc->gregs[i];
    report_words("registers", registers, TRIP_REGISTERS);
    lab_report("rip", "%ld", (long)(sc->rip - (uint64_t)trip_at));
    lab_report("rsp", "%ld", (long)(sc->rsp - trip_state.rsp));
    lab_report("eflags", "%lx", (unsigned long)sc->eflags);
    lab_report("selectors", "%x %x", sc->cs, sc->ss);
    lab_report("uc_flags", "%lx", uc->uc_flags);
    lab_report("trapno", "%lu %lu", (unsigned long)sc->trapno, (unsigned long)sc->err);
    lab_report("frame_mask", "%lx", (unsigned long)uc->uc_sigmask);
    lab_report("stack", "%p %d %lu", uc->uc_stack.ss_sp, uc->uc_stack.ss_flags,
               (unsigned long)uc->uc_stack.ss_size);
}

/* Bytes that are not zero where there is nothing to tell. */
static int leaked(const siginfo_t *info, const struct ucontext *uc)
{
    static const char none[128];
    int n = uc->uc_link != NULL;

    n += memcmp((const char *)info + 48, none, sizeof(*info) - 48) != 0;
    n += memcmp(&uc->uc_stack.ss_flags + 1, none, 4) != 0;
    n += memcmp(uc->uc_mcontext.reserved1, none, sizeof(uc->uc_mcontext.reserved1)) != 0;
    return n;
}

void landed(void)
{
    const struct ucontext *uc = (void *)entered.rdx;
    const siginfo_t *info = (void *)entered.rsi;
    uint64_t fpstate = (uint64_t)uc->uc_mcontext.fpstate, zone = 0;

    lab_report("arguments", "%ld %ld %ld", (long)entered.rdi, (long)(entered.rsi - entered.rsp),
               (long)(entered.rdx - entered.rsp));
    lab_report("entry", "%ld %ld", (long)(entered.rsp % 16), (long)entered.rax);
    lab_report("return", "%ld", (long)(*(uint64_t *)entered.rsp - (uint64_t)restorer));
    lab_report("handler_flags", "%lx", (unsigned long)(entered.flags & 0x10500));
    report_frame(uc);
    lab_report("siginfo", "%d %d %ld", info->si_signo, info->si_code,
               (long)((uint64_t)info->si_addr - (uint64_t)trip_at));
    lab_report("leaked", "%d", leaked(info, uc));
    /* The FPU state between the frame and the red zone. */
    lab_report("fpstate", "%ld %d %d", (long)(fpstate % 64), fpstate >= entered.rsp + 440,
               fpstate + 512 <= trip_state.rsp - 128);
    for (int i = 1; i <= RED_ZONE; i++)
        zone += ((uint64_t *)trip_state.rsp)[-i] != trip_state.zone_in;
    lab_report("zone", "%lu", (unsigned long)zone);
    _exit(0);
}

static int fault(void *arg)
{
    (void)arg;
    set_action(SIGILL, entry, SA_SIGINFO, 0);
    trip();
    return 1;
}

static void on_queued(int number, siginfo_t *info, void *context)
{
    struct ucontext *uc = context;

    lab_report("queued", "%d %d %d %lx", number, info->si_code, info->si_pid == getppid(),
               (unsigned long)info->si_value.sival_ptr);
    lab_report("queued_mask", "%lx", (unsigned long)uc->uc_sigmask);
    _exit(0);
}

static int wait_for_queued(void *arg)
{
    (void)arg;
    set_action(SIGRTMIN + 3, on_queued, SA_SIGINFO, 0);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8);
    for (;;)
        pause();
    return 1;
}

int main(int argc, char **argv)
{
    (void)argc;
    load_trip(argv + 1);
    value = strtoul(argv[1 + TRIP_ARGUMENTS], NULL, 16);
    mask = strtoul(argv[2 + TRIP_ARGUMENTS], NULL, 16);
    lab_report("fault_end", "%s", fate(start(fault, NULL)));
    pid_t pid = start(wait_for_queued, NULL);
    settle(pid);
    sigqueue(pid, SIGRTMIN + 3, (union sigval){.sival_ptr = (void *)value});
    lab_report("queue_end", "%s", fate(pid));
    return 0;
}
