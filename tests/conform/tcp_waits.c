/* Waiting on stream sockets: poll, epoll, SIGIO, signals, time limits, a full backlog, and peers that fall silent. */
#define _GNU_SOURCE
#include "inet.h"
#include "inet_stream.h"

#include <sys/epoll.h>
#include <sys/time.h>

static volatile sig_atomic_t caught;
static void on_signal(int signo)
{
    caught = signo;
}

/* SIGALRM soon, and again and again, without SA_RESTART unless FLAGS says so. */
static void alarm_soon(int flags)
{
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = flags};
    struct itimerval in = {{0, 30000}, {0, 30000}};
    works(sigaction(SIGALRM, &sa, NULL));
    works(setitimer(ITIMER_REAL, &in, NULL));
}

/* As much as goes into END's way out. */
static void fill(int end)
{
    static char much[65536];
    works(inet_set(end, SOL_SOCKET, SO_SNDBUF, 8192));
    while (send(end, much, sizeof(much), MSG_DONTWAIT) > 0 ||
           send(end, much, 1, MSG_DONTWAIT) > 0 || inet_ready(end, 100) & POLLOUT)
        ;
}

/* --- poll and epoll --- */

TEST(events_of_a_fresh_socket)
{
    int fd = inet_fresh(TCP), l = stream_listener(1);
    same(inet_ready(fd, 0), POLLOUT | POLLHUP);
    same(inet_ready(l, 0), 0);
}

TEST(a_full_way_out_is_not_ready)
{
    int end[2];
    stream_pair(end);
    same(inet_ready(end[0], 0), POLLOUT);
    fill(end[0]);
    same(inet_ready(end[0], 0), 0);
    static char much[1 << 20];
    struct pollfd p[2] = {{end[0], POLLOUT, 0}, {end[1], POLLIN, 0}};
    while (!(p[0].revents & POLLOUT)) {
        check(poll(p, 2, 60000) > 0, "nothing moves");
        if (p[1].revents)
            works(read(end[1], much, sizeof(much)));
    }
}

TEST(epoll_tells_edges_of_a_stream)
{
    int end[2], set = works(epoll_create1(0));
    struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.u64 = 77};
    char c;
    stream_pair(end);
    works(epoll_ctl(set, EPOLL_CTL_ADD, end[1], &e));
    same(epoll_wait(set, &e, 1, 0), 0);
    same(write(end[0], "a", 1), 1);
    same(epoll_wait(set, &e, 1, 60000), 1);
    same(e.data.u64, 77);
    same(e.events, EPOLLIN);
    same(epoll_wait(set, &e, 1, 20), 0); /* not again for the same byte */
    same(write(end[0], "b", 1), 1);
    same(epoll_wait(set, &e, 1, 60000), 1); /* though the first was not read */
    works(close(end[0]));
    do
        same(epoll_wait(set, &e, 1, 60000), 1);
    while (!(e.events & EPOLLRDHUP));
    same(read(end[1], &c, 1), 1);
}

TEST(epoll_tells_of_callers)
{
    int l = stream_listener(8), set = works(epoll_create1(0));
    struct epoll_event e = {.events = EPOLLIN};
    works(epoll_ctl(set, EPOLL_CTL_ADD, l, &e));
    same(epoll_wait(set, &e, 1, 0), 0);
    works(inet_connect(inet_fresh(TCP), LOOP, inet_port(l)));
    same(epoll_wait(set, &e, 1, 60000), 1);
    same(epoll_wait(set, &e, 1, 60000), 1); /* a level lasts */
    works(accept(l, NULL, NULL));
    same(epoll_wait(set, &e, 1, 0), 0);
}

