/*
 * Randomness from the processor. RDSEED is the noise source itself, RDRAND a generator behind it;
 * both may fail for a moment and are asked again. Where neither exists, the low bits of the time
 * stamp counter between two cache-missing steps are all there is.
 */
#include "lib/string.h"
#include "x86/cpu.h"
#include "x86/features.h"
#include "x86/msr.h"

#define TRIES 10
#define JITTER_ROUNDS 16

static bool rdseed(uint64_t *v)
{
    bool ok = false;
    if (cpu_has.rdseed)
        asm volatile("rdseed %0" : "=r"(*v), "=@ccc"(ok));
    return ok;
}

static bool rdrand(uint64_t *v)
{
    bool ok = false;
    if (cpu_has.rdrand)
        asm volatile("rdrand %0" : "=r"(*v), "=@ccc"(ok));
    return ok;
}

static uint64_t jitter(void)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < JITTER_ROUNDS; i++) {
        cpuid(0, 0); /* takes a time of its own, and always another one under a hypervisor */
        v = (v << 7 | v >> 57) ^ rdtsc();
    }
    return v;
}

static uint64_t random_word(void)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < TRIES; i++)
        if (rdseed(&v) || rdrand(&v))
            return v;
    return jitter();
}

void cpu_entropy(void *buf, size_t size)
{
    uint8_t *p = buf;

    while (size) {
        uint64_t word = random_word();
        size_t n = min(size, sizeof(word));
        memcpy(p, &word, n);
        p += n;
        size -= n;
    }
}
