/*
 * sync [SEED [SECONDS [ROUNDS [NAME]]]]: futexes, mutexes, semaphores and queues where wait meets wake, or an end.
 * play.h says how.
 *
 * For the long run: tools/run --debug --smp 4 --mem 512 --timeout 36000 -- build/tests/stress/sync 1 36000 20000
 */
#define _GNU_SOURCE
#include "play.h"

#include <abi/futex.h>
#include <limits.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

/* What they wait on; shared, in a page of its own. */
static struct hands {
    uint32_t word;   /* atomic: futex: the round */
    uint32_t second; /* futex: where waiters are moved to */
    pthread_mutex_t mutex;
    long owner; /* mutex: who has it */
} * hands;

/* --- futex wait against wake --------------------------------------------------------------------------- */

static int private_flag;

static long futex(uint32_t *at, int op, uint32_t value, const void *fourth, uint32_t *at2,
                  uint32_t v3)
{
    return syscall(SYS_futex, at, op | private_flag, value, fourth, at2, v3);
}

static void wait_for_the_word(int number)
{
    uint32_t round = (uint32_t)get(round), seen;
    struct timespec patience = {PATIENCE / 2, 0};

    while ((seen = __atomic_load_n(&hands->word, __ATOMIC_SEQ_CST)) != round) {
        int op = number == 0 ? FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME : FUTEX_WAIT;
        long got = futex(&hands->word, op, seen, number == 0 ? NULL : &patience, NULL, 1);
        need(got == 0 || errno == EAGAIN, "a futex's wakeup is lost", got);
    }
}

/* Every waiter is to be woken, by one of four ways. */
static void wake_all(void)
{
    void *many = (void *)(uintptr_t)INT_MAX; /* how many are moved */

    switch (draw(4)) {
    case 0: need(futex(&hands->word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0) >= 0, "wake", 0); break;
    case 1:
        for (int i = 0; i < PARTNERS; i++)
            need(futex(&hands->word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 1) >= 0, "wake one", i);
        break;
    case 2:
        need(futex(&hands->word, FUTEX_CMP_REQUEUE, 1, many, &hands->second,
                   __atomic_load_n(&hands->word, __ATOMIC_SEQ_CST)) >= 0,
             "requeue", 0);
        dawdle();
        need(futex(&hands->second, FUTEX_WAKE, INT_MAX, NULL, NULL, 0) >= 0, "wake", 1);
        break;
    default:
        need(futex(&hands->second, FUTEX_WAKE_OP, 1, many, &hands->word,
                   FUTEX_OP_OR << 28 | FUTEX_OP_CMP_NE << 24) >= 0,
             "wake op", 0);
    }
}

static void play_futex(bool threads)
{
    private_flag = threads ? FUTEX_PRIVATE_FLAG : 0;
    hands->word = 0;
    start_partners(wait_for_the_word, threads);
    for (long i = 1; !over(i); i++) {
        begin(i);
        __atomic_store_n(&hands->word, (uint32_t)i, __ATOMIC_SEQ_CST);
        wake_all();
        finish(i);
    }
    stop_partners();
}

static void futex_of_processes(void)
{
    play_futex(false);
}

static void futex_of_threads(void)
{
    play_futex(true);
}

/* --- robust exit --------------------------------------------------------------------------------------- */

static void hold_mutex(int who)
{
    int got = pthread_mutex_lock(&hands->mutex);

    need(got == 0 || got == EOWNERDEAD, "lock", got);
    need(got == EOWNERDEAD || hands->owner == 0, "two have the mutex", hands->owner);
    hands->owner = who;
    if (got == EOWNERDEAD)
        need(pthread_mutex_consistent(&hands->mutex) == 0, "consistent", 0);
    dawdle();
    need(hands->owner == who, "another has the mutex as well", hands->owner);
}

static void lock_and_unlock(int number)
{
    for (int i = 0; i < 2; i++) {
        hold_mutex(number + 1);
        hands->owner = 0;
        need(pthread_mutex_unlock(&hands->mutex) == 0, "unlock", i);
    }
}

