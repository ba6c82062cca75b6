/* musl: UDP on the loopback: names, sizes, connections and errors. */
#define _GNU_SOURCE
#include "inet_datagram.h"

#include <pthread.h>

/* --- making --- */

TEST(protocols_are_checked)
{
    works(socket(AF_INET, SOCK_DGRAM, 0));
    works(socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP));
    fails(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT);
    fails(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
    fails(socket(AF_INET, SOCK_DGRAM, -1), EINVAL);
    fails(socket(AF_INET, SOCK_DGRAM, 1000), EINVAL);
    fails(socket(AF_INET, 11, 0), EINVAL);
    int pair[2];
    fails(socketpair(AF_INET, SOCK_DGRAM, 0, pair), EOPNOTSUPP);
}

TEST(a_fresh_socket_has_no_name)
{
    int fd = inet_fresh(UDP);
    struct sockaddr_in a;
    socklen_t len = sizeof(a);
    same(inet_port(fd), 0);
    same(inet_local(fd), 0);
    fails(getpeername(fd, (struct sockaddr *)&a, &len), ENOTCONN);
    same(inet_option(fd, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
    same(inet_option(fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
    same(inet_option(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
    same(inet_option(fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
    same(inet_ready(fd, 0), POLLOUT);
}

TEST(stream_calls_are_refused)
{
    int fd = inet_bound(UDP, LOOP);
    fails(listen(fd, 1), EOPNOTSUPP);
    fails(accept(fd, NULL, NULL), EOPNOTSUPP);
    fails(send(fd, "x", 1, MSG_OOB), EOPNOTSUPP);
    fails(recv(fd, big, 1, MSG_OOB | MSG_DONTWAIT), EAGAIN); /* which means nothing here */
}

/* --- bind --- */

TEST(bind_chooses_a_port)
{
    int a = inet_bound(UDP, LOOP), b = inet_bound(UDP, LOOP);
    check(inet_port(a) >= 1024, "port %d", inet_port(a));
    check(inet_port(a) != inet_port(b), "twice the same port");
    same(inet_local(a), LOOP);
}

TEST(bind_checks_its_address)
{
    int fd = inet_fresh(UDP);
    struct sockaddr_in a = at(LOOP, 0);
    fails(bind(fd, (struct sockaddr *)&a, sizeof(a) - 1), EINVAL);
    fails(bind(fd, NOWHERE, sizeof(a)), EFAULT);
    a.sin_family = AF_UNIX;
    fails(bind(fd, ADDR(a)), EAFNOSUPPORT);
    a = at(0xc0000201, 0); /* 192.0.2.1: for documents, nobody's */
    fails(bind(fd, ADDR(a)), EADDRNOTAVAIL);
    a = at(LOOP, 0);
    works(bind(fd, ADDR(a)));
    fails(bind(fd, ADDR(a)), EINVAL);
}

TEST(all_of_127_is_here)
{
    int fd = inet_bound(UDP, 0x7f010203), from = inet_fresh(UDP);
    same(inet_send_to(from, 0x7f010203, inet_port(fd), "x", 1), 1);
    same(recv(fd, big, 10, 0), 1);
}

TEST(a_port_is_taken_once)
{
    int a = inet_bound(UDP, LOOP), b = inet_fresh(UDP), port = inet_port(a);
    fails(inet_bind(b, LOOP, port), EADDRINUSE);
    fails(inet_bind(b, 0, port), EADDRINUSE);
    works(inet_bind(b, 0x7f000002, port)); /* another address */
    works(close(a));
    int c = inet_fresh(UDP);
    works(inet_bind(c, LOOP, port));
}

TEST(reuseaddr_shares_when_both_want)
{
    int a = inet_fresh(UDP), b = inet_fresh(UDP), c = inet_fresh(UDP);
    works(inet_set(a, SOL_SOCKET, SO_REUSEADDR, 1));
    works(inet_bind(a, LOOP, 0));
    fails(inet_bind(b, LOOP, inet_port(a)), EADDRINUSE);
    works(inet_set(b, SOL_SOCKET, SO_REUSEADDR, 1));
    works(inet_bind(b, LOOP, inet_port(a)));
    works(inet_send_to(c, LOOP, inet_port(a), "x", 1));
    same(inet_ready(b, 0), POLLIN | POLLOUT); /* the youngest has it */
    same(inet_ready(a, 0), POLLOUT);
}

TEST(reuseport_spreads_senders)
{
    int fd[2], got[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        fd[i] = inet_fresh(UDP);
        works(inet_set(fd[i], SOL_SOCKET, SO_REUSEPORT, 1));
        works(inet_bind(fd[i], LOOP, i ? inet_port(fd[0]) : 0));
    }
    int other = inet_fresh(UDP);
    fails(inet_bind(other, LOOP, inet_port(fd[0])), EADDRINUSE);
    for (int i = 0; i < 64; i++) {
        int from = inet_fresh(UDP);
        works(inet_send_to(from, LOOP, inet_port(fd[0]), "x", 1));
        works(close(from));
    }
    for (int i = 0; i < 2; i++)
        while (recv(fd[i], big, 1, MSG_DONTWAIT) == 1)
            got[i]++;
    same(got[0] + got[1], 64);
    check(got[0] > 0 && got[1] > 0, "%d and %d", got[0], got[1]);
}

TEST(low_ports_are_for_root)
{
    pid_t pid;
    CHILD (pid) {
        works(setuid(1000));
        int fd = inet_fresh(UDP);
        fails(inet_bind(fd, LOOP, 1023), EACCES);
        works(inet_bind(fd, LOOP, 0));
    }
    exits(pid, 0);
    int fd = inet_fresh(UDP);
    works(inet_bind(fd, LOOP, 1023));
}

/* --- sending --- */

TEST(a_datagram_arrives_with_its_senders_name)
{
    struct sockaddr_in from;
    int to = inet_bound(UDP, LOOP), fd = inet_fresh(UDP);
    same(inet_send_to(fd, LOOP, inet_port(to), "hello", 5), 5);
    same(receive_from(to, big, 100, &from), 5);
    same(memcmp(big, "hello", 5), 0);
    same(from.sin_family, AF_INET);
    same(ntohl(from.sin_addr.s_addr), LOOP);
    same(ntohs(from.sin_port), inet_port(fd));
    check(inet_port(fd) != 0, "the sender got no port");
    same(inet_local(fd), 0); /* a port, but no address */
    for (int i = 0; i < 8; i++)
        same(from.sin_zero[i], 0);
}

TEST(sendto_checks_its_address)
{
    int fd = inet_fresh(UDP);
    struct sockaddr_in a = at(LOOP, 9);
    fails(send(fd, "x", 1, 0), EDESTADDRREQ);
    fails(write(fd, "x", 1), EDESTADDRREQ);
    fails(sendto(fd, "x", 1, 0, (struct sockaddr *)&a, sizeof(a) - 1), EINVAL);
    fails(sendto(fd, "x", 1, 0, NOWHERE, sizeof(a)), EFAULT);
    fails(sendto(fd, NOWHERE, 1, 0, ADDR(a)), EFAULT);
    a.sin_family = AF_UNIX;
    fails(sendto(fd, "x", 1, 0, ADDR(a)), EAFNOSUPPORT);
    a = at(LOOP, 0);
    fails(sendto(fd, "x", 1, 0, ADDR(a)), EINVAL);
}

TEST(address_zero_is_this_machine)
{
    int to = inet_bound(UDP, 0), fd = inet_fresh(UDP);
    works(inet_send_to(fd, 0, inet_port(to), "x", 1));
    struct sockaddr_in from;
    same(receive_from(to, big, 10, &from), 1);
    same(ntohl(from.sin_addr.s_addr), LOOP);
}

TEST(sizes_up_to_the_largest)
{
    int to = inet_bound(UDP, LOOP), fd = inet_fresh(UDP);
    static const int sizes[] = {0,    1,    2,    3,    100,  800,  801,  880,   881,   1471,
                                1472, 1473, 3951, 3952, 3953, 4096, 8192, 32767, 65506, 65507};
    static char got[70000];
    for (unsigned i = 0; i < sizeof(big); i++)
        big[i] = (char)(i * 7 + i / 251);
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        same(inet_send_to(fd, LOOP, inet_port(to), big, (size_t)sizes[i]), sizes[i]);
        same(recv(to, got, sizeof(got), 0), sizes[i]);
        same(memcmp(big, got, (size_t)sizes[i]), 0);
    }
    fails(inet_send_to(fd, LOOP, inet_port(to), big, 65508), EMSGSIZE);
    fails(inet_send_to(fd, LOOP, inet_port(to), big, sizeof(big)), EMSGSIZE);
}

TEST(each_datagram_is_read_by_itself)
{
    int to = inet_bound(UDP, LOOP), fd = inet_fresh(UDP), n = -1;
    works(inet_connect(fd, LOOP, inet_port(to)));
    works(ioctl(to, FIONREAD, &n));
    same(n, 0);
    same(send(fd, "one", 3, 0), 3);
    same(write(fd, "four", 4), 4);
    same(send(fd, "", 0, 0), 0);
    works(ioctl(to, FIONREAD, &n));
    same(n, 3);
    same(recv(to, big, 100, MSG_PEEK), 3);
    same(recv(to, big, 2, MSG_TRUNC), 3);
    same(read(to, big, 100), 4);
    same(inet_ready(to, 0), POLLIN | POLLOUT);
    same(recv(to, big, 100, 0), 0);
    same(inet_ready(to, 0), POLLOUT);
    fails(recv(to, big, 100, MSG_DONTWAIT), EAGAIN);
}

TEST(a_vector_is_one_datagram)
{
    int to = inet_bound(UDP, LOOP), fd = inet_fresh(UDP);
    works(inet_connect(fd, LOOP, inet_port(to)));
    struct iovec out[3] = {{"ab", 2}, {"", 0}, {"cde", 3}};
    char x[2], y[10];
    struct iovec in[2] = {{x, 2}, {y, 10}};
    struct sockaddr_in from;
    struct msghdr m = {.msg_iov = out, .msg_iovlen = 3};
    same(sendmsg(fd, &m, 0), 5);
    m = (struct msghdr){
        .msg_iov = in, .msg_iovlen = 2, .msg_name = &from, .msg_namelen = sizeof(from)};
    same(recvmsg(to, &m, 0), 5);
    same(m.msg_flags, 0);
    same(m.msg_namelen, sizeof(from));
    same(memcmp(y, "cde", 3), 0);
    same(send(fd, "0123456789abcdef", 16, 0), 16);
    same(recvmsg(to, &m, 0), 12);
    same(m.msg_flags, MSG_TRUNC);
}

TEST(many_messages_in_one_call)
{
    int to = inet_bound(UDP, LOOP), fd = inet_fresh(UDP);
    works(inet_connect(fd, LOOP, inet_port(to)));
    struct iovec out[3] = {{"a", 1}, {"bc", 2}, {"def", 3}};
    struct mmsghdr m[4] = {0};
    for (int i = 0; i < 3; i++) {
        m[i].msg_hdr.msg_iov = &out[i];
        m[i].msg_hdr.msg_iovlen = 1;
    }
    same(sendmmsg(fd, m, 3, 0), 3);
    same(m[2].msg_len, 3);
    struct iovec in[4] = {{big, 10}, {big + 10, 10}, {big + 20, 10}, {big + 30, 10}};
    memset(m, 0, sizeof(m));
    for (int i = 0; i < 4; i++) {
        m[i].msg_hdr.msg_iov = &in[i];
        m[i].msg_hdr.msg_iovlen = 1;
    }
    same(recvmmsg(to, m, 4, MSG_DONTWAIT, NULL), 3);
    same(m[1].msg_len, 2);
}

/* Whoever doesn't wait isn't told of the end; whoever is refused hears that before he hears that he has ended it. */
TEST(shutdown_and_what_comes_before_it)
{
    int fd = inet_fresh(UDP);
    char c;
    works(inet_connect(fd, LOOP, inet_closed_port(UDP)));
    works(shutdown(fd, SHUT_RD));
    fails(recv(fd, &c, 1, MSG_DONTWAIT), EAGAIN);
    same(recv(fd, &c, 1, 0), 0);
    same(send(fd, "x", 1, 0), 1);
    works(shutdown(fd, SHUT_WR));
    fails(send(fd, "x", 1, MSG_NOSIGNAL), ECONNREFUSED);
    fails(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
}

TEST(shutdown_ends_both_ways)
{
    int fd = inet_bound(UDP, LOOP), other = inet_fresh(UDP);
    fails(shutdown(fd, SHUT_RD), ENOTCONN);
    works(inet_connect(other, LOOP, inet_port(fd)));
    works(shutdown(other, SHUT_WR));
    fails(send(other, "x", 1, 0), EPIPE); /* and no SIGPIPE */
    works(shutdown(other, SHUT_RD));
    same(recv(other, big, 1, 0), 0);
    same(inet_ready(other, 0), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
    fails(shutdown(other, 3), EINVAL);
}

/* --- connect --- */

TEST(connect_names_both_ends)
{
    int to = inet_bound(UDP, LOOP), fd = inet_fresh(UDP);
    struct sockaddr_in a;
    socklen_t len = sizeof(a);
    works(inet_connect(fd, LOOP, inet_port(to)));
    works(getpeername(fd, (struct sockaddr *)&a, &len));
    same(ntohs(a.sin_port), inet_port(to));
    same(ntohl(a.sin_addr.s_addr), LOOP);
    same(inet_local(fd), LOOP);
    check(inet_port(fd), "no port");
    fails(connect(fd, (struct sockaddr *)&a, sizeof(a) - 1), EINVAL);
    a.sin_family = AF_UNIX;
    fails(connect(fd, ADDR(a)), EAFNOSUPPORT);
}

TEST(a_connected_socket_hears_its_peer_alone)
{
    int a = inet_bound(UDP, LOOP), b = inet_bound(UDP, LOOP), c = inet_bound(UDP, LOOP);
    works(inet_connect(a, LOOP, inet_port(b)));
    works(inet_send_to(c, LOOP, inet_port(a), "c", 1));
    works(inet_send_to(b, LOOP, inet_port(a), "b", 1));
    same(recv(a, big, 10, 0), 1);
    same(big[0], 'b');
    fails(recv(a, big, 10, MSG_DONTWAIT), EAGAIN);
    works(inet_send_to(a, LOOP, inet_port(c), "a", 1)); /* but it may talk to others */
    same(recv(c, big, 10, 0), 1);
}

TEST(the_better_match_wins)
{
    int any = inet_fresh(UDP), exact = inet_fresh(UDP), from = inet_bound(UDP, LOOP);
    works(inet_set(any, SOL_SOCKET, SO_REUSEADDR, 1));
    works(inet_set(exact, SOL_SOCKET, SO_REUSEADDR, 1));
    works(inet_bind(exact, LOOP, 0));
    works(inet_bind(any, 0, inet_port(exact)));
    works(inet_send_to(from, LOOP, inet_port(exact), "x", 1));
    same(inet_ready(exact, 0), POLLIN | POLLOUT);
    same(inet_ready(any, 0), POLLOUT);
    works(inet_connect(any, LOOP, inet_port(from)));
    works(inet_send_to(from, LOOP, inet_port(exact), "y", 1));
    same(inet_ready(any, 0), POLLIN | POLLOUT);
}

TEST(unspec_dissolves)
{
    int to = inet_bound(UDP, LOOP), fd = inet_fresh(UDP);
    struct sockaddr_in a = {.sin_family = AF_UNSPEC};
    works(inet_connect(fd, LOOP, inet_port(to)));
    works(connect(fd, ADDR(a)));
    same(inet_port(fd), 0);
    same(inet_local(fd), 0);
    fails(send(fd, "x", 1, 0), EDESTADDRREQ);
    check(inet_port(fd) != 0, "the attempt to send took no port");
    int bound = inet_bound(UDP, LOOP);
    works(inet_connect(bound, LOOP, inet_port(to)));
    works(connect(bound, ADDR(a)));
    same(inet_local(bound), LOOP);
}

TEST(nobody_there_is_refused)
{
    int fd = inet_fresh(UDP), closed = inet_closed_port(UDP);
    works(inet_connect(fd, LOOP, closed));
    same(send(fd, "x", 1, 0), 1);
    inet_await(fd);
    check(inet_ready(fd, 0) & POLLERR, "no POLLERR");
    fails(recv(fd, big, 1, 0), ECONNREFUSED);
    same(inet_ready(fd, 0), POLLOUT); /* told once */
    same(send(fd, "x", 1, 0), 1);
    inet_await(fd);
    fails(send(fd, "x", 1, 0), ECONNREFUSED);
    same(send(fd, "x", 1, 0), 1);
    inet_await(fd);
    same(inet_option(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    same(inet_option(fd, SOL_SOCKET, SO_ERROR), 0);
}

TEST(who_isnt_connected_hears_of_no_refusal)
{
    int fd = inet_bound(UDP, LOOP), closed = inet_closed_port(UDP);
    same(inet_send_to(fd, LOOP, closed, "x", 1), 1);
    same(inet_send_to(fd, LOOP, closed, "x", 1), 1);
    same(inet_ready(fd, 20), POLLOUT);
}

static void *send_late(void *arg)
{
    pause_a_little();
    works(send(*(int *)arg, "x", 1, 0));
    return NULL;
}

TEST(a_refusal_wakes_a_reader)
{
    int fd = inet_fresh(UDP);
    pthread_t t;
    works(inet_connect(fd, LOOP, inet_closed_port(UDP)));
    same(pthread_create(&t, NULL, send_late, &fd), 0);
    fails(recv(fd, big, 1, 0), ECONNREFUSED);
    same(pthread_join(t, NULL), 0);
}

TEST(a_datagram_wakes_a_reader)
{
    int fd = inet_bound(UDP, LOOP), other = inet_fresh(UDP);
    pthread_t t;
    works(inet_connect(other, LOOP, inet_port(fd)));
    same(pthread_create(&t, NULL, send_late, &other), 0);
    same(recv(fd, big, 10, 0), 1);
    same(pthread_join(t, NULL), 0);
}

int main(void)
{
    return tap_run("udp");
}
