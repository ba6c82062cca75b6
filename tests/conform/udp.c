/* musl: UDP on the loopback: names, connections, errors, limits, and what comes beside the data. */
#define _GNU_SOURCE
#include "inet.h"

#include <pthread.h>
#include <sys/time.h>

static char big[70000];

#define UDP SOCK_DGRAM

static ssize_t receive_from(int fd, void *data, size_t n, struct sockaddr_in *from)
{
    socklen_t len = sizeof(*from);
    ssize_t got = recvfrom(fd, data, n, 0, (struct sockaddr *)from, &len);
    if (got >= 0)
        same(len, sizeof(*from));
    return got;
}

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

/* --- everybody --- */

TEST(broadcast_wants_leave)
{
    int to = inet_bound(UDP, 0), fd = inet_fresh(UDP);
    fails(inet_send_to(fd, 0x7fffffff, inet_port(to), "x", 1), EACCES);
    fails(inet_connect(fd, 0x7fffffff, inet_port(to)), EACCES);
    works(inet_set(fd, SOL_SOCKET, SO_BROADCAST, 1));
    same(inet_send_to(fd, 0x7fffffff, inet_port(to), "x", 1), 1);
    inet_await(to);
    same(recv(to, big, 10, 0), 1);
}

TEST(broadcast_reaches_all)
{
    int a = inet_fresh(UDP), b = inet_fresh(UDP), fd = inet_fresh(UDP), own = inet_fresh(UDP);
    works(inet_set(a, SOL_SOCKET, SO_REUSEADDR, 1));
    works(inet_set(b, SOL_SOCKET, SO_REUSEADDR, 1));
    works(inet_set(own, SOL_SOCKET, SO_REUSEADDR, 1));
    works(inet_set(fd, SOL_SOCKET, SO_BROADCAST, 1));
    works(inet_bind(a, 0, 0));
    works(inet_bind(b, 0, inet_port(a)));
    works(inet_bind(own, LOOP, inet_port(a))); /* that address alone */
    same(inet_send_to(fd, 0x7fffffff, inet_port(a), "x", 1), 1);
    inet_await(a);
    inet_await(b);
    same(inet_ready(own, 0), POLLOUT);
}

TEST(no_icmp_answers_a_broadcast)
{
    int fd = inet_fresh(UDP), closed = inet_closed_port(UDP);
    works(inet_set(fd, SOL_SOCKET, SO_BROADCAST, 1));
    works(inet_connect(fd, 0x7fffffff, closed));
    same(send(fd, "x", 1, 0), 1);
    same(inet_ready(fd, 20), POLLOUT);
}

#define GROUP 0xe8010203u /* 232.1.2.3 */

static int group_sender(void)
{
    int fd = inet_fresh(UDP);
    struct in_addr lo = {htonl(LOOP)};
    works(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &lo, sizeof(lo)));
    return fd;
}

static int join(int fd, uint32_t group, uint32_t interface, int what)
{
    struct ip_mreq r = {{htonl(group)}, {htonl(interface)}};
    return setsockopt(fd, IPPROTO_IP, what, &r, sizeof(r));
}

TEST(members_hear_their_group)
{
    int to = inet_bound(UDP, 0), fd = group_sender();
    works(inet_set(to, IPPROTO_IP, IP_MULTICAST_ALL, 0));
    works(inet_send_to(fd, GROUP, inet_port(to), "0", 1));
    same(inet_ready(to, 20), POLLOUT);
    works(join(to, GROUP, LOOP, IP_ADD_MEMBERSHIP));
    works(inet_send_to(fd, GROUP, inet_port(to), "1", 1));
    inet_await(to);
    struct sockaddr_in from;
    same(receive_from(to, big, 10, &from), 1);
    same(big[0], '1');
    same(ntohl(from.sin_addr.s_addr), LOOP);
    works(inet_send_to(fd, GROUP + 1, inet_port(to), "2", 1));
    works(join(to, GROUP, LOOP, IP_DROP_MEMBERSHIP));
    works(inet_send_to(fd, GROUP, inet_port(to), "3", 1));
    same(inet_ready(to, 20), POLLOUT);
}

