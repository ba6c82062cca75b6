/* musl: tee and vmsplice: copies that share pages with another pipe or with the program, and never change. */
#define _GNU_SOURCE
#include "tap.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>

static char buf[200000], out[200000];
static int a[2], b[2];

static int file_of(const char *name, size_t size)
{
    int fd = works(open(name, O_RDWR | O_CREAT | O_TRUNC, 0600));

    for (size_t i = 0; i < size; i++)
        buf[i] = (char)(i * 31 >> 3);
    same(write(fd, buf, size), size);
    works(lseek(fd, 0, SEEK_SET));
    return fd;
}

static void holds(int fd, const char *text)
{
    size_t n = strlen(text);

    same(read(fd, out, sizeof(out)), n);
    check(memcmp(out, text, n) == 0, "\"%s\" expected, got \"%.*s\"", text, (int)n, out);
}

static int waiting(int fd)
{
    int n = -1;

    works(ioctl(fd, FIONREAD, &n));
    return n;
}

static void two_pipes(int flags)
{
    works(pipe2(a, flags));
    works(pipe2(b, flags));
}

TEST(tee_leaves_what_it_copies)
{
    two_pipes(0);
    same(write(a[1], "hello world", 11), 11);
    same(tee(a[0], b[1], 5, 0), 5);
    same(waiting(a[0]), 11);
    holds(b[0], "hello");
    same(tee(a[0], b[1], 100, 0), 11);
    holds(a[0], "hello world");
    holds(b[0], "hello world");
}

TEST(what_was_teed_is_not_changed_by_writes)
{
    two_pipes(0);
    same(write(a[1], "one", 3), 3);
    same(tee(a[0], b[1], 100, 0), 3);
    same(write(a[1], "two", 3), 3);
    same(write(b[1], "TWO", 3), 3);
    holds(a[0], "onetwo");
    holds(b[0], "oneTWO");
}

TEST(a_page_that_was_teed_is_not_used_again)
{
    two_pipes(0);
    for (int round = 0; round < 20; round++) {
        memset(buf, 'a' + round, PAGE);
        same(write(a[1], buf, PAGE), PAGE);
        same(tee(a[0], b[1], PAGE, 0), round < 16 ? PAGE : PAGE);
        same(read(a[0], out, PAGE), PAGE);
        same(write(a[1], "zzzz", 4), 4);
        same(read(a[0], out, 4), 4);
        same(read(b[0], out, PAGE), PAGE);
        for (size_t i = 0; i < PAGE; i++)
            same(out[i], 'a' + round);
    }
}

TEST(tee_of_a_part_of_a_page_that_is_then_consumed)
{
    two_pipes(0);
    memset(buf, 'q', PAGE);
    same(write(a[1], buf, PAGE), PAGE);
    same(tee(a[0], b[1], 100, 0), 100);
    same(read(a[0], out, PAGE), PAGE);
    memset(buf, 'r', PAGE);
    same(write(a[1], buf, PAGE), PAGE);
    same(read(b[0], out, PAGE), 100);
    for (int i = 0; i < 100; i++)
        same(out[i], 'q');
}

TEST(tee_fills_the_other_pipe_and_no_more)
{
    two_pipes(0);
    works(fcntl(b[1], F_SETPIPE_SZ, 8192));
    same(write(a[1], buf, 5 * PAGE), 5 * PAGE);
    same(tee(a[0], b[1], 5 * PAGE, 0), 2 * PAGE);
    same(waiting(a[0]), 5 * PAGE);
}

TEST(vmsplice_gives_memory_to_a_pipe)
{
    struct iovec v[2] = {{(void *)"hello ", 6}, {(void *)"world", 5}};
    works(pipe(a));
    same(vmsplice(a[1], v, 2, 0), 11);
    holds(a[0], "hello world");
}

TEST(vmsplice_over_pages_is_complete)
{
    struct iovec v = {buf + 50, 30000};
    for (size_t i = 0; i < sizeof(buf); i++)
        buf[i] = (char)(i * 31 >> 3);
    works(pipe(a));
    same(vmsplice(a[1], &v, 1, 0), 30000);
    same(read(a[0], out, sizeof(out)), 30000);
    same(memcmp(out, buf + 50, 30000), 0);
}

