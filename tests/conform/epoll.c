/* musl: epoll: the set kept in the kernel: level, edge, one shot, exclusive, nested, and what closing does. */
#define _GNU_SOURCE
#include "tap.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/syscall.h>

static int set_with(int fd, uint32_t events)
{
    int set = works(epoll_create1(EPOLL_CLOEXEC));
    works(epoll_ctl(set, EPOLL_CTL_ADD, fd, &(struct epoll_event){events, {.u64 = 42}}));
    return set;
}

/* What the set says now: the events of its one item, 0 when it says nothing. */
static unsigned says(int set)
{
    struct epoll_event e[4];
    int n = works(epoll_wait(set, e, 4, 0));
    if (n == 0)
        return 0;
    same(n, 1);
    same(e[0].data.u64, 42);
    return e[0].events;
}

static void put(int fd, size_t n)
{
    static char bytes[65536];
    same(write(fd, bytes, n), n);
}

static void take(int fd, size_t n)
{
    static char bytes[65536];
    same(read(fd, bytes, n), n);
}

/* --- the calls --- */

TEST(create_refuses_bad_arguments)
{
    fails(syscall(SYS_epoll_create, 0), EINVAL); /* a library may not pass the size on */
    fails(syscall(SYS_epoll_create, -1), EINVAL);
    fails(epoll_create1(1), EINVAL);
    works(epoll_create(1));
    int set = works(epoll_create1(EPOLL_CLOEXEC));
    same(fcntl(set, F_GETFD), FD_CLOEXEC);
    same(fcntl(works(epoll_create1(0)), F_GETFD), 0);
    same(fcntl(set, F_GETFL) & O_ACCMODE, O_RDWR);
}

TEST(ctl_refuses_what_cannot_be)
{
    int p[2], set = works(epoll_create1(0));
    struct epoll_event e = {EPOLLIN, {.fd = 0}};
    works(pipe(p));
    fails(epoll_ctl(set, EPOLL_CTL_ADD, 900, &e), EBADF);
    fails(epoll_ctl(900, EPOLL_CTL_ADD, p[0], &e), EBADF);
    fails(epoll_ctl(-1, EPOLL_CTL_ADD, p[0], &e), EBADF);
    fails(epoll_ctl(p[0], EPOLL_CTL_ADD, p[1], &e), EINVAL);
    fails(epoll_ctl(set, EPOLL_CTL_ADD, set, &e), EINVAL);
    fails(epoll_ctl(set, 99, p[0], &e), EINVAL);
    fails(epoll_ctl(set, EPOLL_CTL_MOD, p[0], &e), ENOENT);
    fails(epoll_ctl(set, EPOLL_CTL_DEL, p[0], &e), ENOENT);
    works(epoll_ctl(set, EPOLL_CTL_ADD, p[0], &e));
    fails(epoll_ctl(set, EPOLL_CTL_ADD, p[0], &e), EEXIST);
    works(epoll_ctl(set, EPOLL_CTL_DEL, p[0], NULL));
    fails(epoll_ctl(set, EPOLL_CTL_DEL, p[0], NULL), ENOENT);
    fails(epoll_ctl(set, EPOLL_CTL_ADD, p[0], NULL), EFAULT);
    fails(epoll_ctl(set, EPOLL_CTL_ADD, p[0], NOWHERE), EFAULT);
}

TEST(files_that_never_block_are_refused)
{
    int set = works(epoll_create1(0));
    struct epoll_event e = {EPOLLIN, {.fd = 0}};
    make_file("f", "x");
    fails(epoll_ctl(set, EPOLL_CTL_ADD, works(open("f", O_RDONLY)), &e), EPERM);
    fails(epoll_ctl(set, EPOLL_CTL_ADD, works(open(".", O_RDONLY)), &e), EPERM);
    fails(epoll_ctl(set, EPOLL_CTL_ADD, works(open("f", O_PATH)), &e), EBADF);
}

TEST(wait_refuses_bad_arguments)
{
    struct epoll_event e[2];
    int p[2], set = works(epoll_create1(0));
    works(pipe(p));
    fails(epoll_wait(set, e, 0, 0), EINVAL);
    fails(epoll_wait(set, e, -1, 0), EINVAL);
    fails(epoll_wait(set, e, INT32_MAX, 0), EINVAL);
    fails(epoll_wait(900, e, 2, 0), EBADF);
    fails(epoll_wait(p[0], e, 2, 0), EINVAL);
    same(epoll_wait(set, e, 2, 0), 0);
    put(p[1], 1);
    works(epoll_ctl(set, EPOLL_CTL_ADD, p[0], &(struct epoll_event){EPOLLIN, {.u64 = 42}}));
    fails(epoll_wait(set, NOWHERE, 2, 0), EFAULT);
    same(says(set), EPOLLIN); /* nothing was lost by that */
}

