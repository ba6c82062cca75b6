/* musl: AF_UNIX stream and seqpacket: bytes and packets, and how a connection ends. */
#define _GNU_SOURCE
#include "unix.h"

#include <sys/ioctl.h>
#include <sys/uio.h>

/* --- bytes --- */

TEST(a_fresh_socket_is_not_connected)
{
    int fd = works(socket(AF_UNIX, SOCK_STREAM, 0));
    fails(send(fd, "x", 1, MSG_NOSIGNAL), ENOTCONN);
    fails(recv(fd, big, 1, 0), EINVAL);
    same(ready(fd), POLLOUT | POLLHUP);
    works(shutdown(fd, SHUT_RD));
    fails(shutdown(fd, 3), EINVAL);
    fails(shutdown(fd, -1), EINVAL);
}

TEST(a_stream_has_no_boundaries)
{
    int s[2];
    make_pair(SOCK_STREAM, s);
    same(send(s[0], "abc", 3, 0), 3);
    same(send(s[0], "defg", 4, 0), 4);
    same(recv(s[1], big, 5, 0), 5);
    same(recv(s[1], big, 100, 0), 2);
    same(send(s[0], "", 0, 0), 0);
    fails(recv(s[1], big, 1, MSG_DONTWAIT), EAGAIN);
}

TEST(an_address_on_a_stream_is_refused)
{
    struct sockaddr_un a;
    int s[2], fd = works(socket(AF_UNIX, SOCK_STREAM, 0));
    socklen_t len = make_address(&a, "s");
    make_pair(SOCK_STREAM, s);
    fails(sendto(s[0], "x", 1, 0, (struct sockaddr *)&a, len), EISCONN);
    fails(sendto(fd, "x", 1, 0, (struct sockaddr *)&a, len), EOPNOTSUPP);
}

TEST(closing_is_the_end_behind_the_last_byte)
{
    int s[2];
    make_pair(SOCK_STREAM, s);
    same(send(s[0], "last", 4, 0), 4);
    works(close(s[0]));
    same(ready(s[1]) & (POLLIN | POLLHUP | POLLRDHUP), POLLIN | POLLHUP | POLLRDHUP);
    same(recv(s[1], big, 100, 0), 4);
    same(recv(s[1], big, 100, 0), 0);
    fails(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE);
}

TEST(writing_to_a_closed_socket_kills)
{
    int s[2];
    pid_t pid;
    make_pair(SOCK_STREAM, s);
    works(close(s[0]));
    CHILD (pid)
        (void)!write(s[1], "x", 1);
    dies(pid, SIGPIPE);
}

TEST(closing_with_unread_bytes_is_a_reset)
{
    int s[2];
    make_pair(SOCK_STREAM, s);
    same(send(s[0], "unread", 6, 0), 6);
    works(close(s[1]));
    same(ready(s[0]) & POLLERR, POLLERR);
    int error = 0;
    socklen_t len = sizeof(error);
    works(getsockopt(s[0], SOL_SOCKET, SO_ERROR, &error, &len));
    same(error, ECONNRESET);
    works(getsockopt(s[0], SOL_SOCKET, SO_ERROR, &error, &len));
    same(error, 0); /* told once */
    same(recv(s[0], big, 1, 0), 0);
}

TEST(shutdown_closes_one_direction)
{
    int s[2];
    make_pair(SOCK_STREAM, s);
    same(send(s[0], "ab", 2, 0), 2);
    works(shutdown(s[0], SHUT_WR));
    same(recv(s[1], big, 10, 0), 2);
    same(recv(s[1], big, 10, 0), 0);
    same(ready(s[1]), POLLIN | POLLOUT | POLLRDHUP);
    fails(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    same(send(s[1], "c", 1, 0), 1);
    same(recv(s[0], big, 10, 0), 1);
    works(shutdown(s[0], SHUT_RD));
    fails(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE);
    same(ready(s[1]) & POLLHUP, POLLHUP);
}

TEST(shutdown_wakes_a_reader)
{
    int s[2];
    pid_t pid;
    make_pair(SOCK_STREAM, s);
    CHILD (pid)
        same(recv(s[0], big, 1, 0), 0);
    pause_a_little();
    works(shutdown(s[1], SHUT_WR));
    exits(pid, 0);
}

TEST(a_full_socket_takes_no_more_and_a_read_makes_room)
{
    int s[2];
    long held = 0, n;
    make_pair(SOCK_STREAM, s);
    works(fcntl(s[0], F_SETFL, O_NONBLOCK));
    while ((n = send(s[0], big, 10000, 0)) > 0)
        held += n;
    same(errno, EAGAIN);
    check(held >= 65536, "at least 64 KiB on the way, not %ld", held);
    same(ready(s[0]) & POLLOUT, 0);
    long got = 0;
    while (got < held)
        got += works(recv(s[1], big, sizeof(big), 0));
    same(got, held);
    same(ready(s[0]) & POLLOUT, POLLOUT);
}

TEST(a_blocking_send_writes_it_all)
{
    int s[2];
    pid_t pid;
    make_pair(SOCK_STREAM, s);
    CHILD (pid) {
        works(close(s[1]));
        for (size_t i = 0; i < sizeof(big); i++)
            big[i] = (char)(i * 7);
        for (int i = 0; i < 4; i++)
            same(send(s[0], big, sizeof(big), 0), sizeof(big));
    }
    works(close(s[0]));
    long got = 0, n;
    while ((n = recv(s[1], big, 77777, 0)) > 0) {
        for (long i = 0; i < n; i++)
            check(big[i] == (char)((got + i) % (long)sizeof(big) * 7), "byte %ld", got + i);
        got += n;
    }
    same(got, 4 * sizeof(big));
    exits(pid, 0);
}

TEST(send_timeout_ends_a_wait)
{
    int s[2];
    struct timeval t = {0, 20000};
    make_pair(SOCK_STREAM, s);
    works(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)));
    while (send(s[0], big, sizeof(big), 0) > 0)
        ;
    same(errno, EAGAIN);
}