TEST(vmsplice_stops_when_the_pipe_is_full)
{
    char *map = mmap(NULL, 40 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec v = {map, 40 * PAGE};
    works(pipe(a));
    same(vmsplice(a[1], &v, 1, 0), 16 * PAGE);
    fails(vmsplice(a[1], &v, 1, SPLICE_F_NONBLOCK), EAGAIN);
    same(waiting(a[0]), 16 * PAGE);
}

TEST(a_gift_outlives_its_memory)
{
    char *map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec v = {map, 2 * PAGE};
    memset(map, 'g', 2 * PAGE);
    works(pipe(a));
    same(vmsplice(a[1], &v, 1, SPLICE_F_GIFT), 2 * PAGE);
    works(munmap(map, 2 * PAGE));
    char *again = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(again, 'h', 2 * PAGE);
    int fd = file_of("f", 0);
    same(splice(a[0], NULL, fd, NULL, 2 * PAGE, SPLICE_F_MOVE), 2 * PAGE);
    same(pread(fd, out, sizeof(out), 0), 2 * PAGE);
    for (size_t i = 0; i < 2 * PAGE; i++)
        same(out[i], 'g');
}

TEST(vmsplice_shows_what_is_written_to_the_page_later)
{
    char *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec v = {map, 1};
    map[0] = 'a';
    works(pipe(a));
    same(vmsplice(a[1], &v, 1, 0), 1);
    map[0] = 'b';
    same(write(a[1], "c", 1), 1);
    same(map[1], 0);
    holds(a[0], "bc");
}

TEST(vmsplice_beyond_a_mapped_files_end_is_efault)
{
    int fd = file_of("f", 100);
    char *map = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
    struct iovec v = {map, 2 * PAGE}, beyond = {map + PAGE, 1};
    works(pipe(a));
    fails(vmsplice(a[1], &beyond, 1, 0), EFAULT);
    same(vmsplice(a[1], &v, 1, 0), PAGE);
    same(read(a[0], out, sizeof(out)), PAGE);
    same(memcmp(out, buf, 100), 0);
}

TEST(vmsplice_of_memory_that_may_not_be_read)
{
    char *map = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec v = {map, 1}, kernel = {(void *)0xffffffff80000000, 1};
    works(pipe(a));
    fails(vmsplice(a[1], &v, 1, 0), EFAULT);
    fails(vmsplice(a[1], &kernel, 1, 0), EFAULT);
    same(waiting(a[0]), 0);
}

TEST(vmsplice_of_untouched_memory_is_zeroes)
{
    char *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec v = {map, PAGE};
    works(pipe(a));
    same(vmsplice(a[1], &v, 1, 0), PAGE);
    same(read(a[0], out, PAGE), PAGE);
    for (size_t i = 0; i < PAGE; i++)
        same(out[i], 0);
}

TEST(vmsplice_out_of_a_pipe_copies)
{
    struct iovec v[2] = {{out, 4}, {out + 100, 50}};
    works(pipe(a));
    same(write(a[1], "0123456789", 10), 10);
    same(vmsplice(a[0], v, 2, 0), 10);
    same(memcmp(out, "0123", 4), 0);
    same(memcmp(out + 100, "456789", 6), 0);
}

TEST(vmsplice_to_memory_that_is_not_there_takes_nothing)
{
    struct iovec v = {NOWHERE, 4};
    works(pipe(a));
    same(write(a[1], "0123", 4), 4);
    fails(vmsplice(a[0], &v, 1, 0), EFAULT);
    holds(a[0], "0123");
}

TEST(vmsplice_of_memory_that_ends_gives_what_is_there)
{
    char *map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    works(munmap(map + PAGE, PAGE));
    struct iovec v = {map + PAGE - 10, 20}, bad = {map + PAGE, 1};
    works(pipe(a));
    same(vmsplice(a[1], &v, 1, 0), 10);
    fails(vmsplice(a[1], &bad, 1, 0), EFAULT);
    same(waiting(a[0]), 10);
}

TEST(flags_are_checked_and_nothing_is_nothing)
{
    two_pipes(0);
    struct iovec v = {buf, 0};
    fails(splice(a[0], NULL, b[1], NULL, 1, 0x10), EINVAL);
    fails(tee(a[0], b[1], 1, 0x10), EINVAL);
    fails(vmsplice(a[1], &v, 1, 0x10), EINVAL);
    same(splice(a[0], NULL, b[1], NULL, 0, 0x10), 0);
    same(splice(99, NULL, 98, NULL, 0, 0), 0);
    fails(tee(a[0], b[1], 0, 0x10), EINVAL);
    same(tee(99, 98, 0, 0), 0);
    same(vmsplice(a[1], &v, 1, 0), 0);
    same(vmsplice(a[1], &v, 0, 0), 0);
    fails(vmsplice(99, &v, 1, 0), EBADF);
}

TEST(vmsplice_checks_its_vector)
{
    struct iovec v = {buf, (size_t)-1};
    works(pipe(a));
    fails(vmsplice(a[1], &v, 1, 0), EINVAL);
    fails(vmsplice(a[1], NOWHERE, 1, 0), EFAULT);
    fails(vmsplice(a[1], &v, 1025, 0), EINVAL);
    same(waiting(a[0]), 0);
}

int main(void)
{
    return tap_run("splicetee");
}
