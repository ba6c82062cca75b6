/* musl: The heap: what it gives is there, aligned, ours alone and kept; what is damaged ends the program. */
#define _GNU_SOURCE
#include <limits.h>
#include <malloc.h>
#include <pthread.h>

#include "tap.h"

/* Where the compiler can't see what is done with the pointer. */
static void *volatile hidden;

static void *hide(void *p)
{
    hidden = p;
    return hidden;
}

static void fill(void *p, size_t n)
{
    memset(p, (int)(n % 251), n);
}

static void check_filled(const unsigned char *p, size_t n, size_t how)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != how % 251)
            tap_fail("byte %zu of %zu is %d", i, n, p[i]);
}

TEST(blocks_do_not_overlap)
{
    static unsigned char *blocks[500];
    unsigned seed = 1;
    static size_t sizes[500];
    for (int round = 0; round < 20000; round++) {
        int i = rand_r(&seed) % 500;
        if (blocks[i]) {
            check_filled(blocks[i], sizes[i], sizes[i]);
            free(blocks[i]);
            blocks[i] = NULL;
        } else {
            sizes[i] = (size_t)rand_r(&seed) % (round % 50 ? 600 : 400000);
            blocks[i] = malloc(sizes[i]);
            same((uintptr_t)blocks[i] % 16, 0);
            check(malloc_usable_size(blocks[i]) >= sizes[i], "it is large enough");
            fill(blocks[i], sizes[i]);
        }
    }
}

TEST(realloc_keeps_what_was_there)
{
    unsigned char *p = NULL;
    static const size_t sizes[] = {1, 100, 50, 5000, 300000, 1000000, 400000, 20, 64};
    size_t before = 0;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        p = realloc(p, sizes[i]);
        check(p != NULL, "%zu bytes", sizes[i]);
        check_filled(p, before < sizes[i] ? before : sizes[i], before);
        fill(p, sizes[i]);
        before = sizes[i];
    }
    p = reallocarray(p, 10, 10);
    check_filled(p, 64, 64);
    free(p);
}

TEST(calloc_gives_zeroes)
{
    for (size_t n = 1; n < 500000; n = n * 3 + 1) {
        unsigned char *p = malloc(n);
        fill(p, n);
        free(p);
        p = calloc(n, 1);
        check_filled(p, n, 0);
        free(p);
    }
}

TEST(sizes_that_overflow_are_refused)
{
    volatile size_t huge = SIZE_MAX / 2, two = 3;
    errno = 0;
    check(calloc(huge, two) == NULL && errno == ENOMEM, "calloc");
    errno = 0;
    check(reallocarray(NULL, huge, two) == NULL && errno == ENOMEM, "reallocarray");
    errno = 0;
    check(malloc(huge + 10) == NULL && errno == ENOMEM, "malloc");
    void *p = malloc(10);
    check(realloc(p, huge + 10) == NULL, "realloc");
    free(p);
}

TEST(blocks_are_aligned_as_asked_for)
{
    for (size_t alignment = 8; alignment <= 1 << 20; alignment *= 2)
        for (size_t n = 1; n <= 300000; n = n * 17 + 3) {
            void *p, *q = aligned_alloc(alignment, n), *r = memalign(alignment, n);
            same(posix_memalign(&p, alignment, n), 0);
            check(p && q && r, "%zu bytes at a multiple of %zu", n, alignment);
            same((uintptr_t)p % alignment | (uintptr_t)q % alignment | (uintptr_t)r % alignment, 0);
            fill(p, n);
            fill(q, n);
            fill(r, n);
            free(q);
            p = realloc(p, n + 1000);
            check_filled(p, n, n);
            free(p);
            free(r);
        }
    same(posix_memalign((void **)&hidden, 3, 1), EINVAL);
}

TEST(freeing_nothing_is_nothing)
{
    errno = 17;
    free(NULL);
    same(errno, 17);
    void *p = malloc(0);
    free(p);
    p = malloc(1 << 20);
    free(p);
    same(errno, 17);
}

static void *churn(void *arg)
{
    unsigned seed = (unsigned)(long)arg;
    unsigned char *blocks[50] = {0};
    size_t sizes[50] = {0};
    for (int round = 0; round < 3000; round++) {
        int i = rand_r(&seed) % 50;
        if (blocks[i])
            check_filled(blocks[i], sizes[i], sizes[i]);
        if (round % 3) {
            free(blocks[i]);
            blocks[i] = malloc(sizes[i] = (size_t)rand_r(&seed) % 2000);
        } else {
            blocks[i] = realloc(blocks[i], sizes[i] = (size_t)rand_r(&seed) % 2000 + 1);
        }
        fill(blocks[i], sizes[i]);
    }
    for (int i = 0; i < 50; i++)
        free(blocks[i]);
    return NULL;
}

TEST(threads_share_the_heap)
{
    pthread_t threads[4];
    for (long i = 0; i < 4; i++)
        same(pthread_create(&threads[i], NULL, churn, (void *)(i + 1)), 0);
    for (int i = 0; i < 4; i++)
        same(pthread_join(threads[i], NULL), 0);
}

/* The process that does FN dies, by abort() or by a trap, with its complaint unseen. */
static void is_fatal(void (*fn)(void))
{
    pid_t pid;
    CHILD (pid) {
        close(2);
        fn();
    }
    int status = tap_reap(pid);
    check(WIFSIGNALED(status), "it ended with wait status %#x", (unsigned)status);
}

static void free_twice(void)
{
    hide(malloc(100));
    for (int i = 0; i < 2; i++)
        free(hidden);
}

static void free_inside(void)
{
    char *p = hide(malloc(100));
    free(hide(p + 16));
}

static void overrun(void)
{
    char *p = hide(malloc(100)), *q = hide(malloc(100));
    memset(hide(p), 0x41, (size_t)(q - p));
    free(hide(q));
    free(hide(p));
}

TEST(damage_is_fatal)
{
    is_fatal(free_twice);
    is_fatal(free_inside);
    is_fatal(overrun);
}

int main(void)
{
    return tap_run("libc_malloc");
}
