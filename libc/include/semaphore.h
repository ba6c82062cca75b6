/* <semaphore.h>: counters that are waited for. */
#pragma once

#include <abi/time.h>
#include <fcntl.h>
#include <limits.h>

typedef struct {
    long
        __value; /* atomic: the count, and in the upper half who waits; a futex is its lower half */
    int __shared;
} sem_t;

int sem_init(sem_t *sem, int shared, unsigned value);
int sem_destroy(sem_t *sem);
#define SEM_FAILED ((sem_t *)0)
/* A semaphore with a name, "/name", in /dev/shm. With O_CREAT: mode_t mode, unsigned value. */
sem_t *sem_open(const char *name, int flags, ...);
int sem_close(sem_t *sem);
int sem_unlink(const char *name);
int sem_wait(sem_t *sem);
int sem_trywait(sem_t *sem);
int sem_timedwait(sem_t *restrict sem, const struct timespec *restrict deadline);
int sem_post(sem_t *sem);
int sem_getvalue(sem_t *restrict sem, int *restrict value);
