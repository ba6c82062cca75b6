/*
 * The watchdog.
 *
 * What counts as a hang, when it goes on for the limit's seconds:
 *
 *   - A CPU that is not idle takes no interrupt. A busy CPU has the scheduler's tick, so its interrupts
 *     are off, or it is stuck in a handler. It can't notice that itself: the HPET's first timer, whose
 *     interrupt goes to CPU 0 as an NMI, looks after all of them each second.
 *   - A CPU takes its ticks, but for as many as the limit has room for it was in the kernel, entered no
 *     system call and switched to no other thread. The tick itself counts.
 *
 * That all threads sleep is no hang: then every CPU is idle, and the watchdog sleeps as well until an
 * interrupt wakes a CPU, so that an idle machine stays idle.
 *
 * Time alone proves nothing on a loaded host, which may leave a virtual CPU standing for seconds. So the
 * first rule counts looks, not time, and of another CPU only those before which it answered an NMI: it
 * was running, and yet took no interrupt. The second counts ticks, which a CPU that stands still does
 * not get.
 *
 * The HPET runs in "legacy replacement": its first timer is on line 0, in place of the 8254. IA-PC HPET
 * Specification 1.0a, sections 2.3.5 and 2.3.8. It runs by the machine's virtual time.
 */
#include "x86/watchdog.h"

#include "lib/atomic.h"
#include "lib/cmdline.h"
#include "lib/log.h"
#include "x86/apic.h"
#include "x86/clock_internal.h"
#include "x86/cpu.h"
#include "x86/event.h"
#include "x86/io.h"
#include "x86/irq.h"
#include "x86/panic.h"

#define DEFAULT_LIMIT 20 /* seconds */
#define MAX_LIMIT 3600

#define HPET_CONFIG 0x10
#define HPET_CONFIG_LEGACY 2u
#define HPET_COUNTER 0xf0
#define HPET_TIMER_CONFIG 0x100
#define TIMER_INTERRUPT 4u
#define HPET_TIMER_COMPARATOR 0x108
#define NEVER UINT64_MAX
#define FAR_HIGH 0x40000000u
#define LATE 100 /* ticks: the interrupt may seem to come so much early */

/* What CPU 0 knows of each. */
static struct watched {
    uint64_t interrupts; /* CPU 0 only: how many it had at the last look */
    unsigned looks;      /* CPU 0 only: so many found no more, although it was running */
    bool asked;          /* atomic: an NMI is on its way to it */
} watched[MAX_CPUS];

static nsec_t in_kernel[MAX_CPUS]; /* each CPU its own: ticks in a row without progress, in ns */

static volatile uint8_t *hpet; /* const after init */
static uint64_t hpet_hz;       /* const after init */
static uint64_t due =
    NEVER;             /* CPU 0, or who has taken watchdog_sleeps back: when the timer fires */
static unsigned limit; /* const after init: seconds, 0 for off */
static bool paused;    /* who reports: the timer ran when the report began */
static bool stray; /* CPU 0, or who reports: the timer fired by then, and its NMI may come behind */
bool watchdog_sleeps;

static uint64_t hpet_now(void)
{
    uint32_t high, low;

    do {
        high = mmio_read32(hpet + HPET_COUNTER + 4);
        low = mmio_read32(hpet + HPET_COUNTER);
    } while (mmio_read32(hpet + HPET_COUNTER + 4) != high);
    return (uint64_t)high << 32 | low;
}

/* The upper half alone puts it off for centuries. No more: some take a greater distance for one backwards. */
static void disarm(void)
{
    due = NEVER;
    mmio_write32(hpet + HPET_TIMER_COMPARATOR + 4, FAR_HIGH);
}

/* The comparator's halves are written one after the other; in between it is never a time that is near. */
static void arm(void)
{
    disarm();
    due = hpet_now() + hpet_hz;
    mmio_write32(hpet + HPET_TIMER_COMPARATOR, (uint32_t)due);
    mmio_write32(hpet + HPET_TIMER_COMPARATOR + 4, (uint32_t)(due >> 32));
}

/* --- who takes no interrupts --- */

