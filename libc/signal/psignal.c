/* Signals in words, on standard error. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

void psignal(int sig, const char *text)
{
    const char *colon = text && *text ? ": " : "";
    fprintf(stderr, "%s%s%s\n", text ? text : "", colon, strsignal(sig));
}

void psiginfo(const siginfo_t *info, const char *text)
{
    psignal(info->si_signo, text);
}
