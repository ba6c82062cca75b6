/*
 * Signals without handlers: sigtimedwait takes them like messages, and signalfd makes them readable like a file.
 * See waiter.txt.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

#include "demo.h"

static void by_sigtimedwait(const sigset_t *set)
{
    struct timespec shortly = {0, 20000000};
    siginfo_t info;
    int number;

    need(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 42}));
    number = (int)need(sigtimedwait(set, &info, &shortly));
    printf("sigtimedwait took %s with the value %d\n",
           claim(number == SIGUSR1) ? "SIGUSR1" : "another", info.si_value.sival_int);
    claim(info.si_value.sival_int == 42);
    number = sigtimedwait(set, &info, &shortly);
    printf("when none comes in time it gives %d: %s\n", number, strerror(errno));
    claim(number == -1);
}

static void by_signalfd(const sigset_t *set)
{
    int fd = (int)need(signalfd(-1, set, SFD_NONBLOCK));
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    struct signalfd_siginfo info;
    pid_t child = fork_clean();

    if (child == 0)
        _exit(3);
    need(poll(&polled, 1, -1)); /* SIGCHLD makes it readable, among any other files */
    need(read(fd, &info, sizeof info));
    printf("signalfd: %s, about %s, which ended with %d\n",
           claim(info.ssi_signo == SIGCHLD) ? "SIGCHLD" : "another",
           claim((pid_t)info.ssi_pid == child) ? "our child" : "somebody", info.ssi_status);
    printf("and then: %s\n",
           claim(read(fd, &info, sizeof info) < 0) ? strerror(errno) : "one more");
    claim(end_of(child) == 3);
}

int main(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGCHLD);
    need(sigprocmask(SIG_BLOCK, &set,
                     NULL)); /* or they would be delivered instead of waiting to be taken */
    by_sigtimedwait(&set);
    by_signalfd(&set);
    return shown();
}
