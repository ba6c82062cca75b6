/*
 * The machine layer from inside: copies to and from user memory that stop exactly where they must,
 * functions that other CPUs run, a clock that doesn't go back.
 */
#include "tests/kernel/ktest.h"

#include <abi/mman.h>

#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "sched/sched.h"
#include "x86/clock.h"
#include "x86/cpu.h"
#include "x86/extable.h"
#include "x86/uaccess.h"

#define BASE 0x10000000UL
#define PAGES 2
#define EDGE (BASE + PAGES * PAGE_SIZE) /* nothing is mapped from here on */
#define LONGEST 200

static uint8_t kernel_buffer[2 * PAGE_SIZE];

/* An address space of PAGES writable pages at BASE, loaded on this thread. */
static struct mm *user_begin(void)
{
    struct mm *mm = mm_create();
    unsigned prot = PROT_READ | PROT_WRITE;

    mm_map(mm, BASE, PAGES * PAGE_SIZE, prot, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, NULL,
           0, NULL, NULL);
    mm_activate(mm);
    return mm;
}

static void user_end(struct mm *mm)
{
    mm_activate(NULL);
    mm_put(mm);
}

static void fill(uint8_t seed)
{
    for (size_t i = 0; i < sizeof(kernel_buffer); i++)
        kernel_buffer[i] = (uint8_t)(i * 7 + seed);
}

KTEST(uaccess, copies_keep_every_byte)
{
    struct mm *mm = user_begin();
    uint8_t back[320];

    for (size_t n = 0; n <= 300; n++) {
        for (size_t shift = 0; shift < 9; shift++) {
            fill((uint8_t)n);
            memset(back, 0xee, sizeof(back));
            KEXPECT_EQ(copy_to_user((void *)(BASE + shift), kernel_buffer + 3, n), 0);
            KEXPECT_EQ(copy_from_user(back + 1, (void *)(BASE + shift), n), 0);
            KEXPECT(!memcmp(back + 1, kernel_buffer + 3, n) && back[0] == 0xee &&
                    back[n + 1] == 0xee);
        }
    }
    user_end(mm);
}

KTEST(uaccess, copies_stop_at_the_bad_page)
{
    struct mm *mm = user_begin();

    KEXPECT_EQ(user_fault_in((void *)(EDGE - 1), true), 0);
    for (size_t n = 1; n <= LONGEST; n++) {
        for (size_t over = 1; over <= n; over++) {
            void *at = (void *)(EDGE - (n - over));
            fill((uint8_t)over);
            KEXPECT_EQ(copy_to_user_partial(at, kernel_buffer, n), over);
            memset(kernel_buffer + PAGE_SIZE, 0, LONGEST);
            KEXPECT_EQ(copy_from_user_partial(kernel_buffer + PAGE_SIZE, at, n), over);
            KEXPECT(!memcmp(kernel_buffer, kernel_buffer + PAGE_SIZE, n - over));
            KEXPECT_EQ(clear_user(at, n), over);
        }
    }
    user_end(mm);
}

KTEST(uaccess, a_failed_copy_in_leaves_zeroes)
{
    struct mm *mm = user_begin();
    uint64_t word = 1;

    KEXPECT_EQ(put_user((uint8_t)0x77, (uint8_t *)(EDGE - 1)), 0);
    fill(1);
    KEXPECT_EQ(copy_from_user(kernel_buffer, (void *)(EDGE - 1), 100), -EFAULT);
    KEXPECT_EQ(kernel_buffer[0], 0x77);
    KEXPECT_EQ(kernel_buffer[1] | kernel_buffer[99], 0);
    KEXPECT_EQ(get_user(word, (uint64_t *)EDGE), -EFAULT);
    KEXPECT_EQ(word, 0);
    user_end(mm);
}

