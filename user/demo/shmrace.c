/* Two processes count to a million on one page: without a lock, with a semaphore, with a futex. See shmrace.txt. */
#define _GNU_SOURCE
#include <sched.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "demo.h"

#define EACH 500000
#define FUTEX_WAIT 0 /* linux/futex.h */
#define FUTEX_WAKE 1

/* The page. */
static struct page {
    volatile long counter;
    int at_the_same_place; /* atomic: how many have read but not yet written */
    sem_t semaphore;
    int mutex; /* atomic, a futex: 0 free, 1 taken, 2 taken and somebody may sleep */
} * page;

/* Nobody waits: no call. Otherwise sleep, unless it has changed by then. */
static void lock(void)
{
    int seen = 0;

    if (__atomic_compare_exchange_n(&page->mutex, &seen, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    while (__atomic_exchange_n(&page->mutex, 2, __ATOMIC_ACQUIRE) != 0)
        syscall(SYS_futex, &page->mutex, FUTEX_WAIT, 2, NULL);
}

static void unlock(void)
{
    if (__atomic_exchange_n(&page->mutex, 0, __ATOMIC_RELEASE) == 2)
        need(syscall(SYS_futex, &page->mutex, FUTEX_WAKE, 1));
}

/* Once, halfway, both are made to have read before either writes: what would happen anyway, made certain. */
static void without(void)
{
    for (int i = 0; i < EACH; i++) {
        long value = page->counter; /* read */
        if (i == EACH / 2) {
            __atomic_add_fetch(&page->at_the_same_place, 1, __ATOMIC_SEQ_CST);
            while (__atomic_load_n(&page->at_the_same_place, __ATOMIC_SEQ_CST) < 2)
                sched_yield();
        }
        page->counter = value + 1; /* write: over what the other has written meanwhile */
    }
}

static void with_semaphore(void)
{
    for (int i = 0; i < EACH; i++) {
        need(sem_wait(&page->semaphore));
        page->counter++;
        need(sem_post(&page->semaphore));
    }
}

static void with_futex(void)
{
    for (int i = 0; i < EACH; i++) {
        lock();
        page->counter++;
        unlock();
    }
}

/* How far two processes come that both do COUNT. */
static long count_by_two(void (*count)(void))
{
    pid_t other;

    page->counter = 0;
    other = fork_clean();
    count();
    if (other == 0)
        _exit(0);
    claim(end_of(other) == 0);
    return page->counter;
}

int main(void)
{
    long result;

    page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    need((long)page);
    need(sem_init(&page->semaphore, 1, 1));
    result = count_by_two(without);
    printf("without a lock: %s\n", result < 2 * EACH ? "less than 1000000" : "as if it were right");
    claim(result >= EACH / 2 && result < 2 * EACH);
    result = count_by_two(with_semaphore);
    printf("with a semaphore: %ld\n", result);
    claim(result == 2 * EACH);
    result = count_by_two(with_futex);
    printf("with a mutex made of a futex: %ld\n", result);
    claim(result == 2 * EACH);
    return shown();
}
