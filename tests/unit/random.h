/*
 * Random inputs for tests that compare two implementations. The seed is the first argument, or UNIT_SEED of the
 * environment, or any; it is printed, so that a failure can be had again.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static uint64_t random_state;

static inline void random_begin(int argc, char **argv)
{
    const char *given = argc > 1 ? argv[1] : getenv("UNIT_SEED");
    uint32_t seed;
    if (given)
        seed = (uint32_t)strtoul(given, NULL, 0);
    else if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        abort();
    printf("seed %u\n", seed);
    random_state = seed * 0x9e3779b97f4a7c15UL + 1;
}

static inline uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1dUL;
}

/* From 0 to BELOW - 1. */
static inline unsigned draw(unsigned below)
{
    return (unsigned)((random_bits() >> 32) * below >> 32);
}

/* One of the characters of TEXT. */
#define draw_char(text) ((text)[draw(sizeof(text) - 1)])
