/*
 * attach BYTES SEED: one segment of that size attached three times, the third time to be read only, and another
 * one beside it. What is written through the first attach is looked at through the others, by /proc, and,
 * while the program is in getppid(), from outside: that call has the three addresses for arguments.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <time.h>

#include "lab.h"

static uint64_t seed;

/* xorshift64*: the grader computes the same bytes. */
static unsigned char next_byte(void)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (unsigned char)((seed * 0x2545f4914f6cdd1d) >> 56);
}

/* FNV-1a of 64 bits. */
static uint64_t hash(const unsigned char *at, size_t size)
{
    uint64_t h = 0xcbf29ce484222325;

    for (size_t i = 0; i < size; i++)
        h = (h ^ at[i]) * 0x100000001b3;
    return h;
}

static unsigned char *attach(int id, int flags)
{
    unsigned char *at = shmat(id, NULL, flags);

    lab_must((long)at == -1 ? -1 : 0);
    return at;
}

static void report_maps(void)
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");

    lab_must(maps ? 0 : -1);
    while (fgets(line, sizeof(line), maps) != NULL)
        if (strstr(line, "SYSV") != NULL)
            lab_report("map", "%s", line);
    fclose(maps);
}

int main(int argc, char **argv)
{
    size_t size = argc > 2 ? strtoul(argv[1], NULL, 0) : 1, used = 0,
           room = (size + 4095) / 4096 * 4096;
    struct shmid_ds before, after;
    int id = shmget(IPC_PRIVATE, size, 0600), other = shmget(IPC_PRIVATE, size, 0600);

    lab_must(id);
    lab_must(other);
    lab_must(shmctl(id, IPC_STAT, &before));
    seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;

    time_t earliest = time(NULL);
    unsigned char *a = attach(id, 0), *b = attach(id, 0), *c = attach(id, SHM_RDONLY),
                  *d = attach(other, 0);
    time_t latest = time(NULL);
    lab_must(shmctl(id, IPC_STAT, &after));
    lab_report("distinct", "%d", (a != b) + (a != c) + (b != c) + (a != d) + (b != d) + (c != d));
    lab_report("aligned", "%d",
               ((uintptr_t)a | (uintptr_t)b | (uintptr_t)c | (uintptr_t)d) % 4096 == 0);
    for (size_t i = 0; i < room; i++)
        used += a[i] != 0;
    lab_report("dirty", "%zu", used);
    for (size_t i = 0; i < size; i++)
        a[i] = next_byte();
    lab_report("second", "%#llx", (unsigned long long)hash(b, size));
    lab_report("third", "%#llx", (unsigned long long)hash(c, size));
    b[size - 1] ^= 0xff;
    lab_report("back", "%#llx", (unsigned long long)hash(a, size));
    b[size - 1] ^= 0xff;
    used = 0;
    for (size_t i = 0; i < room; i++)
        used += d[i] != 0;
    lab_report("strangers", "%zu", used);

    lab_report("id", "%d", id);
    lab_report("pid", "%d", getpid());
    lab_report("lpid_before", "%d", before.shm_lpid);
    lab_report("lpid", "%d", after.shm_lpid);
    lab_report("atime_before", "%lld", (long long)before.shm_atime);
    lab_report("atime", "%lld", (long long)after.shm_atime);
    lab_report("dtime", "%lld", (long long)after.shm_dtime);
    lab_report("clock", "%lld %lld", (long long)earliest, (long long)latest);
    lab_report("addresses", "%p %p %p", (void *)a, (void *)b, (void *)c);
    report_maps();
    syscall(SYS_getppid, a, b, c);
    return 0;
}
