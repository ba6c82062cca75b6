/* The bounded buffer in a System V segment: a producer, a consumer, and two semaphores that count. See shmring.txt. */
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "demo.h"

#define SLOTS 8
#define NUMBERS 1000
#define EMPTY 0 /* semaphore: slots that can be filled */
#define FULL 1  /* semaphore: slots that can be emptied */

/* What lies in the segment: each index has one writer, so nothing here needs a lock. */
static struct ring {
    int slot[SLOTS];
    unsigned in;  /* the producer's */
    unsigned out; /* the consumer's */
} * ring;

static int counts;

static void change(unsigned short which, short by)
{
    need(semop(counts, &(struct sembuf){which, by, 0}, 1));
}

static void put(int number)
{
    change(EMPTY, -1); /* sleeps while no slot is empty */
    ring->slot[ring->in++ % SLOTS] = number;
    change(FULL, 1);
}

static int take(void)
{
    int number;

    change(FULL, -1); /* sleeps while none is full */
    number = ring->slot[ring->out++ % SLOTS];
    change(EMPTY, 1);
    return number;
}

static void produce(void)
{
    for (int i = 1; i <= NUMBERS; i++)
        put(i);
}

int main(void)
{
    int segment = (int)need(shmget(IPC_PRIVATE, sizeof(*ring), IPC_CREAT | 0600));
    struct shmid_ds about;
    int in_order = 1;
    long sum = 0;
    pid_t producer;

    counts = (int)need(semget(IPC_PRIVATE, 2, IPC_CREAT | 0600));
    need(semctl(counts, EMPTY, SETVAL, SLOTS));
    need(semctl(counts, FULL, SETVAL, 0));
    ring = shmat(segment, NULL, 0);
    need((long)ring);
    producer = fork_clean();
    if (producer == 0) {
        produce(); /* the segment is attached here too: fork has seen to that */
        _exit(0);
    }
    while (need(semctl(counts, EMPTY, GETNCNT)) == 0)
        usleep(1000);
    need(shmctl(segment, IPC_STAT, &about));
    printf("%d processes have the segment attached\n", (int)about.shm_nattch);
    printf("nobody takes: %d of %d slots are full, and the producer sleeps\n",
           (int)need(semctl(counts, FULL, GETVAL)), SLOTS);
    claim(about.shm_nattch == 2 && ring->in == SLOTS);
    for (int i = 1; i <= NUMBERS; i++) {
        int number = take();
        in_order &= number == i;
        sum += number;
    }
    claim(end_of(producer) == 0);
    printf("%d numbers have come, %s, the sum is %ld\n", NUMBERS,
           claim(in_order) ? "in their order" : "out of order", sum);
    claim(sum == NUMBERS * (NUMBERS + 1L) / 2);
    need(shmdt(ring));
    need(shmctl(segment, IPC_RMID, NULL));
    need(semctl(counts, 0, IPC_RMID));
    return shown();
}