TEST(a_set_is_a_file_that_cannot_be_read)
{
    char c;
    int set = works(epoll_create1(0));
    fails(read(set, &c, 1), EINVAL);
    fails(write(set, &c, 1), EINVAL);
    char link[64] = "";
    char name[64];
    snprintf(name, sizeof(name), "/proc/self/fd/%d", set);
    works(readlink(name, link, sizeof(link) - 1));
    same_text(link, "anon_inode:[eventpoll]");
}

/* --- level, edge, one shot --- */

TEST(level_triggered_says_it_again)
{
    int p[2];
    works(pipe(p));
    int set = set_with(p[0], EPOLLIN);
    same(says(set), 0);
    put(p[1], 2);
    same(says(set), EPOLLIN);
    same(says(set), EPOLLIN);
    take(p[0], 1);
    same(says(set), EPOLLIN);
    take(p[0], 1);
    same(says(set), 0);
}

TEST(edge_triggered_says_it_once_for_each_arrival)
{
    int p[2];
    works(pipe(p));
    int set = set_with(p[0], EPOLLIN | EPOLLET);
    put(p[1], 1);
    same(says(set), EPOLLIN);
    same(says(set), 0);
    put(p[1], 1);
    same(says(set), EPOLLIN);
    take(p[0], 1); /* a partial read is no arrival */
    same(says(set), 0);
}

TEST(edge_that_came_before_the_item_is_told)
{
    int p[2];
    works(pipe(p));
    put(p[1], 1);
    int set = set_with(p[0], EPOLLIN | EPOLLET);
    same(says(set), EPOLLIN);
    same(says(set), 0);
}

TEST(edge_whose_cause_has_gone_is_not_told)
{
    int p[2];
    works(pipe(p));
    int set = set_with(p[0], EPOLLIN | EPOLLET);
    put(p[1], 1);
    take(p[0], 1);
    same(says(set), 0);
}

TEST(one_shot_is_silent_until_modified)
{
    int p[2];
    works(pipe(p));
    int set = set_with(p[0], EPOLLIN | EPOLLONESHOT);
    put(p[1], 1);
    same(says(set), EPOLLIN);
    same(says(set), 0);
    put(p[1], 1);
    same(says(set), 0);
    works(close(p[1]));
    same(says(set), 0); /* not even the end */
    works(epoll_ctl(set, EPOLL_CTL_MOD, p[0],
                    &(struct epoll_event){EPOLLIN | EPOLLONESHOT, {.u64 = 42}}));
    same(says(set), EPOLLIN | EPOLLHUP);
    same(says(set), 0);
}

TEST(modify_changes_events_and_data)
{
    int p[2];
    struct epoll_event e;
    works(pipe(p));
    int set = set_with(p[1], EPOLLIN);
    same(says(set), 0);
    works(epoll_ctl(set, EPOLL_CTL_MOD, p[1], &(struct epoll_event){EPOLLOUT, {.u64 = 7}}));
    same(epoll_wait(set, &e, 1, 0), 1);
    same(e.events, EPOLLOUT);
    same(e.data.u64, 7);
    works(epoll_ctl(set, EPOLL_CTL_MOD, p[1], &(struct epoll_event){0, {.u64 = 7}}));
    same(epoll_wait(set, &e, 1, 0), 0);
}

TEST(modify_of_an_edge_tells_what_is_there)
{
    int p[2];
    works(pipe(p));
    put(p[1], 1);
    int set = set_with(p[0], EPOLLIN | EPOLLET);
    same(says(set), EPOLLIN);
    same(says(set), 0);
    works(
        epoll_ctl(set, EPOLL_CTL_MOD, p[0], &(struct epoll_event){EPOLLIN | EPOLLET, {.u64 = 42}}));
    same(says(set), EPOLLIN);
    same(says(set), 0);
}

TEST(hangup_and_error_are_told_unasked)
{
    int p[2], q[2];
    works(pipe(p));
    works(pipe(q));
    int reader = set_with(p[0], 0), writer = set_with(q[1], 0);
    same(says(reader), 0);
    same(says(writer), 0);
    works(close(p[1]));
    works(close(q[0]));
    same(says(reader), EPOLLHUP);
    same(says(writer), EPOLLERR);
}

