/* Semaphore sets, for tests: made, set, looked at. */
#pragma once

#define _GNU_SOURCE
#include "tap.h"

#include <limits.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/syscall.h>

#define NOBODY 12345
#define VALUE_MAX 32767

union argument {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
    struct seminfo *info;
};

static inline int control(int id, int n, int cmd, void *p)
{
    return semctl(id, n, cmd, (union argument){.buf = p});
}

static inline int value(int id, int n)
{
    return works(semctl(id, n, GETVAL));
}

static inline void set_value(int id, int n, int v)
{
    works(semctl(id, n, SETVAL, (union argument){.val = v}));
}

/* One operation. */
static inline int op(int id, int n, int delta, int flags)
{
    struct sembuf b = {
        .sem_num = (unsigned short)n, .sem_op = (short)delta, .sem_flg = (short)flags};
    return semop(id, &b, 1);
}

static inline int sems(int n)
{
    return works(semget(IPC_PRIVATE, n, 0600));
}

static inline void done(int id)
{
    works(semctl(id, 0, IPC_RMID));
}

static inline key_t fresh_key(void)
{
    return (key_t)(0x5c000000 | (getpid() & 0xffffff));
}
