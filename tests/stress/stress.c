/*
 * stress [SEED [SECONDS]]: eight processes do at random what a kernel has to stand.
 *
 * Each worker draws one operation after the other: fork a child that exits, is killed, or execs this
 * program again; map memory, write a pattern, share it copy-on-write with a child, change protections,
 * unmap in pieces; make, write, rename, truncate and remove files; send a known stream through a pipe
 * to a child. Whatever was written is read back and compared, so that memory or data of somebody else
 * shows. Operations may fail for want of memory or of descriptors, but only with those errors.
 *
 * The draw depends on SEED and the worker alone; how the workers interleave does not.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 8
#define FOLDER "/tmp/stress"
#define PAGE 4096
#define MAX_PAGES 64
#define MAX_FILE 20000
#define MAX_STREAM 200000
#define CHILD_FAILED 99

static const char *own_path;
static uint64_t random_state;
static unsigned worker;

static uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state >> 11) % below;
}

static _Noreturn void fail(const char *what)
{
    printf("stress: worker %u: %s (errno %d: %s)\n", worker, what, errno, strerror(errno));
    fflush(stdout);
    _exit(CHILD_FAILED);
}

/* Too little memory or too many processes is an answer, not a fault. */
static int is_shortage(void)
{
    return errno == ENOMEM || errno == EAGAIN || errno == EMFILE || errno == ENFILE ||
           errno == ENOSPC;
}

static unsigned char pattern(uint64_t key, size_t place)
{
    return (unsigned char)((key >> (place % 7)) ^ (place * 131));
}

static void fill(unsigned char *data, size_t length, uint64_t key)
{
    for (size_t i = 0; i < length; i++)
        data[i] = pattern(key, i);
}

static void verify(const unsigned char *data, size_t length, uint64_t key, const char *what)
{
    errno = 0;
    for (size_t i = 0; i < length; i++)
        if (data[i] != pattern(key, i))
            fail(what);
}

/* Wait for CHILD and see that it ended as told: by SIGNAL, or, when that is 0, with STATUS. */
static void expect_end(pid_t child, int signal, int status)
{
    int got;

    while (waitpid(child, &got, 0) != child)
        if (errno != EINTR)
            fail("waitpid");
    if (signal != 0 ? !WIFSIGNALED(got) || WTERMSIG(got) != signal
                    : !WIFEXITED(got) || WEXITSTATUS(got) != status)
        fail("a child ended otherwise than it should");
}

/* --- operations ------------------------------------------------------------------------------------- */

static void do_exit(void)
{
    int status = (int)draw(64);
    pid_t child = fork();

    if (child == 0)
        _exit(status);
    if (child > 0)
        expect_end(child, 0, status);
    else if (!is_shortage())
        fail("fork");
}

static void do_exec(void)
{
    char status[8];
    char *const argv[] = {(char *)own_path, "exit", status, NULL};
    char *const env[] = {NULL};
    pid_t child;

    snprintf(status, sizeof status, "%d", (int)draw(64));
    child = draw(2) ? fork() : vfork();
    if (child == 0) {
        execve(own_path, argv, env);
        _exit(is_shortage() ? atoi(status) : CHILD_FAILED);
    }
    if (child > 0)
        expect_end(child, 0, atoi(status));
    else if (!is_shortage())
        fail("fork");
}

static void do_kill(void)
{
    static const int signals[] = {SIGKILL, SIGTERM, SIGHUP, SIGUSR1};
    int signal = signals[draw(4)];
    int busy = (int)draw(2);
    pid_t child = fork();

    if (child == 0)
        for (;;)
            if (!busy)
                pause();
    if (child < 0) {
        if (!is_shortage())
            fail("fork");
        return;
    }
    if (kill(child, signal) < 0)
        fail("kill");
    expect_end(child, signal, 0);
}

static void do_family(void)
{
    pid_t child = fork();

    if (child == 0) {
        /* Grandchildren that outlive their parent are init's to reap. */
        for (uint64_t i = draw(4); i > 0; i--)
            if (fork() == 0) {
                if (draw(2))
                    usleep((useconds_t)draw(2000));
                _exit(0);
            }
        _exit(7);
    }
    if (child > 0)
        expect_end(child, 0, 7);
    else if (!is_shortage())
        fail("fork");
}

static void share_with_child(unsigned char *area, size_t length, uint64_t key)
{
    pid_t child = fork();

    if (child < 0) {
        if (!is_shortage())
            fail("fork");
        return;
    }
    if (child == 0) {
        verify(area, length, key, "a child does not see its parent's memory");
        fill(area, length, key + 1);
        verify(area, length, key + 1, "a child's own copy changed");
        _exit(0);
    }
    area[0] = pattern(key, 0);
    expect_end(child, 0, 0);
    verify(area, length, key, "a child changed its parent's memory");
}

static void do_memory(void)
{
    size_t pages = 1 + draw(MAX_PAGES);
    size_t length = pages * PAGE;
    uint64_t key = draw(UINT64_MAX);
    unsigned char *area =
        mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (area == MAP_FAILED) {
        if (!is_shortage())
            fail("mmap");
        return;
    }
    for (size_t i = 0; i < length; i += PAGE)
        if (area[i] != 0)
            fail("fresh memory is not zero");
    fill(area, length, key);
    if (draw(2))
        share_with_child(area, length, key);
    if (draw(2) && mprotect(area + draw(pages) * PAGE, PAGE, PROT_READ) < 0 && !is_shortage())
        fail("mprotect");
    verify(area, length, key, "private memory changed");
    /* In two pieces, so that the area is split. */
    size_t first = draw(pages) * PAGE;
    if (first > 0 && munmap(area, first) < 0)
        fail("munmap");
    if (area[first] != pattern(key, first))
        fail("unmapping took too much");
    if (munmap(area + first, length - first) < 0)
        fail("munmap");
}

