/* musl: FIFOs: who waits for whom at open, and what outlives what. */
#define _GNU_SOURCE
#include "tap.h"

#include <poll.h>
#include <sys/ioctl.h>

static char buf[1 << 17];

static void fifo(void)
{
    works(mkfifo("fifo", 0600));
}

static int poll_one(int fd, short events)
{
    struct pollfd entry = {fd, events, 0};
    works(poll(&entry, 1, 0));
    return entry.revents;
}

/* Is the process PID asleep? (0 as well when that can't be told) */
static bool sleeps(pid_t pid)
{
    char name[64], text[200] = "";
    snprintf(name, sizeof(name), "/proc/%d/stat", (int)pid);
    int fd = works(open(name, O_RDONLY));
    works(read(fd, text, sizeof(text) - 1));
    works(close(fd));
    const char *state = strrchr(text, ')');
    return state && state[2] == 'S';
}

TEST(mknod_makes_one_too)
{
    struct stat st;
    mode_t old = umask(022);
    works(mknod("fifo", S_IFIFO | 0666, 0));
    works(stat("fifo", &st));
    check(S_ISFIFO(st.st_mode), "a FIFO");
    same(st.st_mode & 0777, 0644);
    same(st.st_size, 0);
    fails(mkfifo("fifo", 0600), EEXIST);
    fails(mkfifo("none/fifo", 0600), ENOENT);
    umask(old);
}

TEST(a_reader_sleeps_until_a_writer_opens)
{
    pid_t pid;
    fifo();
    CHILD (pid) {
        works(open("fifo", O_RDONLY));
    }
    wait_until(sleeps(pid));
    works(open("fifo", O_WRONLY));
    exits(pid, 0);
}

TEST(a_writer_sleeps_until_a_reader_opens)
{
    pid_t pid;
    fifo();
    CHILD (pid) {
        works(open("fifo", O_WRONLY));
    }
    wait_until(sleeps(pid));
    works(open("fifo", O_RDONLY));
    exits(pid, 0);
}

TEST(a_nonblocking_reader_releases_a_waiting_writer)
{
    pid_t pid;
    fifo();
    CHILD (pid) {
        int fd = works(open("fifo", O_WRONLY));
        same(write(fd, "x", 1), 1);
    }
    wait_until(sleeps(pid));
    int fd = works(open("fifo", O_RDONLY | O_NONBLOCK));
    exits(pid, 0);
    same(read(fd, buf, 10), 1);
}

TEST(opening_for_both_waits_for_nobody)
{
    fifo();
    int fd = works(open("fifo", O_RDWR));
    same(write(fd, "abc", 3), 3);
    same(read(fd, buf, 10), 3);
    same(poll_one(fd, POLLIN | POLLOUT), POLLOUT);
    int w = works(open("fifo", O_WRONLY | O_NONBLOCK));
    int r = works(open("fifo", O_RDONLY));
    same(write(w, "x", 1), 1);
    same(read(r, buf, 10), 1);
}

TEST(opening_for_both_releases_both_sides)
{
    pid_t reader, writer;
    fifo();
    CHILD (reader) {
        same(read(works(open("fifo", O_RDONLY)), buf, 1), 1);
    }
    wait_until(sleeps(reader));
    int fd = works(open("fifo", O_RDWR));
    same(write(fd, "x", 1), 1);
    exits(reader, 0);
    CHILD (writer) {
        works(open("fifo", O_WRONLY));
    }
    exits(writer, 0);
}

TEST(a_place_in_the_tree_never_waits)
{
    struct stat st;
    fifo();
    int fd = works(open("fifo", O_PATH));
    works(fstat(fd, &st));
    check(S_ISFIFO(st.st_mode), "a FIFO");
    fails(read(fd, buf, 1), EBADF);
    fails(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO); /* it counted as no reader */
}

TEST(a_place_in_the_tree_can_be_opened)
{
    char name[64];
    fifo();
    int path = works(open("fifo", O_PATH));
    snprintf(name, sizeof(name), "/proc/self/fd/%d", path);
    int r = works(open(name, O_RDONLY | O_NONBLOCK));
    int w = works(open("fifo", O_WRONLY));
    same(write(w, "x", 1), 1);
    same(read(r, buf, 10), 1);
}

TEST(permissions_are_those_of_a_file)
{
    pid_t pid;
    works(chmod(".", 0755));
    fifo();
    works(chmod("fifo", 0444));
    CHILD (pid) {
        works(setresuid(54321, 54321, 54321));
        fails(open("fifo", O_WRONLY | O_NONBLOCK), EACCES);
        works(open("fifo", O_RDONLY | O_NONBLOCK));
        fails(open("fifo", O_RDWR), EACCES);
    }
    exits(pid, 0);
}

