/* What other small libraries leave out, answer with ENOSYS or get wrong: calls of Linux's own, scheduling, classes. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <sched.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/uio.h>

#include "tap.h"

TEST(the_break_moves)
{
    char *end = sbrk(0);
    works(brk(end + 3 * PAGE));
    same((char *)sbrk(0) - end, 3 * PAGE);
    end[3 * PAGE - 1] = 'x';
    works(brk(end));
    fails(brk((void *)(1UL << 62)), ENOMEM);
}

TEST(a_range_of_descriptors_is_closed)
{
    for (int fd = 10; fd < 14; fd++)
        works(dup2(2, fd));
    works(close_range(11, 12, 0));
    fails(fcntl(11, F_GETFD), EBADF);
    fails(fcntl(12, F_GETFD), EBADF);
    works(close_range(13, ~0U, CLOSE_RANGE_CLOEXEC));
    same(fcntl(10, F_GETFD), 0);
    same(fcntl(13, F_GETFD), FD_CLOEXEC);
    fails(close_range(2, 1, 0), EINVAL);
}

TEST(epoll_waits_in_nanoseconds)
{
    struct timespec moment = {0, 1000}, wrong = {0, -1};
    struct epoll_event event = {.events = EPOLLOUT};
    int fd = works(epoll_create1(0)), p[2];
    works(pipe(p));
    same(epoll_pwait2(fd, &event, 1, &moment, NULL), 0);
    fails(epoll_pwait2(fd, &event, 1, &wrong, NULL), EINVAL);
    works(epoll_ctl(fd, EPOLL_CTL_ADD, p[1], &event));
    same(epoll_pwait2(fd, &event, 1, NULL, NULL), 1);
}

TEST(a_descriptor_of_a_process_takes_signals)
{
    pid_t pid;
    CHILD (pid)
        pause();
    int fd = works(pidfd_open(pid, 0));
    fails(pidfd_send_signal(fd, 999, NULL, 0), EINVAL);
    works(pidfd_send_signal(fd, SIGTERM, NULL, 0));
    int status = tap_reap(pid);
    check(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "wait status %#x", (unsigned)status);
    fails(pidfd_send_signal(fd, 0, NULL, 0), ESRCH);
}

static volatile int caught;

static void note(int sig)
{
    caught = sig;
}

TEST(a_signal_goes_to_one_thread)
{
    signal(SIGUSR1, note);
    works(tgkill(getpid(), gettid(), SIGUSR1));
    same(caught, SIGUSR1);
    fails(tgkill(getpid(), -1, SIGUSR1), EINVAL);
}

TEST(files_are_read_and_written_in_pieces)
{
    char a[4] = "abc", b[4] = "def";
    struct iovec iov[2] = {{a, 3}, {b, 3}};
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    same(pwritev2(fd, iov, 2, 1, 0), 6);
    same(lseek(fd, 0, SEEK_CUR), 0);
    same(pwritev2(fd, iov, 1, -1, RWF_APPEND), 3);
    same(preadv2(fd, iov, 2, 4, 0), 6);
    same_text(a, "def");
    same_text(b, "abc");
    fails(preadv2(fd, iov, 2, 0, 1 << 30), EOPNOTSUPP);
}

TEST(names_change_places)
{
    make_file("a", "A");
    make_file("b", "B");
    fails(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE), EEXIST);
    works(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE));
    char letter = 0;
    same(read(works(open("a", O_RDONLY)), &letter, 1), 1);
    same(letter, 'B');
    same(read(works(open("b", O_RDONLY)), &letter, 1), 1);
    same(letter, 'A');
}

TEST(threads_have_policies)
{
    struct sched_param param = {.sched_priority = 1};
    same(sched_getscheduler(0), SCHED_OTHER);
    works(sched_getparam(0, &param));
    same(param.sched_priority, 0);
    works(sched_setparam(0, &param));
    works(sched_setscheduler(0, SCHED_BATCH, &param));
    same(sched_getscheduler(0), SCHED_BATCH);
    param.sched_priority = 1;
    fails(sched_setparam(0, &param), EINVAL);
}

TEST(a_spawned_program_gets_a_policy)
{
    struct sched_param param = {0}, got = {.sched_priority = 9};
    char *argv[] = {"sh", "-c", "exit 3", NULL};
    posix_spawnattr_t attributes;
    int policy;
    pid_t pid;
    same(posix_spawnattr_init(&attributes), 0);
    same(posix_spawnattr_setschedpolicy(&attributes, SCHED_BATCH), 0);
    same(posix_spawnattr_getschedpolicy(&attributes, &policy), 0);
    same(policy, SCHED_BATCH);
    same(posix_spawnattr_setschedparam(&attributes, &param), 0);
    same(posix_spawnattr_getschedparam(&attributes, &got), 0);
    same(got.sched_priority, 0);
    same(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSCHEDULER), 0);
    same(posix_spawn(&pid, "/bin/sh", NULL, &attributes, argv, environ), 0);
    exits(pid, 3);
    same(posix_spawnattr_destroy(&attributes), 0);
}

TEST(networks_of_old)
{
    static const struct {
        uint32_t address, network, host;
    } all[] = {{0x0a010203, 0x0a, 0x010203}, {0x7fffffff, 0x7f, 0xffffff},
               {0x80010203, 0x8001, 0x0203}, {0xbfff0000, 0xbfff, 0},
               {0xc0a80101, 0xc0a801, 0x01}, {0xe00000fb, 0xe00000, 0xfb}};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct in_addr a = {htonl(all[i].address)};
        same(inet_netof(a), all[i].network);
        same(inet_lnaof(a), all[i].host);
        same(ntohl(inet_makeaddr(all[i].network, all[i].host).s_addr), all[i].address);
    }
}

int main(void)
{
    return tap_run("libc_own");
}