static void read_back(const char *path, unsigned char *data, size_t length, uint64_t key)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t got = 0;

    if (fd < 0)
        fail("opening a file that was just made");
    while (got < length) {
        ssize_t piece = read(fd, data + got, 1 + draw(length - got));
        if (piece <= 0)
            fail("a file is shorter than what was written");
        got += (size_t)piece;
    }
    if (read(fd, data, 1) != 0)
        fail("a file is longer than what was written");
    close(fd);
    verify(data, length, key, "a file's content changed");
}

static void do_file(void)
{
    static unsigned char data[MAX_FILE];
    char path[64], other[64];
    size_t length = 1 + draw(MAX_FILE);
    uint64_t key = draw(UINT64_MAX);

    snprintf(path, sizeof path, FOLDER "/%u-%u", worker, (unsigned)draw(8));
    snprintf(other, sizeof other, FOLDER "/%u-other", worker);
    int fd = open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        if (!is_shortage())
            fail("creating a file");
        return;
    }
    fill(data, length, key);
    ssize_t written = write(fd, data, length);
    if (written < 0 && !is_shortage())
        fail("write");
    if (written > 0 && draw(2)) {
        written = 1 + (ssize_t)draw((uint64_t)written);
        if (ftruncate(fd, written) < 0)
            fail("ftruncate");
    }
    close(fd);
    const char *name = path;
    if (draw(2)) {
        if (rename(path, other) < 0)
            fail("rename");
        name = other;
    }
    if (written > 0)
        read_back(name, data, (size_t)written, key);
    if (unlink(name) < 0)
        fail("unlink");
}

static void send_stream(int fd, size_t length, uint64_t key)
{
    static unsigned char data[MAX_STREAM];
    size_t sent = 0;

    fill(data, length, key);
    while (sent < length) {
        ssize_t piece = write(fd, data + sent, 1 + draw(length - sent));
        if (piece <= 0)
            fail("writing to a pipe");
        sent += (size_t)piece;
    }
}

static void receive_stream(int fd, size_t length, uint64_t key)
{
    static unsigned char data[MAX_STREAM];
    size_t got = 0;

    for (;;) {
        ssize_t piece = read(fd, data + got, got < length ? 1 + draw(length - got) : 1);
        if (piece < 0)
            fail("reading from a pipe");
        if (piece == 0)
            break;
        if (got >= length)
            fail("a pipe gave more than was written");
        got += (size_t)piece;
    }
    errno = 0;
    if (got != length)
        fail("a pipe lost bytes");
    verify(data, length, key, "a pipe changed bytes");
}

static void do_pipe(void)
{
    size_t length = 1 + draw(draw(4) ? 5000 : MAX_STREAM);
    uint64_t key = draw(UINT64_MAX);
    int ends[2];

    if (pipe(ends) < 0) {
        if (!is_shortage())
            fail("pipe");
        return;
    }
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        send_stream(ends[1], length, key);
        _exit(0);
    }
    close(ends[1]);
    if (child > 0) {
        receive_stream(ends[0], length, key);
        expect_end(child, 0, 0);
    } else if (!is_shortage()) {
        fail("fork");
    }
    close(ends[0]);
}

static void do_descriptors(void)
{
    int fds[32];
    int count = 0;

    while (count < 32) {
        int fd = draw(2) || count == 0 ? open("/dev/null", O_RDWR | O_CLOEXEC)
                                       : dup(fds[draw((uint64_t)count)]);
        if (fd < 0) {
            if (!is_shortage())
                fail("open");
            break;
        }
        fds[count++] = fd;
    }
    for (int i = 0; i < count; i++)
        if (close(fds[i]) < 0)
            fail("close");
}

static void (*const operations[])(void) = {do_exit,   do_exec, do_kill, do_family,
                                           do_memory, do_file, do_pipe, do_descriptors};

/* --- the workers ------------------------------------------------------------------------------------- */

static time_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

static _Noreturn void work(unsigned number, uint64_t seed, time_t end)
{
    worker = number;
    random_state = seed * 0x9e3779b97f4a7c15 + number + 1;
    for (int i = 0; i < 8; i++)
        draw(2);
    while (now() < end)
        operations[draw(sizeof operations / sizeof operations[0])]();
    _exit(0);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "exit") == 0)
        _exit(atoi(argv[2]));
    own_path = argv[0];
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    time_t end = now() + (argc > 2 ? atoi(argv[2]) : 10);
    int failed = 0;

    if (mkdir(FOLDER, 0700) < 0 && errno != EEXIST)
        fail("making " FOLDER);
    for (unsigned i = 0; i < WORKERS; i++) {
        pid_t child = fork();
        if (child == 0)
            work(i, seed, end);
        if (child < 0)
            fail("fork");
    }
    for (int status; wait(&status) > 0;)
        failed += status != 0;
    rmdir(FOLDER);
    printf("stress: seed %llu: %d of %d workers failed\n", (unsigned long long)seed, failed,
           WORKERS);
    return failed != 0;
}
