/* musl: splice: what moves, what stays, offsets, waiting, and what is refused. */
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

static void fill(int fd)
{
    int flags = works(fcntl(fd, F_GETFL));

    works(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
    while (write(fd, buf, 4096) > 0)
        ;
    works(fcntl(fd, F_SETFL, flags));
}

TEST(file_to_pipe_moves_the_offset)
{
    make_file("f", "0123456789");
    int fd = works(open("f", O_RDONLY));
    works(pipe(a));
    works(lseek(fd, 3, SEEK_SET));
    same(splice(fd, NULL, a[1], NULL, 4, 0), 4);
    same(lseek(fd, 0, SEEK_CUR), 7);
    holds(a[0], "3456");
}

TEST(file_to_pipe_with_an_offset_leaves_the_descriptor)
{
    off_t at = 5;
    make_file("f", "0123456789");
    int fd = works(open("f", O_RDONLY));
    works(pipe(a));
    same(splice(fd, &at, a[1], NULL, 100, 0), 5);
    same(at, 10);
    same(lseek(fd, 0, SEEK_CUR), 0);
    holds(a[0], "56789");
    same(splice(fd, &at, a[1], NULL, 100, 0), 0);
}

TEST(file_to_pipe_stops_when_the_pipe_is_full)
{
    int fd = file_of("f", sizeof(buf));
    works(pipe(a));
    same(splice(fd, NULL, a[1], NULL, sizeof(buf), 0), 65536);
    same(waiting(a[0]), 65536);
    same(read(a[0], out, 65536), 65536);
    same(memcmp(out, buf, 65536), 0);
}

TEST(file_to_pipe_counts_pages_not_bytes)
{
    int fd = file_of("f", sizeof(buf));
    off_t at = 100;
    works(pipe(a));
    works(fcntl(a[1], F_SETPIPE_SZ, 8192));
    same(splice(fd, &at, a[1], NULL, 3 * PAGE, 0), 2 * PAGE - 100);
    same(read(a[0], out, sizeof(out)), 2 * PAGE - 100);
    same(memcmp(out, buf + 100, 2 * PAGE - 100), 0);
}

TEST(a_hole_comes_as_zeroes)
{
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    works(ftruncate(fd, 3 * PAGE));
    same(pwrite(fd, "x", 1, PAGE), 1);
    works(pipe(a));
    same(splice(fd, NULL, a[1], NULL, 3 * PAGE, 0), 3 * PAGE);
    same(read(a[0], out, sizeof(out)), 3 * PAGE);
    for (size_t i = 0; i < 3 * PAGE; i++)
        same(out[i], i == PAGE ? 'x' : 0);
}

TEST(bytes_written_to_the_file_later_are_seen_or_not_but_never_others)
{
    int fd = file_of("f", PAGE);
    works(pipe(a));
    same(splice(fd, NULL, a[1], NULL, PAGE, 0), PAGE);
    works(ftruncate(fd, 0));
    same(waiting(a[0]), PAGE);
    same(read(a[0], out, PAGE), PAGE);
    for (size_t i = 0; i < PAGE; i++)
        check(out[i] == buf[i] || out[i] == 0, "the file's byte");
}

TEST(a_write_to_the_pipe_does_not_reach_the_file)
{
    make_file("f", "0123456789");
    int fd = works(open("f", O_RDONLY));
    off_t at = 0;
    works(pipe(a));
    same(write(a[1], out, PAGE), PAGE); /* a page that was written to, and then read empty */
    same(read(a[0], out, PAGE), PAGE);
    same(splice(fd, &at, a[1], NULL, 1, 0), 1);
    same(write(a[1], "BAD", 3), 3);
    holds(a[0], "0BAD");
    same(read(fd, out, 100), 10);
    same(memcmp(out, "0123456789", 10), 0);
}

TEST(a_write_behind_all_slots_does_not_reach_the_file)
{
    int fd = file_of("f", PAGE);
    works(pipe2(a, O_NONBLOCK));
    for (int i = 0; i < 16; i++) {
        off_t at = 0;
        same(splice(fd, &at, a[1], NULL, 10, 0), 10);
        same(write(a[1], "!", 1), i < 15 ? 1 : -1);
        same(read(a[0], out, i < 15 ? 1 : 0), i < 15 ? 1 : 0);
        if (i < 15)
            same(read(a[0], out, 10), 10);
        fill(a[1]);
        while (read(a[0], out, sizeof(out)) > 0)
            ;
        if (i == 14)
            break;
    }
    same(pread(fd, out, PAGE, 0), PAGE);
    same(memcmp(out, buf, PAGE), 0);
}

TEST(pipe_to_file_moves_the_offset)
{
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    works(pipe(a));
    same(write(a[1], "0123456789", 10), 10);
    works(lseek(fd, 2, SEEK_SET));
    same(splice(a[0], NULL, fd, NULL, 4, 0), 4);
    same(lseek(fd, 0, SEEK_CUR), 6);
    same(pread(fd, out, 100, 0), 6);
    same(memcmp(out,
                "\0\0"
                "0123",
                6),
         0);
    holds(a[0], "456789");
}

TEST(pipe_to_file_with_an_offset_leaves_the_descriptor)
{
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    off_t at = 1;
    works(pipe(a));
    same(write(a[1], "abc", 3), 3);
    same(splice(a[0], NULL, fd, &at, 100, 0), 3);
    same(at, 4);
    same(lseek(fd, 0, SEEK_CUR), 0);
    same(pread(fd, out, 100, 0), 4);
    same(memcmp(out, "\0abc", 4), 0);
}

TEST(whole_pages_reach_a_file)
{
    int fd = file_of("f", 0), from = file_of("g", 65536);
    works(pipe(a));
    same(write(a[1], buf, 65536), 65536);
    same(splice(a[0], NULL, fd, NULL, 65536, SPLICE_F_MOVE), 65536);
    same(pread(fd, out, sizeof(out), 0), 65536);
    same(memcmp(out, buf, 65536), 0);
    same(splice(from, NULL, a[1], NULL, 65536, SPLICE_F_MOVE), 65536);
    same(splice(a[0], NULL, fd, NULL, 65536, SPLICE_F_MOVE), 65536);
    same(pwrite(from, out + 1, 100, 0), 100); /* they are two files still */
    same(pread(fd, out, sizeof(out), 0), 131072);
    same(memcmp(out, buf, 65536), 0);
    same(memcmp(out + 65536, buf, 65536), 0);
}

TEST(pages_moved_into_a_file_are_not_written_by_the_pipe)
{
    int fd = file_of("f", 0);
    works(pipe(a));
    for (int round = 0; round < 40; round++) {
        memset(buf, 'a' + round % 20, PAGE);
        same(write(a[1], buf, PAGE), PAGE);
        same(splice(a[0], NULL, fd, NULL, PAGE, SPLICE_F_MOVE), PAGE);
    }
    for (int round = 0; round < 40; round++) {
        same(pread(fd, out, PAGE, (off_t)(round * PAGE)), PAGE);
        for (size_t i = 0; i < PAGE; i++)
            same(out[i], 'a' + round % 20);
    }
}

TEST(a_file_that_was_written_before_is_overwritten)
{
    int fd = file_of("f", 2 * PAGE);
    char *map = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
    memset(out, 'n', PAGE);
    works(pipe(a));
    same(write(a[1], out, PAGE), PAGE);
    same(splice(a[0], NULL, fd, NULL, PAGE, SPLICE_F_MOVE), PAGE);
    same(map[0], 'n');
    same(map[PAGE - 1], 'n');
    same(map[PAGE], buf[PAGE]);
}

TEST(pipe_to_pipe_moves)
{
    two_pipes(0);
    same(write(a[1], "hello world", 11), 11);
    same(splice(a[0], NULL, b[1], NULL, 5, 0), 5);
    same(waiting(a[0]), 6);
    same(waiting(b[0]), 5);
    holds(a[0], " world");
    holds(b[0], "hello");
}

TEST(pipe_to_pipe_keeps_order_with_writes)
{
    two_pipes(0);
    same(write(b[1], "first ", 6), 6);
    same(write(a[1], "second", 6), 6);
    same(splice(a[0], NULL, b[1], NULL, 100, 0), 6);
    same(write(b[1], " third", 6), 6);
    same(write(a[1], "other", 5), 5);
    holds(b[0], "first second third");
    holds(a[0], "other");
}

TEST(pipe_to_pipe_of_much_is_complete)
{
    enum { SIZE = 1 << 17 };
    two_pipes(0);
    works(fcntl(a[1], F_SETPIPE_SZ, SIZE));
    for (int i = 0; i < SIZE; i++)
        buf[i] = (char)(i * 31 >> 3);
    same(write(a[1], buf, SIZE), SIZE);
    same(splice(a[0], NULL, b[1], NULL, SIZE, 0), 65536);
    same(read(b[0], out, 65536), 65536);
    same(splice(a[0], NULL, b[1], NULL, SIZE, 0), 65536);
    same(read(b[0], out + 65536, 65536), 65536);
    same(memcmp(out, buf, SIZE), 0);
}

TEST(packets_stay_packets_on_their_way)
{
    works(pipe2(a, O_DIRECT | O_NONBLOCK));
    works(pipe2(b, O_NONBLOCK));
    same(write(a[1], "one", 3), 3);
    same(write(a[1], "two", 3), 3);
    same(splice(a[0], NULL, b[1], NULL, 100, 0), 6);
    holds(b[0], "one");
    holds(b[0], "two");
}

TEST(end_of_file_and_nothing_there_yet)
{
    two_pipes(0);
    int fd = file_of("f", 0);
    fails(splice(a[0], NULL, b[1], NULL, 10, SPLICE_F_NONBLOCK), EAGAIN);
    fails(splice(a[0], NULL, fd, NULL, 10, SPLICE_F_NONBLOCK), EAGAIN);
    fails(tee(a[0], b[1], 10, SPLICE_F_NONBLOCK), EAGAIN);
    works(close(a[1]));
    same(splice(a[0], NULL, b[1], NULL, 10, 0), 0);
    same(splice(a[0], NULL, fd, NULL, 10, 0), 0);
    same(tee(a[0], b[1], 10, 0), 0);
}

TEST(the_descriptors_own_nonblock_counts_too)
{
    two_pipes(O_NONBLOCK);
    int fd = file_of("f", PAGE);
    off_t at = 0;
    fails(splice(a[0], NULL, b[1], NULL, 10, 0), EAGAIN);
    fails(splice(a[0], NULL, fd, NULL, 10, 0), EAGAIN);
    fails(tee(a[0], b[1], 10, 0), EAGAIN);
    fill(a[1]);
    fill(b[1]);
    fails(splice(fd, &at, a[1], NULL, 10, 0), EAGAIN);
    fails(splice(a[0], NULL, b[1], NULL, 10, 0), EAGAIN);
    fails(tee(a[0], b[1], 10, 0), EAGAIN);
}

TEST(no_reader_is_epipe_and_a_signal)
{
    int fd = file_of("f", PAGE);
    struct iovec v = {buf, 10};
    pid_t pid;
    two_pipes(0);
    same(write(a[1], "x", 1), 1);
    works(close(b[0]));
    CHILD (pid) {
        splice(fd, NULL, b[1], NULL, 10, 0);
    }
    dies(pid, SIGPIPE);
    CHILD (pid) {
        tee(a[0], b[1], 10, 0);
    }
    dies(pid, SIGPIPE);
    signal(SIGPIPE, SIG_IGN);
    fails(splice(fd, NULL, b[1], NULL, 10, 0), EPIPE);
    fails(splice(a[0], NULL, b[1], NULL, 10, 0), EPIPE);
    fails(tee(a[0], b[1], 10, 0), EPIPE);
    fails(vmsplice(b[1], &v, 1, 0), EPIPE);
    same(waiting(a[0]), 1);
}

TEST(splice_waits_for_bytes)
{
    pid_t pid;
    two_pipes(0);
    CHILD (pid) {
        pause_a_little();
        same(write(a[1], "late", 4), 4);
    }
    same(splice(a[0], NULL, b[1], NULL, 100, 0), 4);
    exits(pid, 0);
    holds(b[0], "late");
}

TEST(splice_waits_for_room)
{
    pid_t pid;
    two_pipes(0);
    fill(b[1]);
    same(write(a[1], "more", 4), 4);
    CHILD (pid) {
        same(splice(a[0], NULL, b[1], NULL, 100, 0), 4);
    }
    for (size_t got = 0; got < 65536;)
        got += (size_t)works(read(b[0], out, 1000 < 65536 - got ? 1000 : 65536 - got));
    exits(pid, 0);
    holds(b[0], "more");
}

TEST(splice_wakes_who_polls_and_who_writes)
{
    pid_t pid;
    two_pipes(0);
    fill(a[1]);
    CHILD (pid) {
        same(write(a[1], buf, PAGE), PAGE); /* sleeps until there is room */
        struct pollfd entry = {b[0], POLLIN, 0};
        same(poll(&entry, 1, -1), 1);
    }
    pause_a_little();
    same(splice(a[0], NULL, b[1], NULL, 65536, 0), 65536);
    exits(pid, 0);
    same(waiting(a[0]), PAGE);
}

TEST(a_signal_ends_the_wait)
{
    pid_t pid;
    two_pipes(0);
    CHILD (pid) {
        splice(a[0], NULL, b[1], NULL, 10, 0);
    }
    pause_a_little();
    works(kill(pid, SIGTERM));
    dies(pid, SIGTERM);
}

TEST(a_chain_of_pipes_carries_a_file)
{
    enum { SIZE = 150000 };
    int from = file_of("f", SIZE), to = file_of("g", 0);
    pid_t pid[2];
    two_pipes(0);
    for (size_t i = 0; i < SIZE; i++)
        buf[i] = (char)(i * 31 >> 3);
    CHILD (pid[0]) {
        works(close(a[0]));
        while (works(splice(from, NULL, a[1], NULL, 10000, 0)) > 0)
            ;
    }
    CHILD (pid[1]) {
        works(close(a[1]));
        while (works(splice(a[0], NULL, b[1], NULL, 7777, 0)) > 0)
            ;
    }
    works(close(a[1]));
    works(close(b[1]));
    while (works(splice(b[0], NULL, to, NULL, 5000, 0)) > 0)
        ;
    exits(pid[0], 0);
    exits(pid[1], 0);
    same(pread(to, out, sizeof(out), 0), SIZE);
    same(memcmp(out, buf, SIZE), 0);
}

TEST(one_side_must_be_a_pipe)
{
    int f = file_of("f", 10), g = file_of("g", 10);
    works(pipe(a));
    fails(splice(f, NULL, g, NULL, 10, 0), EINVAL);
    fails(tee(f, a[1], 10, 0), EINVAL);
    fails(tee(a[0], f, 10, 0), EINVAL);
    struct iovec v = {buf, 1};
    fails(vmsplice(f, &v, 1, 0), EBADF);
}

TEST(a_pipe_to_itself_is_refused)
{
    works(pipe(a));
    same(write(a[1], "x", 1), 1);
    fails(splice(a[0], NULL, a[1], NULL, 1, 0), EINVAL);
    fails(tee(a[0], a[1], 1, 0), EINVAL);
    works(mkfifo("fifo", 0600));
    int r = works(open("fifo", O_RDWR)), w = works(open("fifo", O_RDWR));
    same(write(w, "x", 1), 1);
    fails(splice(r, NULL, w, NULL, 1, 0), EINVAL);
    fails(splice(r, NULL, r, NULL, 1, 0), EINVAL);
}

TEST(a_pipe_has_no_offset)
{
    off_t at = 0;
    int fd = file_of("f", 10);
    two_pipes(0);
    fails(splice(a[0], &at, b[1], NULL, 1, 0), ESPIPE);
    fails(splice(a[0], NULL, b[1], &at, 1, 0), ESPIPE);
    fails(splice(fd, NULL, b[1], &at, 1, 0), ESPIPE);
    fails(splice(a[0], &at, fd, NULL, 1, 0), ESPIPE);
    fails(splice(a[0], NOWHERE, b[1], NULL, 1, 0), ESPIPE);
}

TEST(descriptors_are_checked)
{
    int fd = file_of("f", 10);
    int read_only = works(open("f", O_RDONLY)), path = works(open("f", O_PATH));
    two_pipes(0);
    fails(splice(99, NULL, b[1], NULL, 1, 0), EBADF);
    fails(splice(a[0], NULL, 99, NULL, 1, 0), EBADF);
    fails(splice(a[1], NULL, b[1], NULL, 1, 0), EBADF);
    fails(splice(a[0], NULL, b[0], NULL, 1, 0), EBADF);
    fails(splice(a[0], NULL, read_only, NULL, 1, 0), EBADF);
    fails(splice(path, NULL, b[1], NULL, 1, 0), EBADF);
    fails(tee(a[1], b[1], 1, 0), EBADF);
    fails(tee(99, b[1], 1, 0), EBADF);
    int append = works(open("f", O_WRONLY | O_APPEND));
    fails(splice(a[0], NULL, append, NULL, 1, 0), EINVAL);
    fails(splice(works(open(".", O_RDONLY)), NULL, b[1], NULL, 1, 0), EINVAL);
    works(close(fd));
}

TEST(offsets_are_checked)
{
    off_t at = -1, far = INT64_MAX;
    int fd = file_of("f", 10);
    works(pipe(a));
    same(write(a[1], "x", 1), 1);
    fails(splice(fd, &at, a[1], NULL, 1, 0), EINVAL);
    fails(splice(a[0], NULL, fd, &at, 1, 0), EINVAL);
    fails(splice(fd, NOWHERE, a[1], NULL, 1, 0), EFAULT);
    fails(splice(a[0], NULL, fd, NOWHERE, 1, 0), EFAULT);
    fails(splice(fd, &far, a[1], NULL, 1, 0), EINVAL);
    holds(a[0], "x");
}

TEST(lengths_beyond_all_measure_are_cut)
{
    int fd = file_of("f", 100);
    two_pipes(0);
    same(splice(fd, NULL, a[1], NULL, (size_t)1 << 40, 0), 100);
    same(splice(a[0], NULL, b[1], NULL, (size_t)1 << 40, 0), 100);
    same(tee(b[0], a[1], (size_t)1 << 40, 0), 100);
    int to = file_of("g", 0);
    same(splice(b[0], NULL, to, NULL, 1UL << 31, 0), 100);
}

TEST(devices_take_part)
{
    int zero = works(open("/dev/zero", O_RDONLY)), null = works(open("/dev/null", O_RDWR));
    int random = works(open("/dev/urandom", O_RDONLY));
    works(pipe(a));
    memset(out, 1, 5000);
    same(splice(zero, NULL, a[1], NULL, 5000, 0), 5000);
    same(read(a[0], out, 5000), 5000);
    for (int i = 0; i < 5000; i++)
        same(out[i], 0);
    same(splice(random, NULL, a[1], NULL, 5000, 0), 5000);
    same(splice(a[0], NULL, null, NULL, 5000, 0), 5000);
    same(waiting(a[0]), 0);
}

TEST(files_that_make_no_pages_are_refused)
{
    int event = works(eventfd(1, 0)), full = works(open("/dev/full", O_WRONLY));
    int null = works(open("/dev/null", O_RDONLY));
    works(pipe(a));
    fails(splice(event, NULL, a[1], NULL, 8, 0), EINVAL);
    fails(splice(null, NULL, a[1], NULL, 8, 0), EINVAL);
    same(write(a[1], "12345678", 8), 8);
    fails(splice(a[0], NULL, event, NULL, 8, 0), EINVAL);
    fails(splice(a[0], NULL, full, NULL, 8, 0), EINVAL);
    holds(a[0], "12345678");
}

TEST(what_a_file_does_not_take_stays_in_the_pipe)
{
    struct rlimit limit = {6, RLIM_INFINITY};
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    signal(SIGXFSZ, SIG_IGN);
    works(setrlimit(RLIMIT_FSIZE, &limit));
    works(pipe(a));
    same(write(a[1], "0123456789", 10), 10);
    same(splice(a[0], NULL, fd, NULL, 10, 0), 6);
    fails(splice(a[0], NULL, fd, NULL, 10, 0), EFBIG);
    holds(a[0], "6789");
}

TEST(proc_files_of_the_machine_take_part_those_of_a_process_do_not)
{
    int fd = works(open("/proc/uptime", O_RDONLY));
    works(pipe(a));
    check(works(splice(fd, NULL, a[1], NULL, 4000, 0)) > 5, "two numbers");
    check(works(read(a[0], out, 4000)) > 5, "two numbers");
    fd = works(open("/proc/self/status", O_RDONLY));
    fails(splice(fd, NULL, a[1], NULL, 4000, 0), EINVAL);
}

int main(void)
{
    return tap_run("splice");
}
