/* musl: AF_UNIX datagrams, socket options, and sending many messages at once. */
#define _GNU_SOURCE
#include "tap.h"

#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

/* Straight to the kernel: a library may look into a header before it passes it on. */
#define raw_sendmsg(fd, m, flags) syscall(SYS_sendmsg, fd, m, flags)
#define raw_recvmsg(fd, m, flags) syscall(SYS_recvmsg, fd, m, flags)

static char big[300000];

static struct sockaddr_un address(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    strcpy(a.sun_path, path);
    return a;
}

static int bound(const char *path)
{
    struct sockaddr_un a = address(path);
    int fd = works(socket(AF_UNIX, SOCK_DGRAM, 0));
    works(bind(fd, (struct sockaddr *)&a, sizeof(a)));
    return fd;
}

static int fresh(void)
{
    return works(socket(AF_UNIX, SOCK_DGRAM, 0));
}

static int connect_to(int fd, const char *path)
{
    struct sockaddr_un a = address(path);
    return connect(fd, (struct sockaddr *)&a, sizeof(a));
}

static ssize_t send_to(int fd, const char *path, const void *data, size_t n, int flags)
{
    struct sockaddr_un a = address(path);
    return sendto(fd, data, n, flags, (struct sockaddr *)&a, sizeof(a));
}

static int ready(int fd)
{
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};
    works(poll(&p, 1, 0));
    return p.revents;
}

static int option(int fd, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);
    works(getsockopt(fd, SOL_SOCKET, name, &value, &len));
    same(len, sizeof(value));
    return value;
}

static int set(int fd, int name, int value)
{
    return setsockopt(fd, SOL_SOCKET, name, &value, sizeof(value));
}

/* --- datagrams --- */

TEST(datagrams_go_to_a_name)
{
    struct sockaddr_un from;
    socklen_t len = sizeof(from);
    int to = bound("to"), a = bound("a"), nameless = fresh();
    same(send_to(a, "to", "hello", 5, 0), 5);
    same(recvfrom(to, big, 100, 0, (struct sockaddr *)&from, &len), 5);
    same_text(from.sun_path, "a");
    same(len, offsetof(struct sockaddr_un, sun_path) + 2);
    same(send_to(nameless, "to", "x", 1, 0), 1);
    len = sizeof(from);
    same(recvfrom(to, big, 100, 0, (struct sockaddr *)&from, &len), 1);
    same(len, 0); /* nobody to answer to */
}

TEST(a_datagram_needs_a_receiver)
{
    int fd = fresh();
    bound("to");
    fails(send(fd, "x", 1, 0), ENOTCONN);
    fails(send_to(fd, "nobody", "x", 1, 0), ENOENT);
    make_file("f", "");
    fails(send_to(fd, "f", "x", 1, 0), ECONNREFUSED);
    int s = works(socket(AF_UNIX, SOCK_STREAM, 0));
    struct sockaddr_un a = address("stream");
    works(bind(s, (struct sockaddr *)&a, sizeof(a)));
    fails(send_to(fd, "stream", "x", 1, 0), EPROTOTYPE);
    fails(sendto(fd, "x", 1, 0, (struct sockaddr *)&a, 1), EINVAL);
    fails(sendto(fd, "x", 1, 0, (struct sockaddr *)&a, -1), EINVAL);
    fails(sendto(fd, "x", 1, 0, NOWHERE, sizeof(a)), EFAULT);
    fails(send_to(fd, "to", NOWHERE, 1, 0), EFAULT);
    fails(send_to(fd, "to", big, sizeof(big), 0), EMSGSIZE);
}