TEST(unlinked_while_open_it_goes_on)
{
    struct stat st;
    fifo();
    int r = works(open("fifo", O_RDONLY | O_NONBLOCK));
    int w = works(open("fifo", O_WRONLY));
    works(unlink("fifo"));
    same(write(w, "still", 5), 5);
    same(read(r, buf, 10), 5);
    works(fstat(r, &st));
    same(st.st_nlink, 0);
    fails(open("fifo", O_RDONLY | O_NONBLOCK), ENOENT);
    fifo(); /* another one of that name */
    fails(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
}

TEST(renamed_and_linked_it_is_the_same)
{
    fifo();
    int r = works(open("fifo", O_RDONLY | O_NONBLOCK));
    works(link("fifo", "other"));
    works(rename("fifo", "third"));
    int w = works(open("other", O_WRONLY | O_NONBLOCK));
    int v = works(open("third", O_WRONLY | O_NONBLOCK));
    same(write(w, "ab", 2), 2);
    same(write(v, "cd", 2), 2);
    same(read(r, buf, 10), 4);
    same(memcmp(buf, "abcd", 4), 0);
}

TEST(what_nobody_read_is_gone_when_all_have_closed)
{
    fifo();
    int fd = works(open("fifo", O_RDWR));
    same(write(fd, "lost", 4), 4);
    works(close(fd));
    fd = works(open("fifo", O_RDONLY | O_NONBLOCK));
    same(read(fd, buf, 10), 0);
}

TEST(what_was_written_waits_for_the_next_reader)
{
    fifo();
    int r = works(open("fifo", O_RDONLY | O_NONBLOCK));
    int w = works(open("fifo", O_WRONLY));
    same(write(w, "kept", 4), 4);
    works(close(r));
    r = works(open("fifo", O_RDONLY));
    same(read(r, buf, 10), 4);
}

TEST(many_readers_and_writers_count_one_by_one)
{
    fifo();
    signal(SIGPIPE, SIG_IGN);
    int r1 = works(open("fifo", O_RDONLY | O_NONBLOCK)),
        r2 = works(open("fifo", O_RDONLY | O_NONBLOCK));
    int w1 = works(open("fifo", O_WRONLY)), w2 = works(open("fifo", O_WRONLY));
    works(close(w1));
    fails(read(r1, buf, 1), EAGAIN);
    works(close(r1));
    same(write(w2, "x", 1), 1);
    same(read(r2, buf, 1), 1);
    works(close(r2));
    fails(write(w2, "x", 1), EPIPE);
    int r3 = works(open("fifo", O_RDONLY));
    same(write(w2, "y", 1), 1);
    works(close(w2));
    same(read(r3, buf, 10), 1);
    same(read(r3, buf, 10), 0);
}

TEST(a_new_writer_ends_the_hangup)
{
    fifo();
    int r = works(open("fifo", O_RDONLY | O_NONBLOCK));
    same(poll_one(r, POLLIN), 0);
    works(close(works(open("fifo", O_WRONLY))));
    same(poll_one(r, POLLIN), POLLHUP);
    int w = works(open("fifo", O_WRONLY));
    same(poll_one(r, POLLIN), 0);
    same(write(w, "x", 1), 1);
    same(poll_one(r, POLLIN), POLLIN);
    works(close(w));
    same(poll_one(r, POLLIN), POLLIN | POLLHUP);
}

TEST(a_signal_ends_the_wait_of_an_open)
{
    pid_t pid;
    fifo();
    CHILD (pid) {
        open("fifo", O_WRONLY);
    }
    wait_until(sleeps(pid));
    works(kill(pid, SIGTERM));
    dies(pid, SIGTERM);
    fails(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
}

TEST(a_writer_that_gave_up_was_a_writer)
{
    pid_t writer, reader;
    fifo();
    CHILD (writer) {
        open("fifo", O_WRONLY);
    }
    wait_until(sleeps(writer));
    works(kill(writer, SIGKILL));
    dies(writer, SIGKILL);
    CHILD (reader) {
        works(open("fifo", O_RDONLY));
    }
    wait_until(sleeps(reader)); /* for another one */
    works(close(works(open("fifo", O_WRONLY))));
    exits(reader, 0);
}

TEST(packets_are_not_for_fifos)
{
    fifo();
    fails(open("fifo", O_RDWR | O_DIRECT), EINVAL);
    works(open("fifo", O_RDWR));
}

TEST(truncation_and_append_mean_nothing)
{
    fifo();
    int fd = works(open("fifo", O_RDWR | O_TRUNC | O_APPEND | O_CREAT, 0600));
    same(write(fd, "abc", 3), 3);
    fails(truncate("fifo", 0), EINVAL);
    fails(lseek(fd, 0, SEEK_SET), ESPIPE);
    fails(open("fifo", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    fails(open("fifo", O_RDONLY | O_DIRECTORY | O_NONBLOCK), ENOTDIR);
    same(read(fd, buf, 10), 3);
}

TEST(reading_and_writing_change_its_times)
{
    struct stat before, after;
    fifo();
    int fd = works(open("fifo", O_RDWR));
    works(futimens(fd, (struct timespec[2]){{1000, 0}, {2000, 0}}));
    works(fstat(fd, &before));
    same(write(fd, "x", 1), 1);
    works(fstat(fd, &after));
    check(after.st_mtime > before.st_mtime, "a write changes mtime");
    same(read(fd, buf, 1), 1);
    works(fstat(fd, &after));
    check(after.st_atime > before.st_atime, "a read changes atime");
}

TEST(a_pipe_opened_by_its_descriptor_is_the_same_pipe)
{
    int p[2];
    char name[64];
    works(pipe(p));
    snprintf(name, sizeof(name), "/proc/self/fd/%d", p[0]);
    int w = works(open(name, O_WRONLY));
    same(write(w, "in", 2), 2);
    same(read(p[0], buf, 10), 2);
    works(close(p[1]));
    works(fcntl(p[0], F_SETFL, O_NONBLOCK));
    fails(read(p[0], buf, 10), EAGAIN); /* W is a writer */
    works(close(w));
    same(read(p[0], buf, 10), 0);
}

int main(void)
{
    return tap_run("fifos");
}
