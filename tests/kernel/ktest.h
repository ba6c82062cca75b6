/*
 * Self-tests inside the kernel, for what no program can see. They are in debug builds alone and run, in a
 * kernel thread before process 1, when the command line has ktest=PATTERN ("all", or a piece of a name):
 *
 *     KTEST(list, splice_moves_all)
 *     {
 *         ...
 *         KEXPECT(list_empty(&from));
 *         KEXPECT_EQ(count(&to), 5);
 *     }
 *
 * A failed expectation is reported with its values and the test goes on. Results are TAP on the console.
 */
#pragma once

#include "lib/types.h"

struct ktest {
    const char *name; /* "area/claim_in_words" */
    void (*run)(void);
};

#define KTEST(area, claim)                                                                    \
    static void ktest_##area##_##claim(void);                                                 \
    static const struct ktest ktest_row_##area##_##claim                                      \
        __attribute__((section(".ktests"), used, __aligned__(8))) = {#area "/" #claim,        \
                                                                     ktest_##area##_##claim}; \
    static void ktest_##area##_##claim(void)

#define KEXPECT(cond)                                    \
    do {                                                 \
        if (!(cond))                                     \
            ktest_fail(__FILE__, __LINE__, "%s", #cond); \
    } while (0)

#define KEXPECT_EQ(got, expected)                                                               \
    do {                                                                                        \
        long _got = (long)(got), _expected = (long)(expected);                                  \
        if (_got != _expected)                                                                  \
            ktest_fail(__FILE__, __LINE__, "%s: expected %ld, got %ld", #got, _expected, _got); \
    } while (0)

void ktest_fail(const char *file, int line, const char *format, ...) format_printf(3, 4);

/* Run what matches PATTERN and power off: the number of failures goes to the log too. */
_Noreturn void ktest_run(const char *pattern);
