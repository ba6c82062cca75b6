/* musl: what is shared by descriptors of one open description, and what isn't. */
#define _GNU_SOURCE
#include "tap.h"

static char buf[64];

TEST(dup_shares_the_offset)
{
    make_file("f", "0123456789");
    int a = works(open("f", O_RDONLY)), b = works(dup(a));
    same(read(a, buf, 3), 3);
    same(lseek(b, 0, SEEK_CUR), 3);
    works(lseek(b, 7, SEEK_SET));
    same(read(a, buf, 1), 1);
    same(buf[0], '7');
}

TEST(fork_shares_the_offset)
{
    make_file("f", "0123456789");
    int fd = works(open("f", O_RDONLY));
    pid_t pid;
    CHILD (pid) {
        same(read(fd, buf, 4), 4);
    }
    exits(pid, 0);
    same(read(fd, buf, 1), 1);
    same(buf[0], '4');
}

TEST(closing_one_of_two_keeps_the_description)
{
    make_file("f", "abc");
    int a = works(open("f", O_RDONLY)), b = works(dup(a));
    works(close(a));
    same(read(b, buf, 3), 3);
}

TEST(writers_after_fork_do_not_overwrite_each_other)
{
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    pid_t pid[4];
    for (int i = 0; i < 4; i++)
        CHILD (pid[i]) {
            for (int n = 0; n < 50; n++)
                same(write(fd, "0123456789abcdef", 16), 16);
        }
    for (int i = 0; i < 4; i++)
        exits(pid[i], 0);
    same(lseek(fd, 0, SEEK_END), 4 * 50 * 16);
    for (off_t at = 0; at < 4 * 50 * 16; at += 16) {
        same(pread(fd, buf, 16, at), 16);
        same(memcmp(buf, "0123456789abcdef", 16), 0);
    }
}

TEST(appends_of_many_processes_do_not_mix)
{
    pid_t pid[4];
    works(close(works(open("f", O_WRONLY | O_CREAT, 0600))));
    for (int i = 0; i < 4; i++)
        CHILD (pid[i]) {
            int fd = works(open("f", O_WRONLY | O_APPEND));
            memset(buf, 'a' + i, 32);
            for (int n = 0; n < 50; n++)
                same(write(fd, buf, 32), 32);
        }
    for (int i = 0; i < 4; i++)
        exits(pid[i], 0);
    int fd = works(open("f", O_RDONLY)), count[4] = {0};
    while (read(fd, buf, 32) == 32) {
        for (int i = 1; i < 32; i++)
            same(buf[i], buf[0]);
        count[buf[0] - 'a']++;
    }
    for (int i = 0; i < 4; i++)
        same(count[i], 50);
}

TEST(readers_after_fork_share_out_the_bytes)
{
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    for (int i = 0; i < 64; i++)
        buf[i] = (char)i;
    for (int i = 0; i < 16; i++)
        same(write(fd, buf, 64), 64);
    works(lseek(fd, 0, SEEK_SET));
    int results = works(open("r", O_WRONLY | O_CREAT | O_APPEND, 0600));
    pid_t pid[4];
    for (int i = 0; i < 4; i++)
        CHILD (pid[i]) {
            ssize_t n;
            while ((n = read(fd, buf, 16)) > 0)
                same(write(results, buf, (size_t)n), n);
        }
    for (int i = 0; i < 4; i++)
        exits(pid[i], 0);
    same(lseek(fd, 0, SEEK_CUR), 1024);
    same(lseek(results, 0, SEEK_END), 1024);
}

TEST(opening_again_does_not_share)
{
    make_file("f", "abc");
    int a = works(open("f", O_RDONLY));
    same(read(a, buf, 2), 2);
    int b = works(open("f", O_RDONLY));
    same(lseek(b, 0, SEEK_CUR), 0);
}

int main(void)
{
    return tap_run("offset");
}
