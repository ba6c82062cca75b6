/*
 * What the measuring programs share. Under `tools/run --icount` an instruction is a nanosecond, so the
 * clock counts instructions; each program prints lines "name figure", the figure for one operation.
 * The rounds are fixed: a loop that calibrates itself would not repeat. Some rounds go first unmeasured,
 * so that what the kernel makes once and keeps isn't counted.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define WARM_UP_SHARE 10 /* one unmeasured round for so many measured ones */

static inline long long bench_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Stop: a figure for something that did not work is worse than none. */
static inline void bench_need(int condition, const char *what)
{
    if (!condition) {
        printf("failed: %s\n", what);
        exit(1);
    }
}

static inline void bench_report(const char *name, long long nanoseconds, long rounds)
{
    printf("%s %lld\n", name, nanoseconds / rounds);
}

/* Measure ROUNDS calls of OPERATION. */
static inline void bench(const char *name, long rounds, void (*operation)(void))
{
    long long start;

    for (long i = 0; i < rounds / WARM_UP_SHARE + 1; i++)
        operation();
    start = bench_now();
    for (long i = 0; i < rounds; i++)
        operation();
    bench_report(name, bench_now() - start, rounds);
}
