/* What the programs of this lab share: SIGPIPE is counted, and bytes say where they belong. */
#pragma once

#include <sys/ioctl.h>

#include "children.h"

#define BAD ((void *)16)

static volatile int sigpipes; /* SIGPIPE came so often */

static void on_sigpipe(int number)
{
    (void)number;
    sigpipes++;
}

static inline void count_sigpipes(void)
{
    struct sigaction action = {.sa_handler = on_sigpipe};

    sigaction(SIGPIPE, &action, NULL);
}

/* Bytes that say where in a stream they belong. */
static inline unsigned char byte_at(uint32_t seed, uint64_t place)
{
    return (unsigned char)((place * 2654435761u + seed) >> 11);
}
static inline void fill(void *to, uint32_t seed, uint64_t place, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)to)[i] = byte_at(seed, place + i);
}
/* FNV-1a, continued from HASH. */
#define HASH_START 2166136261u
static inline uint32_t hash(uint32_t h, const void *data, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const unsigned char *)data)[i]) * 16777619u;
    return h;
}
