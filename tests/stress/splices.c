/*
 * splices [SEED [SECONDS]]: for a quarter of the time many processes do at random, on the same few pipes and
 * files, all that moves pages: read, write, splice, tee, vmsplice, sendfile, sizes that change, memory and files that
 * go away under what a pipe still holds. Nothing blocks for good, because nobody waits.
 *
 * Every byte anywhere has the high bit set, and what a page held before does not: a byte of somebody else's,
 * or of a page that was used again too early, shows. That no page is lost or freed twice is for the kernel's
 * own checks and the leak check to say: run with --debug --leak-check.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 8
#define PIPES 5
#define FILES 2
#define PAGE 4096
#define MOST 100000

static int pipes[PIPES][2], files[FILES];
static uint64_t random_state;
static unsigned char block[MOST];

static uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state >> 11) % below;
}

static _Noreturn void fail(const char *what)
{
    printf("splices: %s (errno %d: %s)\n", what, errno, strerror(errno));
    fflush(stdout);
    _exit(99);
}

/* A call may find nothing, no room or no memory; anything else is a fault. */
static long allowed(long result, const char *what)
{
    if (result < 0 && errno != EAGAIN && errno != ENOMEM && errno != EBUSY && errno != EINVAL &&
        errno != ENOSPC)
        fail(what);
    return result;
}

static size_t some_length(void)
{
    return 1 + draw(draw(3) ? 6000 : MOST);
}

static int reader(void)
{
    return pipes[draw(PIPES)][0];
}

static int writer(void)
{
    return pipes[draw(PIPES)][1];
}

static int some_file(void)
{
    return files[draw(FILES)];
}

/* Zero is what a hole of a file has, or memory that was not there. */
static void verify(long n)
{
    errno = 0;
    for (long i = 0; i < n; i++)
        if (block[i] && !(block[i] & 0x80))
            fail("a byte of something else");
}

static void do_read(void)
{
    verify(allowed(read(reader(), block, some_length()), "read"));
}

static void do_write(void)
{
    memset(block, (int)(0x80 | draw(128)), MOST);
    allowed(write(writer(), block, some_length()), "write");
    memset(block, 0x11, MOST); /* what must never be seen */
}

static void do_splice(void)
{
    allowed(splice(reader(), NULL, writer(), NULL, some_length(), SPLICE_F_NONBLOCK), "splice");
}

static void do_tee(void)
{
    allowed(tee(reader(), writer(), some_length(), SPLICE_F_NONBLOCK), "tee");
}

static void do_from_file(void)
{
    off_t at = (off_t)draw(MOST);

    if (draw(2))
        allowed(splice(some_file(), &at, writer(), NULL, some_length(), SPLICE_F_NONBLOCK),
                "splice from a file");
    else
        allowed(sendfile(writer(), some_file(), &at, some_length()), "sendfile");
}

static void do_to_file(void)
{
    off_t at = (off_t)(draw(2) ? draw(MOST) : draw(20) * PAGE);

    allowed(splice(reader(), NULL, some_file(), &at, some_length(), SPLICE_F_NONBLOCK),
            "splice to a file");
}

static void do_file(void)
{
    if (draw(3) == 0)
        allowed(ftruncate(some_file(), (off_t)draw(MOST)), "ftruncate");
    else
        verify(allowed(pread(some_file(), block, some_length(), (off_t)draw(MOST)), "pread"));
}

/* Memory that goes away while a pipe has it. */
static void do_memory(void)
{
    size_t size = (1 + draw(20)) * PAGE, at = draw(PAGE);
    unsigned char *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
                              (draw(2) ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1, 0);

    if (map == MAP_FAILED)
        return;
    if (draw(4))
        memset(map, (int)(0x80 | draw(128)), size);
    struct iovec v = {map + at, size - at};
    allowed(vmsplice(writer(), &v, 1, SPLICE_F_NONBLOCK | (draw(2) ? SPLICE_F_GIFT : 0)),
            "vmsplice");
    pid_t child = draw(10) ? -1 : fork();
    if (draw(2))
        map[at] = 0x81; /* a copy for one of the two, when there are two */
    if (child == 0)
        _exit(0);
    munmap(map, size);
    if (child > 0)
        waitpid(child, NULL, 0);
}

static void do_mapped_file(void)
{
    unsigned char *map = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, some_file(), 0);
    struct iovec v = {map, 1 + draw(4 * PAGE)};

    if (map == MAP_FAILED)
        return;
    long n = vmsplice(writer(), &v, 1, SPLICE_F_NONBLOCK); /* EFAULT beyond the file's end */
    if (n < 0 && errno != EFAULT)
        allowed(n, "vmsplice of a file");
    munmap(map, 4 * PAGE);
}

static void do_resize(void)
{
    allowed(fcntl(writer(), F_SETPIPE_SZ, (int)(PAGE << draw(6))), "F_SETPIPE_SZ");
}

/* A pipe of one's own in the place of a common one; seldom, or there would be none in common. */
static void do_exchange(void)
{
    unsigned i = (unsigned)draw(PIPES);

    if (i == 0 || draw(100))
        return;
    close(pipes[i][0]);
    close(pipes[i][1]);
    if (pipe2(pipes[i], O_NONBLOCK) < 0)
        fail("pipe2");
}

static void (*const operations[])(void) = {do_read,    do_read,    do_write,       do_write,
                                           do_splice,  do_splice,  do_tee,         do_tee,
                                           do_to_file, do_memory,  do_mapped_file, do_resize,
                                           do_file,    do_to_file, do_from_file,   do_exchange};

static time_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

static _Noreturn void work(uint64_t seed, time_t end)
{
    random_state = seed * 0x9e3779b97f4a7c15 + 1;
    for (int i = 0; i < 8; i++)
        draw(2);
    while (now() < end)
        for (int i = 0; i < 100; i++)
            operations[draw(sizeof operations / sizeof operations[0])]();
    _exit(0);
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    time_t end = now() + (argc > 2 ? atoi(argv[2]) : 40) / 4;
    int failed = 0;

    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < PIPES; i++)
        if (pipe2(pipes[i], O_NONBLOCK) < 0)
            fail("pipe2");
    for (int i = 0; i < FILES; i++) {
        char name[] = "/tmp/splices.0";
        name[sizeof name - 2] += (char)i;
        files[i] = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
        if (files[i] < 0 || unlink(name) < 0)
            fail("open");
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        pid_t child = fork();
        if (child == 0)
            work(seed * WORKERS + i, end);
        if (child < 0)
            fail("fork");
    }
    for (int status; wait(&status) > 0;)
        failed += status != 0;
    printf("splices: seed %llu: %d of %d workers failed\n", (unsigned long long)seed, failed,
           WORKERS);
    return failed != 0;
}
