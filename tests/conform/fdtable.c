/* musl: descriptors: allocation, dup and its relatives, close-on-exec, fcntl, close_range. */
#define _GNU_SOURCE
#include "tap.h"

#include <sys/resource.h>
#include <sys/syscall.h>

TEST(lowest_free_number_is_taken)
{
    int a = works(open("/dev/null", O_RDONLY)), b = works(open("/dev/null", O_RDONLY));
    same(b, a + 1);
    works(close(a));
    same(works(open("/dev/null", O_RDONLY)), a);
    same(works(dup(a)), b + 1);
}

TEST(close_twice_is_ebadf)
{
    int fd = works(open("/dev/null", O_RDONLY));
    works(close(fd));
    fails(close(fd), EBADF);
    fails(close(-1), EBADF);
    fails(close(1 << 30), EBADF);
}

TEST(dup2_replaces_what_was_there)
{
    make_file("a", "A");
    make_file("b", "B");
    int a = works(open("a", O_RDONLY)), b = works(open("b", O_RDONLY));
    char c;
    same(dup2(a, b), b);
    same(read(b, &c, 1), 1);
    same(c, 'A');
}

TEST(dup2_onto_itself_does_nothing)
{
    int fd = works(open("/dev/null", O_RDONLY | O_CLOEXEC));
    same(dup2(fd, fd), fd);
    same(fcntl(fd, F_GETFD), FD_CLOEXEC);
    works(close(fd));
    fails(dup2(fd, fd), EBADF);
}

TEST(dup_clears_close_on_exec_and_dup3_sets_it)
{
    int fd = works(open("/dev/null", O_RDONLY | O_CLOEXEC));
    same(fcntl(works(dup(fd)), F_GETFD), 0);
    same(fcntl(works(dup2(fd, 50)), F_GETFD), 0);
    same(fcntl(works(dup3(fd, 51, O_CLOEXEC)), F_GETFD), FD_CLOEXEC);
    same(fcntl(works(dup3(fd, 51, 0)), F_GETFD), 0);
}

TEST(dup_refuses_bad_numbers)
{
    int fd = works(open("/dev/null", O_RDONLY));
    fails(dup(99), EBADF);
    fails(dup2(99, 5), EBADF);
    fails(dup2(fd, -1), EBADF);
    fails(dup3(fd, fd, 0), EINVAL);
    fails(syscall(SYS_dup3, fd, 50, O_APPEND), EINVAL);
}

TEST(f_dupfd_takes_the_lowest_not_below)
{
    int fd = works(open("/dev/null", O_RDONLY));
    same(fcntl(fd, F_DUPFD, 100), 100);
    same(fcntl(fd, F_DUPFD, 100), 101);
    same(fcntl(fd, F_DUPFD_CLOEXEC, 100), 102);
    same(fcntl(102, F_GETFD), FD_CLOEXEC);
    same(fcntl(101, F_GETFD), 0);
    fails(fcntl(fd, F_DUPFD, -1), EINVAL);
    fails(fcntl(fd, F_DUPFD, 1 << 30), EINVAL);
}

TEST(close_on_exec_flag_belongs_to_the_descriptor)
{
    int a = works(open("/dev/null", O_RDONLY)), b = works(dup(a));
    works(fcntl(a, F_SETFD, FD_CLOEXEC));
    same(fcntl(a, F_GETFD), FD_CLOEXEC);
    same(fcntl(b, F_GETFD), 0);
    works(fcntl(a, F_SETFD, 0));
    same(fcntl(a, F_GETFD), 0);
}

TEST(status_flags_belong_to_the_description)
{
    int a = works(open("f", O_RDWR | O_CREAT | O_APPEND, 0600)), b = works(dup(a));
    same(fcntl(a, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK), O_RDWR | O_APPEND);
    works(fcntl(a, F_SETFL, O_NONBLOCK));
    same(fcntl(b, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK), O_RDWR | O_NONBLOCK);
}

