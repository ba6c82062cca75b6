/* Locks of files between many: circles, signals, exec and exit; and writes that append. */
#include "tap.h"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/time.h>

#ifndef F_OFD_GETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#define F_OFD_SETLKW 38
#endif

static int file(const char *name)
{
    return works(open(name, O_RDWR | O_CREAT, 0600));
}

static int lock(int fd, int cmd, short type, off_t start, off_t len)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    return fcntl(fd, cmd, &l);
}

static bool asleep(pid_t pid)
{
    char name[32], text[256] = "";
    snprintf(name, sizeof(name), "/proc/%d/stat", (int)pid);
    int fd = open(name, O_RDONLY);
    if (fd < 0)
        return false;
    (void)!read(fd, text, sizeof(text) - 1);
    close(fd);
    return strstr(text, ") S ") != NULL;
}

/* A child that holds byte MINE of FD's file, then waits for byte WANTED; its status: 1 had it, 2 EDEADLK. */
static pid_t holder(int fd, off_t mine, int wanted_fd, off_t wanted)
{
    pid_t pid;
    CHILD (pid) {
        works(lock(fd, F_SETLK, F_WRLCK, mine, 1));
        _exit(lock(wanted_fd, F_SETLKW, F_WRLCK, wanted, 1) == 0 ? 1 : errno == EDEADLK ? 2 : 3);
    }
    wait_until(asleep(pid));
    return pid;
}

TEST(a_circle_of_three_is_found)
{
    int fd = file("f");
    works(lock(fd, F_SETLK, F_WRLCK, 0, 1));
    pid_t a = holder(fd, 1, fd, 0), b = holder(fd, 2, fd, 1);
    fails(lock(fd, F_SETLKW, F_WRLCK, 2, 1), EDEADLK);
    works(lock(fd, F_SETLK, F_UNLCK, 0, 1));
    exits(a, 1);
    exits(b, 1);
}

TEST(a_circle_over_two_files_is_found)
{
    int f = file("f"), g = file("g");
    works(lock(f, F_SETLK, F_WRLCK, 0, 1));
    pid_t pid = holder(g, 0, f, 0);
    fails(lock(g, F_SETLKW, F_WRLCK, 0, 1), EDEADLK);
    works(lock(f, F_SETLK, F_UNLCK, 0, 1));
    exits(pid, 1);
}

TEST(a_circle_of_a_reader_and_a_writer_is_found)
{
    int fd = file("f");
    works(lock(fd, F_SETLK, F_RDLCK, 0, 1));
    pid_t pid = holder(fd, 1, fd, 0);
    fails(lock(fd, F_SETLKW, F_RDLCK, 1, 1), EDEADLK);
    works(lock(fd, F_SETLK, F_UNLCK, 0, 1));
    exits(pid, 1);
}

TEST(a_chain_that_does_not_close_is_no_deadlock)
{
    int fd = file("f");
    works(lock(fd, F_SETLK, F_WRLCK, 0, 1));
    pid_t a = holder(fd, 1, fd, 0), b = holder(fd, 2, fd, 1);
    works(lock(fd, F_SETLK, F_UNLCK, 0, 1));
    works(lock(fd, F_SETLKW, F_WRLCK, 2, 1));
    exits(a, 1);
    exits(b, 1);
}

TEST(both_who_hold_for_reading_and_want_to_write_deadlock)
{
    int fd = file("f");
    pid_t pid;
    works(lock(fd, F_SETLK, F_RDLCK, 0, 1));
    CHILD (pid) {
        works(lock(fd, F_SETLK, F_RDLCK, 0, 1));
        _exit(lock(fd, F_SETLKW, F_WRLCK, 0, 1) == 0 ? 1 : 2);
    }
    wait_until(asleep(pid));
    fails(lock(fd, F_SETLKW, F_WRLCK, 0, 1), EDEADLK);
    works(lock(fd, F_SETLK, F_UNLCK, 0, 1));
    exits(pid, 1);
}

static void nothing(int sig)
{
    (void)sig;
}

TEST(a_signal_ends_the_wait)
{
    int fd = file("f");
    pid_t pid;
    works(lock(fd, F_SETLK, F_WRLCK, 0, 1));
    CHILD (pid) {
        struct sigaction sa = {.sa_handler = nothing};
        struct itimerval again = {{0, 20000}, {0, 20000}}; /* the first may come before the call */
        works(sigaction(SIGALRM, &sa, NULL));
        works(setitimer(ITIMER_REAL, &again, NULL));
        fails(lock(fd, F_SETLKW, F_WRLCK, 0, 1), EINTR);
    }
    exits(pid, 0);
}

