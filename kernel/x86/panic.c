/*
 * Panic: say what is wrong, where every CPU is, and stop.
 *
 * The first CPU to come here makes the report (x86/report.h), with its message above it, and takes the
 * others along: they never go on. CPUs that panic at the same time wait for that. Then QEMU is told to
 * exit, with a status that no program's end can produce; on a machine without that port the CPU halts,
 * or restarts when the command line says panic=-1 (panic=N: after N seconds).
 *
 * Nothing here allocates, sleeps or takes a lock. A panic in the middle of a report cuts short what is
 * left; one in that, shorter still.
 */
#include "x86/panic.h"

#include <stdarg.h>

#include "lib/cmdline.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "x86/clock.h"
#include "x86/clock_internal.h"
#include "x86/cpu.h"
#include "x86/io.h"
#include "x86/msr.h"
#include "x86/power.h"
#include "x86/report.h"

#define EXIT_CYCLES 250000000UL /* a moment for QEMU to exit */

static unsigned depth; /* who reports only: panics within a report */

static _Noreturn void stop_here(void)
{
    for (;;)
        asm volatile("cli; hlt" ::: "memory");
}

static _Noreturn void end_machine(void)
{
    const char *word = cmdline_get("panic");
    uint64_t seconds = 0;

    outb(PANIC_EXIT_PORT, PANIC_EXIT_VALUE);
    for (uint64_t start = rdtsc(); rdtsc() - start < EXIT_CYCLES;)
        cpu_relax(); /* the exit needs a moment */
    if (word && *word == '-')
        machine_restart();
    if (word && !parse_u64(word, 0, &seconds) && seconds && seconds < 86400 && clock_tsc_hz()) {
        clock_delay((nsec_t)seconds * NSEC_PER_SEC);
        machine_restart();
    }
    stop_here();
}

static _Noreturn void die(const struct regs *r, bool called, const char *message)
{
    if (!report_take_over()) {
        log_enter_panic();
        log_at(LOG_EMERG, "kernel panic: %s", message);
        report_stop_others();
        report_print(r, called);
        log_at(LOG_EMERG, "end of panic");
    } else if (++depth == 1) {
        log_enter_panic();
        log_at(LOG_EMERG, "kernel panic in a report: %s", message);
        report_cpu(cpu_id(), r, called);
    }
    end_machine();
}

void panic(const char *format, ...)
{
    char message[256];
    va_list args;

    irq_disable();
    /* My caller's frame: where it will not return to, and its frame pointer. */
    uintptr_t *frame = __builtin_frame_address(0);
    struct regs r = regs_snapshot(frame[1], frame[0]);
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    die(&r, true, message);
}

void panic_regs(const struct regs *r, const char *format, ...)
{
    char message[256];
    va_list args;

    irq_disable();
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    die(r, false, message);
}