TEST(each_datagram_is_read_by_itself)
{
    int to = bound("to"), fd = fresh();
    works(connect_to(fd, "to"));
    same(send(fd, "one", 3, 0), 3);
    same(write(fd, "four", 4), 4);
    same(send(fd, "", 0, 0), 0);
    int n = -1;
    works(ioctl(to, FIONREAD, &n));
    same(n, 3);
    same(recv(to, big, 100, MSG_PEEK), 3);
    same(recv(to, big, 2, MSG_TRUNC), 3); /* its length, though it is cut */
    same(read(to, big, 100), 4);
    same(ready(to) & POLLIN, POLLIN);
    same(recv(to, big, 100, 0), 0);
    same(ready(to) & POLLIN, 0);
    fails(recv(to, big, 100, MSG_DONTWAIT), EAGAIN);
    fails(recv(to, big, 100, MSG_DONTWAIT | MSG_OOB), EOPNOTSUPP);
}

TEST(a_connected_receiver_hears_its_peer_alone)
{
    int a = bound("a"), b = bound("b"), c = bound("c");
    works(connect_to(a, "b"));
    fails(send_to(c, "a", "x", 1, 0), EPERM);
    fails(connect_to(c, "a"), EPERM);
    same(send_to(b, "a", "x", 1, 0), 1);
    same(recv(a, big, 10, 0), 1);
    same(send(a, "x", 1, 0), 1);
    same(send_to(a, "c", "x", 1, 0), 1); /* it may still send to others */
}

TEST(connecting_to_nobody_disconnects)
{
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    int a = fresh();
    bound("b");
    works(connect_to(a, "b"));
    works(connect(a, &none, sizeof(none)));
    fails(send(a, "x", 1, 0), ENOTCONN);
    works(connect_to(a, "b"));
    same(send(a, "x", 1, 0), 1);
}

TEST(a_peer_that_closed_refuses_once)
{
    int a = fresh(), b = bound("b");
    works(connect_to(a, "b"));
    works(close(b));
    fails(send(a, "x", 1, 0), ECONNREFUSED);
    fails(send(a, "x", 1, 0), ENOTCONN);
    fails(send_to(a, "b", "x", 1, 0), ECONNREFUSED);
}

TEST(a_full_queue_makes_the_sender_wait)
{
    pid_t pid;
    int to = bound("to"), fd = fresh(), n = 0;
    works(connect_to(fd, "to"));
    while (send(fd, "x", 1, MSG_DONTWAIT) == 1)
        n++;
    same(errno, EAGAIN);
    check(n > 0, "some fit");
    same(ready(fd) & POLLOUT, 0);
    CHILD (pid)
        same(send(fd, "last", 4, 0), 4);
    pause_a_little();
    for (int i = 0; i < n; i++)
        same(recv(to, big, 10, 0), 1);
    same(recv(to, big, 10, 0), 4);
    exits(pid, 0);
    same(ready(fd) & POLLOUT, POLLOUT);
}

TEST(room_in_the_receivers_queue_wakes_poll)
{
    pid_t pid;
    int to = bound("to"), fd = fresh();
    works(connect_to(fd, "to"));
    while (send(fd, "x", 1, MSG_DONTWAIT) == 1)
        ;
    CHILD (pid) {
        pause_a_little();
        while (recv(to, big, 10, MSG_DONTWAIT) == 1)
            ;
    }
    struct pollfd p = {fd, POLLOUT, 0};
    same(poll(&p, 1, 60000), 1);
    exits(pid, 0);
}

