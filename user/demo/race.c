/*
 * A handler and the program change the same counter. An increment is three steps, read, add, write, and the
 * signal can come between them: increments get lost. Blocking the signal around the three puts it right. See race.txt.
 */
#include <signal.h>
#include <sys/time.h>

#include "demo.h"

#define SIGNALS 2000

static volatile long counter;
static volatile sig_atomic_t handled;

static void on_signal(int number)
{
    (void)number;
    counter++;
    handled++;
}

/* One increment of the program's, with the steps apart as the processor sees them, and a signal in the middle. */
static void increment(void)
{
    long value = counter; /* read */
    raise(SIGUSR1);       /* it could come here: this makes sure that it does */
    counter = value + 1;  /* write: what the handler has written is lost */
}

static long count(int blocked)
{
    sigset_t usr1, before;

    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    counter = handled = 0;
    for (int i = 0; i < SIGNALS; i++) {
        if (blocked)
            need(sigprocmask(SIG_BLOCK, &usr1, &before));
        increment();
        if (blocked)
            need(sigprocmask(SIG_SETMASK, &before, NULL)); /* here the handler runs */
    }
    return counter;
}

static void show(const char *what, int blocked, long expected)
{
    long result = count(blocked);

    printf("%s: the program counted %d, the handler %d, the counter says %ld\n", what, SIGNALS,
           (int)handled, result);
    claim(handled == SIGNALS && result == expected);
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    need(sigaction(SIGUSR1, &action, NULL));
    show("signal free to come", 0, SIGNALS);
    show("signal blocked meanwhile", 1, 2 * SIGNALS);
    return shown();
}
