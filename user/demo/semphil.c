/* Five philosophers and five forks, which are semaphores: they starve, until there is an order. See semphil.txt. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <time.h>

#include "demo.h"

#define SEATS 5
#define MEALS 200
/* Semaphores 0 to 4 are the forks; this one counts who has yet to take his first. */
#define HUNGRY SEATS

static int table;

static int change(int which, short by, const struct timespec *patience)
{
    struct sembuf op = {(unsigned short)which, by, 0};

    return semtimedop(table, &op, 1, patience);
}

static void lay_table(void)
{
    for (int i = 0; i < SEATS; i++)
        need(semctl(table, i, SETVAL, 1));
    need(semctl(table, HUNGRY, SETVAL, SEATS));
}

/* The left one first, everybody at the same time, then the right one: did he eat? */
static int dine_at_once(int seat)
{
    struct timespec patience = {0, 300000000};

    need(change(seat, -1, NULL));
    need(change(HUNGRY, -1, NULL));
    need(change(HUNGRY, 0, NULL)); /* wait for zero: all five have one fork */
    return change((seat + 1) % SEATS, -1, &patience) == 0;
}

/* The lower number first: his left one, but for the last seat. */
static void dine_in_order(int seat)
{
    int left = seat, right = (seat + 1) % SEATS;
    int low = left < right ? left : right, high = left < right ? right : left;

    for (int i = 0; i < MEALS; i++) {
        need(change(low, -1, NULL));
        need(change(high, -1, NULL));
        need(change(high, 1, NULL));
        need(change(low, 1, NULL));
    }
}

/* How many of five children said that they ate. */
static int dinner(int in_order)
{
    pid_t guest[SEATS];
    int fed = 0;

    lay_table();
    for (int i = 0; i < SEATS; i++) {
        guest[i] = fork_clean();
        if (guest[i] == 0 && in_order) {
            dine_in_order(i);
            _exit(1);
        }
        if (guest[i] == 0)
            _exit(dine_at_once(i));
    }
    for (int i = 0; i < SEATS; i++)
        fed += end_of(guest[i]) == 1;
    return fed;
}

int main(void)
{
    int fed;

    table = (int)need(semget(IPC_PRIVATE, SEATS + 1, IPC_CREAT | 0600));
    fed = dinner(0);
    printf("each takes his left fork, then waits for the right one: %d of %d eat\n", fed, SEATS);
    claim(fed == 0);
    fed = dinner(1);
    printf("each takes the fork with the lower number first: %d of %d eat, %d times each\n", fed,
           SEATS, MEALS);
    claim(fed == SEATS);
    need(semctl(table, 0, IPC_RMID));
    return shown();
}