KTEST(uaccess, kernel_addresses_are_refused)
{
    struct mm *mm = user_begin();
    static const uintptr_t bad[] = {USER_END,           USER_END - 4,  0x800000000000,
                                    0xffff888000000000, (uintptr_t)-8, (uintptr_t)-1};
    uint64_t word;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        void *p = (void *)bad[i];
        KEXPECT_EQ(get_user(word, (uint64_t *)p), -EFAULT);
        KEXPECT_EQ(put_user(1UL, (uint64_t *)p), -EFAULT);
        KEXPECT_EQ(copy_to_user(p, kernel_buffer, 100), -EFAULT);
        KEXPECT_EQ(copy_from_user(kernel_buffer, p, 100), -EFAULT);
        KEXPECT_EQ(strncpy_from_user((char *)kernel_buffer, p, 10), -EFAULT);
        KEXPECT_EQ(clear_user(p, 16), 16);
    }
    user_end(mm);
}

KTEST(uaccess, strings_end_where_they_end)
{
    struct mm *mm = user_begin();
    char text[64];

    for (size_t len = 0; len < 40; len++) {
        for (size_t shift = 0; shift < 9; shift++) {
            char *at = (char *)(EDGE - len - 1 - shift);
            memset(text, 'x', sizeof(text));
            KEXPECT_EQ(copy_to_user(at, text, len), 0);
            KEXPECT_EQ(put_user((char)0, at + len), 0);
            KEXPECT_EQ(strncpy_from_user(text, at, sizeof(text)), len);
            KEXPECT_EQ(strlen(text), len);
            KEXPECT_EQ(strncpy_from_user(text, at, len), -ENAMETOOLONG);
        }
    }
    KEXPECT_EQ(put_user('a', (char *)(EDGE - 1)), 0);
    KEXPECT_EQ(strncpy_from_user(text, (char *)(EDGE - 1), sizeof(text)), -EFAULT);
    user_end(mm);
}

KTEST(uaccess, what_may_not_sleep_does_not)
{
    struct mm *mm = user_begin();
    uint32_t *p = (uint32_t *)BASE, seen = 0;

    KEXPECT_EQ(copy_to_user_nofault(p, kernel_buffer, 10), 10);
    KEXPECT_EQ(load_user_u32_nofault(&seen, p), -EFAULT);
    KEXPECT_EQ(cmpxchg_user_u32(p, 0, 5, &seen), -EFAULT);
    KEXPECT_EQ(user_fault_in(p, true), 0);
    KEXPECT_EQ(cmpxchg_user_u32(p, 0, 5, &seen), 0);
    KEXPECT_EQ(seen, 0);
    KEXPECT_EQ(cmpxchg_user_u32(p, 0, 6, &seen), 0);
    KEXPECT_EQ(seen, 5);
    KEXPECT_EQ(load_user_u32_nofault(&seen, p), 0);
    KEXPECT_EQ(seen, 5);
    KEXPECT(irqs_enabled());
    user_end(mm);
}

KTEST(extable, any_address_may_be_looked_at)
{
    uint64_t word = 0, truth = 0x1122334455667788;

    KEXPECT(kernel_read_word(&word, (uintptr_t)&truth) && word == truth);
    KEXPECT(!kernel_read_word(&word, 8));
    KEXPECT(!kernel_read_word(&word, 0x8000000000000000));
    KEXPECT(!kernel_read_word(&word, 0xffffdead00000000));
}

static void count_call(void *arg)
{
    atomic_add((int *)arg, 1);
}

KTEST(ipi, a_call_reaches_every_other_cpu_before_it_returns)
{
    int calls = 0;

    for (int i = 1; i <= 100; i++) {
        cpu_call(~0UL, count_call, &calls);
        KEXPECT_EQ(atomic_load(&calls), i * (num_cpus - 1));
    }
    KEXPECT(irqs_enabled());
}

KTEST(clock, never_goes_back_on_any_cpu)
{
    nsec_t last = clock_monotonic();

    for (int i = 0; i < 200; i++) {
        sched_set_affinity(current, 1UL << (i % num_cpus));
        sched_sleep_until(last + 10 * NSEC_PER_USEC, WAIT_DEAF);
        nsec_t now = clock_monotonic();
        KEXPECT(now >= last + 10 * NSEC_PER_USEC);
        last = now;
    }
    sched_set_affinity(current, ~0UL);
}
