/*
 * Children that play a part in a test program, and what became of them.
 *
 * Each has an alarm: who is never woken dies of SIGALRM, and that is what is reported. A child is known to
 * sleep when /proc says so; nobody waits for a clock to find out.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lab.h"

#define PAGE 4096
#define PATIENCE 200 /* milliseconds until the alarm; what has to happen takes few */

static inline void be_patient(unsigned milliseconds)
{
    struct itimerval alarm = {.it_value = {milliseconds / 1000, milliseconds % 1000 * 1000}};

    setitimer(ITIMER_REAL, &alarm, NULL);
}

/* Start a child that plays PART and leaves with what it returns. */
static inline pid_t start(int (*part)(void *), void *arg)
{
    pid_t pid = fork();

    if (pid < 0)
        _exit(98);
    if (pid == 0) {
        be_patient(PATIENCE);
        _exit(part(arg));
    }
    return pid;
}

static inline void rest(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* What /proc says of PID's state: S it sleeps, R it runs, Z it has ended. */
static inline char state_of(pid_t pid)
{
    char path[32], text[256] = "";
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return '?';
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    const char *after = n > 0 ? strrchr(text, ')') : NULL;
    return after ? after[2] : '?';
}

/* Wait until PID sleeps or has ended: its state then, R when it does neither. */
static inline char settle(pid_t pid)
{
    char state = 'R';

    for (int tries = 0; tries < 200 && (state = state_of(pid)) == 'R'; tries++)
        rest();
    return state;
}

/* Wait for PID's end: "exit 3", "signal 14". */
static inline const char *fate(pid_t pid)
{
    static char text[32];
    int status = -1;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFSIGNALED(status))
        snprintf(text, sizeof(text), "signal %d", WTERMSIG(status));
    else
        snprintf(text, sizeof(text), "exit %d", WEXITSTATUS(status));
    return text;
}

/* The result of a call as the kernel gave it: a number, or the error below zero. */
static inline long outcome(long result)
{
    return result < 0 ? -errno : result;
}

/* An outcome as an exit status: the errno, or 100 and the number. */
static inline int result_code(long result)
{
    return (int)(result < 0 ? -result : 100 + result);
}
