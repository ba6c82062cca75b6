/* SipHash-2-4 against the vectors of its authors: the key is 00 01 ... 0f, the message 00 01 ... */
#include "kernel/lib/siphash.h"

int printf(const char *format, ...);

int main(void)
{
    static const uint64_t key[2] = {0x0706050403020100UL, 0x0f0e0d0c0b0a0908UL};
    static const uint64_t expected[] = {0x726fdb47dd0e0e31UL, 0x93f5f5799a932462UL,
                                        0x3f2acc7f57c29bdbUL};
    int failed = 0;

    for (unsigned n = 0; n < ARRAY_SIZE(expected); n++) {
        uint64_t got = siphash(key, key, n);
        failed += got != expected[n];
        printf("%sok %u - %u words: %lx, expected %lx\n", got == expected[n] ? "" : "not ", n + 1,
               n, got, expected[n]);
    }
    return failed != 0;
}
