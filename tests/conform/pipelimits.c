/* musl: pipes: how much they hold, for whom, and what packets and odd arguments do. */
#define _GNU_SOURCE
#include "tap.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define NOBODY_ELSE 54321 /* a user who has no pipes yet */

static char buf[1 << 21];
static int p[2];

static int waiting(int fd)
{
    int n = -1;

    works(ioctl(fd, FIONREAD, &n));
    return n;
}

TEST(size_is_a_power_of_two_of_pages)
{
    works(pipe(p));
    same(fcntl(p[0], F_SETPIPE_SZ, 0), 4096);
    same(fcntl(p[0], F_SETPIPE_SZ, 1), 4096);
    same(fcntl(p[0], F_SETPIPE_SZ, 4097), 8192);
    same(fcntl(p[0], F_SETPIPE_SZ, 65537), 131072);
    same(fcntl(p[0], F_GETPIPE_SZ), 131072);
    same(fcntl(p[1], F_GETPIPE_SZ), 131072);
}

TEST(size_is_a_number_of_32_bits)
{
    works(pipe(p));
    fails(fcntl(p[0], F_SETPIPE_SZ, 0x80000001UL), EINVAL);
    fails(fcntl(p[0], F_SETPIPE_SZ, -1L), EINVAL);
    same(fcntl(p[0], F_GETPIPE_SZ), 65536);
    same(syscall(SYS_fcntl, p[0], F_SETPIPE_SZ, 1UL << 32), 4096);
}

TEST(an_ordinary_user_gets_a_mebibyte_and_no_more)
{
    works(pipe(p));
    works(setresuid(NOBODY_ELSE, NOBODY_ELSE, NOBODY_ELSE));
    same(fcntl(p[1], F_SETPIPE_SZ, 1 << 20), 1 << 20);
    fails(fcntl(p[1], F_SETPIPE_SZ, (1 << 20) + 1), EPERM);
    same(fcntl(p[1], F_GETPIPE_SZ), 1 << 20);
    works(fcntl(p[1], F_SETFL, O_NONBLOCK));
    same(write(p[1], buf, sizeof(buf)), 1 << 20);
}

TEST(a_large_pipe_may_be_kept_and_made_smaller)
{
    works(pipe(p));
    same(fcntl(p[1], F_SETPIPE_SZ, 1 << 20), 1 << 20);
    works(setresuid(NOBODY_ELSE, NOBODY_ELSE, NOBODY_ELSE));
    same(fcntl(p[1], F_SETPIPE_SZ, 1 << 20), 1 << 20);
    same(fcntl(p[1], F_SETPIPE_SZ, 1 << 19), 1 << 19);
}

TEST(beyond_the_soft_limit_pipes_are_small)
{
    enum { USUAL = 1024 };
    struct rlimit limit = {2 * USUAL + 50, 2 * USUAL + 50};
    works(setrlimit(RLIMIT_NOFILE, &limit));
    works(setresuid(NOBODY_ELSE + 1, NOBODY_ELSE + 1, NOBODY_ELSE + 1));
    for (int i = 0; i < USUAL; i++) {
        works(pipe(p));
        same(fcntl(p[0], F_GETPIPE_SZ), 65536);
    }
    int last = p[0];
    works(pipe2(p, O_NONBLOCK));
    same(fcntl(p[0], F_GETPIPE_SZ), 8192);
    same(write(p[1], buf, 65536), 8192);
    same(read(p[0], buf, 65536), 8192);
    fails(fcntl(p[0], F_SETPIPE_SZ, 65536), EPERM);
    same(fcntl(p[0], F_SETPIPE_SZ, 4096), 4096);
    same(fcntl(last, F_SETPIPE_SZ, 4096), 4096);
    same(fcntl(p[0], F_SETPIPE_SZ, 32768), 32768);
}

