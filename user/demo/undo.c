/* A process dies while it holds a semaphore: with SEM_UNDO, and without. See undo.txt. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <time.h>

#include "demo.h"

static int sem;

static int down(short flags, const struct timespec *patience)
{
    struct sembuf op = {0, -1, flags};

    return semtimedop(sem, &op, 1, patience);
}

/* A child takes the semaphore with FLAGS and is killed. */
static void take_and_die(short flags)
{
    pid_t child = fork_clean();

    if (child == 0) {
        need(down(flags, NULL));
        need(kill(getpid(), SIGKILL));
    }
    wait_for(child);
}

static int value(void)
{
    return (int)need(semctl(sem, 0, GETVAL));
}

int main(void)
{
    struct timespec patience = {0, 200000000};
    struct sembuf up = {0, 1, 0};
    int late;

    sem = (int)need(semget(IPC_PRIVATE, 1, IPC_CREAT | 0600));
    need(semop(sem, &up, 1));
    printf("the semaphore is %d: free\n", value());
    take_and_die(SEM_UNDO);
    printf("a process took it with SEM_UNDO and was killed: it is %d again\n", value());
    claim(value() == 1);
    take_and_die(0);
    printf("a process took it without and was killed: it is %d\n", value());
    claim(value() == 0);
    late = down(0, &patience) == -1 && errno == EAGAIN;
    printf("who wants it now waits %s\n", late ? "for ever: we gave up" : "for nothing");
    claim(late);
    need(semctl(sem, 0, IPC_RMID));
    return shown();
}