TEST(receive_timeout_ends_a_wait)
{
    int s[2];
    struct timeval t = {0, 20000}, got;
    socklen_t len = sizeof(got);
    make_pair(SOCK_STREAM, s);
    works(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
    works(getsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &got, &len));
    check(got.tv_sec == 0 && got.tv_usec >= 20000 && got.tv_usec < 40000, "20 ms, as it was set");
    fails(recv(s[0], big, 1, 0), EAGAIN);
}

TEST(peek_leaves_the_bytes)
{
    int s[2];
    make_pair(SOCK_STREAM, s);
    same(send(s[0], "abc", 3, 0), 3);
    same(send(s[0], "def", 3, 0), 3);
    same(recv(s[1], big, 4, MSG_PEEK), 4);
    same(recv(s[1], big, 100, MSG_PEEK), 6);
    check(memcmp(big, "abcdef", 6) == 0, "abcdef");
    same(recv(s[1], big, 100, 0), 6);
}

TEST(waitall_waits_for_all)
{
    int s[2];
    pid_t pid;
    make_pair(SOCK_STREAM, s);
    CHILD (pid)
        for (int i = 0; i < 10; i++) {
            same(send(s[0], "0123456789", 10, 0), 10);
            pause_a_little();
        }
    same(recv(s[1], big, 100, MSG_WAITALL), 100);
    exits(pid, 0);
    same(send(s[0], "rest", 4, 0), 4);
    works(close(s[0]));
    same(recv(s[1], big, 100, MSG_WAITALL), 4); /* the end comes first */
}

TEST(low_water_mark_makes_a_read_wait)
{
    int s[2], four = 4;
    pid_t pid;
    make_pair(SOCK_STREAM, s);
    works(setsockopt(s[1], SOL_SOCKET, SO_RCVLOWAT, &four, sizeof(four)));
    CHILD (pid)
        for (int i = 0; i < 4; i++) {
            same(send(s[0], "x", 1, 0), 1);
            pause_a_little();
        }
    same(recv(s[1], big, 100, 0), 4);
    exits(pid, 0);
}

TEST(vectors_are_gathered_and_scattered)
{
    int s[2];
    char a[3], b[4];
    struct iovec out[] = {{"ab", 2}, {"", 0}, {"cdefg", 5}}, in[] = {{a, 3}, {b, 4}};
    struct msghdr m = {.msg_iov = out, .msg_iovlen = 3};
    make_pair(SOCK_STREAM, s);
    same(sendmsg(s[0], &m, 0), 7);
    m.msg_iov = in;
    m.msg_iovlen = 2;
    same(recvmsg(s[1], &m, 0), 7);
    check(memcmp(a, "abc", 3) == 0 && memcmp(b, "defg", 4) == 0, "abc defg");
    same(m.msg_flags, 0);
    same(m.msg_controllen, 0);
}

TEST(bytes_before_a_bad_address_count)
{
    int s[2];
    struct iovec out[] = {{big, 5000}, {NOWHERE, 5000}};
    make_pair(SOCK_STREAM, s);
    ssize_t n = writev(s[0], out, 2);
    check(n == 4096 || n == 5000 || (n == -1 && errno == EFAULT),
          "what could be copied, or EFAULT");
    fails(send(s[0], NOWHERE, 1, 0), EFAULT);
    same(send(s[0], "x", 1, 0), 1);
    char *edge = big + sizeof(big);
    (void)edge;
    long there = n > 0 ? n + 1 : 1, got = 0;
    fails(recv(s[1], NOWHERE, 10, 0), EFAULT);
    while (got < there)
        got += works(recv(s[1], big, sizeof(big), 0));
    same(got, there); /* nothing was lost by the failed read */
}

TEST(ioctl_tells_what_is_on_the_way)
{
    int s[2], n = 0;
    make_pair(SOCK_STREAM, s);
    same(send(s[0], "12345", 5, 0), 5);
    works(ioctl(s[1], FIONREAD, &n));
    same(n, 5);
    works(ioctl(s[0], TIOCOUTQ, &n));
    check(n > 0, "something is on the way");
    same(recv(s[1], big, 10, 0), 5);
    works(ioctl(s[0], TIOCOUTQ, &n));
    same(n, 0);
    fails(ioctl(s[0], 0x5490, &n), ENOTTY);
}

