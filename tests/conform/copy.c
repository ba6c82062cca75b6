/* musl: sendfile and copy_file_range. */
#define _GNU_SOURCE
#include "tap.h"

#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>

static char buf[200000];

static int source(const char *text)
{
    make_file("source", text);
    return works(open("source", O_RDWR));
}

static int target(void)
{
    return works(open("target", O_RDWR | O_CREAT | O_TRUNC, 0600));
}

#define copy(...) syscall(SYS_copy_file_range, __VA_ARGS__)

TEST(sendfile_moves_both_offsets)
{
    int in = source("0123456789"), out = target();
    works(lseek(in, 2, SEEK_SET));
    same(sendfile(out, in, NULL, 5), 5);
    same(lseek(in, 0, SEEK_CUR), 7);
    same(lseek(out, 0, SEEK_CUR), 5);
    same(pread(out, buf, 10, 0), 5);
    same(memcmp(buf, "23456", 5), 0);
}

TEST(sendfile_with_offset_leaves_the_descriptors)
{
    int in = source("0123456789"), out = target();
    off_t offset = 4;
    same(sendfile(out, in, &offset, 100), 6);
    same(offset, 10);
    same(lseek(in, 0, SEEK_CUR), 0);
    same(sendfile(out, in, &offset, 100), 0);
}

TEST(sendfile_to_a_pipe)
{
    int in = source("through a pipe"), p[2];
    works(pipe(p));
    same(sendfile(p[1], in, NULL, 100), 14);
    same(read(p[0], buf, 100), 14);
    same(memcmp(buf, "through a pipe", 14), 0);
}

TEST(sendfile_is_complete_for_large_files)
{
    int in = works(open("source", O_RDWR | O_CREAT, 0600)), out = target();
    for (size_t i = 0; i < sizeof(buf); i++)
        buf[i] = (char)(i * 31 >> 3);
    same(write(in, buf, sizeof(buf)), sizeof(buf));
    works(lseek(in, 0, SEEK_SET));
    same(sendfile(out, in, NULL, sizeof(buf)), sizeof(buf));
    memset(buf, 0, sizeof(buf));
    same(pread(out, buf, sizeof(buf), 0), sizeof(buf));
    for (size_t i = 0; i < sizeof(buf); i++)
        same(buf[i], (char)(i * 31 >> 3));
}

TEST(sendfile_checks_its_arguments)
{
    int in = source("x"), out = target(), p[2];
    off_t negative = -1;
    works(pipe(p));
    fails(sendfile(99, in, NULL, 1), EBADF);
    fails(sendfile(out, 99, NULL, 1), EBADF);
    fails(sendfile(out, in, &negative, 1), EINVAL);
    fails(syscall(SYS_sendfile, out, in, NOWHERE, 1), EFAULT);
    fails(sendfile(works(open("source", O_RDONLY)), in, NULL, 1), EBADF);
    int append = works(open("target", O_WRONLY | O_APPEND));
    fails(sendfile(append, in, NULL, 1), EINVAL);
}

TEST(copy_file_range_copies)
{
    int in = source("0123456789"), out = target();
    same(copy(in, NULL, out, NULL, 4, 0), 4);
    same(copy(in, NULL, out, NULL, 100, 0), 6);
    same(copy(in, NULL, out, NULL, 100, 0), 0);
    same(pread(out, buf, 20, 0), 10);
    same(memcmp(buf, "0123456789", 10), 0);
}

TEST(copy_file_range_takes_offsets)
{
    int in = source("0123456789"), out = target();
    off_t from = 3, to = 5;
    same(copy(in, &from, out, &to, 4, 0), 4);
    same(from, 7);
    same(to, 9);
    same(lseek(in, 0, SEEK_CUR), 0);
    same(lseek(out, 0, SEEK_CUR), 0);
    same(pread(out, buf, 20, 0), 9);
    same(memcmp(buf,
                "\0\0\0\0\0"
                "3456",
                9),
         0);
}

TEST(copy_file_range_within_a_file)
{
    int fd = source("0123456789");
    off_t from = 0, to = 5;
    same(copy(fd, &from, fd, &to, 5, 0), 5);
    same(pread(fd, buf, 20, 0), 10);
    same(memcmp(buf, "0123401234", 10), 0);
    from = 0, to = 2;
    fails(copy(fd, &from, fd, &to, 5, 0), EINVAL);
}

TEST(copy_file_range_checks_its_arguments)
{
    int in = source("x"), out = target(), p[2];
    works(pipe(p));
    fails(copy(in, NULL, out, NULL, 1, 1), EINVAL);
    fails(copy(99, NULL, out, NULL, 1, 0), EBADF);
    fails(copy(in, NULL, works(open("target", O_RDONLY)), NULL, 1, 0), EBADF);
    fails(copy(in, NULL, works(open("target", O_WRONLY | O_APPEND)), NULL, 1, 0), EBADF);
    fails(copy(p[0], NULL, out, NULL, 1, 0), EINVAL);
    fails(copy(works(open(".", O_RDONLY)), NULL, out, NULL, 1, 0), EISDIR);
    same(copy(in, NULL, out, NULL, 0, 0), 0);
}

