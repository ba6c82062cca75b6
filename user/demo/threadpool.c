/* Four threads share the work of one queue, which a mutex guards and two conditions announce. See threadpool.txt. */
#include <pthread.h>
#include <stdbool.h>

#include "demo.h"

#define WORKERS 4
#define SLOTS 3
#define JOBS 1000

static struct {
    pthread_mutex_t lock;
    pthread_cond_t not_empty, not_full;
    int slot[SLOTS], count, head; /* lock */
    bool closed;                  /* lock: nothing more will come */
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER,
          .not_empty = PTHREAD_COND_INITIALIZER,
          .not_full = PTHREAD_COND_INITIALIZER};

static int
    done_by[JOBS]; /* how often each job was done: the lock isn't needed, each has its own place */

static void put(int job)
{
    pthread_mutex_lock(&pool.lock);
    while (pool.count == SLOTS)
        pthread_cond_wait(&pool.not_full, &pool.lock);
    pool.slot[(pool.head + pool.count++) % SLOTS] = job;
    pthread_cond_signal(&pool.not_empty);
    pthread_mutex_unlock(&pool.lock);
}

/* The next job, or -1 when there will be none. */
static int take(void)
{
    int job = -1;

    pthread_mutex_lock(&pool.lock);
    while (pool.count == 0 && !pool.closed)
        pthread_cond_wait(&pool.not_empty, &pool.lock);
    if (pool.count > 0) {
        job = pool.slot[pool.head];
        pool.head = (pool.head + 1) % SLOTS;
        pool.count--;
        pthread_cond_signal(&pool.not_full);
    }
    pthread_mutex_unlock(&pool.lock);
    return job;
}

static void *work(void *sum)
{
    int job;

    while ((job = take()) >= 0) {
        done_by[job]++;
        *(long *)sum += (long)job * job;
    }
    return NULL;
}

int main(void)
{
    pthread_t worker[WORKERS];
    long sums[WORKERS] = {0}, sum = 0;
    int once = 0;

    for (int i = 0; i < WORKERS; i++)
        if (pthread_create(&worker[i], NULL, work, &sums[i]) != 0) {
            fprintf(stderr, "no thread to be had\n");
            return 1;
        }
    for (int job = 0; job < JOBS; job++)
        put(job);
    pthread_mutex_lock(&pool.lock);
    pool.closed = true;
    pthread_cond_broadcast(&pool.not_empty); /* all must hear it: each is to end */
    pthread_mutex_unlock(&pool.lock);
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(worker[i], NULL);
        sum += sums[i];
    }
    for (int job = 0; job < JOBS; job++)
        once += done_by[job] == 1;
    printf("%d jobs went through %d slots to %d threads\n", JOBS, SLOTS, WORKERS);
    printf("%d of them were done exactly once\n", once);
    printf("the sum of the squares is %ld\n", sum);
    claim(once == JOBS && sum == 332833500);
    return shown();
}
