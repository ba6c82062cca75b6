/* Pseudo-random numbers: xorshift with a multiplier (Marsaglia; Vigna). Not for secrets: see getrandom(2). */
#include <stdint.h>
#include <stdlib.h>

static uint64_t state = 1;

static uint32_t next(uint64_t *s)
{
    uint64_t x = *s ? *s : 0x9e3779b97f4a7c15UL;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *s = x;
    return (uint32_t)(x * 0x2545f4914f6cdd1dUL >> 33);
}

int rand(void)
{
    return (int)next(&state);
}
void srand(unsigned seed)
{
    state = seed + 0x9e3779b97f4a7c15UL;
}

int rand_r(unsigned *seed)
{
    uint64_t s = *seed + 0x9e3779b97f4a7c15UL;
    uint32_t value = next(&s);
    *seed = (unsigned)s;
    return (int)value;
}
