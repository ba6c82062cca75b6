/* The random number generator, as far as that can be judged from outside: no repeats, no holes, no bias. */
#include "dev/random.h"
#include "lib/string.h"
#include "tests/kernel/ktest.h"

KTEST(random, numbers_do_not_repeat)
{
    uint64_t seen[64];

    for (int i = 0; i < 64; i++) {
        seen[i] = random_u64();
        for (int j = 0; j < i; j++)
            KEXPECT(seen[i] != seen[j]);
    }
}

KTEST(random, every_length_is_filled_to_the_end_and_not_beyond)
{
    static uint8_t buf[600], or_all[600];

    for (size_t n = 1; n < 590; n += 7) {
        memset(or_all, 0, sizeof(or_all));
        for (int round = 0; round < 8; round++) {
            memset(buf, 0, sizeof(buf));
            random_bytes(buf, n);
            for (size_t i = 0; i < sizeof(buf); i++)
                or_all[i] |= buf[i];
        }
        for (size_t i = 0; i < sizeof(buf); i++)
            KEXPECT(i < n ? or_all[i] != 0 : or_all[i] == 0);
    }
}

KTEST(random, bits_are_balanced)
{
    static uint64_t words[1024];
    int ones = 0;

    random_bytes(words, sizeof(words));
    for (int i = 0; i < 1024; i++)
        for (uint64_t w = words[i]; w; w &= w - 1)
            ones++;
    /* 65536 fair coins: 32768, standard deviation 128; eight of those are one in 10^15. */
    KEXPECT(ones > 32768 - 1024 && ones < 32768 + 1024);
}

KTEST(random, stirring_in_keeps_going)
{
    uint64_t a = random_u64(), b;

    random_mix(&a, sizeof(a));
    random_mix(NULL, 0);
    b = random_u64();
    KEXPECT(a != b);
}
