/* musl: TCP on the loopback: making, ending and refusing connections, data both ways, poll, and options. */
#define _GNU_SOURCE
#include "inet.h"

#include <pthread.h>
#include <sys/time.h>

#define TCP SOCK_STREAM
#define NODELAY 1 /* TCP_NODELAY */

static char big[1 << 20];

static int listener(void)
{
    int fd = inet_bound(TCP, LOOP);
    works(listen(fd, 16));
    return fd;
}

/* Both ends of a connection. */
static void make_pair(int end[2])
{
    int l = listener();
    end[0] = inet_fresh(TCP);
    works(inet_connect(end[0], LOOP, inet_port(l)));
    end[1] = works(accept(l, NULL, NULL));
    works(close(l));
}

static void read_all(int fd, char *to, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = works(read(fd, to + done, n - done));
        check(got > 0, "end of file after %zu of %zu bytes", done, n);
        done += (size_t)got;
    }
}

TEST(protocols_are_checked)
{
    works(socket(AF_INET, SOCK_STREAM, 0));
    works(socket(AF_INET, SOCK_STREAM, IPPROTO_TCP));
    fails(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    int fd = inet_fresh(TCP);
    same(inet_option(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    same(inet_option(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
    same(inet_option(fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
}

TEST(a_fresh_socket_is_not_connected)
{
    int fd = inet_fresh(TCP);
    struct sockaddr_in a;
    socklen_t len = sizeof(a);
    char c;
    fails(read(fd, &c, 1), ENOTCONN);
    fails(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
    fails(getpeername(fd, (struct sockaddr *)&a, &len), ENOTCONN);
    fails(accept(fd, NULL, NULL), EINVAL);
    same(inet_ready(fd, 0), POLLOUT | POLLHUP);
    same(inet_port(fd), 0);
    fails(shutdown(fd, SHUT_RDWR), ENOTCONN); /* and yet */
    same(inet_ready(fd, 0), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
}

TEST(nobody_there_is_refused)
{
    int fd = inet_fresh(TCP), closed = inet_closed_port(TCP);
    fails(inet_connect(fd, LOOP, closed), ECONNREFUSED);
    fails(inet_connect(fd, LOOP, closed), ECONNREFUSED); /* it may try again */
    int l = listener();
    works(inet_connect(fd, LOOP, inet_port(l)));
}

TEST(both_ends_have_names)
{
    struct sockaddr_in a, b;
    socklen_t len = sizeof(a);
    int l = listener(), fd = inet_fresh(TCP);
    same(inet_option(l, SOL_SOCKET, SO_ACCEPTCONN), 1);
    works(inet_connect(fd, LOOP, inet_port(l)));
    int other = works(accept(l, (struct sockaddr *)&a, &len));
    same(len, sizeof(a));
    same(ntohs(a.sin_port), inet_port(fd));
    same(ntohl(a.sin_addr.s_addr), LOOP);
    works(getpeername(other, (struct sockaddr *)&b, &len));
    same(b.sin_port, a.sin_port);
    works(getpeername(fd, (struct sockaddr *)&b, &len));
    same(ntohs(b.sin_port), inet_port(l));
    same(inet_port(other), inet_port(l));
    fails(inet_connect(fd, LOOP, inet_port(l)), EISCONN);
}

TEST(bytes_go_both_ways)
{
    int end[2];
    char c[16];
    make_pair(end);
    same(write(end[0], "hello", 5), 5);
    read_all(end[1], c, 5);
    same(memcmp(c, "hello", 5), 0);
    same(write(end[1], "world", 5), 5);
    read_all(end[0], c, 5);
    same(memcmp(c, "world", 5), 0);
    fails(recv(end[0], c, 1, MSG_DONTWAIT), EAGAIN);
}

TEST(a_stream_has_no_records)
{
    int end[2], n;
    char c[16];
    make_pair(end);
    same(write(end[0], "abc", 3), 3);
    same(write(end[0], "def", 3), 3);
    same(recv(end[1], c, 6, MSG_WAITALL), 6);
    same(write(end[0], "0123456789", 10), 10);
    inet_await(end[1]);
    works(ioctl(end[1], FIONREAD, &n));
    same(n, 10);
    same(recv(end[1], c, 4, MSG_PEEK), 4);
    same(recv(end[1], c, 3, 0), 3);
    same(recv(end[1], c, 16, 0), 7);
    same(c[0], '3');
}

static void *send_big(void *arg)
{
    int fd = *(int *)arg;
    for (size_t done = 0; done < sizeof(big);) {
        ssize_t n = works(write(fd, big + done, sizeof(big) - done));
        done += (size_t)n;
    }
    works(shutdown(fd, SHUT_WR));
    return NULL;
}

TEST(a_megabyte_arrives_whole)
{
    int end[2];
    pthread_t t;
    static char got[65536];
    size_t done = 0;
    ssize_t n;
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (char)(i * 31 + i / 257);
    make_pair(end);
    same(pthread_create(&t, NULL, send_big, &end[0]), 0);
    while ((n = works(read(end[1], got, 1 + done % sizeof(got)))) > 0) {
        same(memcmp(got, big + done, (size_t)n), 0);
        done += (size_t)n;
    }
    same(done, sizeof(big));
    same(pthread_join(t, NULL), 0);
}

TEST(a_full_window_blocks_a_writer)
{
    int end[2];
    size_t sent = 0, got = 0;
    make_pair(end);
    works(fcntl(end[0], F_SETFL, O_NONBLOCK));
    for (int quiet = 0; quiet < 5;) {
        ssize_t n = write(end[0], big, sizeof(big));
        if (n > 0) {
            sent += (size_t)n;
            quiet = 0;
        } else {
            fails(write(end[0], big, 1), EAGAIN);
            quiet++;
            pause_a_little();
        }
    }
    check(sent > 10000, "only %zu bytes", sent);
    same(inet_ready(end[0], 0) & POLLOUT, 0);
    works(fcntl(end[1], F_SETFL, O_NONBLOCK));
    static char drain[1 << 16];
    while (got < sent) {
        inet_await(end[1]);
        ssize_t n = works(read(end[1], drain, sizeof(drain)));
        got += (size_t)n;
    }
    struct pollfd p = {end[0], POLLOUT, 0};
    same(poll(&p, 1, 60000), 1);
}

TEST(end_of_file_after_the_last_byte)
{
    int end[2];
    char c[8];
    make_pair(end);
    same(write(end[0], "xy", 2), 2);
    works(close(end[0]));
    read_all(end[1], c, 2);
    same(read(end[1], c, 1), 0);
    same(read(end[1], c, 1), 0);
    inet_await(end[1]);
    same(inet_ready(end[1], 0) & (POLLIN | POLLRDHUP | POLLHUP), POLLIN | POLLRDHUP);
}

TEST(half_a_connection_still_works)
{
    int end[2];
    char c[8];
    make_pair(end);
    works(shutdown(end[0], SHUT_WR));
    same(read(end[1], c, 1), 0);
    same(write(end[1], "back", 4), 4);
    read_all(end[0], c, 4);
    fails(send(end[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    works(shutdown(end[1], SHUT_WR));
    same(read(end[0], c, 1), 0);
    wait_until(inet_ready(end[0], 0) & POLLHUP);
}

TEST(shutdown_for_reading)
{
    int end[2];
    char c;
    make_pair(end);
    works(shutdown(end[0], SHUT_RD));
    same(read(end[0], &c, 1), 0);
    same(inet_ready(end[0], 0), POLLIN | POLLOUT | POLLRDHUP);
}

TEST(unread_data_makes_close_a_reset)
{
    int end[2];
    char c;
    make_pair(end);
    same(write(end[0], "unread", 6), 6);
    inet_await(end[1]);
    works(close(end[1]));
    wait_until(inet_ready(end[0], 0) & POLLERR);
    fails(read(end[0], &c, 1), ECONNRESET);
    same(read(end[0], &c, 1), 0); /* said once */
    fails(send(end[0], "x", 1, MSG_NOSIGNAL), EPIPE);
}

TEST(linger_of_zero_resets)
{
    int end[2];
    char c;
    struct linger l = {1, 0};
    make_pair(end);
    works(setsockopt(end[1], SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
    works(close(end[1]));
    inet_await(end[0]);
    same(inet_option(end[0], SOL_SOCKET, SO_ERROR), ECONNRESET);
    same(read(end[0], &c, 1), 0);
}

static volatile sig_atomic_t pipes;
static void on_signal(int signo)
{
    pipes += signo == SIGPIPE;
}

TEST(writing_to_nobody_is_sigpipe)
{
    int end[2];
    struct sigaction sa = {.sa_handler = on_signal};
    works(sigaction(SIGPIPE, &sa, NULL));
    make_pair(end);
    works(close(end[1]));
    inet_await(end[0]);
    same(write(end[0], "x", 1), 1); /* answered by a reset */
    wait_until(inet_ready(end[0], 0) & POLLHUP);
    fails(write(end[0], "x", 1), ECONNRESET == errno ? ECONNRESET : EPIPE);
    fails(write(end[0], "x", 1), EPIPE);
    check(pipes > 0, "no SIGPIPE");
}

TEST(connect_without_waiting)
{
    int l = listener(), fd = works(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    if (inet_connect(fd, LOOP, inet_port(l)) < 0) {
        same(errno, EINPROGRESS);
        struct pollfd p = {fd, POLLOUT, 0};
        same(poll(&p, 1, 60000), 1);
    }
    same(inet_option(fd, SOL_SOCKET, SO_ERROR), 0);
    int other = works(accept(l, NULL, NULL));
    same(write(fd, "x", 1), 1);
    inet_await(other);
}

TEST(connect_without_waiting_may_fail)
{
    int fd = works(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    if (inet_connect(fd, LOOP, inet_closed_port(TCP)) < 0 && errno == EINPROGRESS) {
        struct pollfd p = {fd, POLLOUT, 0};
        same(poll(&p, 1, 60000), 1);
        check(p.revents & POLLERR, "events %#x", p.revents);
        same(inet_ready(fd, 0), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
        same(inet_option(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
        /* It is over, and not as if there had been nothing. */
        same(inet_ready(fd, 0), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
        char c;
        same(recv(fd, &c, 1, 0), 0);
        fails(send(fd, &c, 1, MSG_NOSIGNAL), EPIPE);
        fails(inet_connect(fd, LOOP, inet_closed_port(TCP)), ECONNABORTED);
        same(inet_ready(fd, 0), POLLOUT | POLLHUP);
        fails(recv(fd, &c, 1, 0), ENOTCONN);
    } else {
        same(errno, ECONNREFUSED);
    }
}

TEST(accept_waits_or_does_not)
{
    int l = listener();
    works(fcntl(l, F_SETFL, O_NONBLOCK));
    fails(accept(l, NULL, NULL), EAGAIN);
    same(inet_ready(l, 0), 0);
    int fd = inet_fresh(TCP);
    works(inet_connect(fd, LOOP, inet_port(l)));
    inet_await(l);
    int other = works(accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
    same(fcntl(other, F_GETFD), FD_CLOEXEC);
    same(fcntl(other, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}

static void *connect_late(void *arg)
{
    pause_a_little();
    int fd = inet_fresh(TCP);
    works(inet_connect(fd, LOOP, *(int *)arg));
    return (void *)(long)fd;
}

TEST(accept_sleeps_for_a_caller)
{
    int l = listener(), port = inet_port(l);
    pthread_t t;
    same(pthread_create(&t, NULL, connect_late, &port), 0);
    works(accept(l, NULL, NULL));
    same(pthread_join(t, NULL), 0);
}

TEST(closing_a_listener_resets_who_waits)
{
    int l = listener(), fd = inet_fresh(TCP);
    char c;
    works(inet_connect(fd, LOOP, inet_port(l)));
    works(close(l));
    inet_await(fd);
    fails(read(fd, &c, 1), ECONNRESET);
}

TEST(a_port_is_taken_once)
{
    int a = listener(), b = inet_fresh(TCP), port = inet_port(a);
    fails(inet_bind(b, LOOP, port), EADDRINUSE);
    works(inet_set(b, SOL_SOCKET, SO_REUSEADDR, 1));
    fails(inet_bind(b, LOOP, port), EADDRINUSE); /* somebody listens there */
    works(close(a));
    works(inet_bind(b, LOOP, port));
    works(listen(b, 1));
    fails(inet_bind(b, LOOP, 0), EINVAL);
}

TEST(a_socket_may_call_itself)
{
    int fd = inet_bound(TCP, LOOP);
    char c[4];
    works(inet_connect(fd, LOOP, inet_port(fd)));
    same(write(fd, "self", 4), 4);
    read_all(fd, c, 4);
    same(memcmp(c, "self", 4), 0);
}

TEST(urgent_data_stands_beside_the_stream)
{
    int end[2];
    char c[8];
    make_pair(end);
    fails(recv(end[1], c, 1, MSG_OOB), EINVAL);
    same(write(end[0], "ab", 2), 2);
    same(send(end[0], "!", 1, MSG_OOB), 1);
    same(write(end[0], "cd", 2), 2);
    struct pollfd p = {end[1], POLLPRI, 0};
    same(poll(&p, 1, 60000), 1);
    same(p.revents, POLLPRI);
    same(recv(end[1], c, 8, MSG_OOB), 1);
    same(c[0], '!');
    int n = 0;
    works(ioctl(end[1], FIONREAD, &n));
    same(n, 2);
    same(read(end[1], c, 8), 2); /* up to the mark */
    read_all(end[1], c, 2);
    same(memcmp(c, "cd", 2), 0);
}

TEST(options_of_tcp)
{
    int fd = inet_fresh(TCP);
    same(inet_option(fd, IPPROTO_TCP, NODELAY), 0);
    works(inet_set(fd, IPPROTO_TCP, NODELAY, 1));
    same(inet_option(fd, IPPROTO_TCP, NODELAY), 1);
    fails(inet_set(fd, IPPROTO_TCP, 9999, 1), ENOPROTOOPT);
    same(inet_option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
    works(inet_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1));
    same(inet_option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    same(inet_option(fd, IPPROTO_IP, IP_TTL), 64);
    works(inet_set(fd, IPPROTO_IP, IP_TTL, 9));
    same(inet_option(fd, IPPROTO_IP, IP_TTL), 9);
}

/* RFC 5082: what has come too far is as if lost, and comes again. */
TEST(who_wants_a_higher_ttl_hears_nothing)
{
    int end[2];
    char c;
    make_pair(end);
    same(inet_option(end[1], IPPROTO_IP, IP_MINTTL), 0);
    fails(inet_set(end[1], IPPROTO_IP, IP_MINTTL, 256), EINVAL);
    fails(inet_set(end[1], IPPROTO_IP, IP_MINTTL, -1), EINVAL);
    works(inet_set(end[1], IPPROTO_IP, IP_MINTTL, 255));
    same(inet_option(end[1], IPPROTO_IP, IP_MINTTL), 255);
    same(write(end[0], "x", 1), 1);
    struct pollfd p = {end[1], POLLIN, 0};
    same(poll(&p, 1, 50), 0);
    works(inet_set(end[0], IPPROTO_IP, IP_TTL, 255));
    inet_await(end[1]); /* the retransmission */
    same(read(end[1], &c, 1), 1);
}

/* It doesn't hear even that it is refused. */
TEST(a_deaf_caller_is_not_refused)
{
    int fd = inet_bound(TCP, LOOP), closed = inet_closed_port(TCP);
    works(inet_set(fd, IPPROTO_IP, IP_MINTTL, 255));
    works(fcntl(fd, F_SETFL, O_NONBLOCK));
    fails(inet_connect(fd, LOOP, closed), EINPROGRESS);
    struct pollfd p = {fd, POLLOUT, 0};
    same(poll(&p, 1, 50), 0);
    same(inet_option(fd, SOL_SOCKET, SO_ERROR), 0);
}

TEST(a_signal_interrupts_a_reader)
{
    int end[2];
    char c;
    struct sigaction sa = {.sa_handler = on_signal};
    works(sigaction(SIGALRM, &sa, NULL));
    make_pair(end);
    struct itimerval in = {{0, 20000}, {0, 20000}}; /* again: the first may come before the call */
    works(setitimer(ITIMER_REAL, &in, NULL));
    fails(read(end[0], &c, 1), EINTR);
}

TEST(reads_have_a_time_limit)
{
    int end[2];
    char c;
    struct timeval tv = {0, 20000};
    make_pair(end);
    works(setsockopt(end[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
    fails(read(end[0], &c, 1), EAGAIN);
}

TEST(connect_to_everybody_fails)
{
    int fd = inet_fresh(TCP);
    fails(inet_connect(fd, 0x7fffffff, 80), ENETUNREACH);
    struct sockaddr_in a = at(LOOP, 80);
    fails(connect(fd, (struct sockaddr *)&a, sizeof(a) - 1), EINVAL);
    a.sin_family = AF_UNIX;
    fails(connect(fd, ADDR(a)), EAFNOSUPPORT);
    fails(connect(fd, NOWHERE, sizeof(a)), EFAULT);
}

TEST(unspec_hangs_up)
{
    int end[2];
    char c;
    struct sockaddr_in none = {.sin_family = AF_UNSPEC};
    make_pair(end);
    works(connect(end[0], ADDR(none)));
    fails(read(end[0], &c, 1), ECONNRESET);
    fails(read(end[0], &c, 1), ENOTCONN);
    inet_await(end[1]);
    fails(read(end[1], &c, 1), ECONNRESET);
}

TEST(whoever_hung_up_may_call_again)
{
    int l = listener(), end[2];
    char c;
    struct sockaddr_in none = {.sin_family = AF_UNSPEC};
    make_pair(end);
    works(connect(end[0], ADDR(none)));
    /* Nobody has asked for the error, and it is no longer of interest. */
    works(inet_connect(end[0], LOOP, inet_port(l)));
    int other = works(accept(l, NULL, NULL));
    same(write(other, "x", 1), 1);
    same(read(end[0], &c, 1), 1);
    works(connect(end[0], ADDR(none)));
    same(fcntl(end[0], F_SETFL, O_NONBLOCK), 0);
    fails(inet_connect(end[0], LOOP, inet_port(l)), EINPROGRESS);
    same(inet_ready(end[0], -1) & POLLOUT, POLLOUT);
    int error = -1;
    works(getsockopt(end[0], SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof(error)}));
    same(error, 0);
    works(inet_connect(end[0], LOOP, inet_port(l)));
}

TEST(two_hundred_connections)
{
    int l = listener(), fd[200], other[200];
    char c;
    for (int i = 0; i < 200; i++) {
        fd[i] = inet_fresh(TCP);
        works(inet_connect(fd[i], LOOP, inet_port(l)));
        other[i] = works(accept(l, NULL, NULL));
    }
    for (int i = 0; i < 200; i++) {
        c = (char)i;
        same(write(fd[i], &c, 1), 1);
    }
    for (int i = 199; i >= 0; i--) {
        same(read(other[i], &c, 1), 1);
        same(c, (char)i);
        works(close(i & 1 ? fd[i] : other[i]));
        works(close(i & 1 ? other[i] : fd[i]));
    }
}

int main(void)
{
    return tap_run("tcp");
}
