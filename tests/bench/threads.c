/* Threads and what they wait on: create and join, and a futex handed to and fro. */
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <abi/futex.h>

#include "bench.h"

static void *do_nothing(void *unused)
{
    return unused;
}

static void thread_row(void)
{
    pthread_t thread;

    MEASURE(500)
    {
        bench_need(pthread_create(&thread, NULL, do_nothing, NULL) == 0, "pthread_create");
        bench_need(pthread_join(thread, NULL) == 0, "pthread_join");
    }
}

#define TURNS 3000

static unsigned turn;

/* Wait until the turn is ours, then make it the other's and wake the other. */
static void pass_turn(unsigned ours)
{
    while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != ours)
        syscall(SYS_futex, &turn, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, !ours, NULL);
    __atomic_store_n(&turn, !ours, __ATOMIC_RELEASE);
    syscall(SYS_futex, &turn, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
}

static void *take_turns(void *unused)
{
    for (int i = 0; i < TURNS + TURNS / WARM_UP_SHARE + 1; i++)
        pass_turn(1);
    return unused;
}

static void futex_row(void)
{
    pthread_t other;

    bench_need(pthread_create(&other, NULL, take_turns, NULL) == 0, "pthread_create");
    MEASURE(TURNS)
    pass_turn(0);
    pthread_join(other, NULL);
}

static const struct bench_row rows[] = {
    {"thread_create_join", thread_row},
    {"futex_ping_pong", futex_row},
};

BENCH_MAIN(rows)