static bool cpu_is_idle(int i)
{
    return READ_ONCE(cpus[i].halted) && !READ_ONCE(cpus[i].in_interrupt);
}

static bool all_idle(void)
{
    for (int i = 0; i < num_cpus; i++)
        if (!cpu_is_idle(i))
            return false;
    return true;
}

/* Look at CPU I. True when it hangs. */
static bool look_at(int i)
{
    struct watched *w = &watched[i];
    uint64_t interrupts = READ_ONCE(cpus[i].interrupts);

    if (cpu_is_idle(i) || interrupts != w->interrupts) {
        w->interrupts = interrupts;
        w->looks = 0;
        return false;
    }
    if (i != cpu_id()) {
        if (atomic_load(&w->asked))
            return false; /* it has not run since it was asked */
        atomic_store(&w->asked, true);
        apic_send_nmi(cpus[i].apic_id);
    }
    return ++w->looks > limit;
}

static void look_at_all(const struct regs *r)
{
    for (int i = 0; i < num_cpus; i++)
        if (look_at(i))
            panic_regs(r, "watchdog: CPU %d is busy and has taken no interrupt for %u seconds", i,
                       limit);
}

/* CPU 0's, since the timer is its. */
static bool timer_nmi(const struct regs *r)
{
    if (due == NEVER || hpet_now() + LATE < due)
        return false;
    disarm();
    stray = false;
    look_at_all(r);
    if (all_idle()) {
        /* Who ends the idleness between these two looks has not seen that we sleep, but we see him. */
        __atomic_store_n(&watchdog_sleeps, true, __ATOMIC_SEQ_CST);
        if (all_idle() || !atomic_xchg(&watchdog_sleeps, false))
            return true;
    }
    arm();
    return true;
}

bool watchdog_nmi(const struct regs *r)
{
    if (atomic_xchg(&watched[cpu_id()].asked, false))
        return true;
    return limit && cpu_id() == 0 && (timer_nmi(r) || atomic_xchg(&stray, false));
}

void watchdog_wake(void)
{
    if (atomic_xchg(&watchdog_sleeps, false))
        arm();
}

void watchdog_pause(void)
{
    paused = limit && hpet && due != NEVER;
    if (!paused)
        return;
    stray = hpet_now() + LATE >= due;
    disarm();
}

void watchdog_resume(void)
{
    for (int i = 0; i < num_cpus; i++)
        atomic_store(&watched[i].asked, false);
    if (paused)
        arm();
}

/* --- who takes nothing but ticks --- */

void watchdog_touch(void)
{
    irq_push_off();
    in_kernel[cpu_id()] = 0;
    irq_pop_off();
}

void watchdog_tick(bool user, nsec_t period)
{
    nsec_t *stuck = &in_kernel[cpu_id()];

    if (event_seen_progress() || user)
        *stuck = 0;
    else if (limit && (*stuck += period) > limit * NSEC_PER_SEC)
        panic("watchdog: CPU %d has been in the kernel for %u seconds, and in the same place",
              cpu_id(), limit);
}

/* --- beginning --- */

static unsigned wanted_limit(void)
{
    uint64_t seconds = cmdline_u64("watchdog", DEFAULT_LIMIT);

    if (cmdline_has("nowatchdog"))
        return 0;
    return (unsigned)min(seconds, (uint64_t)MAX_LIMIT);
}

void watchdog_init(void)
{
    limit = wanted_limit();
    if (!limit)
        return;
    hpet = clock_hpet(&hpet_hz);
    if (!hpet) {
        log_warn("watchdog: no HPET; a CPU with interrupts off goes unnoticed");
        return;
    }
    disarm();
    /* The 8254, which firmware may have left running, must be off the line before the line is an NMI. */
    mmio_write32(hpet + HPET_TIMER_CONFIG, TIMER_INTERRUPT);
    mmio_write32(hpet + HPET_CONFIG, mmio_read32(hpet + HPET_CONFIG) | HPET_CONFIG_LEGACY);
    int error = irq_route_nmi(0);
    if (error)
        log_warn("watchdog: no line for the HPET (%pe)", err_ptr(error));
    else
        arm();
}
