/* fork in a program with threads: the child has one thread, and the locks of the others. See forkthreads.txt. */
#include <pthread.h>
#include <string.h>

#include "demo.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t ready;

/* The number behind "Threads:" in /proc/self/status. */
static int threads(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    int n = -1;

    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "Threads:", 8) == 0)
            n = atoi(line + 8);
    if (status != NULL)
        fclose(status);
    return n;
}

static void *hold(void *unused)
{
    pthread_mutex_lock(&mutex);
    pthread_barrier_wait(&ready);
    for (;;)
        pause();
    return unused;
}

static void *idle(void *unused)
{
    pthread_barrier_wait(&ready);
    for (;;)
        pause();
    return unused;
}

int main(void)
{
    pthread_t thread;
    pid_t child;

    pthread_barrier_init(&ready, NULL, 3);
    if (pthread_create(&thread, NULL, hold, NULL) != 0 ||
        pthread_create(&thread, NULL, idle, NULL) != 0) {
        fprintf(stderr, "no thread to be had\n");
        return 1;
    }
    pthread_barrier_wait(&ready);
    printf("parent: %d threads, and one of the others holds the mutex\n", threads());
    claim(threads() == 3);
    child = fork_clean();
    if (child == 0) {
        int busy = pthread_mutex_trylock(&mutex) != 0;
        printf("child: %d thread: only the one that called fork was copied\n", threads());
        printf("child: the mutex is %s\n",
               busy ? "locked, and who would unlock it isn't here" : "free");
        claim(threads() == 1 && busy);
        _exit(shown());
    }
    int status = end_of(child);
    printf("parent: still %d threads\n", threads());
    claim(status == 0 && threads() == 3);
    return shown();
}
