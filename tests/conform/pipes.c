/* musl: pipes: order, blocking, end of file, EPIPE, and their limits. */
#define _GNU_SOURCE
#include "tap.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static char buf[1 << 17];
static int p[2];

TEST(bytes_come_out_in_order)
{
    works(pipe(p));
    same(write(p[1], "hello ", 6), 6);
    same(write(p[1], "world", 5), 5);
    same(read(p[0], buf, 3), 3);
    same(read(p[0], buf + 3, 100), 8);
    same(memcmp(buf, "hello world", 11), 0);
}

TEST(eof_after_last_writer_closes)
{
    works(pipe(p));
    int w = works(dup(p[1]));
    same(write(p[1], "x", 1), 1);
    works(close(p[1]));
    works(close(w));
    same(read(p[0], buf, 10), 1);
    same(read(p[0], buf, 10), 0);
    same(read(p[0], buf, 10), 0);
}

TEST(eof_when_the_writing_process_dies)
{
    pid_t pid;
    works(pipe(p));
    CHILD (pid) {
        same(write(p[1], "bye", 3), 3);
        kill(getpid(), SIGKILL);
    }
    works(close(p[1]));
    same(read(p[0], buf, 3), 3);
    same(read(p[0], buf, 3), 0);
    dies(pid, SIGKILL);
}

TEST(write_without_readers_is_epipe_when_sigpipe_is_ignored)
{
    signal(SIGPIPE, SIG_IGN);
    works(pipe(p));
    works(close(p[0]));
    fails(write(p[1], "x", 1), EPIPE);
    same(write(p[1], "", 0), 0);
}

TEST(write_without_readers_kills_by_sigpipe)
{
    pid_t pid;
    works(pipe(p));
    works(close(p[0]));
    CHILD (pid) {
        write(p[1], "x", 1);
    }
    dies(pid, SIGPIPE);
}

TEST(reader_sleeps_until_there_are_bytes)
{
    pid_t pid;
    works(pipe(p));
    CHILD (pid) {
        works(close(p[0]));
        for (int i = 0; i < 20; i++) {
            pause_a_little();
            same(write(p[1], "z", 1), 1);
        }
    }
    works(close(p[1]));
    int got = 0;
    ssize_t n;
    while ((n = read(p[0], buf, sizeof(buf))) > 0)
        got += (int)n;
    same(n, 0);
    same(got, 20);
    exits(pid, 0);
}

TEST(blocking_write_returns_when_all_is_written)
{
    enum { SIZE = 100000 };
    pid_t pid;
    works(pipe(p));
    CHILD (pid) {
        works(close(p[0]));
        for (int i = 0; i < SIZE; i++)
            buf[i] = (char)(i * 7);
        same(write(p[1], buf, SIZE), SIZE);
    }
    works(close(p[1]));
    int at = 0;
    ssize_t n;
    char part[777];
    while ((n = read(p[0], part, sizeof(part))) > 0)
        for (ssize_t i = 0; i < n; i++, at++)
            same(part[i], (char)(at * 7));
    same(at, SIZE);
    exits(pid, 0);
}

TEST(blocked_writer_dies_when_the_reader_goes)
{
    pid_t pid;
    works(pipe(p));
    CHILD (pid) {
        works(close(p[0]));
        write(p[1], buf, sizeof(buf));
    }
    same(read(p[0], buf, 100), 100);
    works(close(p[0]));
    dies(pid, SIGPIPE);
}

TEST(a_pipe_holds_64_kib)
{
    works(pipe2(p, O_NONBLOCK));
    same(write(p[1], buf, 65536), 65536);
    fails(write(p[1], "x", 1), EAGAIN);
    same(read(p[0], buf, 65536), 65536);
    fails(read(p[0], buf, 1), EAGAIN);
}

TEST(small_nonblocking_write_is_all_or_nothing)
{
    works(pipe2(p, O_NONBLOCK));
    same(write(p[1], buf, 65536), 65536);
    same(read(p[0], buf, 4095), 4095);
    fails(write(p[1], buf, 4096), EAGAIN);
    same(read(p[0], buf, 1), 1);
    same(write(p[1], buf, 4096), 4096);
}

TEST(large_nonblocking_write_is_partial)
{
    works(pipe2(p, O_NONBLOCK));
    same(write(p[1], buf, 100000), 65536);
}

