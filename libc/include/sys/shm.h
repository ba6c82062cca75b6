/* <sys/shm.h>. */
#pragma once

#include <abi/shm.h>
#include <sys/ipc.h>

int shmget(key_t key, size_t size, int flags);
void *shmat(int id, const void *addr, int flags); /* (void *)-1 on error */
int shmdt(const void *addr);
int shmctl(int id, int cmd, struct shmid_ds *buf);
