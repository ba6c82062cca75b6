/*
 * memory ROUNDS PAGES: segments that are made, attached, filled, inherited, marked and left in each of the ways there
 * are, and how much memory is taken when all have gone. getppid() says that this is so. It is done twice: what the
 * second time has left in the kernel, by /proc/kstat, is not what is only made once.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>

#include "lab.h"

static size_t size;

static long shmem_kib(void)
{
    char line[128];
    long kib = -1;
    FILE *info = fopen("/proc/meminfo", "r");

    lab_must(info ? 0 : -1);
    while (fgets(line, sizeof(line), info) != NULL)
        sscanf(line, "Shmem: %ld", &kib);
    fclose(info);
    return kib;
}

static void report(const char *key)
{
    struct shm_info now;

    memset(&now, 0, sizeof(now));
    lab_must(shmctl(0, SHM_INFO, (struct shmid_ds *)&now));
    lab_report(key, "%d %lu %lu", now.used_ids, now.shm_tot, now.shm_rss);
    lab_report("shmem", "%ld", shmem_kib());
}

static char *attach(int id)
{
    char *at = shmat(id, NULL, 0);

    lab_must((long)at == -1 ? -1 : 0);
    return at;
}

/* A child that leaves the segment in the way ROUND says, while it is marked or before. */
static void live(int round, int id)
{
    if (round % 4 == 0)
        munmap(attach(id), size);
    if (round % 4 == 1)
        execl("/bin/busybox", "true", NULL);
    if (round % 4 == 2)
        raise(SIGKILL);
    _exit(0);
}

static void use(int rounds, bool tell)
{
    for (int i = 0; i < rounds; i++) {
        int id = shmget(IPC_PRIVATE, size, 0600);
        lab_must(id);
        char *at = attach(id);
        memset(at, i + 1, size);
        if (i % 2 == 0)
            lab_must(shmctl(id, IPC_RMID, NULL));
        pid_t pid = fork();
        lab_must(pid);
        if (pid == 0)
            live(i, id);
        lab_must(waitpid(pid, NULL, 0));
        if (tell && i == rounds - 1)
            report("during");
        lab_must(shmdt(at));
        if (i % 2 == 1)
            lab_must(shmctl(id, IPC_RMID, NULL));
    }
}

/* Objects in use: areas, address spaces, objects of pages; and all that has no cache of its own. */
static void count_objects(long counts[4])
{
    static const char *const names[] = {"slab.vma ", "slab.mm ", "slab.vmobject ", "slab.kmalloc-"};
    char line[128];
    FILE *all = fopen("/proc/kstat", "r");

    lab_must(all ? 0 : -1);
    memset(counts, 0, 4 * sizeof(counts[0]));
    while (fgets(line, sizeof(line), all) != NULL)
        for (int i = 0; i < 4; i++)
            if (strncmp(line, names[i], strlen(names[i])) == 0)
                counts[i] += atol(strrchr(line, ' '));
    fclose(all);
}

int main(int argc, char **argv)
{
    int rounds = argc > 2 ? atoi(argv[1]) : 4;
    long before[4], after[4];

    size = argc > 2 ? strtoul(argv[2], NULL, 0) * 4096 : 4096;
    report("before");
    use(rounds, false);
    count_objects(before);
    use(rounds, true);
    count_objects(after);
    report("after");
    lab_report("objects", "%ld %ld %ld %ld", after[0] - before[0], after[1] - before[1],
               after[2] - before[2], after[3] - before[3]);
    getppid();
    return 0;
}