TEST(pages_are_given_back_with_the_pipe)
{
    works(setresuid(NOBODY_ELSE + 2, NOBODY_ELSE + 2, NOBODY_ELSE + 2));
    for (int i = 0; i < 3000; i++) {
        works(pipe(p));
        same(fcntl(p[0], F_GETPIPE_SZ), 65536);
        if (i % 3 == 0)
            same(fcntl(p[1], F_SETPIPE_SZ, 1 << 20), 1 << 20);
        works(close(p[0]));
        works(close(p[1]));
    }
}

TEST(a_pipe_may_shrink_to_what_it_holds)
{
    works(pipe2(p, O_NONBLOCK));
    same(write(p[1], buf, 3 * PAGE), 3 * PAGE);
    fails(fcntl(p[0], F_SETPIPE_SZ, 2 * PAGE), EBUSY);
    same(fcntl(p[0], F_GETPIPE_SZ), 65536);
    same(read(p[0], buf, PAGE), PAGE);
    same(fcntl(p[0], F_SETPIPE_SZ, 2 * PAGE), 2 * PAGE);
    fails(write(p[1], "x", 1), EAGAIN);
}

TEST(a_blocked_writer_goes_on_when_the_pipe_grows)
{
    pid_t pid;
    works(pipe(p));
    works(fcntl(p[0], F_SETPIPE_SZ, 4096));
    CHILD (pid) {
        same(write(p[1], buf, 3 * PAGE), 3 * PAGE);
    }
    wait_until(waiting(p[0]) == 4096);
    works(fcntl(p[0], F_SETPIPE_SZ, 65536));
    exits(pid, 0);
    same(waiting(p[0]), 3 * PAGE);
}

TEST(only_pipes_have_a_size)
{
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    fails(fcntl(fd, F_GETPIPE_SZ), EBADF);
    fails(fcntl(fd, F_SETPIPE_SZ, 4096), EBADF);
    fails(fcntl(works(open("/dev/null", O_RDWR)), F_GETPIPE_SZ), EBADF);
    fails(fcntl(99, F_GETPIPE_SZ), EBADF);
    works(mkfifo("fifo", 0600));
    fd = works(open("fifo", O_RDWR));
    same(fcntl(fd, F_GETPIPE_SZ), 65536);
    same(fcntl(fd, F_SETPIPE_SZ, 4096), 4096);
    fd = works(open("fifo", O_PATH));
    fails(fcntl(fd, F_GETPIPE_SZ), EBADF);
}

/* ---- packets ---- */

TEST(every_packet_takes_a_slot)
{
    works(pipe2(p, O_DIRECT | O_NONBLOCK));
    for (int i = 0; i < 16; i++)
        same(write(p[1], "x", 1), 1);
    fails(write(p[1], "x", 1), EAGAIN);
    same(waiting(p[0]), 16);
    same(read(p[0], buf, 100), 1);
    same(write(p[1], "yz", 2), 2);
}

TEST(a_long_packet_is_cut_at_pages)
{
    works(pipe2(p, O_DIRECT | O_NONBLOCK));
    same(write(p[1], buf, 2 * PAGE + 10), 2 * PAGE + 10);
    same(read(p[0], buf, sizeof(buf)), PAGE);
    same(read(p[0], buf, sizeof(buf)), PAGE);
    same(read(p[0], buf, sizeof(buf)), 10);
}

TEST(an_empty_write_makes_no_packet)
{
    works(pipe2(p, O_DIRECT | O_NONBLOCK));
    same(write(p[1], "", 0), 0);
    fails(read(p[0], buf, 1), EAGAIN);
}

TEST(packet_mode_is_the_writers_to_switch)
{
    works(pipe2(p, O_NONBLOCK));
    same(fcntl(p[1], F_GETFL) & O_DIRECT, 0);
    works(fcntl(p[1], F_SETFL, O_NONBLOCK | O_DIRECT));
    same(fcntl(p[1], F_GETFL) & O_DIRECT, O_DIRECT);
    same(write(p[1], "one", 3), 3);
    same(write(p[1], "two", 3), 3);
    works(fcntl(p[1], F_SETFL, O_NONBLOCK));
    same(write(p[1], "three", 5), 5);
    same(write(p[1], "four", 4), 4);
    same(read(p[0], buf, 100), 3);
    same(read(p[0], buf, 100), 3);
    same(read(p[0], buf, 100), 9);
}