TEST(records_of_pipe_buf_bytes_do_not_mix)
{
    enum { WRITERS = 4, RECORDS = 30 };
    static char record[4096];
    pid_t pid[WRITERS];
    works(pipe(p));
    for (int i = 0; i < WRITERS; i++)
        CHILD (pid[i]) {
            memset(record, 'a' + i, sizeof(record));
            for (int n = 0; n < RECORDS; n++)
                same(write(p[1], record, sizeof(record)), sizeof(record));
        }
    works(close(p[1]));
    for (int n = 0; n < WRITERS * RECORDS; n++) {
        for (size_t have = 0; have < sizeof(record);)
            have += (size_t)works(read(p[0], record + have, sizeof(record) - have));
        for (size_t i = 1; i < sizeof(record); i++)
            same(record[i], record[0]);
    }
    same(read(p[0], buf, 1), 0);
    for (int i = 0; i < WRITERS; i++)
        exits(pid[i], 0);
}

TEST(pipe2_flags_are_checked_and_applied)
{
    works(pipe2(p, O_CLOEXEC | O_NONBLOCK));
    same(fcntl(p[0], F_GETFD), FD_CLOEXEC);
    same(fcntl(p[1], F_GETFD), FD_CLOEXEC);
    same(fcntl(p[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    fails(pipe2(p, O_APPEND), EINVAL);
}

TEST(ends_go_one_way)
{
    works(pipe(p));
    fails(write(p[0], "x", 1), EBADF);
    fails(read(p[1], buf, 1), EBADF);
}

TEST(a_pipe_cannot_seek)
{
    works(pipe(p));
    fails(lseek(p[0], 0, SEEK_CUR), ESPIPE);
    fails(pread(p[0], buf, 1, 0), ESPIPE);
    fails(pwrite(p[1], buf, 1, 0), ESPIPE);
    fails(ftruncate(p[1], 0), EINVAL);
}

TEST(a_pipe_is_a_fifo_to_fstat)
{
    struct stat st;
    works(pipe(p));
    works(fstat(p[0], &st));
    check(S_ISFIFO(st.st_mode), "S_ISFIFO");
    same(st.st_mode & 0777, 0600);
    same(st.st_nlink, 1);
}

TEST(fionread_counts_what_is_inside)
{
    int n = -1;
    works(pipe(p));
    works(ioctl(p[0], FIONREAD, &n));
    same(n, 0);
    same(write(p[1], "12345", 5), 5);
    works(ioctl(p[0], FIONREAD, &n));
    same(n, 5);
}

TEST(a_faulting_read_consumes_nothing)
{
    works(pipe(p));
    same(write(p[1], "abc", 3), 3);
    fails(read(p[0], NOWHERE, 3), EFAULT);
    fails(write(p[1], NOWHERE, 3), EFAULT);
    same(read(p[0], buf, 10), 3);
}

TEST(a_ring_of_processes_passes_a_token)
{
    enum { RING = 8, ROUNDS = 50 };
    int pipes[RING][2];
    pid_t pid[RING];
    for (int i = 0; i < RING; i++)
        works(pipe(pipes[i]));
    for (int i = 0; i < RING; i++)
        CHILD (pid[i]) {
            for (int n = 0; n < ROUNDS; n++) {
                unsigned char token;
                same(read(pipes[i][0], &token, 1), 1);
                token++;
                same(write(pipes[(i + 1) % RING][1], &token, 1), 1);
            }
        }
    unsigned char token = 0;
    same(write(pipes[0][1], &token, 1), 1);
    for (int i = 0; i < RING; i++)
        exits(pid[i], 0);
    same(read(pipes[0][0], &token, 1), 1);
    same(token, (unsigned char)(RING * ROUNDS));
}

TEST(writers_of_all_sizes_finish_with_a_slow_reader)
{
    static const size_t sizes[3] = {1, 4096, 65536};
    pid_t pid[3];
    works(pipe(p));
    for (int i = 0; i < 3; i++)
        CHILD (pid[i]) {
            works(close(p[0]));
            for (int n = 0; n < 20; n++)
                same(write(p[1], buf, sizes[i]), sizes[i]);
        }
    works(close(p[1]));
    size_t got = 0;
    ssize_t n;
    while ((n = works(read(p[0], buf, 3000))) > 0)
        got += (size_t)n;
    same(got, 20 * (1 + 4096 + 65536));
    for (int i = 0; i < 3; i++)
        exits(pid[i], 0);
}

TEST(each_byte_goes_to_one_of_many_readers)
{
    enum { READERS = 5, BYTES = 500 };
    pid_t pid[READERS];
    int count[2];
    works(pipe(p));
    works(pipe(count));
    for (int i = 0; i < READERS; i++)
        CHILD (pid[i]) {
            char c;
            works(close(p[1]));
            while (read(p[0], &c, 1) == 1)
                same(write(count[1], &c, 1), 1);
        }
    for (int i = 0; i < BYTES; i++)
        same(write(p[1], "x", 1), 1);
    works(close(p[1]));
    for (int i = 0; i < READERS; i++)
        exits(pid[i], 0);
    works(close(count[1]));
    size_t got = 0;
    ssize_t n;
    while ((n = works(read(count[0], buf, sizeof(buf)))) > 0)
        got += (size_t)n;
    same(got, BYTES);
}

TEST(a_write_that_faults_half_way_shows_only_what_was_there)
{
    char *at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    works(munmap(at + PAGE, PAGE));
    memset(at, 'a', PAGE);
    works(pipe2(p, O_NONBLOCK));
    ssize_t wrote = write(p[1], at + PAGE - 100, 200), got;
    check(wrote == 100 || (wrote == -1 && errno == EFAULT), "100 bytes or EFAULT");
    got = read(p[0], buf, 1000);
    same(got, wrote);
    for (ssize_t i = 0; i < got; i++)
        same(buf[i], 'a');
}

TEST(capacity_can_be_changed)
{
    works(pipe2(p, O_NONBLOCK));
    same(fcntl(p[0], F_GETPIPE_SZ), 65536);
    same(fcntl(p[0], F_SETPIPE_SZ, 5000), 8192);
    same(write(p[1], buf, 65536), 8192);
    fails(fcntl(p[0], F_SETPIPE_SZ, 4096), EBUSY);
    same(fcntl(p[1], F_SETPIPE_SZ, 1 << 20), 1 << 20);
    same(write(p[1], buf, sizeof(buf)), sizeof(buf));
}

TEST(packet_mode_keeps_boundaries)
{
    works(pipe2(p, O_DIRECT | O_NONBLOCK));
    same(write(p[1], "first", 5), 5);
    same(write(p[1], "second", 6), 6);
    same(read(p[0], buf, 3), 3);
    same(memcmp(buf, "fir", 3), 0);
    same(read(p[0], buf, 100), 6);
    same(memcmp(buf, "second", 6), 0);
    fails(read(p[0], buf, 1), EAGAIN);
}

TEST(fifo_opener_that_came_and_went_releases_the_other_side)
{
    pid_t pid;
    works(mkfifo("fifo", 0600));
    for (int i = 0; i < 20; i++) {
        CHILD (pid) {
            works(close(works(open("fifo", O_RDONLY))));
        }
        works(close(works(open("fifo", O_WRONLY))));
        exits(pid, 0);
    }
}

TEST(fifo_without_a_writer_yet_is_not_hung_up)
{
    struct pollfd entry;
    works(mkfifo("fifo", 0600));
    int r = works(open("fifo", O_RDONLY | O_NONBLOCK));
    entry = (struct pollfd){r, POLLIN, 0};
    same(poll(&entry, 1, 0), 0);
    int w = works(open("fifo", O_WRONLY));
    works(close(w));
    same(poll(&entry, 1, 0), 1);
    same(entry.revents, POLLHUP);
    works(open("fifo", O_WRONLY));
    same(poll(&entry, 1, 0), 0);
}

TEST(fifo_meets_by_name)
{
    pid_t pid;
    works(mkfifo("fifo", 0600));
    CHILD (pid) {
        int fd = works(open("fifo", O_WRONLY));
        same(write(fd, "through", 7), 7);
    }
    int fd = works(open("fifo", O_RDONLY));
    same(read(fd, buf, 100), 7);
    same(read(fd, buf, 100), 0);
    exits(pid, 0);
}

TEST(fifo_nonblocking_open_rules)
{
    works(mkfifo("fifo", 0600));
    fails(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
    int r = works(open("fifo", O_RDONLY | O_NONBLOCK));
    same(read(r, buf, 1), 0);
    int w = works(open("fifo", O_WRONLY | O_NONBLOCK));
    fails(read(r, buf, 1), EAGAIN);
    same(write(w, "x", 1), 1);
    same(read(r, buf, 10), 1);
}

int main(void)
{
    return tap_run("pipes");
}
