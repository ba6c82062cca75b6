/*
 * A page that every program can read: what it takes to make a time out of the time-stamp counter. The kernel
 * writes it (x86/clock.c), the code beside it (clock.c) reads it, in user mode.
 */
#pragma once

#include <stdint.h>

#include <abi/time.h>

#define CLOCKS_REAL (1U << CLOCK_REALTIME | 1U << CLOCK_REALTIME_COARSE | 1U << CLOCK_TAI)
#define CLOCKS_MONOTONIC                                                                \
    (1U << CLOCK_MONOTONIC | 1U << CLOCK_MONOTONIC_RAW | 1U << CLOCK_MONOTONIC_COARSE | \
     1U << CLOCK_BOOTTIME)

struct clock_page {
    uint32_t clocks; /* const: bit n: CLOCK n can be had; none when the CPUs' counters differ */
    uint32_t has_cpu_number; /* const: RDTSCP tells the CPU's number as well */
    uint64_t boot_tsc;       /* const: the counter at the start of CLOCK_MONOTONIC */
    uint64_t ns_per_tick;    /* const: a fixed point number with 32 bits behind the point */
    int64_t realtime_offset; /* atomic: CLOCK_REALTIME less CLOCK_MONOTONIC, in nanoseconds */
};
