/*
 * What the races of shm and sync have in common. Arguments: [SEED [SECONDS [ROUNDS [NAME]]]].
 *
 * Each race is played for ROUNDS rounds (or until its share of the seconds is over) by a process of its own with
 * partners, processes or threads, that are made once. A round begins for all at the same moment, give or take
 * a few random steps, for that is where races are. Where a round needs somebody who dies, it forks one.
 * The first process only watches: where nothing moves any more a wakeup was lost.
 *
 *     player:   prepare, begin(), act ..., finish()      partner: for each round: act
 */
#pragma once

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 120 /* seconds without a round */
#define DEFAULT_ROUNDS 500
#define PARTNERS 3
#define RW (PROT_READ | PROT_WRITE)

static struct shared {
    long round;   /* atomic, a futex: the player: this one has begun */
    long played;  /* atomic: the player: so many have ended */
    long done;    /* atomic, a futex: partners: so many times one came to its end */
    long settled; /* atomic: the player: of this round, what was to change has changed */
    long stop;    /* atomic: the player: there is no further round */
    long failed;  /* atomic: somebody said why */
    long met;     /* atomic, a futex: how many came to a meeting */
    int id[2];    /* of the round's objects: the player, before it begins */
} * shared;

struct race {
    const char *name;
    void (*play)(void);
};

static const char *race, *program;
static __thread uint64_t random_state;
static long rounds;
static time_t end_of_race;

#define get(field) __atomic_load_n(&shared->field, __ATOMIC_SEQ_CST)
#define set(field, value) __atomic_store_n(&shared->field, (value), __ATOMIC_SEQ_CST)
#define add(field, value) __atomic_add_fetch(&shared->field, (value), __ATOMIC_SEQ_CST)

static inline uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state >> 11) % below;
}

static inline _Noreturn void fail(const char *what, long value)
{
    printf("%s: %s: round %ld: %s (%ld; errno %d: %s)\n", program, race, get(round), what, value,
           errno, strerror(errno));
    fflush(stdout);
    set(failed, 1);
    _exit(99);
}

static inline void need(bool condition, const char *what, long value)
{
    if (!condition)
        fail(what, value);
}

static inline time_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

/* A few steps, or a turn for others, so that rounds don't all go the same way. */
static inline void dawdle(void)
{
    if (draw(8) == 0)
        sched_yield();
    for (volatile uint64_t n = draw(draw(4) ? 100 : 3000); n; n--)
        ;
}

/*
 * Until VALUE is at least LEAST: awake for a little, for rounds are short, then asleep, for the machine may have
 * fewer processors than the kernel is told. announce() wakes who sleeps.
 */
static inline void wait_for(const long *value, long least)
{
    long seen;

    for (int i = 0; (seen = __atomic_load_n(value, __ATOMIC_SEQ_CST)) < least; i++) {
        if (i < 20)
            sched_yield();
        else
            syscall(SYS_futex, value, 0 /* FUTEX_WAIT */, (uint32_t)seen, NULL, NULL, 0);
    }
}

static inline void announce(const long *value)
{
    syscall(SYS_futex, value, 1 /* FUTEX_WAKE */, 1 << 20, NULL, NULL, 0);
}

static inline pid_t fork_player(void)
{
    pid_t pid = fork();

    need(pid >= 0, "fork", pid);
    if (pid == 0)
        random_state ^= (uint64_t)getpid() << 32;
    return pid;
}

static inline int reap(pid_t pid)
{
    int status = -1;

    need(waitpid(pid, &status, 0) == pid, "wait for a child", pid);
    return status;
}

/* --- rounds ----------------------------------------------------------------------------------------- */

static struct partner {
    void (*act)(int number);
    int number;
    bool is_thread;
    pid_t pid;
    pthread_t thread;
} partners[PARTNERS];

static inline void *be_partner(void *arg)
{
    struct partner *p = arg;

    random_state ^= (uint64_t)(p->number + 1) * 0x9e3779b97f4a7c15;
    for (long round = 1;; round++) {
        wait_for(&shared->round, round);
        if (get(stop))
            return NULL;
        dawdle();
        p->act(p->number);
        add(done, 1);
        announce(&shared->done);
    }
}

static inline void start_partners(void (*act)(int number), bool threads)
{
    for (int i = 0; i < PARTNERS; i++) {
        struct partner *p = &partners[i];
        *p = (struct partner){.act = act, .number = i, .is_thread = threads};
        if (threads)
            need(pthread_create(&p->thread, NULL, be_partner, p) == 0, "thread", i);
        else if ((p->pid = fork_player()) == 0) {
            be_partner(p);
            _exit(0);
        }
    }
}

static inline void stop_partners(void)
{
    set(stop, 1);
    add(round, 1);
    announce(&shared->round);
    for (int i = 0; i < PARTNERS; i++)
        if (partners[i].is_thread)
            pthread_join(partners[i].thread, NULL);
        else
            need(reap(partners[i].pid) == 0, "a partner's end", i);
}

static inline bool over(long round)
{
    return round > rounds || now() >= end_of_race;
}

static inline void begin(long round)
{
    set(round, round);
    announce(&shared->round);
    dawdle();
}

static inline void finish(long round)
{
    wait_for(&shared->done, round * PARTNERS);
    set(played, round);
}

/* --- all of them -------------------------------------------------------------------------------------- */

/* Let R be played; no round for PATIENCE seconds is a failure. */
static inline void watch(const struct race *r, time_t seconds)
{
    int status;
    time_t last_change = now();
    long last = 0;

    race = r->name;
    memset(shared, 0, sizeof(*shared));
    end_of_race = now() + seconds;
    pid_t pid = fork_player();
    if (pid == 0) {
        setpgid(0, 0);
        r->play();
        _exit(0);
    }
    while (waitpid(pid, &status, WNOHANG) == 0) {
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        if (get(round) != last) {
            last = get(round);
            last_change = now();
        }
        bool stuck = now() > last_change + PATIENCE;
        if (stuck || get(failed)) {
            kill(-pid, SIGKILL);
            errno = 0;
            need(!stuck, "nothing moves any more", last);
            _exit(99);
        }
    }
    kill(-pid, SIGKILL);
    need(status == 0, "wait status", status);
    printf("%s: %s: %ld rounds\n", program, race, get(played));
    fflush(stdout);
}

/* What main() does with the COUNT races of program NAME. */
static inline int play_all(const char *name, const struct race *races, size_t count, char **arg)
{
    int n = 0;

    while (arg[n])
        n++;
    const char *only = n > 4 ? arg[4] : NULL;
    program = name;
    random_state = (n > 1 ? strtoul(arg[1], NULL, 10) : 1) * 0x9e3779b97f4a7c15UL + 1;
    time_t seconds = n > 2 ? atol(arg[2]) : 60;
    rounds = n > 3 ? atol(arg[3]) : DEFAULT_ROUNDS;
    shared = mmap(NULL, sizeof(*shared), RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    for (size_t i = 0; i < count; i++)
        if (!only || strcmp(only, races[i].name) == 0)
            watch(&races[i], only ? seconds : seconds / (time_t)count + 1);
    return 0;
}