TEST(joining_has_its_errors)
{
    int fd = inet_fresh(UDP);
    struct ip_mreqn n = {{htonl(GROUP)}, {0}, 1};
    fails(join(fd, LOOP, LOOP, IP_ADD_MEMBERSHIP), EINVAL);
    fails(join(fd, GROUP, 0xc0000201, IP_ADD_MEMBERSHIP), ENODEV);
    works(join(fd, GROUP, LOOP, IP_ADD_MEMBERSHIP));
    fails(join(fd, GROUP, LOOP, IP_ADD_MEMBERSHIP), EADDRINUSE);
    fails(join(fd, GROUP + 1, LOOP, IP_DROP_MEMBERSHIP), EADDRNOTAVAIL);
    works(join(fd, GROUP, LOOP, IP_DROP_MEMBERSHIP));
    fails(join(fd, GROUP, LOOP, IP_DROP_MEMBERSHIP), EADDRNOTAVAIL);
    works(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &n, sizeof(n)));
    fails(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &n, 7), EINVAL);
    for (uint32_t i = 1; i < 20; i++)
        works(join(fd, GROUP + i, LOOP, IP_ADD_MEMBERSHIP));
    fails(join(fd, GROUP + 20, LOOP, IP_ADD_MEMBERSHIP), ENOBUFS);
}

/* --- options --- */

TEST(options_of_ip)
{
    int fd = inet_fresh(UDP);
    same(inet_option(fd, IPPROTO_IP, IP_TTL), 64);
    works(inet_set(fd, IPPROTO_IP, IP_TTL, 7));
    same(inet_option(fd, IPPROTO_IP, IP_TTL), 7);
    works(inet_set(fd, IPPROTO_IP, IP_TTL, -1));
    same(inet_option(fd, IPPROTO_IP, IP_TTL), 64);
    fails(inet_set(fd, IPPROTO_IP, IP_TTL, 0), EINVAL);
    fails(inet_set(fd, IPPROTO_IP, IP_TTL, 256), EINVAL);
    same(inet_option(fd, IPPROTO_IP, IP_TOS), 0);
    works(inet_set(fd, IPPROTO_IP, IP_TOS, 0x10));
    same(inet_option(fd, IPPROTO_IP, IP_TOS), 0x10);
    same(inet_option(fd, IPPROTO_IP, IP_MULTICAST_TTL), 1);
    same(inet_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP), 1);
    unsigned char byte = 5;
    works(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &byte, 1));
    same(inet_option(fd, IPPROTO_IP, IP_MULTICAST_TTL), 5);
    fails(inet_set(fd, IPPROTO_IP, IP_MULTICAST_TTL, 256), EINVAL);
    fails(inet_set(fd, IPPROTO_IP, 9999, 1), ENOPROTOOPT);
    fails(inet_set(fd, IPPROTO_IP, IP_HDRINCL, 1), ENOPROTOOPT);
    fails(inet_set(fd, IPPROTO_IP, IP_MTU_DISCOVER, 6), EINVAL);
    socklen_t len = sizeof(int);
    int value;
    fails(getsockopt(fd, IPPROTO_IP, IP_MTU, &value, &len), ENOTCONN);
    works(inet_connect(fd, LOOP, 9));
    same(inet_option(fd, IPPROTO_IP, IP_MTU), 65535);
}

/* The control message of TYPE in M, or NULL. */
static struct cmsghdr *control_of(struct msghdr *m, int level, int type)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == level && c->cmsg_type == type)
            return c;
    return NULL;
}

