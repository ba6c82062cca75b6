/* The ring of shmring by POSIX: shm_open, ftruncate, mmap, and semaphores that lie in it. See shmposix.txt. */
#include <fcntl.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "demo.h"

#define SLOTS 8
#define NUMBERS 1000

/* All that the two share lies in one object: the slots, and what says when. */
struct ring {
    sem_t empty; /* slots that can be filled */
    sem_t full;  /* slots that can be emptied */
    int slot[SLOTS];
    unsigned in;  /* the producer's */
    unsigned out; /* the consumer's */
};

static char name[32];

/* What is called NAME, mapped. */
static struct ring *map_by_name(int flags)
{
    int fd = (int)need(shm_open(name, O_RDWR | flags, 0600));
    struct ring *ring;

    if (flags & O_CREAT)
        need(ftruncate(fd, sizeof(*ring)));
    ring = mmap(NULL, sizeof(*ring), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    need((long)ring);
    need(close(fd)); /* the mapping stays */
    return ring;
}

static void produce(struct ring *ring)
{
    for (int i = 1; i <= NUMBERS; i++) {
        need(sem_wait(&ring->empty));
        ring->slot[ring->in++ % SLOTS] = i;
        need(sem_post(&ring->full));
    }
}

/* The sum, or -1 if a number came out of its order. */
static long consume(struct ring *ring)
{
    long sum = 0;

    for (int i = 1; i <= NUMBERS; i++) {
        need(sem_wait(&ring->full));
        int number = ring->slot[ring->out++ % SLOTS];
        need(sem_post(&ring->empty));
        if (number != i)
            return -1;
        sum += number;
    }
    return sum;
}

int main(void)
{
    struct ring *ring;
    struct stat about;
    char path[64];
    pid_t producer;
    long sum;

    snprintf(name, sizeof(name), "/ring-%d", (int)getpid());
    snprintf(path, sizeof(path), "/dev/shm%s", name);
    ring = map_by_name(O_CREAT | O_EXCL);
    need(sem_init(&ring->empty, 1, SLOTS)); /* 1: for processes, not only for threads */
    need(sem_init(&ring->full, 1, 0));
    need(stat(path, &about));
    printf("shared memory is a file in /dev/shm: %s\n",
           claim(S_ISREG(about.st_mode) && about.st_size == sizeof(*ring)) ? "as large as the ring"
                                                                           : "but a strange one");
    producer = fork_clean();
    if (producer == 0) {
        struct ring *mine = map_by_name(0); /* as a program started elsewhere would */
        printf("the producer has opened it by its name: %s\n",
               claim(mine != ring) ? "at another address" : "at the same address");
        fflush(stdout);
        produce(mine);
        _exit(claims_failed);
    }
    sum = consume(ring);
    claim(end_of(producer) == 0);
    printf("%d numbers have come, the sum is %ld\n", NUMBERS, sum);
    claim(sum == NUMBERS * (NUMBERS + 1L) / 2);
    need(shm_unlink(name));
    claim(stat(path, &about) == -1 && ring->in == NUMBERS);
    printf("its name is gone, the memory is not: still %u numbers were put in\n", ring->in);
    return shown();
}
