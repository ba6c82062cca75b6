/* musl: Errors that come back of what was sent, kept for MSG_ERRQUEUE (IP_RECVERR): by UDP and raw sockets. */
#define _GNU_SOURCE
#include "inet_datagram.h"

#ifndef SO_EE_ORIGIN_ICMP /* what Linux has in <linux/errqueue.h> */
struct sock_extended_err {
    uint32_t ee_errno;
    uint8_t ee_origin, ee_type, ee_code, ee_pad;
    uint32_t ee_info, ee_data;
};
#define SO_EE_ORIGIN_LOCAL 1
#define SO_EE_ORIGIN_ICMP 2
#endif
#ifndef IP_RECVERR
#define IP_RECVERR 11
#endif
#define UNREACHABLE 3 /* ICMP's types, and codes */
#define NO_PROTOCOL 2
#define NO_PORT 3
#define UNUSED 253 /* a protocol for experiments (RFC 3692) */

static struct {
    struct sock_extended_err what;
    struct sockaddr_in offender;
    struct sockaddr_in name;
    int flags;
} told;

/* The oldest error that is kept for FD; its bytes are in `big`, at most ROOM. */
static ssize_t receive_error(int fd, size_t room)
{
    union {
        char room[512];
        struct cmsghdr align;
    } u;
    struct iovec v = {big, room};
    struct msghdr m = {.msg_name = &told.name,
                       .msg_namelen = sizeof(told.name),
                       .msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = u.room,
                       .msg_controllen = sizeof(u.room)};
    ssize_t n = recvmsg(fd, &m, MSG_ERRQUEUE);
    if (n < 0)
        return n;
    told.flags = m.msg_flags;
    same(m.msg_namelen, sizeof(told.name));
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    check(c && c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR, "no IP_RECVERR");
    same(c->cmsg_len, CMSG_LEN(sizeof(told.what) + sizeof(told.offender)));
    memcpy(&told.what, CMSG_DATA(c), sizeof(told.what));
    memcpy(&told.offender, CMSG_DATA(c) + sizeof(told.what), sizeof(told.offender));
    check(!CMSG_NXTHDR(&m, c), "nothing else");
    return n;
}

static int asking(void)
{
    int fd = inet_bound(UDP, LOOP);
    same(inet_option(fd, IPPROTO_IP, IP_RECVERR), 0);
    works(inet_set(fd, IPPROTO_IP, IP_RECVERR, 1));
    same(inet_option(fd, IPPROTO_IP, IP_RECVERR), 1);
    return fd;
}

static void await_error(int fd)
{
    while (!(inet_ready(fd, 1000) & POLLERR))
        ;
}

TEST(nothing_is_kept_before_something_goes_wrong)
{
    int fd = asking();
    fails(receive_error(fd, 100), EAGAIN);
    int blocking = inet_fresh(UDP);
    fails(receive_error(blocking, 100), EAGAIN); /* nobody waits for an error */
    same(inet_ready(fd, 0), POLLOUT);
}

TEST(a_refusal_is_kept_with_what_was_sent)
{
    int fd = asking(), closed = inet_closed_port(UDP);
    same(inet_send_to(fd, LOOP + 4, closed, "lost", 4), 4); /* without being connected */
    await_error(fd);
    same(receive_error(fd, 100), 4);
    same(memcmp(big, "lost", 4), 0);
    same(told.flags & (MSG_ERRQUEUE | MSG_TRUNC | MSG_CTRUNC), MSG_ERRQUEUE);
    same(told.what.ee_errno, ECONNREFUSED);
    same(told.what.ee_origin, SO_EE_ORIGIN_ICMP);
    same(told.what.ee_type, UNREACHABLE);
    same(told.what.ee_code, NO_PORT);
    same(told.what.ee_info, 0);
    same(ntohl(told.name.sin_addr.s_addr), LOOP + 4);
    same(ntohs(told.name.sin_port), closed);
    same(told.offender.sin_family, AF_INET);
    same(ntohl(told.offender.sin_addr.s_addr), LOOP + 4);
    fails(receive_error(fd, 100), EAGAIN);
    same(inet_ready(fd, 0), POLLOUT); /* the socket's own error went with it */
}

TEST(a_refusal_is_the_next_calls_error_too)
{
    int fd = asking(), closed = inet_closed_port(UDP);
    same(inet_send_to(fd, LOOP, closed, "x", 1), 1);
    await_error(fd);
    fails(recv(fd, big, 1, 0), ECONNREFUSED);
    check(inet_ready(fd, 0) & POLLERR, "it is still kept");
    same(receive_error(fd, 1), 1);
    same(inet_ready(fd, 0), POLLOUT);
}

TEST(errors_are_kept_in_their_order)
{
    int fd = asking(), closed = inet_closed_port(UDP);
    for (int i = 0; i < 5; i++) {
        char c = (char)('a' + i);
        while (inet_send_to(fd, LOOP, closed, &c, 1) < 0)
            same(errno, ECONNREFUSED); /* of those before */
    }
    await_error(fd);
    for (int i = 0; i < 5; i++) {
        while (receive_error(fd, 10) < 0)
            same(errno, EAGAIN);
        same(big[0], 'a' + i);
    }
    fails(receive_error(fd, 10), EAGAIN);
}

