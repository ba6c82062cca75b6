/* Five alarms, one after the other, while the program does nothing at all. See beeps.txt. */
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "demo.h"

#define BEEPS 5
#define INTERVAL 100000 /* microseconds */

static volatile sig_atomic_t beeps;

static void on_alarm(int number)
{
    (void)number;
    beeps++;
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(void)
{
    struct itimerval each = {{0, INTERVAL}, {0, INTERVAL}}, never = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_handler = on_alarm};
    sigset_t alarms, before;
    double began = seconds(), took;

    need(sigaction(SIGALRM, &action, NULL));
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    need(sigprocmask(SIG_BLOCK, &alarms, &before));
    need(setitimer(ITIMER_REAL, &each, NULL));
    for (int heard = 0; heard < BEEPS; heard++) {
        while (beeps <= heard)
            sigsuspend(&before);
        printf("beep %d\n", heard + 1);
        fflush(stdout);
    }
    need(setitimer(ITIMER_REAL, &never, NULL));
    took = seconds() - began;
    printf("%s\n", claim(took >= BEEPS * INTERVAL / 1e6) ? "none came early" : "too early!");
    return shown();
}