TEST(epoll_tells_when_a_call_has_succeeded)
{
    int l = stream_listener(1), set = works(epoll_create1(0));
    int fd = works(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    struct epoll_event e = {.events = EPOLLOUT};
    fails(inet_connect(fd, LOOP, inet_port(l)), EINPROGRESS);
    works(epoll_ctl(set, EPOLL_CTL_ADD, fd, &e));
    same(epoll_wait(set, &e, 1, 60000), 1);
    same(e.events, EPOLLOUT);
    works(inet_connect(fd, LOOP, inet_port(l)));
    fails(inet_connect(fd, LOOP, inet_port(l)), EISCONN);
}

TEST(a_reset_is_all_events)
{
    int end[2];
    stream_pair(end);
    stream_reset(end[1]);
    wait_until(inet_ready(end[0], 0) & POLLERR);
    same(inet_ready(end[0], 0), POLLIN | POLLOUT | POLLRDHUP | POLLERR | POLLHUP);
}

TEST(sigio_tells_of_data)
{
    int end[2];
    struct sigaction sa = {.sa_handler = on_signal};
    works(sigaction(SIGIO, &sa, NULL));
    stream_pair(end);
    works(fcntl(end[1], F_SETOWN, getpid()));
    works(fcntl(end[1], F_SETFL, O_ASYNC));
    same(write(end[0], "x", 1), 1);
    wait_until(caught == SIGIO);
}

TEST(sigio_tells_of_callers)
{
    int l = stream_listener(2);
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    works(sigaction(SIGIO, &sa, NULL));
    works(fcntl(l, F_SETOWN, getpid()));
    works(fcntl(l, F_SETFL, O_ASYNC | O_NONBLOCK));
    works(inet_connect(inet_fresh(TCP), LOOP, inet_port(l)));
    wait_until(caught == SIGIO);
    works(accept(l, NULL, NULL));
}

/* What /proc/net/tcp says that END waits for: its column "tr". */
static unsigned waits_for(int end)
{
    char line[256];
    unsigned port, kind = 99, found;
    FILE *table = fopen("/proc/net/tcp", "r");
    check(table, "no /proc/net/tcp");
    while (fgets(line, sizeof(line), table))
        if (sscanf(line, " %*u: %*8X:%X %*8X:%*4X %*X %*8X:%*8X %X", &port, &found) == 2 &&
            (int)port == inet_port(end))
            kind = found;
    fclose(table);
    return kind;
}

TEST(the_table_tells_what_a_connection_waits_for)
{
    int end[2];
    stream_pair(end);
    same(waits_for(end[0]), 0);
    works(inet_set(end[0], SOL_SOCKET, SO_KEEPALIVE, 1));
    same(waits_for(end[0]), 2); /* to ask whether the peer is there */
    works(inet_set(end[0], SOL_SOCKET, SO_KEEPALIVE, 0));
    same(waits_for(end[0]), 0);
    fill(end[0]);
    wait_until(waits_for(end[0]) == 4); /* the peer's window */
    works(close(end[1]));
    wait_until(waits_for(end[0]) == 99); /* it has been reset */
}

/* --- signals and time limits --- */

TEST(accept_is_interrupted)
{
    int l = stream_listener(1);
    alarm_soon(0);
    fails(accept(l, NULL, NULL), EINTR);
    same(caught, SIGALRM);
}

TEST(accept_is_restarted)
{
    int l = stream_listener(1), port = inet_port(l);
    pid_t pid;
    alarm_soon(SA_RESTART);
    CHILD (pid) {
        for (int i = 0; i < 5; i++)
            pause_a_little();
        works(inet_connect(inet_fresh(TCP), LOOP, port));
    }
    works(accept(l, NULL, NULL));
    exits(pid, 0);
}

TEST(who_peeks_for_all_waits_for_all)
{
    int end[2];
    char c[8];
    pid_t pid;
    stream_pair(end);
    same(write(end[0], "abc", 3), 3);
    inet_await(end[1]);
    same(recv(end[1], c, 6, MSG_PEEK | MSG_WAITALL | MSG_DONTWAIT), 3);
    CHILD (pid) {
        pause_a_little();
        same(write(end[0], "def", 3), 3);
    }
    same(recv(end[1], c, 6, MSG_PEEK | MSG_WAITALL), 6);
    same(recv(end[1], c, 8, 0), 6);
    exits(pid, 0);
}

TEST(an_urgent_byte_alone_is_nothing_to_read)
{
    int end[2];
    char c;
    stream_pair(end);
    same(send(end[0], "u", 1, MSG_OOB), 1);
    struct pollfd p = {end[1], POLLIN | POLLPRI, 0};
    same(poll(&p, 1, 60000), 1);
    same(p.revents, POLLPRI);
    same(recv(end[1], &c, 0, MSG_OOB), 0);
    fails(recv(end[1], &c, 1, MSG_DONTWAIT), EAGAIN);
    same(write(end[0], "x", 1), 1);
    p.events = POLLIN;
    same(poll(&p, 1, 60000), 1);
    same(recv(end[1], &c, 1, 0), 1);
    same(c, 'x');
}

TEST(a_writer_is_interrupted)
{
    int end[2];
    stream_pair(end);
    fill(end[0]);
    alarm_soon(0);
    fails(send(end[0], "x", 1, 0), EINTR);
}

TEST(a_writer_that_has_written_something_says_how_much)
{
    int end[2];
    static char much[4 << 20];
    stream_pair(end);
    works(inet_set(end[0], SOL_SOCKET, SO_SNDBUF, 8192));
    alarm_soon(SA_RESTART);
    ssize_t n = works(write(end[0], much, sizeof(much)));
    check(n > 0 && n < (ssize_t)sizeof(much), "%zd bytes", n);
}

TEST(writes_have_a_time_limit)
{
    int end[2];
    struct timeval tv = {0, 30000};
    stream_pair(end);
    fill(end[0]);
    works(setsockopt(end[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
    fails(send(end[0], "x", 1, 0), EAGAIN);
}

TEST(accept_has_a_time_limit)
{
    int l = stream_listener(1);
    struct timeval tv = {0, 30000};
    works(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
    fails(accept(l, NULL, NULL), EAGAIN);
}

TEST(a_reader_with_a_limit_is_not_restarted)
{
    int end[2];
    char c;
    struct timeval tv = {10, 0};
    stream_pair(end);
    works(setsockopt(end[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
    alarm_soon(SA_RESTART);
    fails(read(end[0], &c, 1), EINTR);
}

TEST(waitall_waits_for_all)
{
    int end[2];
    char c[10];
    pid_t pid;
    stream_pair(end);
    CHILD (pid) {
        for (int i = 0; i < 5; i++) {
            same(write(end[0], "ab", 2), 2);
            pause_a_little();
        }
    }
    same(recv(end[1], c, 10, MSG_WAITALL), 10);
    exits(pid, 0);
}

TEST(waitall_is_content_with_the_end)
{
    int end[2];
    char c[10];
    stream_pair(end);
    same(write(end[0], "abc", 3), 3);
    works(close(end[0]));
    same(recv(end[1], c, 10, MSG_WAITALL), 3);
}

/* --- backlogs --- */

/* A caller whom a full listener does not answer has only a time limit of his own. */
TEST(a_full_backlog_keeps_callers_waiting)
{
    int l = stream_listener(0), port = inet_port(l), fd = -1;
    struct timeval tv = {0, 50000};
    for (int i = 0; i < 8; i++) {
        fd = inet_fresh(TCP);
        works(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
        if (inet_connect(fd, LOOP, port) < 0)
            break;
    }
    same(errno, EINPROGRESS);
    works(accept(l, NULL, NULL)); /* there is room, and the call comes again a second later */
    struct pollfd p = {fd, POLLOUT, 0};
    same(poll(&p, 1, 60000), 1);
    same(inet_option(fd, SOL_SOCKET, SO_ERROR), 0);
    same(stream_state(fd), TCP_ESTABLISHED);
}

TEST(a_backlog_is_one_more_than_said)
{
    int l = stream_listener(3), port = inet_port(l);
    for (int i = 0; i < 4; i++)
        works(inet_connect(inet_fresh(TCP), LOOP, port));
    same(stream_info(l).tcpi_state, TCP_LISTEN);
    for (int i = 0; i < 4; i++)
        works(accept(l, NULL, NULL));
}

/* --- silent peers: who wants a higher TTL hears nothing --- */

static void fall_silent(int fd)
{
    works(inet_set(fd, IPPROTO_IP, IP_MINTTL, 255));
}

/* Or the end of a connection, which is asked for at exit, would be tried again for a minute and a half. */
static void hear_again(int fd)
{
    works(inet_set(fd, IPPROTO_IP, IP_MINTTL, 0));
}

TEST(user_timeout_ends_what_nobody_acknowledges)
{
    int end[2];
    stream_pair(end);
    works(inet_set(end[0], IPPROTO_TCP, TCP_USER_TIMEOUT, 500));
    fall_silent(end[1]);
    same(write(end[0], "x", 1), 1);
    struct pollfd p = {end[0], POLLIN, 0};
    same(poll(&p, 1, 60000), 1);
    same(inet_option(end[0], SOL_SOCKET, SO_ERROR), ETIMEDOUT);
    hear_again(end[1]);
}

TEST(keepalive_finds_out)
{
    int end[2];
    stream_pair(end);
    works(inet_set(end[0], IPPROTO_TCP, TCP_KEEPIDLE, 1));
    works(inet_set(end[0], IPPROTO_TCP, TCP_KEEPINTVL, 1));
    works(inet_set(end[0], IPPROTO_TCP, TCP_KEEPCNT, 2));
    fall_silent(end[1]);
    works(inet_set(end[0], SOL_SOCKET, SO_KEEPALIVE, 1));
    struct pollfd p = {end[0], POLLIN, 0};
    same(poll(&p, 1, 60000), 1);
    same(inet_option(end[0], SOL_SOCKET, SO_ERROR), ETIMEDOUT);
    hear_again(end[1]);
}

TEST(keepalive_leaves_who_answers)
{
    int end[2];
    stream_pair(end);
    works(inet_set(end[0], IPPROTO_TCP, TCP_KEEPIDLE, 1));
    works(inet_set(end[0], IPPROTO_TCP, TCP_KEEPINTVL, 1));
    works(inet_set(end[0], IPPROTO_TCP, TCP_KEEPCNT, 1));
    works(inet_set(end[0], SOL_SOCKET, SO_KEEPALIVE, 1));
    unsigned before = stream_info(end[1]).tcpi_segs_in;
    wait_until(stream_info(end[1]).tcpi_segs_in >= before + 2); /* two probes were answered */
    same(stream_state(end[0]), TCP_ESTABLISHED);
}

TEST(a_call_to_the_silent_gives_up)
{
    /* The listener answers, but its answers aren't heard. */
    int l = stream_listener(1), fd = inet_fresh(TCP);
    fall_silent(fd);
    works(inet_set(fd, IPPROTO_TCP, TCP_SYNCNT, 1));
    fails(inet_connect(fd, LOOP, inet_port(l)), ETIMEDOUT);
    hear_again(fd);
    works(inet_connect(fd, LOOP, inet_port(l)));
}

int main(void)
{
    return tap_run("tcp_waits");
}
