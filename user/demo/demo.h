/* What the demos share: a failed call ends the demo with a message, so that the text can speak of the rest. */
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
