/*
 * How fast do the time stamp counter and the APIC timer run?
 *
 * Some processors and hypervisors say it of the TSC by CPUID. The rest is measured against a
 * counter whose rate is known, the HPET or else channel 2 of the 8254, over a few milliseconds. At
 * both ends the counters are read several times and the reading that took least time counts: one
 * that the host interrupted says nothing.
 */
#include "lib/log.h"
#include "x86/acpi.h"
#include "x86/apic.h"
#include "x86/clock_internal.h"
#include "x86/cpu.h"
#include "x86/features.h"
#include "x86/io.h"
#include "x86/msr.h"

#define WINDOW_NS (4 * NSEC_PER_MSEC)
#define READINGS 5
#define GIVE_UP_CYCLES (1UL << 34) /* some seconds on anything */

/* HPET, IA-PC HPET Specification 1.0a, section 2.3. */
#define HPET_PERIOD 0x04 /* femtoseconds a tick */
#define HPET_CONFIG 0x10
#define HPET_CONFIG_ENABLE 1
#define HPET_COUNTER 0xf0
#define FEMTOSECONDS 1000000000000000UL

/* 8254 channel 2, whose gate is in port 0x61. */
#define PIT_HZ 1193182
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND 0x43
#define PIT_LATCH_CHANNEL2 0x80
#define PIT_CHANNEL2_RATE 0xb4 /* low and high byte, mode 2 */
#define PORT_B 0x61
#define PORT_B_GATE2 1
#define PORT_B_SPEAKER 2

#define CPUID_TSC 0x15
#define CPUID_HYPERVISOR_TIMING 0x40000010

/* A counter that runs up, wraps behind MASK, and ticks HZ times a second. */
struct reference {
    const char *name;
    uint64_t hz;
    uint64_t mask;
    uint64_t (*read)(void);
};

struct reading {
    uint64_t tsc, reference;
    uint32_t apic_left;
};

static volatile uint8_t *hpet; /* const after clock_calibrate(); NULL: none that is used */
static uint64_t hpet_hz;       /* the same */

static uint64_t hpet_read(void)
{
    return mmio_read32(hpet + HPET_COUNTER);
}

static uint64_t pit_read(void)
{
    outb(PIT_COMMAND, PIT_LATCH_CHANNEL2);
    unsigned low = inb(PIT_CHANNEL2);
    return (uint64_t) - (int)(low | (unsigned)inb(PIT_CHANNEL2) << 8);
}

static struct reference find_reference(void)
{
    hpet = acpi_machine.hpet ? mmio_map(acpi_machine.hpet, PAGE_SIZE) : NULL;
    uint32_t period = hpet ? mmio_read32(hpet + HPET_PERIOD) : 0;
    if (period && period <= 100000000) { /* the specification's bound: 10 MHz at least */
        mmio_write32(hpet + HPET_CONFIG, mmio_read32(hpet + HPET_CONFIG) | HPET_CONFIG_ENABLE);
        hpet_hz = FEMTOSECONDS / period;
        return (struct reference){"HPET", hpet_hz, 0xffffffff, hpet_read};
    }
    hpet = NULL;
    outb(PORT_B, (uint8_t)((inb(PORT_B) & ~PORT_B_SPEAKER) | PORT_B_GATE2));
    outb(PIT_COMMAND, PIT_CHANNEL2_RATE);
    outb(PIT_CHANNEL2, 0);
    outb(PIT_CHANNEL2, 0);
    return (struct reference){"8254", PIT_HZ, 0xffff, pit_read};
}

static struct reading best_reading(const struct reference *ref)
{
    struct reading best = {0};
    uint64_t shortest = UINT64_MAX;

    for (unsigned i = 0; i < READINGS; i++) {
        uint64_t before = rdtsc();
        uint64_t ticks = ref->read();
        uint32_t left = apic_timer_left();
        uint64_t took = rdtsc() - before;
        if (took < shortest) {
            shortest = took;
            best = (struct reading){before + took / 2, ticks, left};
        }
    }
    return best;
}

/* The TSC's rate if CPUID tells it exactly, else 0. */
static uint64_t tsc_hz_by_cpuid(void)
{
    if (cpu_has.max_leaf >= CPUID_TSC) {
        struct cpuid c = cpuid(CPUID_TSC, 0);
        if (c.eax && c.ebx && c.ecx)
            return (uint64_t)c.ecx * c.ebx / c.eax;
    }
    if (cpu_has.hypervisor && cpuid(CPUID_HYPERVISOR, 0).eax >= CPUID_HYPERVISOR_TIMING)
        return cpuid(CPUID_HYPERVISOR_TIMING, 0).eax * 1000UL;
    return 0;
}

/* COUNT ticks passed while the reference made REF_TICKS at REF_HZ. */
static uint64_t rate(uint64_t count, uint64_t ref_ticks, uint64_t ref_hz)
{
    return (count * (ref_hz / 1000) / ref_ticks) * 1000 + count * (ref_hz % 1000) / ref_ticks;
}

struct clock_rates clock_calibrate(void)
{
    struct reference ref = find_reference();
    uint64_t window = ref.hz * (WINDOW_NS / NSEC_PER_USEC) / 1000000;

    apic_timer_start(UINT32_MAX);
    struct reading start = best_reading(&ref);
    while (((ref.read() - start.reference) & ref.mask) < window &&
           rdtsc() - start.tsc < GIVE_UP_CYCLES)
        cpu_relax();
    struct reading end = best_reading(&ref);
    apic_timer_start(0);

    uint64_t ticks = (end.reference - start.reference) & ref.mask;
    if (!ticks)
        panic("no clock: the %s stands still", ref.name);
    uint64_t known = tsc_hz_by_cpuid();
    struct clock_rates rates = {
        .tsc_hz = known ? known : rate(end.tsc - start.tsc, ticks, ref.hz),
        .apic_hz = rate(start.apic_left - end.apic_left, ticks, ref.hz),
    };
    if (!rates.tsc_hz || !rates.apic_hz)
        panic("no clock: TSC %lu Hz, APIC timer %lu Hz", rates.tsc_hz, rates.apic_hz);
    log_info("clock: TSC %lu kHz (%s), APIC timer %lu kHz (%s)", rates.tsc_hz / 1000,
             known ? "CPUID" : ref.name, rates.apic_hz / 1000, ref.name);
    return rates;
}

volatile uint8_t *clock_hpet(uint64_t *hz)
{
    *hz = hpet_hz;
    return hpet;
}
