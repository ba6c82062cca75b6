/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a short hash with a secret key. Who doesn't know the key can neither
 * predict it nor find collisions: so it makes sequence numbers and cookies that a stranger can't guess.
 * For whole 64-bit words only; the length stands in the last block as in the original.
 */
#pragma once

#include "lib/types.h"

#define SIPHASH_ROTATE(x, n) ((x) << (n) | (x) >> (64 - (n)))

static inline void siphash_rounds(uint64_t v[4], unsigned rounds)
{
    while (rounds--) {
        v[0] += v[1];
        v[1] = SIPHASH_ROTATE(v[1], 13) ^ v[0];
        v[0] = SIPHASH_ROTATE(v[0], 32);
        v[2] += v[3];
        v[3] = SIPHASH_ROTATE(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = SIPHASH_ROTATE(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = SIPHASH_ROTATE(v[1], 17) ^ v[2];
        v[2] = SIPHASH_ROTATE(v[2], 32);
    }
}

static inline uint64_t siphash(const uint64_t key[2], const uint64_t *words, unsigned n)
{
    uint64_t v[4] = {
        key[0] ^ 0x736f6d6570736575UL,
        key[1] ^ 0x646f72616e646f6dUL,
        key[0] ^ 0x6c7967656e657261UL,
        key[1] ^ 0x7465646279746573UL,
    };

    for (unsigned i = 0; i <= n; i++) {
        uint64_t word = i < n ? words[i] : (uint64_t)n * 8 << 56;
        v[3] ^= word;
        siphash_rounds(v, 2);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    siphash_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