static void robust_exit(void)
{
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    need(pthread_mutex_init(&hands->mutex, &attr) == 0, "pthread_mutex_init", 0);
    start_partners(lock_and_unlock, false);
    for (long i = 1; !over(i); i++) {
        pid_t pid = fork_player();
        if (pid == 0) {
            hold_mutex(PARTNERS + 1);
            if (draw(2))
                _exit(0);
            for (;;)
                dawdle();
        }
        begin(i);
        kill(pid, SIGKILL);
        reap(pid);
        finish(i);
        lock_and_unlock(PARTNERS + 1);
    }
    stop_partners();
    pthread_mutex_destroy(&hands->mutex);
}

/* --- semop groups against undo -------------------------------------------------------------------------- */

static void take_and_give_for_ever(int id)
{
    struct sembuf take[] = {{0, -1, SEM_UNDO}, {1, 1, SEM_UNDO}};
    struct sembuf give[] = {{1, -1, SEM_UNDO}, {0, 1, SEM_UNDO}};

    for (;;) {
        need(semop(id, take, 2) == 0, "take", id);
        dawdle();
        need(semop(id, give, 2) == 0, "give", id);
    }
}

/* The sum stands at every moment: groups are done, and undone, as one. */
static void look_at_the_sum(int number)
{
    unsigned short values[2];

    (void)number;
    for (int i = 0; i < 4; i++) {
        need(semctl(shared->id[0], 0, GETALL, values) == 0, "GETALL", i);
        need(values[0] + values[1] == 2, "half of a group was seen", values[0] + values[1]);
    }
}

static void semop_against_undo(void)
{
    unsigned short values[2] = {2, 0};
    int id = shared->id[0] = semget(IPC_PRIVATE, 2, 0600);
    pid_t pid[3];

    need(id >= 0 && semctl(id, 0, SETALL, values) == 0, "semget", id);
    start_partners(look_at_the_sum, false);
    for (long i = 1; !over(i); i++) {
        for (int k = 0; k < 3; k++)
            if ((pid[k] = fork_player()) == 0)
                take_and_give_for_ever(id);
        begin(i);
        for (int k = 0; k < 3; k++) {
            dawdle();
            kill(pid[k], SIGKILL);
        }
        for (int k = 0; k < 3; k++)
            need(reap(pid[k]) == SIGKILL, "somebody was not killed", k);
        finish(i);
        need(semctl(id, 0, GETALL, values) == 0, "GETALL", id);
        need(values[0] == 2 && values[1] == 0, "what the dead took is missing", values[0]);
    }
    stop_partners();
    need(semctl(id, 0, IPC_RMID) == 0, "IPC_RMID", id);
}

/* --- queue and semaphore against remove ------------------------------------------------------------------ */

static void use_until_removed(int number)
{
    struct {
        long type;
        char text[700];
    } m = {.type = 1};
    struct sembuf group[] = {{0, 1, 0}, {1, -1, 0}};
    long got;

    do {
        m.type = 1 + (long)draw(3);
        got = number == 0   ? msgsnd(shared->id[0], &m, sizeof(m.text), 0)
              : number == 1 ? msgrcv(shared->id[0], &m, sizeof(m.text), -3, 0)
                            : semop(shared->id[1], group, 2);
    } while (got >= 0);
    need(errno == EIDRM || errno == EINVAL, "the end of who waits for a removed object", number);
}

static void use_against_remove(void)
{
    start_partners(use_until_removed, false);
    for (long i = 1; !over(i); i++) {
        int q = shared->id[0] = msgget(IPC_PRIVATE, 0600);
        int s = shared->id[1] = semget(IPC_PRIVATE, 2, 0600);
        need(q >= 0 && s >= 0, "msgget, semget", q);
        begin(i);
        dawdle();
        need(msgctl(q, IPC_RMID, NULL) == 0 && semctl(s, 0, IPC_RMID) == 0, "IPC_RMID", q);
        finish(i);
    }
    stop_partners();
}

/* --- all of them ------------------------------------------------------------------------------------ */

static const struct race races[] = {
    {"futex_of_processes", futex_of_processes},
    {"futex_of_threads", futex_of_threads},
    {"robust_exit", robust_exit},
    {"semop_against_undo", semop_against_undo},
    {"use_against_remove", use_against_remove},
};

int main(int argc, char **argv)
{
    (void)argc;
    hands = mmap(NULL, sizeof(*hands), RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (hands == MAP_FAILED)
        return 1;
    return play_all("sync", races, sizeof(races) / sizeof(races[0]), argv);
}
