/* System V shared memory. */
#pragma once

#include <abi/ipc.h>

#define SHM_R 0400
#define SHM_W 0200

/* shmget */
#define SHM_HUGETLB 04000
#define SHM_NORESERVE 010000

/* shmat */
#define SHM_RDONLY 010000
#define SHM_RND 020000
#define SHM_REMAP 040000
#define SHM_EXEC 0100000
#define SHMLBA 4096UL

/* shmctl */
#define SHM_LOCK 11
#define SHM_UNLOCK 12
#define SHM_STAT 13
#define SHM_INFO 14
#define SHM_STAT_ANY 15

/* in shm_perm.mode */
#define SHM_DEST 01000
#define SHM_LOCKED 02000

typedef unsigned long shmatt_t;

struct shmid_ds {
    struct ipc_perm shm_perm;
    size_t shm_segsz;
    time_t shm_atime;
    time_t shm_dtime;
    time_t shm_ctime;
    pid_t shm_cpid;
    pid_t shm_lpid;
    shmatt_t shm_nattch;
    unsigned long __unused[2];
};

struct shminfo { /* IPC_INFO */
    unsigned long shmmax, shmmin, shmmni, shmseg, shmall, __unused[4];
};

struct shm_info { /* SHM_INFO */
    int used_ids;
    unsigned long shm_tot, shm_rss, shm_swp, swap_attempts, swap_successes;
};
