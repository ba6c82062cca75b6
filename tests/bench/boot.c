/*
 * The boot: the time from the machine's start to the first program's first steps. As process 1 it reads the
 * time-stamp counter, which starts at 0 with the machine, prints that in nanoseconds and switches the
 * machine off. How long a tick is it learns from the clock, during a short sleep.
 */
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>

#include "bench.h"

static unsigned long long time_stamp(void)
{
    unsigned low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (unsigned long long)high << 32 | low;
}

int main(void)
{
    static const struct timespec short_while = {.tv_nsec = 100 * 1000 * 1000};
    unsigned long long ticks = time_stamp(), from_ticks;
    long long from;

    bench_need(getpid() == 1, "this is for process 1");
    from_ticks = time_stamp();
    from = bench_now();
    nanosleep(&short_while, NULL);
    printf("boot %.0f\n",
           (double)ticks * (double)(bench_now() - from) / (double)(time_stamp() - from_ticks));
    fflush(stdout);
    tcdrain(STDOUT_FILENO);
    reboot(RB_POWER_OFF);
    return 1;
}
