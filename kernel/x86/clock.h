/*
 * Time. CLOCK_MONOTONIC is the TSC scaled to nanoseconds since boot; CLOCK_REALTIME adds an offset
 * that starts from the RTC and clock_settime moves. One event timer per CPU is armed for an
 * absolute time.
 */
#pragma once

#include "lib/types.h"

nsec_t clock_monotonic(void);
/* The same clock when CPU's time stamp counter stood at TSC. */
nsec_t clock_of_tsc(int cpu, uint64_t tsc);
nsec_t clock_realtime(void);
void clock_set_realtime(nsec_t now);
nsec_t clock_realtime_offset(void);

/*
 * Write to PAGE, which programs can read, what makes a time out of the counter, and keep it right from
 * now on. Once, when all CPUs are running.
 */
struct clock_page;
void clock_share(struct clock_page *page);

/* Arrange for timer_interrupt() on this CPU at WHEN (at once when past); INT64_MAX: never. */
void clock_arm(nsec_t when);

/* Spin for NS nanoseconds: device resets only. */
void clock_delay(nsec_t ns);