static void on_signal(int signal)
{
    (void)signal;
}

static volatile sig_atomic_t told;

static void on_io(int signal)
{
    (void)signal;
    told++;
}

TEST(sigio_tells_of_bytes_and_of_the_end)
{
    int s[2];
    struct sigaction action = {.sa_handler = on_io};
    make_pair(SOCK_STREAM, s);
    works(sigaction(SIGIO, &action, NULL));
    works(fcntl(s[1], F_SETOWN, getpid()));
    works(fcntl(s[1], F_SETFL, O_ASYNC | O_NONBLOCK));
    same(told, 0);
    same(send(s[0], "x", 1, 0), 1);
    wait_until(told > 0);
    same(recv(s[1], big, 10, 0), 1);
    told = 0;
    works(close(s[0]));
    wait_until(told > 0);
    same(recv(s[1], big, 10, 0), 0);
}

TEST(a_handler_interrupts_a_read_with_a_time_limit)
{
    int s[2];
    pid_t pid, parent = getpid();
    struct timeval t = {20, 0};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    make_pair(SOCK_STREAM, s);
    works(sigaction(SIGUSR1, &action, NULL));
    works(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
    CHILD (pid)
        for (;;) {
            pause_a_little();
            works(kill(parent, SIGUSR1));
        }
    fails(recv(s[0], big, 1, 0), EINTR); /* not restarted, whatever the flags say */
    works(kill(pid, SIGKILL));
    dies(pid, SIGKILL);
}

TEST(a_read_without_a_time_limit_is_restarted)
{
    int s[2];
    pid_t pid, parent = getpid();
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    make_pair(SOCK_STREAM, s);
    works(sigaction(SIGUSR1, &action, NULL));
    CHILD (pid) {
        for (int i = 0; i < 10; i++) {
            pause_a_little();
            works(kill(parent, SIGUSR1));
        }
        same(send(s[1], "x", 1, 0), 1);
    }
    same(recv(s[0], big, 1, 0), 1);
    exits(pid, 0);
}

/* --- packets --- */

TEST(packets_keep_their_boundaries)
{
    int s[2];
    make_pair(SOCK_SEQPACKET, s);
    same(send(s[0], "abc", 3, 0), 3);
    same(send(s[0], "", 0, 0), 0);
    same(send(s[0], "defg", 4, 0), 4);
    same(recv(s[1], big, 100, 0), 3);
    same(recv(s[1], big, 100, 0), 0);
    same(recv(s[1], big, 2, 0), 2); /* the rest is lost */
    fails(recv(s[1], big, 100, MSG_DONTWAIT), EAGAIN);
}

TEST(a_cut_packet_says_so)
{
    int s[2];
    char c[2];
    struct iovec v = {c, 2};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    make_pair(SOCK_SEQPACKET, s);
    same(send(s[0], "abcdef", 6, 0), 6);
    same(send(s[0], "ab", 2, 0), 2);
    same(recvmsg(s[1], &m, MSG_PEEK | MSG_TRUNC), 6);
    same(m.msg_flags & MSG_TRUNC, MSG_TRUNC);
    same(recvmsg(s[1], &m, 0), 2);
    same(m.msg_flags & MSG_TRUNC, MSG_TRUNC);
    same(recvmsg(s[1], &m, 0), 2);
    same(m.msg_flags & MSG_TRUNC, 0);
}

TEST(packets_between_a_client_and_a_server)
{
    int l = listener("s", SOCK_SEQPACKET, 5), c = works(socket(AF_UNIX, SOCK_SEQPACKET, 0));
    fails(send(c, "x", 1, 0), ENOTCONN);
    fails(recv(c, big, 1, MSG_DONTWAIT), ENOTCONN);
    works(connect_to(c, "s"));
    int stream = works(socket(AF_UNIX, SOCK_STREAM, 0));
    fails(connect_to(stream, "s"), EPROTOTYPE);
    int a = works(accept(l, NULL, NULL));
    same(send(c, big, 100000, 0), 100000);
    same(recv(a, big, sizeof(big), 0), 100000);
    fails(send(c, big, sizeof(big), 0), EMSGSIZE);
    works(close(a));
    same(recv(c, big, 1, 0), 0);
    fails(send(c, "x", 1, 0), EPIPE); /* and no signal */
}

TEST(packets_fill_the_queue)
{
    int s[2], n = 0;
    make_pair(SOCK_SEQPACKET, s);
    while (send(s[0], big, 20000, MSG_DONTWAIT) == 20000)
        n++;
    same(errno, EAGAIN);
    check(n >= 4, "at least four of 20,000 bytes, not %d", n);
    same(ready(s[0]) & POLLOUT, 0);
    for (int i = 0; i < n; i++)
        same(recv(s[1], big, sizeof(big), 0), 20000);
    same(ready(s[0]) & POLLOUT, POLLOUT);
}

int main(void)
{
    return tap_run("unix_stream");
}
