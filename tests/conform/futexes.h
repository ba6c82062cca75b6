/* What the tests of futexes have in common: words in shared memory, and children that sleep on them. */
#pragma once

#include "tap.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <abi/futex.h>

#define futex(...) syscall(SYS_futex, __VA_ARGS__)
#define load(word) __atomic_load_n(&(word), __ATOMIC_SEQ_CST)
#define store(word, value) __atomic_store_n(&(word), value, __ATOMIC_SEQ_CST)

typedef uint32_t word_t;

/* A page of zeroes that children share. */
static inline word_t *shared_words(void)
{
    void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(p != MAP_FAILED, "no memory");
    return p;
}

/* Does PID sleep? A child that does nothing but wait for a futex sleeps for that. */
static inline bool asleep(pid_t pid)
{
    char name[32], text[256] = "";
    snprintf(name, sizeof(name), "/proc/%d/stat", (int)pid);
    int fd = open(name, O_RDONLY);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    char *state = n > 0 ? strrchr(text, ')') : NULL;
    return state && state[2] == 'S';
}

/* The time in MILLISECONDS by CLOCK. */
static inline struct timespec in(clockid_t clock, long milliseconds)
{
    struct timespec t;
    works(clock_gettime(clock, &t));
    t.tv_nsec += milliseconds * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}