TEST(a_packet_waits_for_its_reader_in_poll)
{
    works(pipe2(p, O_DIRECT));
    same(write(p[1], "packet", 6), 6);
    struct pollfd entry = {p[0], POLLIN, 0};
    same(poll(&entry, 1, 0), 1);
    same(read(p[0], buf, 1), 1);
    same(poll(&entry, 1, 0), 0);
}

TEST(what_a_short_read_leaves_of_a_packet_is_gone)
{
    works(pipe2(p, O_DIRECT | O_NONBLOCK));
    same(write(p[1], "abcdef", 6), 6);
    same(write(p[1], "gh", 2), 2);
    struct iovec v[2] = {{buf, 2}, {buf + 10, 2}};
    same(readv(p[0], v, 2), 4);
    same(buf[11], 'd');
    same(read(p[0], buf, 10), 2);
    same(buf[0], 'g');
}

/* ---- odd arguments ---- */

TEST(bytes_before_unmapped_memory_count)
{
    struct iovec v[2] = {{buf, PAGE}, {NOWHERE, 10}};
    works(pipe2(p, O_NONBLOCK));
    same(writev(p[1], v, 2), PAGE);
    same(waiting(p[0]), PAGE);
    v[0].iov_len = 10;
    fails(writev(p[1], v, 2), EFAULT);
    same(waiting(p[0]), PAGE);
}

TEST(a_read_into_memory_that_ends_takes_no_more_than_it_gave)
{
    char *at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    works(munmap(at + PAGE, PAGE));
    works(pipe2(p, O_NONBLOCK));
    for (size_t i = 0; i < 3 * PAGE; i++)
        buf[i] = (char)(i / 7);
    same(write(p[1], buf, 3 * PAGE), 3 * PAGE);
    same(read(p[0], at, 3 * PAGE), PAGE);
    same(memcmp(at, buf, PAGE), 0);
    same(waiting(p[0]), 2 * PAGE);
    fails(read(p[0], at + PAGE, 10), EFAULT);
    same(waiting(p[0]), 2 * PAGE);
}

TEST(lengths_of_2_gib_are_cut_and_negative_ones_refused)
{
    volatile size_t large = 1UL << 31, negative = (size_t)-1; /* the compiler would object */
    volatile int minus_one = -1;
    works(pipe2(p, O_NONBLOCK));
    same(write(p[1], buf, large), 65536);
    same(read(p[0], buf, large), 65536);
    fails(write(p[1], buf, negative), EFAULT);
    fails(read(p[0], buf, negative), EFAULT);
    struct iovec v = {buf, negative};
    fails(writev(p[1], &v, 1), EINVAL);
    fails(writev(p[1], &v, minus_one), EINVAL);
    same(waiting(p[0]), 0);
}

TEST(pieces_of_a_vector_are_one_write)
{
    enum { WRITERS = 3, RECORDS = 200 };
    pid_t pid[WRITERS];
    works(pipe(p));
    for (int i = 0; i < WRITERS; i++)
        CHILD (pid[i]) {
            char c[3] = {(char)('a' + i), (char)('a' + i), '\n'};
            struct iovec v[3] = {{c, 1}, {c + 1, 1}, {c + 2, 1}};
            for (int n = 0; n < RECORDS; n++)
                same(writev(p[1], v, 3), 3);
        }
    works(close(p[1]));
    char record[3];
    for (int n = 0; n < WRITERS * RECORDS; n++) {
        for (size_t have = 0; have < 3;)
            have += (size_t)works(read(p[0], record + have, 3 - have));
        same(record[0], record[1]);
        same(record[2], '\n');
    }
    for (int i = 0; i < WRITERS; i++)
        exits(pid[i], 0);
}

