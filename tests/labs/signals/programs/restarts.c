/*
 * Calls that a signal interrupts: which go on, which end, and how.
 *
 *     restarts CALL...
 *
 * For each call, four children sleep in it: one is stopped and continued, one has a handler, one a handler with
 * SA_RESTART, one ignores the signal. Reported is the state in which the call leaves them; those who sleep again are
 * then given what they wait for, and what the call returned in the end is reported too.
 */
#include "children.h"

#include <poll.h>
#include <sys/syscall.h>

enum way { STOPPED, HANDLED, RESTARTED, IGNORED };

static int ends[2];
static volatile int handled;

static void on_signal(int number)
{
    (void)number;
    handled++;
}

static long call_read(void)
{
    char c;

    return outcome(read(ends[0], &c, 1));
}
static long call_poll(void)
{
    struct pollfd p = {.fd = ends[0], .events = POLLIN};

    return outcome(poll(&p, 1, -1));
}
static long call_ppoll(void)
{
    struct pollfd p = {.fd = ends[0], .events = POLLIN};

    return outcome(ppoll(&p, 1, &(struct timespec){5, 0}, NULL));
}
static long call_pause(void)
{
    return outcome(pause());
}
static long call_suspend(void)
{
    sigset_t none;

    sigemptyset(&none);
    return outcome(sigsuspend(&none));
}
static long call_nanosleep(void)
{
    struct timespec before, after, left = {0};

    clock_gettime(CLOCK_MONOTONIC, &before);
    long result = outcome(nanosleep(&(struct timespec){.tv_nsec = 60000000}, &left));
    clock_gettime(CLOCK_MONOTONIC, &after);
    long slept = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    /* 100: it slept its time. */
    return result ? result : slept >= 60 && slept < 90 ? 100 : 0;
}
static long call_wait(void)
{
    pid_t pid = fork();
    char c;

    if (pid == 0)
        _exit(read(ends[0], &c, 1) == 1 ? 0 : 1);
    return waitpid(pid, NULL, 0) == pid ? 100 : -errno;
}

static const struct {
    const char *name;
    long (*call)(void);
} calls[] = {{"read", call_read},   {"poll", call_poll},       {"ppoll", call_ppoll},
             {"pause", call_pause}, {"suspend", call_suspend}, {"nanosleep", call_nanosleep},
             {"wait", call_wait}};

static enum way way;
static int which;

static int sleeper(void *arg)
{
    struct sigaction action = {.sa_handler = way == IGNORED ? SIG_IGN : on_signal,
                               .sa_flags = way == RESTARTED ? SA_RESTART : 0};
    (void)arg;
    close(ends[1]);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &(struct sigaction){.sa_handler = on_signal}, NULL);
    long result = calls[which].call();
    lab_report("result", "%s %d %ld %d", calls[which].name, way, result, handled);
    return 0;
}

static void signal_it(pid_t pid)
{
    if (way == STOPPED) {
        kill(pid, SIGSTOP);
        while (state_of(pid) != 'T' && state_of(pid) != 'Z')
            rest();
        kill(pid, SIGCONT);
    } else {
        kill(pid, SIGUSR1);
    }
}

/* What ends it: a byte, or a signal for the calls that wait for nothing else. */
static void let_go(pid_t pid)
{
    if (write(ends[1], "x", 1) < 0 || calls[which].call == call_pause ||
        calls[which].call == call_suspend)
        kill(pid, SIGUSR2);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    for (int i = 1; i < argc; i++) {
        for (which = 0; strcmp(calls[which].name, argv[i]); which++)
            ;
        for (int w = STOPPED; w <= IGNORED; w++) {
            way = (enum way)w;
            pipe(ends);
            pid_t pid = start(sleeper, NULL);
            close(ends[0]);
            settle(pid);
            if (calls[which].call == call_nanosleep)
                usleep(40000); /* of its 60: one that begins again then sleeps 100 */
            signal_it(pid);
            char state = settle(pid);
            if (state == 'S' && calls[which].call != call_nanosleep)
                let_go(pid);
            lab_report("state", "%s %d %c %s", argv[i], w, state, fate(pid));
            close(ends[1]);
        }
    }
    return 0;
}