/* Does another process hold any lock? */
static bool is_locked(int fd)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    works(fcntl(fd, F_GETLK, &l));
    return l.l_type != F_UNLCK;
}

TEST(death_gives_the_lock_to_who_waits)
{
    int fd = file("f");
    pid_t pid, waiter;
    CHILD (pid) {
        works(lock(fd, F_SETLK, F_WRLCK, 0, 0));
        pause();
    }
    wait_until(is_locked(fd));
    CHILD (waiter)
        works(lock(fd, F_SETLKW, F_WRLCK, 0, 1));
    wait_until(asleep(waiter));
    kill(pid, SIGKILL);
    dies(pid, SIGKILL);
    exits(waiter, 0);
}

TEST(a_killed_waiter_gets_nothing)
{
    int fd = file("f");
    pid_t pid;
    works(lock(fd, F_SETLK, F_WRLCK, 0, 1));
    CHILD (pid)
        works(lock(fd, F_SETLKW, F_WRLCK, 0, 1));
    wait_until(asleep(pid));
    kill(pid, SIGKILL);
    dies(pid, SIGKILL);
    works(lock(fd, F_SETLK, F_UNLCK, 0, 1));
    CHILD (pid)
        works(lock(fd, F_SETLK, F_WRLCK, 0, 1));
    exits(pid, 0);
}

TEST(a_writer_becomes_a_reader_and_lets_others_in)
{
    int fd = file("f");
    pid_t pid;
    works(lock(fd, F_SETLK, F_WRLCK, 0, 10));
    CHILD (pid)
        works(lock(fd, F_SETLKW, F_RDLCK, 0, 1));
    wait_until(asleep(pid));
    works(lock(fd, F_SETLK, F_RDLCK, 0, 10));
    exits(pid, 0);
}

TEST(record_locks_are_kept_over_exec)
{
    int fd = file("f"), p[2], hold[2];
    char byte;
    pid_t pid;
    works(pipe(p));
    works(pipe(hold));
    CHILD (pid) {
        works(lock(fd, F_SETLK, F_WRLCK, 0, 1));
        works(dup2(p[1], 1));
        works(dup2(hold[0], 0));
        execlp("sh", "sh", "-c", "echo x; read line", NULL);
        _exit(99);
    }
    close(p[1]);
    same(read(p[0], &byte, 1), 1);
    fails(lock(fd, F_SETLK, F_WRLCK, 0, 1), EAGAIN);
    kill(pid, SIGKILL);
    tap_reap(pid);
    works(lock(fd, F_SETLK, F_WRLCK, 0, 1));
}

TEST(getlk_tells_who_where_and_how)
{
    int fd = file("f");
    pid_t pid;
    works(lock(fd, F_SETLK, F_WRLCK, 10, 20));
    CHILD (pid) {
        struct flock l = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
        works(fcntl(fd, F_GETLK, &l));
        same(l.l_type, F_WRLCK);
        same(l.l_start, 10);
        same(l.l_len, 20);
        same(l.l_pid, getppid());
        l = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 30, .l_len = 5};
        works(fcntl(fd, F_GETLK, &l));
        same(l.l_type, F_UNLCK);
        same(l.l_start, 30);
    }
    exits(pid, 0);
}

TEST(ones_own_locks_are_in_nobodys_way)
{
    int fd = file("f");
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    works(lock(fd, F_SETLK, F_WRLCK, 0, 0));
    works(fcntl(fd, F_GETLK, &l));
    same(l.l_type, F_UNLCK);
}

TEST(proc_locks_has_a_line_for_each)
{
    int fd = file("f"), in;
    char text[16384] = "", want[64];
    works(lock(fd, F_SETLK, F_WRLCK, 3, 4));
    works(flock(file("f"), LOCK_SH));
    in = works(open("/proc/locks", O_RDONLY));
    works(read(in, text, sizeof(text) - 1));
    snprintf(want, sizeof(want), "POSIX  ADVISORY  WRITE %d ", getpid());
    check(strstr(text, want), "no line \"%s\" in %s", want, text);
    snprintf(want, sizeof(want), "FLOCK  ADVISORY  READ %d ", getpid());
    check(strstr(text, want), "no line \"%s\" in %s", want, text);
}

/* --- of open file descriptions --- */

TEST(two_descriptions_of_one_process_exclude_each_other)
{
    int a = file("f"), b = file("f");
    works(lock(a, F_OFD_SETLK, F_WRLCK, 0, 1));
    fails(lock(b, F_OFD_SETLK, F_WRLCK, 0, 1), EAGAIN);
    works(lock(b, F_OFD_SETLK, F_WRLCK, 1, 1));
}

