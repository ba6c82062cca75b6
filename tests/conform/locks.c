/* musl: flock and fcntl record locks. */
#define _GNU_SOURCE
#include "tap.h"

#include <sys/file.h>

static int lock_range(int fd, int cmd, short type, off_t start, off_t len)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    return fcntl(fd, cmd, &lock);
}

/* What keeps another process from a lock: its type, F_UNLCK when nothing does. */
static int conflict(int fd, short type, off_t start, off_t len, pid_t *owner)
{
    int p[2], result[2];
    pid_t pid;
    works(pipe(p));
    CHILD (pid) {
        struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
        works(fcntl(fd, F_GETLK, &lock));
        result[0] = lock.l_type;
        result[1] = lock.l_type == F_UNLCK ? 0 : lock.l_pid;
        same(write(p[1], result, sizeof(result)), sizeof(result));
    }
    same(read(p[0], result, sizeof(result)), sizeof(result));
    exits(pid, 0);
    works(close(p[0]));
    works(close(p[1]));
    if (owner)
        *owner = result[1];
    return result[0];
}

static int file(void)
{
    return works(open("f", O_RDWR | O_CREAT, 0600));
}

TEST(flock_excludes_other_descriptions)
{
    int a = file(), b = file();
    works(flock(a, LOCK_EX));
    fails(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    fails(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    works(flock(a, LOCK_UN));
    works(flock(b, LOCK_EX | LOCK_NB));
}

TEST(flock_shared_locks_coexist)
{
    int a = file(), b = file();
    works(flock(a, LOCK_SH));
    works(flock(b, LOCK_SH | LOCK_NB));
    fails(flock(a, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    works(flock(b, LOCK_UN));
    works(flock(a, LOCK_EX | LOCK_NB));
}

TEST(flock_belongs_to_the_description)
{
    int a = file(), b = works(dup(a)), c = file();
    works(flock(a, LOCK_EX));
    works(flock(b, LOCK_EX | LOCK_NB));
    works(close(a));
    fails(flock(c, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    works(close(b));
    works(flock(c, LOCK_EX | LOCK_NB));
}

TEST(flock_is_kept_across_fork_until_all_close)
{
    int a = file(), c = file(), p[2];
    char byte;
    pid_t pid;
    works(pipe(p));
    works(flock(a, LOCK_EX));
    CHILD (pid) {
        works(close(p[1]));
        read(p[0], &byte, 1);
    }
    works(close(a));
    fails(flock(c, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    works(close(p[1]));
    exits(pid, 0);
    works(flock(c, LOCK_EX | LOCK_NB));
}

TEST(flock_waits_its_turn)
{
    int a = file();
    pid_t pid;
    works(flock(a, LOCK_EX));
    CHILD (pid) {
        int b = file();
        works(flock(b, LOCK_EX));
    }
    for (int i = 0; i < 5; i++)
        pause_a_little();
    same(waitpid(pid, NULL, WNOHANG), 0);
    works(flock(a, LOCK_UN));
    exits(pid, 0);
}

TEST(flock_checks_its_arguments)
{
    int a = file();
    fails(flock(a, 0), EINVAL);
    fails(flock(a, LOCK_SH | LOCK_EX), EINVAL);
    fails(flock(99, LOCK_EX), EBADF);
}

TEST(record_locks_exclude_other_processes)
{
    int fd = file();
    pid_t owner;
    works(lock_range(fd, F_SETLK, F_WRLCK, 10, 10));
    same(conflict(fd, F_RDLCK, 15, 1, &owner), F_WRLCK);
    same(owner, getpid());
    same(conflict(fd, F_WRLCK, 0, 10, NULL), F_UNLCK);
    same(conflict(fd, F_WRLCK, 20, 10, NULL), F_UNLCK);
    same(conflict(fd, F_WRLCK, 0, 11, NULL), F_WRLCK);
    works(lock_range(fd, F_SETLK, F_UNLCK, 0, 0));
    same(conflict(fd, F_WRLCK, 0, 0, NULL), F_UNLCK);
}

TEST(read_locks_coexist)
{
    int fd = file();
    works(lock_range(fd, F_SETLK, F_RDLCK, 0, 10));
    same(conflict(fd, F_RDLCK, 0, 10, NULL), F_UNLCK);
    same(conflict(fd, F_WRLCK, 0, 10, NULL), F_RDLCK);
}

TEST(record_locks_split_and_merge)
{
    int fd = file();
    works(lock_range(fd, F_SETLK, F_WRLCK, 0, 30));
    works(lock_range(fd, F_SETLK, F_UNLCK, 10, 10));
    same(conflict(fd, F_WRLCK, 10, 10, NULL), F_UNLCK);
    same(conflict(fd, F_WRLCK, 5, 10, NULL), F_WRLCK);
    same(conflict(fd, F_WRLCK, 29, 1, NULL), F_WRLCK);
    works(lock_range(fd, F_SETLK, F_RDLCK, 0, 30));
    same(conflict(fd, F_RDLCK, 0, 30, NULL), F_UNLCK);
    same(conflict(fd, F_WRLCK, 12, 1, NULL), F_RDLCK);
}

TEST(length_zero_means_to_the_end)
{
    int fd = file();
    works(lock_range(fd, F_SETLK, F_WRLCK, 100, 0));
    same(conflict(fd, F_WRLCK, 1L << 40, 1, NULL), F_WRLCK);
    same(conflict(fd, F_WRLCK, 0, 100, NULL), F_UNLCK);
}

TEST(negative_length_reaches_backwards)
{
    int fd = file();
    works(lock_range(fd, F_SETLK, F_WRLCK, 100, -10));
    same(conflict(fd, F_WRLCK, 90, 1, NULL), F_WRLCK);
    same(conflict(fd, F_WRLCK, 100, 1, NULL), F_UNLCK);
    fails(lock_range(fd, F_SETLK, F_WRLCK, 5, -10), EINVAL);
    fails(lock_range(fd, F_SETLK, F_WRLCK, -1, 10), EINVAL);
}

TEST(record_locks_go_with_any_close)
{
    int a = file(), b = file();
    works(lock_range(a, F_SETLK, F_WRLCK, 0, 0));
    works(close(b));
    same(conflict(a, F_WRLCK, 0, 0, NULL), F_UNLCK);
}

TEST(record_locks_are_not_inherited)
{
    int fd = file();
    pid_t pid;
    works(lock_range(fd, F_SETLK, F_WRLCK, 0, 0));
    CHILD (pid) {
        fails(lock_range(fd, F_SETLK, F_WRLCK, 0, 0), EAGAIN);
    }
    exits(pid, 0);
}

TEST(waiting_for_a_record_lock)
{
    int fd = file(), p[2];
    char byte;
    pid_t pid;
    works(pipe(p));
    works(lock_range(fd, F_SETLK, F_WRLCK, 0, 1));
    CHILD (pid) {
        same(write(p[1], "x", 1), 1);
        works(lock_range(fd, F_SETLKW, F_WRLCK, 0, 1));
    }
    same(read(p[0], &byte, 1), 1);
    for (int i = 0; i < 5; i++)
        pause_a_little();
    same(waitpid(pid, NULL, WNOHANG), 0);
    works(lock_range(fd, F_SETLK, F_UNLCK, 0, 1));
    exits(pid, 0);
}

/* Whoever comes second to close the circle is told; the other then gets its lock. */
TEST(deadlock_of_two_is_edeadlk_for_one)
{
    int fd = file(), p[2];
    char byte;
    pid_t pid;
    works(pipe(p));
    works(lock_range(fd, F_SETLK, F_WRLCK, 0, 1));
    CHILD (pid) {
        works(lock_range(fd, F_SETLK, F_WRLCK, 1, 1));
        same(write(p[1], "x", 1), 1);
        _exit(lock_range(fd, F_SETLKW, F_WRLCK, 0, 1) == 0 ? 1 : errno == EDEADLK ? 2 : 3);
    }
    same(read(p[0], &byte, 1), 1);
    if (lock_range(fd, F_SETLKW, F_WRLCK, 1, 1) == 0) {
        exits(pid, 2);
    } else {
        same(errno, EDEADLK);
        works(lock_range(fd, F_SETLK, F_UNLCK, 0, 1));
        exits(pid, 1);
    }
}

TEST(mode_of_the_descriptor_counts)
{
    works(close(file()));
    int r = works(open("f", O_RDONLY)), wr = works(open("f", O_WRONLY));
    fails(lock_range(r, F_SETLK, F_WRLCK, 0, 0), EBADF);
    fails(lock_range(wr, F_SETLK, F_RDLCK, 0, 0), EBADF);
    works(lock_range(r, F_SETLK, F_RDLCK, 0, 0));
    fails(lock_range(99, F_SETLK, F_RDLCK, 0, 0), EBADF);
    fails(lock_range(r, F_SETLK, 77, 0, 0), EINVAL);
}

TEST(locks_of_open_file_descriptions)
{
    int a = file(), b = file();
    works(lock_range(a, 37 /* F_OFD_SETLK */, F_WRLCK, 0, 10));
    fails(lock_range(b, 37, F_WRLCK, 5, 1), EAGAIN);
    works(lock_range(b, 37, F_WRLCK, 10, 1));
    works(lock_range(works(dup(a)), 37, F_RDLCK, 0, 10));
    works(lock_range(b, 37, F_RDLCK, 5, 1));
    fails(lock_range(b, F_SETLK, F_WRLCK, 0, 1), EAGAIN);
}

TEST(mandatory_locks_of_whole_files_are_none)
{
    int a = file();
    works(flock(a, 32 /* LOCK_MAND */ | LOCK_EX));
    works(flock(file(), LOCK_EX | LOCK_NB));
    works(flock(99, 32));
}

int main(void)
{
    return tap_run("locks");
}
