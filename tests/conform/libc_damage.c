/*
 * A program that damages its own memory is told so, and ends by SIGABRT. Other libraries end such a program too, each
 * in its way: libc_malloc has the claim that holds for them.
 */
#include <pthread.h>

#include "tap.h"

/* What the process that did FN said before it ended has TEXT in it. */
static void is_told(void (*fn)(void), const char *text)
{
    char got[200] = "";
    int fds[2];
    pid_t pid;
    works(pipe(fds));
    CHILD (pid) {
        works(dup2(fds[1], 2));
        fn();
    }
    works(close(fds[1]));
    int status = tap_reap(pid);
    check(read(fds[0], got, sizeof(got) - 1) > 0, "a message");
    check(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "it ended with wait status %#x",
          (unsigned)status);
    check(strstr(got, text), "it said: %s", got);
}

/* The compiler must not know what becomes of it. */
static void *hide(void *p)
{
    static void *volatile hidden;
    hidden = p;
    return hidden;
}

static __attribute__((noinline)) void fill(volatile char *p, int n)
{
    for (int i = 0; i < n; i++)
        p[i] = 'A';
}

static __attribute__((noinline)) int smash(int n)
{
    char small[16];
    fill(small, n);
    return small[0];
}

/* The array and the canary behind it, but not the return address. */
static void smash_by_little(void)
{
    smash(32);
}

static void smash_by_much(void)
{
    smash(200);
}

TEST(a_smashed_stack)
{
    is_told(smash_by_little, "the stack is smashed");
    is_told(smash_by_much, "the stack is smashed");
}

static void *smash_here(void *unused)
{
    smash_by_much();
    return unused;
}

static void smash_in_thread(void)
{
    pthread_t thread;
    same(pthread_create(&thread, NULL, smash_here, NULL), 0);
    pthread_join(thread, NULL);
}

TEST(the_smashed_stack_of_a_thread)
{
    is_told(smash_in_thread, "the stack is smashed");
}

static void free_twice(void)
{
    void *p = malloc(100);
    free(hide(p));
    free(hide(p));
}

TEST(memory_freed_twice)
{
    is_told(free_twice, "freed twice");
}

static void free_large_twice(void)
{
    void *p = malloc(1 << 20);
    free(hide(p));
    free(hide(p));
}

static void free_large_again_and_again(void)
{
    for (int i = 0; i < 1000; i++) {
        char *p = malloc(1 << 20), *q = realloc(malloc(600000), 900000);
        p[0] = q[899999] = 1;
        free(p);
        free(q);
    }
    free_large_twice();
}

TEST(memory_of_its_own_mapping_freed_twice)
{
    is_told(free_large_twice, "freed twice");
    is_told(free_large_again_and_again, "freed twice");
}

static void free_inside(void)
{
    free(hide((char *)hide(malloc(100)) + 16));
}

static void free_unaligned(void)
{
    free(hide((char *)hide(malloc(100)) + 1));
}

static void free_of_array(void)
{
    static _Alignas(16) char array[64];
    free(hide(array + 32));
}

TEST(memory_that_malloc_never_gave)
{
    is_told(free_inside, "malloc: ");
    is_told(free_of_array, "malloc: ");
    is_told(free_unaligned, "not a pointer");
}

/* A block is filled beyond its end, up to the other: that one's header is lost. */
static void overrun(void)
{
    char *p = hide(malloc(100)), *q = hide(malloc(100));
    memset(hide(p < q ? p : q), 'A', (size_t)labs(q - p));
    free(hide(p));
    free(hide(q));
}

static void write_after_free(void)
{
    char *blocks[10];
    for (int i = 0; i < 10; i++)
        blocks[i] = hide(malloc(100));
    for (int i = 0; i < 10; i += 2)
        free(hide(blocks[i]));
    for (int i = 0; i < 10; i += 2)
        memset(hide(blocks[i]), 'A', 100);
    for (int i = 0; i < 10; i++)
        hide(malloc(100));
}

TEST(a_corrupted_heap)
{
    is_told(overrun, "malloc: ");
    is_told(write_after_free, "a free list is corrupted");
}

int main(void)
{
    return tap_run("libc_damage");
}