TEST(receivers_may_know_more)
{
    int to = inet_bound(UDP, 0), fd = inet_fresh(UDP);
    works(inet_set(to, IPPROTO_IP, IP_PKTINFO, 1));
    works(inet_set(to, IPPROTO_IP, IP_RECVTTL, 1));
    works(inet_set(to, IPPROTO_IP, IP_RECVTOS, 1));
    works(inet_set(to, SOL_SOCKET, SO_TIMESTAMP, 1));
    works(inet_set(fd, IPPROTO_IP, IP_TTL, 33));
    works(inet_set(fd, IPPROTO_IP, IP_TOS, 0x08));
    works(inet_send_to(fd, 0x7f000009, inet_port(to), "x", 1));
    char control[256];
    struct iovec v = {big, 10};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    same(recvmsg(to, &m, 0), 1);
    same(m.msg_flags, 0);
    struct cmsghdr *c = control_of(&m, IPPROTO_IP, IP_PKTINFO);
    check(c, "no IP_PKTINFO");
    struct in_pktinfo info;
    memcpy(&info, CMSG_DATA(c), sizeof(info));
    same(ntohl(info.ipi_addr.s_addr), 0x7f000009);
    same(info.ipi_ifindex, 1);
    c = control_of(&m, IPPROTO_IP, IP_TTL);
    check(c, "no IP_TTL");
    int ttl;
    memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));
    same(ttl, 33);
    c = control_of(&m, IPPROTO_IP, IP_TOS);
    check(c, "no IP_TOS");
    same(c->cmsg_len, CMSG_LEN(1));
    same(*CMSG_DATA(c), 0x08);
    c = control_of(&m, SOL_SOCKET, SO_TIMESTAMP);
    check(c, "no SO_TIMESTAMP");
    struct timeval tv;
    memcpy(&tv, CMSG_DATA(c), sizeof(tv));
    check(tv.tv_sec > 1000000000, "time %ld", (long)tv.tv_sec);
}

TEST(senders_may_say_more)
{
    int to = inet_bound(UDP, 0), fd = inet_fresh(UDP);
    struct sockaddr_in a = at(LOOP, inet_port(to)), from;
    union {
        char room[CMSG_SPACE(sizeof(struct in_pktinfo))];
        struct cmsghdr align;
    } u = {0};
    struct iovec v = {"x", 1};
    struct msghdr m = {.msg_name = &a,
                       .msg_namelen = sizeof(a),
                       .msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = u.room,
                       .msg_controllen = sizeof(u.room)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = IPPROTO_IP;
    c->cmsg_type = IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
    struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(0x7f000005)};
    memcpy(CMSG_DATA(c), &info, sizeof(info));
    same(sendmsg(fd, &m, 0), 1);
    same(receive_from(to, big, 10, &from), 1);
    same(ntohl(from.sin_addr.s_addr), 0x7f000005);
    c->cmsg_len = 3;
    fails(sendmsg(fd, &m, 0), EINVAL);
    c->cmsg_len = CMSG_LEN(sizeof(int));
    c->cmsg_type = IP_TTL;
    fails(sendmsg(fd, &m, 0), EINVAL); /* a TTL of 0 */
}

TEST(cork_makes_one_of_many)
{
    int to = inet_bound(UDP, LOOP), fd = inet_fresh(UDP);
    works(inet_connect(fd, LOOP, inet_port(to)));
    same(send(fd, "ab", 2, MSG_MORE), 2);
    same(send(fd, "cd", 2, MSG_MORE), 2);
    fails(recv(to, big, 10, MSG_DONTWAIT), EAGAIN);
    same(send(fd, "e", 1, 0), 1);
    same(recv(to, big, 10, 0), 5);
    same(memcmp(big, "abcde", 5), 0);
    works(inet_set(fd, IPPROTO_UDP, 1 /* UDP_CORK */, 1));
    same(send(fd, "12", 2, 0), 2);
    same(send(fd, "3", 1, 0), 1);
    fails(recv(to, big, 10, MSG_DONTWAIT), EAGAIN);
    works(inet_set(fd, IPPROTO_UDP, 1, 0));
    same(recv(to, big, 10, 0), 3);
}