TEST(room_in_a_full_pipe_is_an_edge)
{
    int p[2];
    works(pipe(p));
    put(p[1], 65536);
    int set = set_with(p[1], EPOLLOUT | EPOLLET);
    same(says(set), 0);
    take(p[0], 65536);
    same(says(set), EPOLLOUT);
    same(says(set), 0);
}

/* --- many --- */

TEST(each_ready_item_is_reported_once_and_in_turn)
{
    enum { N = 10 };
    int p[N][2], set = works(epoll_create1(0));
    bool seen[N] = {false};
    struct epoll_event e[N];
    for (unsigned i = 0; i < N; i++) {
        works(pipe(p[i]));
        works(epoll_ctl(set, EPOLL_CTL_ADD, p[i][0], &(struct epoll_event){EPOLLIN, {.u32 = i}}));
        put(p[i][1], 1);
    }
    same(epoll_wait(set, e, N, 0), N);
    /* Three at a time: nobody is passed over, and nobody comes twice in a round. */
    for (int round = 0; round < 4; round++) {
        int n = works(epoll_wait(set, e, 3, 0));
        same(n, 3);
        for (int i = 0; i < n; i++)
            seen[e[i].data.u32] = true;
    }
    for (int i = 0; i < N; i++)
        check(seen[i], "item %d was reported within 12", i);
}

TEST(a_thousand_idle_ones_and_one_that_speaks)
{
    enum { N = 400 };
    static int p[N][2];
    int set = works(epoll_create1(0));
    struct epoll_event e[4];
    for (unsigned i = 0; i < N; i++) {
        works(pipe(p[i]));
        works(epoll_ctl(set, EPOLL_CTL_ADD, p[i][0], &(struct epoll_event){EPOLLIN, {.u32 = i}}));
    }
    put(p[N / 2][1], 1);
    same(epoll_wait(set, e, 4, 1000), 1);
    same(e[0].data.u32, N / 2);
}

TEST(data_of_all_64_bits_comes_back)
{
    int p[2], set = works(epoll_create1(0));
    struct epoll_event e;
    works(pipe(p));
    works(epoll_ctl(set, EPOLL_CTL_ADD, p[1],
                    &(struct epoll_event){EPOLLOUT, {.u64 = 0x0123456789abcdefu}}));
    same(epoll_wait(set, &e, 1, 0), 1);
    check(e.data.u64 == 0x0123456789abcdefu, "the data, whole");
}

/* --- descriptors come and go --- */

TEST(closed_descriptor_leaves_the_set)
{
    int p[2];
    works(pipe(p));
    put(p[1], 1);
    int set = set_with(p[0], EPOLLIN);
    works(close(p[0]));
    same(says(set), 0);
    fails(epoll_ctl(set, EPOLL_CTL_DEL, p[0], NULL), EBADF);
}

TEST(a_duplicate_keeps_it_in_the_set)
{
    int p[2];
    works(pipe(p));
    put(p[1], 1);
    int set = set_with(p[0], EPOLLIN), other = works(dup(p[0]));
    works(close(p[0]));
    same(says(set), EPOLLIN); /* the open description is still there, under the old number */
    works(close(other));
    same(says(set), 0);
}

TEST(two_descriptors_of_one_file_are_two_items)
{
    int p[2];
    struct epoll_event e[4];
    works(pipe(p));
    int set = set_with(p[0], EPOLLIN), other = works(dup(p[0]));
    works(epoll_ctl(set, EPOLL_CTL_ADD, other, &(struct epoll_event){EPOLLIN, {.u64 = 43}}));
    put(p[1], 1);
    same(epoll_wait(set, e, 4, 0), 2);
    works(epoll_ctl(set, EPOLL_CTL_DEL, other, NULL));
    same(epoll_wait(set, e, 4, 0), 1);
    same(e[0].data.u64, 42);
}

TEST(a_number_used_again_is_another_item)
{
    int p[2], q[2];
    works(pipe(p));
    works(pipe(q));
    int set = set_with(p[0], EPOLLIN), keep = works(dup(p[0]));
    works(dup2(q[0], p[0])); /* the same number, another file */
    works(epoll_ctl(set, EPOLL_CTL_ADD, p[0], &(struct epoll_event){EPOLLIN, {.u64 = 43}}));
    put(q[1], 1);
    struct epoll_event e[4];
    same(epoll_wait(set, e, 4, 0), 1);
    same(e[0].data.u64, 43);
    works(close(keep));
}

