/*
 * What the races of sockets have in common. Arguments: [SEED [SECONDS [ROUNDS [NAME]]]].
 *
 * Each race is played for ROUNDS rounds (a few, when neither is said), or until its share of the seconds is over, by
 * this process and a partner that is forked for the round. Both hesitate for a few random steps first. An alarm ends
 * who waits in vain: a lost wakeup is a failure and not a hang. What is leaked shows outside (tools/run --leak-check).
 */
#pragma once

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 120 /* seconds until somebody who waits gives up */
#define DEFAULT_ROUNDS 300

struct race {
    const char *name;
    void (*play)(void);
};

static const char *program, *race;
static long round_number;
static __thread uint64_t random_state;

static inline uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state >> 11) % below;
}

static inline void hesitate(void)
{
    for (volatile uint64_t steps = draw(2000); steps > 0; steps--)
        ;
}

static inline _Noreturn void fail(const char *what)
{
    printf("%s: %s: round %ld: %s (errno %d: %s)\n", program, race, round_number, what, errno,
           strerror(errno));
    fflush(stdout);
    _exit(99);
}

#define need(condition)       \
    do {                      \
        if (!(condition))     \
            fail(#condition); \
    } while (0)

/* Run the block that follows in the round's partner. */
#define PARTNER(pid) for ((pid) = partner_begin(); (pid) == 0; _exit(0))

static inline pid_t partner_begin(void)
{
    uint64_t seed = draw(UINT64_MAX) | 1;
    pid_t pid = fork();

    need(pid >= 0);
    if (pid == 0) {
        alarm(PATIENCE);
        random_state = seed;
    }
    hesitate();
    return pid;
}

static inline void partner_ends(pid_t pid)
{
    int status = 0;

    need(waitpid(pid, &status, 0) == pid);
    if (status != 0)
        fail(WIFSIGNALED(status) ? "the partner waited in vain, or was killed"
                                 : "the partner has failed");
}

static inline int play_all(const struct race *races, size_t count, int argc, char **argv)
{
    long seed = argc > 1 ? strtol(argv[1], NULL, 0) : 1, seconds = argc > 2 ? atol(argv[2]) : 3600;
    long rounds = argc > 3 ? atol(argv[3]) : argc > 2 ? LONG_MAX : DEFAULT_ROUNDS;
    const char *only = argc > 4 ? argv[4] : NULL;

    program = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    random_state = (uint64_t)seed * 0x9e3779b97f4a7c15u + 1;
    for (size_t i = 0; i < count; i++) {
        time_t end = time(NULL) + seconds / (time_t)count + 1;
        race = races[i].name;
        if (only && strcmp(only, race) != 0)
            continue;
        for (round_number = 0; round_number < rounds && time(NULL) < end; round_number++) {
            alarm(PATIENCE + 10);
            races[i].play();
        }
        if (round_number > 0)
            printf("%s: %s: %ld rounds, nothing lost\n", program, race, round_number);
        fflush(stdout);
        need(round_number > 0);
    }
    return 0;
}
