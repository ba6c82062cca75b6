/* <sys/sem.h>. */
#pragma once

#include <abi/sem.h>
#include <sys/ipc.h>
#include <time.h>

int semget(key_t key, int nsems, int flags);
int semop(int id, struct sembuf *ops, size_t nops);
int semtimedop(int id, struct sembuf *ops, size_t nops, const struct timespec *timeout);
/* The fourth argument is an int or a pointer, or the caller's own union semun. */
int semctl(int id, int semnum, int cmd, ...);