TEST(fork_shares_the_set)
{
    int p[2];
    pid_t pid;
    works(pipe(p));
    int set = works(epoll_create1(0));
    CHILD (pid) {
        works(epoll_ctl(set, EPOLL_CTL_ADD, p[0], &(struct epoll_event){EPOLLIN, {.u64 = 42}}));
    }
    exits(pid, 0);
    put(p[1], 1);
    same(says(set), EPOLLIN);
}

/* --- waiting --- */

TEST(wait_ends_when_something_comes)
{
    int p[2];
    pid_t pid;
    struct epoll_event e;
    works(pipe(p));
    int set = set_with(p[0], EPOLLIN);
    CHILD (pid) {
        pause_a_little();
        put(p[1], 1);
    }
    same(epoll_wait(set, &e, 1, -1), 1);
    exits(pid, 0);
}

TEST(wait_ends_when_the_time_is_up)
{
    struct timespec before, after;
    struct epoll_event e;
    int p[2];
    works(pipe(p));
    int set = set_with(p[0], EPOLLIN);
    clock_gettime(CLOCK_MONOTONIC, &before);
    same(epoll_wait(set, &e, 1, 30), 0);
    clock_gettime(CLOCK_MONOTONIC, &after);
    long ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    check(ms >= 29, "30 ms, not %ld", ms);
}

static void on_signal(int signal)
{
    (void)signal;
}

TEST(a_handler_ends_the_wait_even_with_sa_restart)
{
    struct epoll_event e;
    pid_t pid, parent = getpid();
    int p[2];
    works(pipe(p));
    int set = set_with(p[0], EPOLLIN);
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    works(sigaction(SIGUSR1, &action, NULL));
    CHILD (pid) {
        for (;;) {
            pause_a_little();
            works(kill(parent, SIGUSR1));
        }
    }
    fails(epoll_wait(set, &e, 1, -1), EINTR);
    works(kill(pid, SIGKILL));
    dies(pid, SIGKILL);
}

TEST(pwait_swaps_the_mask_for_the_wait)
{
    struct epoll_event e;
    sigset_t usr1, none, now;
    int p[2];
    works(pipe(p));
    int set = set_with(p[0], EPOLLIN);
    struct sigaction action = {.sa_handler = on_signal};
    works(sigaction(SIGUSR1, &action, NULL));
    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    works(sigprocmask(SIG_BLOCK, &usr1, NULL));
    works(raise(SIGUSR1));
    same(epoll_wait(set, &e, 1, 0), 0);
    fails(epoll_pwait(set, &e, 1, -1, &none), EINTR);
    works(sigprocmask(SIG_BLOCK, NULL, &now));
    same(sigismember(&now, SIGUSR1), 1);
    same(epoll_pwait(set, &e, 1, 0, NULL), 0);
}

TEST(one_of_several_waiters_gets_one_event)
{
    enum { N = 4 };
    int p[2], done[2];
    pid_t pid[N];
    works(pipe(p));
    works(pipe(done));
    int set = set_with(p[0], EPOLLIN | EPOLLET);
    for (int i = 0; i < N; i++)
        CHILD (pid[i]) {
            struct epoll_event e;
            if (epoll_wait(set, &e, 1, 500) == 1)
                put(done[1], 1);
        }
    for (int i = 0; i < 20; i++)
        pause_a_little();
    put(p[1], 1);
    for (int i = 0; i < N; i++)
        exits(pid[i], 0);
    works(close(done[1]));
    char bytes[N + 1];
    same(read(done[0], bytes, sizeof(bytes)), 1);
}

/* --- exclusive --- */

TEST(exclusive_has_its_own_rules)
{
    int p[2], set = works(epoll_create1(0)), inner = works(epoll_create1(0));
    works(pipe(p));
    struct epoll_event e = {EPOLLIN | EPOLLEXCLUSIVE, {.u64 = 42}};
    works(epoll_ctl(set, EPOLL_CTL_ADD, p[0], &e));
    fails(epoll_ctl(set, EPOLL_CTL_MOD, p[0], &e), EINVAL);
    e.events = EPOLLIN;
    fails(epoll_ctl(set, EPOLL_CTL_MOD, p[0], &e), EINVAL);
    works(epoll_ctl(set, EPOLL_CTL_DEL, p[0], NULL));
    e.events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT;
    fails(epoll_ctl(set, EPOLL_CTL_ADD, p[0], &e), EINVAL);
    e.events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLRDHUP;
    fails(epoll_ctl(set, EPOLL_CTL_ADD, p[0], &e), EINVAL);
    e.events = EPOLLIN | EPOLLEXCLUSIVE;
    fails(epoll_ctl(set, EPOLL_CTL_ADD, inner, &e), EINVAL);
}

