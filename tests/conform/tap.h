/*
 * A small harness for tests that print TAP and behave the same on every kernel.
 *
 *      TEST(eof_after_last_writer_closes)
 *      {
 *          int p[2];
 *          works(pipe(p));
 *          works(close(p[1]));
 *          same(read(p[0], &byte, 1), 0);
 *      }
 *      int main(void) { return tap_run("pipe"); }
 *
 * Each TEST makes one claim, runs in a process and an empty directory of its own, and prints one line, `ok 1 -
 * pipe/eof_after_last_writer_closes`. The first expectation that isn't met ends it, with a line that says where,
 * what was expected and what came. Nothing that differs from run to run (ids, addresses, times) is printed.
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL

/* An address where nothing is mapped, of which the compiler knows nothing. */
static volatile uintptr_t tap_nowhere __attribute__((unused)) = 8;
#define NOWHERE ((void *)tap_nowhere)
#define TAP_MAX 128

static struct {
    const char *name;
    void (*run)(void);
} tap_tests[TAP_MAX];
static int tap_count;

#define TEST(claim)                                                 \
    static void test_##claim(void);                                 \
    __attribute__((constructor)) static void register_##claim(void) \
    {                                                               \
        tap_tests[tap_count].name = #claim;                         \
        tap_tests[tap_count++].run = test_##claim;                  \
    }                                                               \
    static void test_##claim(void)

/* The expectation at LINE isn't met: say so and end the test (or a child of it, which then exits with 99). */
#define tap_fail(...)                            \
    do {                                         \
        printf("# %s:%d: ", __FILE__, __LINE__); \
        printf(__VA_ARGS__);                     \
        printf("\n");                            \
        fflush(stdout);                          \
        _exit(99);                               \
    } while (0)

/* CONDITION holds; otherwise the rest says what was expected, as for printf. */
#define check(condition, ...)      \
    do {                           \
        if (!(condition))          \
            tap_fail(__VA_ARGS__); \
    } while (0)

/* EXPRESSION has the value EXPECTED (both as long). */
#define same(expression, expected)                                                      \
    do {                                                                                \
        long got_ = (long)(expression), want_ = (long)(expected);                       \
        if (got_ != want_)                                                              \
            tap_fail("%s: expected %ld, got %ld (errno: %s)", #expression, want_, got_, \
                     strerror(errno));                                                  \
    } while (0)

#define same_text(expression, expected)                                                            \
    do {                                                                                           \
        const char *got_ = (expression), *want_ = (expected);                                      \
        if (!got_ || strcmp(got_, want_) != 0)                                                     \
            tap_fail("%s: expected \"%s\", got \"%s\"", #expression, want_, got_ ? got_ : "NULL"); \
    } while (0)

/* The call doesn't return -1. Its value. */
#define works(expression)                                                            \
    ({                                                                               \
        __typeof__(expression) value_ = (expression);                                \
        if ((long)value_ == -1)                                                      \
            tap_fail("%s: expected success, got: %s", #expression, strerror(errno)); \
        value_;                                                                      \
    })

/* The call returns -1 with errno ERROR. */
#define fails(expression, error)                                                       \
    do {                                                                               \
        errno = 0;                                                                     \
        long got_ = (long)(expression);                                                \
        int errno_ = errno;                                                            \
        if (got_ != -1)                                                                \
            tap_fail("%s: expected %s, got %ld", #expression, #error, got_);           \
        if (errno_ != (error))                                                         \
            tap_fail("%s: expected %s, got errno %d: %s", #expression, #error, errno_, \
                     strerror(errno_));                                                \
    } while (0)

/* Run the block that follows in a child; PID is the child's id for the parent. The child exits with 0 behind it. */
#define CHILD(pid) for ((pid) = works(fork()); (pid) == 0; _exit(0))

/* The child's status, once it has ended. */
static inline int tap_reap(pid_t pid)
{
    int status = -1;
    pid_t got;
    do
        got = waitpid(pid, &status, 0);
    while (got < 0 && errno == EINTR);
    return got == pid ? status : -1;
}

/* The child ended by exit(CODE); by signal SIG. A child whose own expectation failed has said so already. */
#define exits(pid, code)                                                                 \
    do {                                                                                 \
        int status_ = tap_reap(pid);                                                     \
        if (!WIFEXITED(status_) || WEXITSTATUS(status_) != (code))                       \
            tap_fail("child: expected exit status %d, got wait status %#x", (int)(code), \
                     (unsigned)status_);                                                 \
    } while (0)
#define dies(pid, sig)                                                                      \
    do {                                                                                    \
        int status_ = tap_reap(pid);                                                        \
        if (!WIFSIGNALED(status_) || WTERMSIG(status_) != (sig))                            \
            tap_fail("child: expected death by signal %d, got wait status %#x", (int)(sig), \
                     (unsigned)status_);                                                    \
    } while (0)

/* A file with this text. */
static inline void make_file(const char *path, const char *text)
{
    int fd = works(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
    same(write(fd, text, strlen(text)), strlen(text));
    works(close(fd));
}

/* Let others run for a little while: between two tests of a condition, never instead of one. */
static inline void pause_a_little(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* Wait until CONDITION holds, for a minute of our own waking at most. */
#define wait_until(condition)                                    \
    do {                                                         \
        int tries_ = 0;                                          \
        while (!(condition)) {                                   \
            if (++tries_ > 60000)                                \
                tap_fail("%s: did not become true", #condition); \
            pause_a_little();                                    \
        }                                                        \
    } while (0)

static inline void tap_remove(int dirfd, const char *name)
{
    struct dirent *d;
    if (unlinkat(dirfd, name, 0) == 0 || (errno != EISDIR && errno != EPERM))
        return;
    int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    while (dir && (d = readdir(dir)))
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
            tap_remove(fd, d->d_name);
    if (dir)
        closedir(dir);
    unlinkat(dirfd, name, AT_REMOVEDIR);
}

static inline bool tap_one(int number, const char *area)
{
    fflush(stdout);
    works(mkdir("t", 0755));
    pid_t pid = works(fork());
    if (pid == 0) {
        works(chdir("t"));
        tap_tests[number].run();
        fflush(stdout);
        _exit(0);
    }
    int status = tap_reap(pid);
    tap_remove(AT_FDCWD, "t");
    if (WIFSIGNALED(status))
        printf("# died of signal %d\n", WTERMSIG(status));
    else if (status && WEXITSTATUS(status) != 99)
        printf("# ended with wait status %#x\n", (unsigned)status);
    printf("%s %d - %s/%s\n", status ? "not ok" : "ok", number + 1, area, tap_tests[number].name);
    return status == 0;
}

/* What main returns: 0 when all went well. */
static inline int tap_run(const char *area)
{
    char dir[] = "/tmp/conform-XXXXXX";
    int failed = 0;
    for (int fd = 3; fd < 256; fd++) /* what whoever started us left open */
        close(fd);
    umask(022);
    works(mkdtemp(dir) ? 0 : -1);
    works(chdir(dir));
    works(chmod(dir, 0755));
    for (int i = 0; i < tap_count; i++)
        failed += !tap_one(i, area);
    works(chdir("/"));
    tap_remove(AT_FDCWD, dir);
    printf("1..%d\n", tap_count);
    fflush(stdout);
    return failed ? 1 : 0;
}
