/*
 * Ten SIGUSR1 that wait arrive as one; ten SIGRTMIN arrive as ten, in order, each with its value. See rtqueue.txt.
 */
#define _GNU_SOURCE
#include <signal.h>

#include "demo.h"

#define TIMES 10

static volatile sig_atomic_t ordinary, queued, values[TIMES];

static void on_ordinary(int number)
{
    (void)number;
    ordinary++;
}

static void on_queued(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    if (queued < TIMES)
        values[queued++] = info->si_value.sival_int;
}

int main(void)
{
    struct sigaction usr1 = {.sa_handler = on_ordinary};
    struct sigaction rt = {.sa_sigaction = on_queued, .sa_flags = SA_SIGINFO};
    sigset_t both, before;

    need(sigaction(SIGUSR1, &usr1, NULL));
    need(sigaction(SIGRTMIN, &rt, NULL));
    sigemptyset(&both);
    sigaddset(&both, SIGUSR1);
    sigaddset(&both, SIGRTMIN);
    need(sigprocmask(SIG_BLOCK, &both, &before));
    for (int i = 0; i < TIMES; i++) {
        union sigval value = {.sival_int = i * i};
        need(sigqueue(getpid(), SIGUSR1, value));
        need(sigqueue(getpid(), SIGRTMIN, value));
    }
    printf("each was sent %d times while it was blocked\n", TIMES);
    need(sigprocmask(SIG_SETMASK, &before, NULL)); /* all handlers run before this returns */
    printf("SIGUSR1 arrived %d time\n", (int)ordinary);
    printf("SIGRTMIN arrived %d times, with", (int)queued);
    for (int i = 0; i < queued; i++) {
        printf(" %d", (int)values[i]);
        claim(values[i] == i * i);
    }
    printf("\n");
    claim(ordinary == 1 && queued == TIMES);
    return shown();
}