TEST(a_pair_of_datagram_sockets)
{
    int s[2];
    works(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
    same(send(s[0], "hi", 2, 0), 2);
    works(shutdown(s[1], SHUT_RD));
    same(recv(s[1], big, 10, 0), 2);
    same(recv(s[1], big, 10, 0), 0);
    fails(send(s[0], "hi", 2, 0), EPIPE);
    works(shutdown(s[1], SHUT_WR));
    fails(send(s[1], "hi", 2, 0), EPIPE);
}

TEST(large_datagrams_arrive_whole)
{
    int s[2];
    works(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
    for (size_t i = 0; i < 150001; i++)
        big[i] = (char)(i * 13);
    same(send(s[0], big, 150001, 0), 150001);
    memset(big, 0, sizeof(big));
    same(recv(s[1], big, sizeof(big), 0), 150001);
    for (size_t i = 0; i < 150001; i++)
        check(big[i] == (char)(i * 13), "byte %zu", i);
}

TEST(senders_do_not_mix)
{
    enum { N = 4, EACH = 200 };
    pid_t pid[N];
    int to = bound("to"), seen[N] = {0};
    for (int i = 0; i < N; i++)
        CHILD (pid[i]) {
            int fd = fresh();
            for (int n = 0; n < EACH; n++) {
                memset(big, 'a' + i, 3000);
                same(send_to(fd, "to", big, 3000, 0), 3000);
            }
        }
    for (int n = 0; n < N * EACH; n++) {
        same(recv(to, big, sizeof(big), 0), 3000);
        for (int i = 1; i < 3000; i++)
            check(big[i] == big[0], "one sender's bytes");
        seen[big[0] - 'a']++;
    }
    for (int i = 0; i < N; i++) {
        same(seen[i], EACH);
        exits(pid[i], 0);
    }
}

/* --- options --- */

TEST(options_that_only_tell)
{
    int fd = works(socket(AF_UNIX, SOCK_SEQPACKET, 0));
    same(option(fd, SO_TYPE), SOCK_SEQPACKET);
    same(option(fd, SO_DOMAIN), AF_UNIX);
    same(option(fd, SO_PROTOCOL), 0);
    same(option(fd, SO_ERROR), 0);
    same(option(fd, SO_ACCEPTCONN), 0);
    struct sockaddr_un a = address("s");
    works(bind(fd, (struct sockaddr *)&a, sizeof(a)));
    works(listen(fd, 1));
    same(option(fd, SO_ACCEPTCONN), 1);
    fails(set(fd, SO_TYPE, 1), ENOPROTOOPT);
    fails(set(fd, SO_ERROR, 1), ENOPROTOOPT);
    fails(set(fd, SO_ACCEPTCONN, 1), ENOPROTOOPT);
}

TEST(options_that_are_switches)
{
    static const int names[] = {SO_BROADCAST, SO_KEEPALIVE, SO_OOBINLINE, SO_REUSEADDR,
                                SO_PASSCRED};
    int fd = fresh();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        same(option(fd, names[i]), 0);
        works(set(fd, names[i], 7));
        same(option(fd, names[i]), 1);
        works(set(fd, names[i], 0));
        same(option(fd, names[i]), 0);
    }
    char c = 1;
    fails(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &c, 1), EINVAL);
    fails(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, NOWHERE, 4), EFAULT);
    fails(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &c, (socklen_t)-1), EINVAL);
}

TEST(options_that_nobody_has)
{
    int fd = fresh(), value;
    socklen_t len = sizeof(value);
    fails(set(fd, 999, 1), ENOPROTOOPT);
    fails(getsockopt(fd, SOL_SOCKET, 999, &value, &len), ENOPROTOOPT);
    fails(setsockopt(fd, 6, 1, &len, sizeof(len)), EOPNOTSUPP);
    fails(getsockopt(fd, 6, 1, &value, &len), EOPNOTSUPP);
    len = (socklen_t)-1;
    fails(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &len), EINVAL);
    fails(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, NOWHERE), EFAULT);
    len = 2;
    works(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &len));
    same(len, 2);
}

TEST(buffer_sizes_are_doubled_and_bounded)
{
    int fd = fresh();
    check(option(fd, SO_SNDBUF) >= 65536, "a default");
    works(set(fd, SO_SNDBUF, 10000));
    same(option(fd, SO_SNDBUF), 20000);
    works(set(fd, SO_SNDBUF, 1));
    same(option(fd, SO_SNDBUF), 4608);
    works(set(fd, SO_RCVBUF, 1));
    same(option(fd, SO_RCVBUF), 2304);
    works(set(fd, SO_RCVBUF, 10000));
    same(option(fd, SO_RCVBUF), 20000);
}

