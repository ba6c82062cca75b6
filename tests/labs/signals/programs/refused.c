/*
 * Returns through a frame with registers of its own and a code selector that is not a program's. What is left of
 * it is a core file.
 *
 *     refused REGISTER... FLAGS ZONE NEW...
 */
#include "trip.h"

#include <sys/resource.h>

static uint64_t new_registers[TRIP_REGISTERS];

void landed(void)
{
    struct ucontext *uc = (void *)entered.rdx;
    int n = 0;

    for (int i = 0; i < 16; i++)
        if (i != REG_RSP)
            uc->uc_mcontext.gregs[i] = (greg_t)new_registers[n++];
    uc->uc_mcontext.rip = 0x1234567;
    uc->uc_mcontext.cs = 0x10;
    lab_report("handler", "%d", (int)entered.rdi);
}

int main(int argc, char **argv)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

    (void)argc;
    lab_must(chdir("/lab"));
    lab_must(setrlimit(RLIMIT_CORE, &limit));
    load_trip(argv + 1);
    for (int i = 0; i < TRIP_REGISTERS; i++)
        new_registers[i] = strtoul(argv[1 + TRIP_ARGUMENTS + i], NULL, 16);
    set_action(SIGILL, entry, SA_SIGINFO, 0);
    be_patient(PATIENCE);
    trip();
    return 0;
}
