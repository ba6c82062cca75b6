/* Segments, for tests: made, attached, looked at. */
#pragma once

#define _GNU_SOURCE
#include "tap.h"

#include <limits.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#define NOBODY 12345

static inline struct shmid_ds stat_of(int id)
{
    struct shmid_ds ds;
    works(shmctl(id, IPC_STAT, &ds));
    return ds;
}

static inline int private_segment(size_t size)
{
    return works(shmget(IPC_PRIVATE, size, 0600));
}

/* Marked at once: it goes with whoever has it attached, however the test ends. */
static inline char *fleeting(size_t size)
{
    int id = private_segment(size);
    char *at = works((char *)shmat(id, NULL, 0));
    works(shmctl(id, IPC_RMID, NULL));
    return at;
}

/* A key that no other test has, and that nobody uses. */
static inline key_t fresh_key(void)
{
    return (key_t)(0x5b000000 | (getpid() & 0xffffff));
}

static inline void *try_attach(int id, const void *at, int flags)
{
    return shmat(id, at, flags);
}