TEST(a_small_send_buffer_bounds_the_datagram)
{
    int s[2];
    works(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
    works(set(s[0], SO_SNDBUF, 4608 / 2));
    fails(send(s[0], big, 5000, 0), EMSGSIZE);
    same(send(s[0], big, 2000, 0), 2000);
}

TEST(linger_and_time_limits_are_structures)
{
    int fd = fresh();
    struct linger l = {5, 77}, got = {0, 0};
    socklen_t len = sizeof(got);
    works(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
    works(getsockopt(fd, SOL_SOCKET, SO_LINGER, &got, &len));
    same(got.l_onoff, 1);
    same(got.l_linger, 77);
    struct timeval t = {3, 1000000};
    fails(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)), EDOM);
    fails(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, 8), EINVAL);
    t = (struct timeval){3, 0};
    works(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
    t.tv_sec = 0;
    len = sizeof(t);
    works(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, &len));
    same(t.tv_sec, 3);
}

/* --- many --- */

TEST(several_messages_in_one_call)
{
    int s[2];
    char text[4][8] = {"a", "bb", "ccc", "dddd"}, room[4][8];
    struct iovec out[4], in[4];
    struct mmsghdr m[4] = {0}, r[4] = {0};
    works(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
    for (int i = 0; i < 4; i++) {
        out[i] = (struct iovec){text[i], strlen(text[i])};
        in[i] = (struct iovec){room[i], sizeof(room[i])};
        m[i].msg_hdr.msg_iov = &out[i];
        r[i].msg_hdr.msg_iov = &in[i];
        m[i].msg_hdr.msg_iovlen = r[i].msg_hdr.msg_iovlen = 1;
    }
    same(sendmmsg(s[0], m, 4, 0), 4);
    same(m[2].msg_len, 3);
    same(recvmmsg(s[1], r, 2, 0, NULL), 2);
    same(r[1].msg_len, 2);
    same(recvmmsg(s[1], r, 4, MSG_WAITFORONE, NULL), 2); /* what is there, after the first */
    same(r[0].msg_len, 3);
    same(r[1].msg_len, 4);
    fails(recvmmsg(s[1], r, 4, MSG_DONTWAIT, NULL), EAGAIN);
}

TEST(a_failing_message_ends_the_row)
{
    int s[2];
    struct iovec good = {"x", 1}, bad = {NOWHERE, 1};
    struct mmsghdr m[3] = {0};
    works(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
    for (int i = 0; i < 3; i++) {
        m[i].msg_hdr.msg_iov = i == 1 ? &bad : &good;
        m[i].msg_hdr.msg_iovlen = 1;
    }
    same(sendmmsg(s[0], m, 3, 0), 1);
    fails(sendmmsg(s[0], m + 1, 2, 0), EFAULT);
    same(recv(s[1], big, 10, 0), 1);
    fails(recv(s[1], big, 10, MSG_DONTWAIT), EAGAIN);
}

TEST(headers_are_checked)
{
    int s[2];
    static struct iovec many[1025];
    struct msghdr m = {.msg_iov = many, .msg_iovlen = 1025};
    works(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
    fails(raw_sendmsg(s[0], &m, 0), EMSGSIZE);
    fails(raw_recvmsg(s[1], &m, 0), EMSGSIZE);
    m.msg_iovlen = 1024;
    same(raw_sendmsg(s[0], &m, 0), 0);
    same(raw_recvmsg(s[1], &m, 0), 0);
    many[0].iov_len = (size_t)-1;
    fails(raw_sendmsg(s[0], &m, 0), EINVAL);
    fails(raw_sendmsg(s[0], NOWHERE, 0), EFAULT);
    fails(raw_recvmsg(s[0], NOWHERE, 0), EFAULT);
    m = (struct msghdr){.msg_iov = NOWHERE, .msg_iovlen = 1};
    fails(raw_sendmsg(s[0], &m, 0), EFAULT);
}

int main(void)
{
    return tap_run("unix_dgram");
}
