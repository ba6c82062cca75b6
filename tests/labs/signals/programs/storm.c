/*
 * Signals without end at a child that makes system calls on several CPUs: each call happens exactly once.
 *
 *     storm ROUNDS
 */
#include "children.h"

#include <sys/syscall.h>

struct shared {
    volatile uint64_t sent, taken, wrong, ready, finished;
};
static struct shared *all;

static void on_signal(int number)
{
    double spoiled = number * 1.5;

    all->taken++;
    __asm__ volatile("" ::"x"(spoiled));
}

/* A round: descriptors are handed out and closed in an order that is known, bytes go through a pipe. */
static uint64_t round_trip(int i)
{
    uint64_t wrong = 0;
    int ends[2], copy;
    char c = (char)i, back = 0;
    volatile double sum = i;

    wrong += pipe(ends) != 0 || ends[0] != 3 || ends[1] != 4;
    copy = dup(ends[0]);
    wrong += copy != 5;
    wrong += write(ends[1], &c, 1) != 1;
    wrong += read(copy, &back, 1) != 1 || back != c;
    wrong += close(5) != 0;
    wrong += close(4) != 0;
    wrong += close(3) != 0;
    wrong += getppid() == 0;
    sum = sum * 3 + 1;
    return wrong + (sum != i * 3.0 + 1);
}

static int victim(void *arg)
{
    int rounds = *(int *)arg;

    be_patient(60000);
    for (int s = SIGUSR1; s <= SIGUSR2; s += SIGUSR2 - SIGUSR1)
        sigaction(s, &(struct sigaction){.sa_handler = on_signal, .sa_flags = SA_RESTART}, NULL);
    all->ready = 1;
    for (int i = 0; i < rounds; i++)
        all->wrong += round_trip(i);
    all->finished = 1;
    return 0;
}

int main(int argc, char **argv)
{
    int rounds = atoi(argv[1]);

    (void)argc;
    all = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = start(victim, &rounds);
    while (!all->ready && state_of(pid) != 'Z')
        sched_yield();
    while (!all->finished && state_of(pid) != 'Z') {
        kill(pid, all->sent % 2 ? SIGUSR1 : SIGUSR2);
        all->sent++;
        for (volatile int i = 0; i < 200; i++)
            ;
    }
    lab_report("victim", "%s", fate(pid));
    lab_report("wrong", "%lu", (unsigned long)all->wrong);
    lab_report("taken", "%lu", (unsigned long)all->taken);
    return 0;
}