TEST(a_full_queue_drops_the_new)
{
    int to = inet_fresh(UDP), fd = inet_fresh(UDP), got = 0;
    works(inet_set(to, SOL_SOCKET, SO_RCVBUF, 20000));
    works(inet_bind(to, LOOP, 0));
    for (int i = 0; i < 1000; i++) {
        memcpy(big, &i, sizeof(i));
        same(inet_send_to(fd, LOOP, inet_port(to), big, 1000), 1000);
    }
    int n, last = -1;
    while (recv(to, big, sizeof(big), MSG_DONTWAIT) == 1000) {
        memcpy(&n, big, sizeof(n));
        same(n, last + 1);
        last = n;
        got++;
    }
    check(got > 5 && got < 100, "%d arrived", got);
}

TEST(reads_have_a_time_limit)
{
    int fd = inet_bound(UDP, LOOP);
    struct timeval tv = {0, 20000};
    works(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
    fails(recv(fd, big, 10, 0), EAGAIN);
}

static void on_alarm(int signo)
{
    (void)signo;
}

TEST(a_signal_interrupts_a_reader)
{
    int fd = inet_bound(UDP, LOOP);
    struct sigaction sa = {.sa_handler = on_alarm};
    works(sigaction(SIGALRM, &sa, NULL));
    struct itimerval in = {.it_value = {0, 20000}};
    works(setitimer(ITIMER_REAL, &in, NULL));
    fails(recv(fd, big, 10, 0), EINTR);
}

TEST(bad_memory_loses_the_datagram)
{
    int to = inet_bound(UDP, LOOP), fd = inet_fresh(UDP);
    works(inet_send_to(fd, LOOP, inet_port(to), "one", 3));
    works(inet_send_to(fd, LOOP, inet_port(to), "four", 4));
    fails(recv(to, NOWHERE, 10, 0), EFAULT);
    same(recv(to, big, 10, 0), 4);
    struct sockaddr_in from;
    works(inet_send_to(fd, LOOP, inet_port(to), "x", 1));
    fails(recvfrom(to, big, 10, 0, (struct sockaddr *)&from, NOWHERE), EFAULT);
}

TEST(a_socket_may_talk_to_itself)
{
    int fd = inet_bound(UDP, LOOP);
    works(inet_connect(fd, LOOP, inet_port(fd)));
    same(send(fd, "me", 2, 0), 2);
    same(recv(fd, big, 10, 0), 2);
}

TEST(the_loopback_is_interface_one)
{
    struct ifreq r = {0};
    int fd = inet_fresh(UDP);
    strcpy(r.ifr_name, "lo");
    works(ioctl(fd, SIOCGIFINDEX, &r));
    same(r.ifr_ifindex, 1);
    works(ioctl(fd, SIOCGIFFLAGS, &r));
    same(r.ifr_flags & (IFF_UP | IFF_LOOPBACK | IFF_RUNNING), IFF_UP | IFF_LOOPBACK | IFF_RUNNING);
    works(ioctl(fd, SIOCGIFMTU, &r));
    same(r.ifr_mtu, 65536);
    works(ioctl(fd, SIOCGIFADDR, &r));
    struct sockaddr_in a;
    memcpy(&a, &r.ifr_addr, sizeof(a));
    same(ntohl(a.sin_addr.s_addr), LOOP);
    works(ioctl(fd, SIOCGIFNETMASK, &r));
    memcpy(&a, &r.ifr_addr, sizeof(a));
    same(ntohl(a.sin_addr.s_addr), 0xff000000);
    strcpy(r.ifr_name, "none7");
    fails(ioctl(fd, SIOCGIFFLAGS, &r), ENODEV);
    fails(ioctl(fd, SIOCGIFFLAGS, NOWHERE), EFAULT);
    fails(ioctl(fd, 0x8999, &r), ENOTTY);
}

int main(void)
{
    return tap_run("udp");
}
