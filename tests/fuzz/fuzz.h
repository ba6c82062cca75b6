/*
 * What the fuzzers share: random numbers that follow from a seed alone, and children that do hostile things and
 * must end all the same. A child that doesn't end by itself within its time is killed, with its group; one that
 * even SIGKILL doesn't end is what we look for.
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOBODY \
    54322 /* a user with no other process: kill(-1) as this user reaches all that we left */
#define PATIENCE_MS 300
#define KILL_PATIENCE_MS 120000

static __thread uint64_t random_state; /* a thread that draws has a seed of its own */

static inline void random_seed(uint64_t seed)
{
    random_state = seed * 0x9e3779b97f4a7c15UL + 0x1234567;
}

static inline uint64_t draw(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1dUL >> 8;
}

static inline uint64_t below(uint64_t n)
{
    return draw() % n;
}

#define ONE_OF(array) ((array)[below(sizeof(array) / sizeof((array)[0]))])

static inline void die(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    fflush(stdout);
    _exit(1);
}

static inline void limit(int resource, rlim_t value)
{
    struct rlimit l = {value, value};
    setrlimit(resource, &l);
}

static inline void become_nobody(void)
{
    if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
        die("setresuid");
}

/* Waits for PID up to MS milliseconds. */
static inline bool ends_within(pid_t pid, int *status, int ms)
{
    for (int i = 0; i < ms; i++) {
        if (waitpid(pid, status, WNOHANG) == pid)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return false;
}

/* The child and what it left in its group is gone after this, or the test has failed. */
static inline int put_an_end_to(pid_t pid)
{
    int status = 0;
    if (!ends_within(pid, &status, PATIENCE_MS)) {
        kill(-pid, SIGKILL);
        kill(pid, SIGKILL);
        if (!ends_within(pid, &status, KILL_PATIENCE_MS)) {
            printf("a child survived SIGKILL for %d ms\n", KILL_PATIENCE_MS);
            exit(1);
        }
    }
    kill(-pid, SIGKILL);
    return status;
}

/* What children left behind and has ended. Only when no child of our own is being waited for. */
static inline void reap_orphans(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

/* Whatever moved out of its group. */
static inline void kill_leftovers(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        become_nobody();
        kill(-1, SIGKILL);
        _exit(0);
    }
    int status;
    if (!ends_within(pid, &status, KILL_PATIENCE_MS)) {
        printf("the cleaner did not end\n");
        exit(1);
    }
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

static inline void remove_tree(int dirfd, const char *name)
{
    struct dirent *d;
    if (unlinkat(dirfd, name, 0) == 0)
        return;
    int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    while (dir && (d = readdir(dir)))
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
            remove_tree(fd, d->d_name);
    if (dir)
        closedir(dir);
    unlinkat(dirfd, name, AT_REMOVEDIR);
}
