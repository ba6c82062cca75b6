/* musl: sendfile and copy_file_range. */
#define _GNU_SOURCE
#include "tap.h"

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

int main(void)
{
    return tap_run("copy");
}