TEST(exclusive_sets_share_the_wakeups)
{
    enum { N = 4 };
    int p[2], done[2];
    pid_t pid[N];
    works(pipe(p));
    works(pipe(done));
    for (int i = 0; i < N; i++)
        CHILD (pid[i]) {
            struct epoll_event e;
            int set = set_with(p[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLET);
            put(done[1], 1);
            if (epoll_wait(set, &e, 1, 500) == 1)
                put(done[1], 1);
        }
    for (int i = 0; i < N; i++)
        take(done[0], 1);
    for (int i = 0; i < 20; i++)
        pause_a_little();
    put(p[1], 1);
    for (int i = 0; i < N; i++)
        exits(pid[i], 0);
    works(close(done[1]));
    char bytes[N + 1];
    ssize_t woken = read(done[0], bytes, sizeof(bytes));
    check(woken >= 1 && woken < N, "at least one, and not all, of %d sets; it was %zd", N, woken);
}

/* --- sets in sets, in poll and in select --- */

TEST(a_set_can_be_watched)
{
    int p[2];
    works(pipe(p));
    int inner = set_with(p[0], EPOLLIN), outer = set_with(inner, EPOLLIN);
    struct pollfd poll_inner = {inner, POLLIN, 0};
    same(says(outer), 0);
    same(poll(&poll_inner, 1, 0), 0);
    put(p[1], 1);
    same(says(outer), EPOLLIN);
    same(poll(&poll_inner, 1, 0), 1);
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(inner, &readable);
    same(select(inner + 1, &readable, NULL, NULL, &(struct timeval){0, 0}), 1);
    same(says(inner), EPOLLIN);
    take(p[0], 1);
    same(says(outer), 0);
    same(poll(&poll_inner, 1, 0), 0);
}

TEST(a_wakeup_runs_outwards_through_all_sets)
{
    int p[2];
    pid_t pid;
    struct epoll_event e;
    works(pipe(p));
    int a = set_with(p[0], EPOLLIN), b = set_with(a, EPOLLIN), c = set_with(b, EPOLLIN | EPOLLET);
    CHILD (pid) {
        pause_a_little();
        put(p[1], 1);
    }
    same(epoll_wait(c, &e, 1, 60000), 1);
    exits(pid, 0);
    same(says(b), EPOLLIN);
    same(says(a), EPOLLIN);
}

TEST(a_circle_of_sets_is_refused)
{
    int a = works(epoll_create1(0)), b = set_with(a, EPOLLIN), c = set_with(b, EPOLLIN);
    struct epoll_event e = {EPOLLIN, {.u64 = 42}};
    fails(epoll_ctl(a, EPOLL_CTL_ADD, b, &e), ELOOP);
    fails(epoll_ctl(a, EPOLL_CTL_ADD, c, &e), ELOOP);
    works(epoll_ctl(c, EPOLL_CTL_DEL, b, NULL));
    works(epoll_ctl(a, EPOLL_CTL_ADD, c, &e));
}

TEST(sets_nest_only_so_deep)
{
    int set[8];
    struct epoll_event e = {EPOLLIN, {.u64 = 42}};
    for (int i = 0; i < 8; i++)
        set[i] = works(epoll_create1(0));
    for (int i = 0; i < 4; i++)
        works(epoll_ctl(set[i + 1], EPOLL_CTL_ADD, set[i], &e));
    fails(epoll_ctl(set[5], EPOLL_CTL_ADD, set[4], &e), ELOOP);
    works(close(set[2])); /* the chain is cut */
    works(epoll_ctl(set[5], EPOLL_CTL_ADD, set[4], &e));
}

TEST(closing_a_watched_set_takes_it_out)
{
    int p[2];
    works(pipe(p));
    int inner = set_with(p[0], EPOLLIN), outer = set_with(inner, EPOLLIN);
    put(p[1], 1);
    same(says(outer), EPOLLIN);
    works(close(inner));
    same(says(outer), 0);
    works(close(outer));
    take(p[0], 1);
    put(p[1], 1); /* wakes nobody who has gone */
}

int main(void)
{
    return tap_run("epoll");
}