TEST(one_error_taken_the_next_is_the_sockets)
{
    int fd = asking(), closed = inet_closed_port(UDP);
    same(inet_send_to(fd, LOOP, closed, "1", 1), 1);
    await_error(fd);
    same(inet_option(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    same(inet_send_to(fd, LOOP, closed, "2", 1), 1);
    while (inet_option(fd, SOL_SOCKET, SO_ERROR) == 0)
        ;
    same(receive_error(fd, 10), 1);
    same(inet_option(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    same(receive_error(fd, 10), 1);
    same(inet_option(fd, SOL_SOCKET, SO_ERROR), 0);
}

TEST(a_short_read_cuts_what_was_sent)
{
    int fd = asking();
    same(inet_send_to(fd, LOOP, inet_closed_port(UDP), "0123456789", 10), 10);
    await_error(fd);
    same(receive_error(fd, 3), 3);
    check(told.flags & MSG_TRUNC, "MSG_TRUNC is told");
    fails(receive_error(fd, 3), EAGAIN);
}

TEST(what_is_too_long_is_kept_without_its_bytes)
{
    int fd = asking(), to = inet_bound(UDP, LOOP);
    works(inet_connect(fd, LOOP, inet_port(to)));
    fails(send(fd, big, 65520, 0), EMSGSIZE);
    same(receive_error(fd, 100), 0);
    same(told.what.ee_errno, EMSGSIZE);
    same(told.what.ee_origin, SO_EE_ORIGIN_LOCAL);
    same(told.what.ee_type, 0);
    same(told.what.ee_info, 65535);
    same(ntohl(told.name.sin_addr.s_addr), LOOP);
    same(ntohs(told.name.sin_port), inet_port(to));
    same(told.offender.sin_family, AF_UNSPEC);
    fails(receive_error(fd, 100), EAGAIN);
    same(send(fd, "x", 1, 0), 1); /* it was no error of the socket's */
}

TEST(who_asks_no_more_has_nothing_kept)
{
    int fd = asking();
    same(inet_send_to(fd, LOOP, inet_closed_port(UDP), "x", 1), 1);
    await_error(fd);
    works(inet_set(fd, IPPROTO_IP, IP_RECVERR, 0));
    fails(receive_error(fd, 10), EAGAIN);
}

TEST(what_is_kept_counts_against_the_receive_limit)
{
    int fd = asking(), closed = inet_closed_port(UDP), kept = 0;
    works(inet_set(fd, SOL_SOCKET, SO_RCVBUF, 4096));
    for (int i = 0; i < 200; i++)
        if (inet_send_to(fd, LOOP, closed, big, 500) < 0)
            same(errno, ECONNREFUSED);
    await_error(fd);
    while (receive_error(fd, 600) >= 0)
        kept++;
    check(kept >= 1 && kept < 50, "%d are kept", kept);
    int to = inet_bound(UDP, LOOP);
    (void)inet_option(fd, SOL_SOCKET, SO_ERROR);
    works(inet_send_to(to, LOOP, inet_port(fd), "room", 4));
    same(recv(fd, big, 10, 0), 4);
}

TEST(a_raw_socket_hears_too)
{
    int fd = works(socket(AF_INET, SOCK_RAW, UNUSED));
    works(inet_bind(fd, LOOP + 1, 0)); /* so that it doesn't get it itself */
    works(inet_set(fd, IPPROTO_IP, IP_RECVERR, 1));
    same(inet_send_to(fd, LOOP, 0, "to nobody", 9), 9);
    await_error(fd);
    same(receive_error(fd, 100), 9);
    same(memcmp(big, "to nobody", 9), 0);
    same(told.what.ee_errno, ENOPROTOOPT);
    same(told.what.ee_type, UNREACHABLE);
    same(told.what.ee_code, NO_PROTOCOL);
    same(ntohl(told.name.sin_addr.s_addr), LOOP);
    same(ntohs(told.name.sin_port), 0);
    same(ntohl(told.offender.sin_addr.s_addr), LOOP);
}

TEST(a_raw_socket_that_does_not_ask_hears_nothing)
{
    int fd = works(socket(AF_INET, SOCK_RAW, UNUSED));
    works(inet_bind(fd, LOOP + 1, 0));
    same(inet_send_to(fd, LOOP, 0, "to nobody", 9), 9);
    same(inet_ready(fd, 20), POLLOUT);
    works(inet_connect(fd, LOOP, 0)); /* now it does, of what has the 8 bytes that ICMP quotes at least */
    same(send(fd, "to nobody", 9, 0), 9);
    await_error(fd);
    fails(recv(fd, big, 10, MSG_DONTWAIT), ENOPROTOOPT);
}

TEST(bad_memory_loses_the_error)
{
    int fd = asking();
    struct msghdr m = {.msg_control = NOWHERE, .msg_controllen = 100};
    same(inet_send_to(fd, LOOP, inet_closed_port(UDP), "x", 1), 1);
    await_error(fd);
    ssize_t n = recvmsg(fd, &m, MSG_ERRQUEUE);
    check(n == -1 ? errno == EFAULT : n == 0, "%zd", n);
    fails(receive_error(fd, 10), EAGAIN);
}

int main(void)
{
    return tap_run("inet_errors");
}
