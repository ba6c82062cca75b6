/*
 * What the demos share, so that their text can speak of the rest: a failed call ends the demo with a message,
 * and main ends with `return shown();`, which is 0 only if the demo saw all that it claims to show.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* VALUE, unless it is -1. */
#define need(value) need_of((long)(value), #value)

static inline long need_of(long value, const char *what)
{
    if (value == -1) {
        perror(what);
        exit(1);
    }
    return value;
}

/* fork() for a demo: what stands in stdio's buffer is written first, or both would write it. */
static inline pid_t fork_clean(void)
{
    fflush(stdout);
    return (pid_t)need(fork());
}

/* Wait for one child: its wait status. */
static inline int wait_for(pid_t child)
{
    int status;

    need(waitpid(child, &status, 0));
    return status;
}

/* Wait for one child: what it ended with, -1 if a signal killed it. */
static inline int end_of(pid_t child)
{
    int status = wait_for(child);

    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A word of the command line as a decimal number up to MOST; -1: it isn't one. */
static inline long number_in(const char *word, long most)
{
    char *end;
    long n = strtol(word, &end, 10);

    return *word >= '0' && *word <= '9' && *end == '\0' && n <= most ? n : -1;
}

static int claims_failed;

/* What the demo claims to show: HOLDS as it is, and one that doesn't hold is remembered. */
static inline int claim(int holds)
{
    claims_failed += !holds;
    return holds;
}

/* The demo's exit status: what was not printed was not shown either. */
static inline int shown(void)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("standard output");
        return 1;
    }
    return claims_failed > 0;
}
