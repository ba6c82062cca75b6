/*
 * Runs the self-tests that the linker gathered, one after the other, and reports them as TAP.
 */
#include "tests/kernel/ktest.h"

#include <stdarg.h>

#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "x86/cpu.h"
#include "x86/early_serial.h"
#include "x86/watchdog.h"

extern const struct ktest ktests_start[], ktests_end[];

static unsigned failures; /* the one test thread alone: of the test that runs */

static void format_printf(1, 2) say(const char *format, ...)
{
    char line[256];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    early_serial_console_write(line, strlen(line));
}

void ktest_fail(const char *file, int line, const char *format, ...)
{
    char text[160];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    failures++;
    say("# %s:%d: %s\n", file, line, text);
}

_Noreturn void ktest_run(const char *pattern)
{
    unsigned ran = 0, failed = 0;

    for (const struct ktest *t = ktests_start; t < ktests_end; t++) {
        if (strcmp(pattern, "all") != 0 && !strstr(t->name, pattern))
            continue;
        failures = 0;
        watchdog_touch();
        t->run();
        ran++;
        failed += failures != 0;
        say("%s %u - %s\n", failures ? "not ok" : "ok", ran, t->name);
    }
    say("1..%u\n", ran);
    log_info("ktest: %u run, %u failed", ran, failed);
    machine_power_off();
}