TEST(f_setfl_changes_neither_mode_nor_creation_flags)
{
    int fd = works(open("f", O_RDONLY | O_CREAT, 0600));
    works(fcntl(fd, F_SETFL, O_RDWR | O_CREAT | O_TRUNC | O_APPEND));
    same(fcntl(fd, F_GETFL) & (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND), O_RDONLY | O_APPEND);
    fails(write(fd, "x", 1), EBADF);
}

TEST(append_can_be_switched_on_later)
{
    make_file("f", "123");
    int fd = works(open("f", O_WRONLY));
    works(fcntl(fd, F_SETFL, O_APPEND));
    same(write(fd, "4", 1), 1);
    struct stat st;
    works(fstat(fd, &st));
    same(st.st_size, 4);
}

TEST(fcntl_refuses_unknown_commands)
{
    int fd = works(open("/dev/null", O_RDONLY));
    fails(fcntl(fd, 0x7777), EINVAL);
    fails(fcntl(99, F_GETFD), EBADF);
}

TEST(descriptors_end_with_emfile)
{
    struct rlimit limit = {64, 64};
    works(setrlimit(RLIMIT_NOFILE, &limit));
    int fd, last = -1;
    while ((fd = open("/dev/null", O_RDONLY)) >= 0)
        last = fd;
    same(errno, EMFILE);
    same(last, 63);
    int p[2];
    fails(pipe(p), EMFILE);
    fails(dup(0), EMFILE);
    fails(fcntl(0, F_DUPFD, 10), EMFILE);
    fails(dup2(0, 64), EBADF);
    works(close(last));
    fails(pipe(p), EMFILE);
    same(works(open("/dev/null", O_RDONLY)), last);
}

TEST(a_thousand_descriptors)
{
    struct rlimit limit = {2000, 2000};
    works(setrlimit(RLIMIT_NOFILE, &limit));
    int first = works(open("/dev/null", O_RDONLY));
    for (int i = 1; i < 1000; i++)
        same(open("/dev/null", O_RDONLY), first + i);
    works(close(first + 500));
    same(dup(first), first + 500);
    same(dup2(first, 1999), 1999);
}

TEST(fork_copies_the_table)
{
    int fd = works(open("/dev/null", O_RDONLY));
    pid_t pid;
    CHILD (pid) {
        works(close(fd));
        works(dup2(0, 70));
    }
    exits(pid, 0);
    works(fcntl(fd, F_GETFD));
    fails(fcntl(70, F_GETFD), EBADF);
}

TEST(close_range_closes_all_between)
{
    for (int fd = 10; fd < 20; fd++)
        works(dup2(0, fd));
    works(syscall(SYS_close_range, 12, 15, 0));
    works(fcntl(11, F_GETFD));
    fails(fcntl(12, F_GETFD), EBADF);
    fails(fcntl(15, F_GETFD), EBADF);
    works(fcntl(16, F_GETFD));
    works(syscall(SYS_close_range, 10, ~0U, 0));
    fails(fcntl(19, F_GETFD), EBADF);
    fails(syscall(SYS_close_range, 5, 4, 0), EINVAL);
    fails(syscall(SYS_close_range, 5, 6, 0x100), EINVAL);
}

TEST(close_range_can_mark_instead_of_close)
{
    for (int fd = 10; fd < 13; fd++)
        works(dup2(0, fd));
    works(syscall(SYS_close_range, 11, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */));
    same(fcntl(10, F_GETFD), 0);
    same(fcntl(11, F_GETFD), FD_CLOEXEC);
    same(fcntl(12, F_GETFD), FD_CLOEXEC);
}

TEST(standard_descriptors_can_be_closed_and_reused)
{
    works(close(0));
    same(works(open("/dev/null", O_RDONLY)), 0);
}

int main(void)
{
    return tap_run("fdtable");
}
