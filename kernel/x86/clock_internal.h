/* The clock's inside: calibration and the timer interrupt. For kernel/x86 alone. */
#pragma once

#include "lib/types.h"

/* Boot CPU: measure the TSC and the APIC timer, read the RTC. Needs acpi_init() and apic_init(). */
void clock_init(void);

/* Before another CPU is started, and on that CPU: its time is never behind the starter's. */
void clock_prepare_cpu(void);
void clock_init_cpu(void);

/* The timer's interrupt, on its CPU. */
void clock_interrupt(void);

struct clock_rates {
    uint64_t tsc_hz;
    uint64_t apic_hz;
};
/* Both by a reference that ticks at a known rate. */
struct clock_rates clock_calibrate(void);

uint64_t clock_tsc_hz(void);

/* The HPET's registers and its rate, running; NULL: there is none. */
volatile uint8_t *clock_hpet(uint64_t *hz);

/*
 * Seconds since 1970 by the battery-backed clock (which is taken to run in UTC); 0 when it makes no
 * sense.
 */
int64_t rtc_read(void);