TEST(what_is_copied_comes_before_how_it_is_open)
{
    int in = source("x"), p[2];
    int read_only = works(open("source", O_RDONLY)), dir = works(open(".", O_RDONLY));
    works(pipe(p));
    fails(copy(in, NULL, read_only, NULL, 1, 0), EBADF);
    fails(copy(dir, NULL, read_only, NULL, 1, 0), EISDIR);
    fails(copy(p[0], NULL, read_only, NULL, 1, 0), EINVAL);
    fails(copy(p[1], NULL, in, NULL, 1, 0), EINVAL);
    fails(copy(in, NULL, 99, NULL, 1, 0), EBADF);
}

TEST(sendfile_to_a_pipe_stops_when_it_is_full)
{
    int in = works(open("source", O_RDWR | O_CREAT, 0600)), p[2];
    works(pipe(p));
    same(write(in, buf, 100000), 100000);
    works(lseek(in, 0, SEEK_SET));
    same(sendfile(p[1], in, NULL, 100000), 65536);
    same(lseek(in, 0, SEEK_CUR), 65536);
    works(fcntl(p[1], F_SETFL, O_NONBLOCK));
    fails(sendfile(p[1], in, NULL, 100000), EAGAIN);
    same(read(p[0], buf, 4096), 4096);
    same(sendfile(p[1], in, NULL, 100000), 4096);
}

TEST(sendfile_to_a_pipe_that_nobody_reads)
{
    int in = source("x"), p[2];
    signal(SIGPIPE, SIG_IGN);
    works(pipe(p));
    works(close(p[0]));
    fails(sendfile(p[1], in, NULL, 1), EPIPE);
    same(lseek(in, 0, SEEK_CUR), 0);
}

TEST(sendfile_takes_from_what_has_an_offset)
{
    int out = target(), p[2];
    off_t offset = 0;
    works(pipe(p));
    same(write(p[1], "abc", 3), 3);
    fails(sendfile(out, p[0], NULL, 3), EINVAL);
    fails(sendfile(out, p[0], &offset, 3), ESPIPE);
    fails(sendfile(out, works(open(".", O_RDONLY)), NULL, 3), EINVAL);
    same(read(p[0], buf, 10), 3);
}

TEST(sendfile_to_itself_goes_forward)
{
    int in = source("0123456789"), out = works(open("source", O_WRONLY));
    works(lseek(out, 5, SEEK_SET));
    same(sendfile(out, in, NULL, 5), 5);
    same(pread(in, buf, 100, 0), 10);
    same(memcmp(buf, "0123401234", 10), 0);
}

TEST(sendfile_of_nothing)
{
    int in = source("abc"), out = target();
    off_t far = 100;
    same(sendfile(out, in, NULL, 0), 0);
    same(sendfile(out, in, &far, 10), 0);
    same(far, 100);
    fails(sendfile(out, in, NULL, (size_t)-1), EINVAL);
    fails(sendfile(99, in, NULL, 0), EBADF);
}

TEST(sendfile_ends_where_the_target_takes_no_more)
{
    struct rlimit limit = {5000, RLIM_INFINITY};
    int in = works(open("source", O_RDWR | O_CREAT, 0600)), out = target();
    same(write(in, buf, 20000), 20000);
    works(lseek(in, 0, SEEK_SET));
    signal(SIGXFSZ, SIG_IGN);
    works(setrlimit(RLIMIT_FSIZE, &limit));
    same(sendfile(out, in, NULL, 20000), 5000);
    same(lseek(in, 0, SEEK_CUR), 5000);
    same(lseek(out, 0, SEEK_CUR), 5000);
    fails(sendfile(out, in, NULL, 20000), EFBIG);
}

TEST(sendfile_of_a_hole_is_zeroes)
{
    int in = works(open("source", O_RDWR | O_CREAT, 0600)), out = target();
    works(ftruncate(in, 10000));
    memset(buf, 1, 10000);
    same(sendfile(out, in, NULL, 20000), 10000);
    same(pread(out, buf, 20000, 0), 10000);
    for (int i = 0; i < 10000; i++)
        same(buf[i], 0);
}

TEST(copies_are_files_of_their_own)
{
    int in = works(open("source", O_RDWR | O_CREAT, 0600)), out = target();
    memset(buf, 'a', 50000);
    same(write(in, buf, 50000), 50000);
    off_t from = 0, to = 0;
    same(copy(in, &from, out, &to, 50000, 0), 50000);
    same(pwrite(in, "b", 1, 10000), 1);
    same(pwrite(out, "c", 1, 20000), 1);
    same(pread(out, buf, 1, 10000), 1);
    same(buf[0], 'a');
    same(pread(in, buf, 1, 20000), 1);
    same(buf[0], 'a');
}

TEST(copy_file_range_stays_within_a_file_system)
{
    int out = target();
    off_t offset = 0;
    int in = works(open("/proc/uptime", O_RDONLY));
    fails(copy(in, &offset, out, NULL, 10, 0), EXDEV);
}

TEST(copy_file_range_checks_its_ranges)
{
    int in = source("0123456789"), out = target();
    off_t negative = -5, start = 0, end = 10;
    fails(copy(in, &negative, out, &start, 1, 0), EINVAL);
    fails(copy(in, &start, out, &negative, 1, 0), EINVAL);
    same(copy(in, &end, out, &start, 10, 0), 0);
    fails(copy(in, NOWHERE, out, &start, 10, 0), EFAULT);
    fails(copy(in, &start, out, NOWHERE, 10, 0), EFAULT);
    fails(copy(in, &start, works(open(".", O_PATH)), NULL, 10, 0), EBADF);
    same(start, 0);
}

int main(void)
{
    return tap_run("copy");
}
