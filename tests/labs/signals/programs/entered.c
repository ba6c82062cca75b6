/*
 * Faults COUNT times, each time in a child whose handler does not return: the debugger stands at its first
 * instruction.
 *
 *     entered REGISTER... FLAGS ZONE COUNT
 */
#include "trip.h"

void landed(void)
{
    _exit(5);
}

static int fault(void *arg)
{
    (void)arg;
    set_action(SIGILL, entry, SA_SIGINFO, 0);
    trip();
    return 1;
}

int main(int argc, char **argv)
{
    (void)argc;
    load_trip(argv + 1);
    lab_report("places", "%lx %lx %lx", (unsigned long)entry, (unsigned long)restorer,
               (unsigned long)trip_at);
    for (int i = atoi(argv[1 + TRIP_ARGUMENTS]); i > 0; i--)
        lab_report("end", "%s", fate(start(fault, NULL)));
    return 0;
}