TEST(a_result_that_cannot_be_stored_makes_no_pipe)
{
    fails(syscall(SYS_pipe2, NOWHERE, 0), EFAULT);
    fails(syscall(SYS_pipe, (void *)-1L), EFAULT);
    same(works(open("/dev/null", O_RDONLY)), 3);
}

TEST(no_descriptors_left_is_emfile)
{
    struct rlimit limit = {4, 4};
    works(setrlimit(RLIMIT_NOFILE, &limit));
    fails(pipe(p), EMFILE);
    same(works(open("/dev/null", O_RDONLY)), 3);
}

TEST(what_pipes_cannot_do)
{
    works(pipe(p));
    fails(lseek(p[1], 0, SEEK_END), ESPIPE);
    fails(fsync(p[0]), EINVAL);
    fails(fdatasync(p[1]), EINVAL);
    same((long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, p[0], 0), -1);
    same(errno, ENODEV);
    fails(fallocate(p[1], 0, 0, 10), ESPIPE);
    fails(posix_fadvise(p[0], 0, 0, POSIX_FADV_NORMAL) == ESPIPE ? (errno = ESPIPE, -1) : 0,
          ESPIPE);
    fails(ioctl(p[0], 0x12345678, 0), ENOTTY);
    fails(ioctl(p[0], FIONREAD, NOWHERE), EFAULT);
    fails(readahead(p[0], 0, 10), EINVAL);
}

TEST(both_ends_tell_how_much_waits)
{
    works(pipe(p));
    same(write(p[1], "abc", 3), 3);
    same(waiting(p[1]), 3);
    same(read(p[0], buf, 1), 1);
    same(waiting(p[0]), 2);
    same(waiting(p[1]), 2);
}

TEST(proc_names_a_pipe_by_its_inode)
{
    char link[64], text[300] = "", expected[64];
    struct stat st, other;
    works(pipe2(p, O_NONBLOCK));
    works(fstat(p[0], &st));
    works(fstat(p[1], &other));
    same(st.st_ino, other.st_ino);
    snprintf(expected, sizeof(expected), "pipe:[%lu]", (unsigned long)st.st_ino);
    for (int i = 0; i < 2; i++) {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", p[i]);
        same(readlink(link, text, sizeof(text) - 1), strlen(expected));
        text[strlen(expected)] = 0;
        same_text(text, expected);
    }
    snprintf(link, sizeof(link), "/proc/self/fdinfo/%d", p[1]);
    int fd = works(open(link, O_RDONLY));
    check(works(read(fd, text, sizeof(text) - 1)) > 0, "some lines");
    check(strncmp(text, "pos:\t0\nflags:\t04001\n", 20) == 0, "got %s", text);
}

TEST(ten_thousand_pipes_are_open_at_once)
{
    enum { CHILDREN = 10, EACH = 1000 };
    struct rlimit limit = {2 * EACH + 50, 2 * EACH + 50};
    static int ends[EACH][2];
    int ready[2], go[2];
    pid_t pid[CHILDREN];
    char c;
    works(setrlimit(RLIMIT_NOFILE, &limit));
    works(pipe(ready));
    works(pipe(go));
    for (int n = 0; n < CHILDREN; n++)
        CHILD (pid[n]) {
            works(close(go[1]));
            for (int i = 0; i < EACH; i++) {
                works(pipe(ends[i]));
                if (i % 10 == 0)
                    same(write(ends[i][1], &i, sizeof(i)), sizeof(i));
            }
            same(write(ready[1], "", 1), 1);
            same(read(go[0], &c, 1), 0); /* until all are there */
            for (int i = 0; i < EACH; i += 10) {
                int got = -1;
                same(read(ends[i][0], &got, sizeof(got)), sizeof(got));
                same(got, i);
            }
        }
    works(close(ready[1]));
    for (int n = 0; n < CHILDREN; n++)
        same(read(ready[0], &c, 1), 1);
    works(close(go[1]));
    for (int n = 0; n < CHILDREN; n++)
        exits(pid[n], 0);
}

int main(void)
{
    return tap_run("pipelimits");
}
