/*
 * race ROUNDS: a segment is attached while another process removes it. The attach is kept waiting on the way: another
 * thread of its process has the address space locked most of the time, since it maps and fills memory in a
 * loop. Either the attach fails, since the segment has gone, or what was attached is the segment, with the
 * word that was written into it before; and afterwards no segment is left.
 *
 * race 0: one attach, and nobody who removes: gdb does, which learns the id by getppid's first argument.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lab.h"

#define BUSY_SIZE (512 * 4096UL)

static volatile int over;

static void *keep_busy(void *unused)
{
    while (!over) {
        void *at = mmap(NULL, BUSY_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        if (at != MAP_FAILED)
            munmap(at, BUSY_SIZE);
    }
    return unused;
}

/* Remove the segments that come down the pipe, and say so. */
_Noreturn static void remover(int from, int to)
{
    int id;

    while (read(from, &id, sizeof(id)) == sizeof(id)) {
        for (int i = 0; i < id % 7; i++)
            sched_yield();
        shmctl(id, IPC_RMID, NULL);
        if (write(to, &id, sizeof(id)) != sizeof(id))
            break;
    }
    _exit(0);
}

static int new_segment(unsigned word)
{
    int id = shmget(IPC_PRIVATE, 4096, 0600);

    lab_must(id);
    unsigned *at = shmat(id, NULL, 0);
    lab_must((long)at == -1 ? -1 : 0);
    *at = word;
    lab_must(shmdt(at));
    return id;
}

static int attached, refused, wrong, other;

static void attach(int id, unsigned word)
{
    unsigned *at = shmat(id, NULL, 0);

    if ((long)at == -1) {
        *(errno == EINVAL || errno == EIDRM ? &refused : &other) += 1;
        return;
    }
    attached++;
    wrong += *at != word;
    shmdt(at);
}

static void tell(void)
{
    struct shm_info left = {0};

    lab_report("attached", "%d", attached);
    lab_report("refused", "%d", refused);
    lab_report("wrong", "%d", wrong);
    lab_report("other", "%d", other);
    lab_must(shmctl(0, SHM_INFO, (struct shmid_ds *)&left));
    lab_report("left", "%d %lu %lu", left.used_ids, left.shm_tot, left.shm_rss);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 100, to[2], from[2], done;
    pthread_t thread;

    if (rounds == 0) {
        int id = new_segment(0x5eed);
        syscall(SYS_getppid, id);
        attach(id, 0x5eed);
        tell();
        return 0;
    }
    lab_must(pipe(to));
    lab_must(pipe(from));
    pid_t pid = fork();
    lab_must(pid);
    if (pid == 0) {
        close(to[1]);
        remover(to[0], from[1]);
    }
    lab_must(-pthread_create(&thread, NULL, keep_busy, NULL));
    for (int i = 0; i < rounds; i++) {
        unsigned word = 0x5eed0000u + (unsigned)i;
        int id = new_segment(word);
        lab_must(write(to[1], &id, sizeof(id)));
        attach(id, word);
        lab_must(read(from[0], &done, sizeof(done)));
    }
    over = 1;
    pthread_join(thread, NULL);
    close(to[1]);
    waitpid(pid, NULL, 0);
    tell();
    return 0;
}
