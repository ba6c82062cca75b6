/*
 * The names of the signals, without SIG, for what kills by name: the command and the shell.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <errno.h>
#include <strings.h>

/* The name of signal N; NULL: there is none. That of a real-time signal lasts until the next call. */
static inline const char *signal_name(int n)
{
    static const char *const names[] = {
        "EXIT", "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1",
        "SEGV", "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN",
        "TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS",
    };
    static char text[32];
    if (n >= 0 && (size_t)n < sizeof(names) / sizeof(names[0]))
        return names[n];
    if (n < SIGRTMIN || n > SIGRTMAX)
        return NULL;
    if (n == SIGRTMAX)
        return "RTMAX";
    snprintf(text, sizeof(text), n > SIGRTMIN ? "RTMIN+%d" : "RTMIN", n - SIGRTMIN);
    return text;
}

/* TEXT as a number, and nothing but one. */
static inline bool parse_number(const char *text, long *n)
{
    char *end;
    errno = 0;
    *n = strtol(text, &end, 10);
    return end != text && *end == '\0' && errno == 0;
}

/* The number of the signal called TEXT, with or without SIG, or by its number; -1: there is none. */
static inline int signal_number(const char *text)
{
    long n;
    if (parse_number(text, &n))
        return n >= 0 && n <= SIGRTMAX ? (int)n : -1;
    if (strncasecmp(text, "SIG", 3) == 0)
        text += 3;
    for (int i = 0; i <= SIGRTMAX; i++)
        if (signal_name(i) != NULL && strcasecmp(text, signal_name(i)) == 0)
            return i;
    if (strncasecmp(text, "RTMAX-", 6) == 0 && parse_number(text + 6, &n) && n >= 0 &&
        n <= SIGRTMAX - SIGRTMIN)
        return SIGRTMAX - (int)n;
    return -1;
}
