/*
 * Time from the TSC, and an event timer a CPU.
 *
 * Nanoseconds are ticks times a 32.32 fixed point factor. Zero is the kernel's entry point, where
 * boot/entry.asm read the counter. All CPUs' counters run alike; one that starts behind gets an
 * offset, so that a thread that moves from CPU to CPU never sees time go back.
 *
 * Programs read the counter themselves, by the code in x86/vdso/, as long as no CPU needs an offset.
 *
 * The event timer is the local APIC's: by TSC deadline, or by a counter of 32 bits. A wait longer
 * than the counter is cut into pieces: an interrupt that comes before the time that was asked for
 * only starts the next piece.
 */
#include "x86/clock.h"

#include "lib/atomic.h"
#include "lib/log.h"
#include "x86/apic.h"
#include "x86/clock_internal.h"
#include "x86/cpu.h"
#include "x86/features.h"
#include "x86/msr.h"
#include "x86/upcalls.h"
#include "x86/vdso/clock_page.h"

extern const uint64_t boot_tsc; /* boot/entry.asm: const after the entry */

static uint64_t tsc_hz;       /* all four const after clock_init() */
static uint64_t ns_per_tick;  /* 32.32 */
static uint64_t ticks_per_ns; /* 32.32 */
static uint64_t apic_per_ns;  /* 32.32 */

static nsec_t realtime_offset;    /* atomic */
static struct clock_page *shared; /* const after clock_share(); NULL before */
static bool counters_differ;      /* set while CPUs are started, const after that */
static nsec_t
    armed[MAX_CPUS];         /* each CPU its own: what clock_arm() asked for; INT64_MAX: nothing */
static uint64_t starter_tsc; /* the starting CPU, while another starts */

static uint64_t scale(uint64_t value, uint64_t factor)
{
    return (uint64_t)((unsigned __int128)value * factor >> 32);
}

nsec_t clock_monotonic(void)
{
    return (nsec_t)scale(rdtsc() + this_cpu()->tsc_offset - boot_tsc, ns_per_tick);
}

nsec_t clock_of_tsc(int cpu, uint64_t tsc)
{
    return (nsec_t)scale(tsc + cpus[cpu].tsc_offset - boot_tsc, ns_per_tick);
}

nsec_t clock_realtime(void)
{
    return clock_monotonic() + clock_realtime_offset();
}

nsec_t clock_realtime_offset(void)
{
    return __atomic_load_n(&realtime_offset, __ATOMIC_RELAXED);
}

void clock_set_realtime(nsec_t now)
{
    nsec_t offset = now - clock_monotonic();

    __atomic_store_n(&realtime_offset, offset, __ATOMIC_RELAXED);
    if (shared)
        __atomic_store_n(&shared->realtime_offset, offset, __ATOMIC_RELAXED);
}

void clock_share(struct clock_page *page)
{
    *page = (struct clock_page){
        .clocks = counters_differ ? 0 : CLOCKS_REAL | CLOCKS_MONOTONIC,
        .has_cpu_number = cpu_has.rdtscp,
        .boot_tsc = boot_tsc,
        .ns_per_tick = ns_per_tick,
        .realtime_offset = clock_realtime_offset(),
    };
    shared = page;
}

uint64_t clock_tsc_hz(void)
{
    return tsc_hz;
}

static void arm_deadline(nsec_t when)
{
    uint64_t tsc = 0; /* disarms */

    if (when != INT64_MAX)
        tsc = boot_tsc - this_cpu()->tsc_offset +
              scale((uint64_t)max(when, (nsec_t)1), ticks_per_ns) + 1;
    wrmsr(MSR_TSC_DEADLINE, tsc);
}

static void arm_counter(nsec_t when)
{
    uint64_t count = 0; /* disarms */

    if (when != INT64_MAX) {
        nsec_t wait = max(when - clock_monotonic(), (nsec_t)0);
        /* Beyond an hour the product might overflow; the counter is shorter than that anyway. */
        count = scale((uint64_t)min(wait, 3600 * NSEC_PER_SEC), apic_per_ns) + 1;
        count = min(count, (uint64_t)UINT32_MAX);
    }
    apic_timer_start((uint32_t)count);
}

static void arm(nsec_t when)
{
    if (cpu_has.tsc_deadline)
        arm_deadline(when);
    else
        arm_counter(when);
}

void clock_arm(nsec_t when)
{
    irq_push_off();
    nsec_t *mine = &armed[cpu_id()];
    if (*mine != when) {
        *mine = when;
        arm(when);
    }
    irq_pop_off();
}

void clock_interrupt(void)
{
    nsec_t *mine = &armed[cpu_id()];

    if (*mine == INT64_MAX)
        return; /* disarmed when it was on its way already */
    if (clock_monotonic() < *mine) {
        arm(*mine);
        return;
    }
    *mine = INT64_MAX;
    timer_interrupt();
}

void clock_delay(nsec_t ns)
{
    nsec_t end = clock_monotonic() + ns;
    while (clock_monotonic() < end)
        cpu_relax();
}

/* HZ as ticks a nanosecond in 32.32; the shift is done in two halves, for HZ may have 34 bits. */
static uint64_t per_ns(uint64_t hz)
{
    uint64_t whole = (hz << 16) / NSEC_PER_SEC;
    uint64_t rest = (hz << 16) % NSEC_PER_SEC;
    return whole << 16 | (rest << 16) / NSEC_PER_SEC;
}

void clock_init(void)
{
    struct clock_rates rates = clock_calibrate();

    tsc_hz = rates.tsc_hz;
    ns_per_tick = ((uint64_t)NSEC_PER_SEC << 32) / rates.tsc_hz;
    ticks_per_ns = per_ns(rates.tsc_hz);
    apic_per_ns = per_ns(rates.apic_hz);
    clock_init_cpu();
    clock_set_realtime(rtc_read() * NSEC_PER_SEC);
}

void clock_prepare_cpu(void)
{
    starter_tsc = rdtsc() + this_cpu()->tsc_offset;
}

void clock_init_cpu(void)
{
    uint64_t now = rdtsc();

    if ((int64_t)(now - starter_tsc) < 0) {
        this_cpu()->tsc_offset = starter_tsc - now;
        counters_differ = true;
        log_warn("CPU %d: time stamp counter behind by %lu", cpu_id(), starter_tsc - now);
    }
    armed[cpu_id()] = INT64_MAX;
    if (cpu_has.rdtscp)
        wrmsr(MSR_TSC_AUX, (uint64_t)cpu_id());
    if (cpu_has.tsc_deadline)
        apic_timer_use_deadline();
}