TEST(fork_shares_a_descriptions_locks)
{
    int fd = file("f");
    pid_t pid;
    works(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 1));
    CHILD (pid) {
        works(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 1));
        works(close(fd));
    }
    exits(pid, 0);
    fails(lock(file("f"), F_OFD_SETLK, F_WRLCK, 0, 1), EAGAIN);
}

TEST(closing_another_description_leaves_them)
{
    int a = file("f"), b = file("f");
    works(lock(a, F_OFD_SETLK, F_WRLCK, 0, 1));
    works(close(b));
    fails(lock(file("f"), F_OFD_SETLK, F_WRLCK, 0, 1), EAGAIN);
    works(close(a));
    works(lock(file("f"), F_OFD_SETLK, F_WRLCK, 0, 1));
}

TEST(waiting_for_a_description)
{
    int a = file("f");
    pid_t pid;
    works(lock(a, F_OFD_SETLK, F_WRLCK, 0, 1));
    CHILD (pid)
        works(lock(file("f"), F_OFD_SETLKW, F_WRLCK, 0, 1));
    wait_until(asleep(pid));
    works(lock(a, F_OFD_SETLK, F_UNLCK, 0, 1));
    exits(pid, 0);
}

TEST(descriptions_are_in_no_circle)
{
    int a = file("f"), b = file("f");
    pid_t pid;
    works(lock(a, F_OFD_SETLK, F_WRLCK, 0, 1));
    CHILD (pid) {
        works(lock(b, F_OFD_SETLK, F_WRLCK, 1, 1));
        works(lock(b, F_OFD_SETLKW, F_WRLCK, 0, 1));
    }
    wait_until(asleep(pid));
    fails(lock(a, F_OFD_SETLK, F_WRLCK, 1, 1), EAGAIN);
    works(lock(a, F_OFD_SETLK, F_UNLCK, 0, 1));
    exits(pid, 0);
}

TEST(a_description_has_no_process_id)
{
    int fd = file("f");
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_pid = 1};
    fails(fcntl(fd, F_OFD_SETLK, &l), EINVAL);
    works(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 1));
    l.l_pid = 0;
    works(fcntl(file("f"), F_OFD_GETLK, &l));
    same(l.l_type, F_WRLCK);
    same(l.l_pid, -1);
}

/* --- bad input --- */

TEST(ranges_are_checked)
{
    int fd = file("f");
    struct flock l = {.l_type = F_WRLCK, .l_whence = 7};
    fails(fcntl(fd, F_SETLK, &l), EINVAL);
    l = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = -1};
    fails(fcntl(fd, F_SETLK, &l), EINVAL);
    l = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = -6};
    fails(fcntl(fd, F_SETLK, &l), EINVAL);
    l = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = INT64_MAX, .l_len = 2};
    fails(fcntl(fd, F_SETLK, &l), EOVERFLOW);
    fails(fcntl(fd, F_SETLK, NOWHERE), EFAULT);
    fails(lock(-1, F_SETLK, F_WRLCK, 0, 0), EBADF);
}

/* --- appending --- */

TEST(what_is_appended_at_once_lies_together)
{
    enum { WRITERS = 4, LINES = 200, LENGTH = 64 };
    pid_t pid[WRITERS];
    char line[LENGTH], text[LENGTH];
    for (int i = 0; i < WRITERS; i++) {
        CHILD (pid[i]) {
            int fd = works(open("log", O_WRONLY | O_CREAT | O_APPEND, 0600));
            memset(line, 'a' + i, LENGTH);
            for (int n = 0; n < LINES; n++)
                same(write(fd, line, LENGTH), LENGTH);
        }
    }
    for (int i = 0; i < WRITERS; i++)
        exits(pid[i], 0);
    int fd = works(open("log", O_RDONLY)), counts[WRITERS] = {0};
    while (read(fd, text, LENGTH) == LENGTH) {
        for (int i = 1; i < LENGTH; i++)
            same(text[i], text[0]);
        counts[text[0] - 'a']++;
    }
    for (int i = 0; i < WRITERS; i++)
        same(counts[i], LINES);
}

TEST(appending_forgets_where_the_offset_was)
{
    int fd = works(open("log", O_RDWR | O_CREAT | O_APPEND, 0600));
    same(write(fd, "abc", 3), 3);
    same(lseek(fd, 0, SEEK_SET), 0);
    same(write(fd, "d", 1), 1);
    same(lseek(fd, 0, SEEK_CUR), 4);
    same(pwrite(fd, "e", 1, 0), 1);
    same(lseek(fd, 0, SEEK_END), 5);
}

int main(void)
{
    return tap_run("record_locks");
}
