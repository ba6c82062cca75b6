/*
 * The vDSO: a shared library that the kernel puts into every program, so that it can ask for the time
 * without a system call. It is user code. It lies in one page, and in the page behind it is what it reads;
 * AT_SYSINFO_EHDR in the auxiliary vector leads a C library to it, which finds the functions by their
 * names as in any library (vdso(7)).
 *
 * A function answers for the clocks that are the counter and an offset; for others it makes the call. Of what it
 * reads only single words ever change, so nothing can be seen half changed.
 */
#include <abi/time.h>
#include <syscall_nr.h>

#include "x86/vdso/clock_page.h"

#define NSEC_PER_SEC 1000000000UL
#define NSEC_PER_USEC 1000UL

/* The page behind ours: vdso.lds. */
extern const struct clock_page clock_page __attribute__((visibility("hidden")));

int __vdso_clock_gettime(int clock, struct timespec *time);
int __vdso_gettimeofday(struct timeval *time, struct timezone *zone);
time_t __vdso_time(time_t *time);
int __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused);

static long call(long number, long a, long b, long c)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

/* The clocks with a bit in CLOCKS: can they be had here? */
static int can_tell(uint32_t clocks)
{
    return (clock_page.clocks & clocks) != 0;
}

/* LFENCE: the counter isn't read before what stands before it, so that time doesn't seem to go back. */
static uint64_t monotonic(void)
{
    uint32_t low, high;

    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
    uint64_t ticks = ((uint64_t)high << 32 | low) - clock_page.boot_tsc;
    return (uint64_t)((unsigned __int128)ticks * clock_page.ns_per_tick >> 32);
}

static uint64_t realtime(void)
{
    return monotonic() + (uint64_t)__atomic_load_n(&clock_page.realtime_offset, __ATOMIC_RELAXED);
}

int __vdso_clock_gettime(int clock, struct timespec *time)
{
    uint64_t now;

    if ((uint32_t)clock > 31 || !can_tell(1U << clock))
        return (int)call(SYS_clock_gettime, clock, (long)time, 0);
    now = 1U << clock & CLOCKS_REAL ? realtime() : monotonic();
    time->tv_sec = (time_t)(now / NSEC_PER_SEC);
    time->tv_nsec = (long)(now % NSEC_PER_SEC);
    return 0;
}

int __vdso_gettimeofday(struct timeval *time, struct timezone *zone)
{
    if (!can_tell(CLOCKS_REAL))
        return (int)call(SYS_gettimeofday, (long)time, (long)zone, 0);
    if (time) {
        uint64_t now = realtime();
        time->tv_sec = (time_t)(now / NSEC_PER_SEC);
        time->tv_usec = (suseconds_t)(now % NSEC_PER_SEC / NSEC_PER_USEC);
    }
    if (zone)
        *zone = (struct timezone){0, 0};
    return 0;
}

time_t __vdso_time(time_t *time)
{
    time_t now;

    if (!can_tell(CLOCKS_REAL))
        return call(SYS_time, (long)time, 0, 0);
    now = (time_t)(realtime() / NSEC_PER_SEC);
    if (time)
        *time = now;
    return now;
}

int __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused)
{
    uint32_t low, high, number;

    (void)unused;
    if (!clock_page.has_cpu_number)
        return (int)call(SYS_getcpu, (long)cpu, (long)node, 0);
    __asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(number));
    if (cpu)
        *cpu = number;
    if (node)
        *node = 0;
    return 0;
}
