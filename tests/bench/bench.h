/*
 * What the measuring programs share. A program has a table of rows; a row is one function that sets up,
 * measures one operation and cleans up. Under `tools/run --icount` an instruction is a nanosecond, so the
 * clock counts instructions; without it, it counts nanoseconds. Each row prints a line "name figure", the
 * figure for one operation, or "name -" where the kernel lacks what it wants.
 *
 *     static void getppid_row(void)
 *     {
 *         MEASURE(20000)
 *             getppid();
 *     }
 *
 * MEASURE repeats its statement, a tenth of the rounds first without the clock, so that what a kernel
 * makes once and keeps isn't counted. Where only part of a round is to be measured, bench_start() and
 * bench_stop(operations) stand around that part. The rounds are fixed: a loop that calibrates itself would
 * not repeat.
 *
 * With the names of rows as arguments only those run: for a profile of one.
 */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>

#define WARM_UP_SHARE 10 /* one round before the clock starts for so many measured ones */

struct bench_row {
    const char *name;
    void (*measure)(void);
};

/* Of the row that is being measured. */
static struct {
    long long started;
    long long nanoseconds;
    long operations;
} bench;

static inline long long bench_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000000LL + now.tv_nsec;
}

static inline void bench_start(void)
{
    bench.started = bench_now();
}

static inline void bench_stop(long operations)
{
    bench.nanoseconds += bench_now() - bench.started;
    bench.operations += operations;
}

struct bench_rounds {
    long left;
    long measured; /* to do once the clock runs; 0: it runs */
    long rounds;
};

static inline int bench_next(struct bench_rounds *r)
{
    if (r->left-- > 0)
        return 1;
    if (r->measured == 0) {
        bench_stop(r->rounds);
        return 0;
    }
    r->left = r->measured - 1;
    r->measured = 0;
    bench_start();
    return 1;
}

#define MEASURE(n) \
    for (struct bench_rounds rounds_ = {(n) / WARM_UP_SHARE + 1, (n), (n)}; bench_next(&rounds_);)

/* Stop: a figure for something that did not work is worse than none. */
static inline void bench_need(int condition, const char *what)
{
    if (!condition) {
        printf("failed: %s: %s\n", what, strerror(errno));
        exit(1);
    }
}

/* The child CHILD must end well. */
static inline void bench_reap(pid_t child)
{
    int status;

    bench_need(child > 0, "fork");
    bench_need(waitpid(child, &status, 0) == child && status == 0, "waitpid");
}

static inline int bench_wants(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return 1;
    return argc < 2;
}

/* Measure the rows that ARGV names, or all. Returns what main returns. */
static inline int bench_run(const struct bench_row *rows, size_t count, int argc, char **argv)
{
    for (size_t i = 0; i < count; i++) {
        if (!bench_wants(rows[i].name, argc, argv))
            continue;
        bench.nanoseconds = bench.operations = 0;
        rows[i].measure();
        if (bench.operations > 0)
            printf("%s %lld\n", rows[i].name, bench.nanoseconds / bench.operations);
        else
            printf("%s -\n", rows[i].name);
        fflush(stdout);
    }
    return 0;
}

#define BENCH_MAIN(rows)                                                    \
    int main(int argc, char **argv)                                         \
    {                                                                       \
        return bench_run(rows, sizeof(rows) / sizeof(rows)[0], argc, argv); \
    }
