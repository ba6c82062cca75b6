/* musl: UDP on the loopback: broadcasts and groups, options, limits, and what comes beside the data. */
#define _GNU_SOURCE
#include "inet_datagram.h"

#include <sys/time.h>

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

TEST(groups_are_near_the_address_sent_from)
{
    int fd = inet_bound(UDP, LOOP);
    same(inet_send_to(fd, 0xef050505, 9, "x", 1), 1);
    works(inet_set(fd, SOL_SOCKET, SO_BROADCAST, 1));
    same(inet_send_to(fd, 0xffffffff, 9, "x", 1), 1);
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
    info.ipi_spec_dst.s_addr = htonl(0x0a63004d); /* it isn't ours */
    memcpy(CMSG_DATA(c), &info, sizeof(info));
    fails(sendmsg(fd, &m, 0), ENETUNREACH);
    info.ipi_spec_dst.s_addr = htonl(0xef050505);
    memcpy(CMSG_DATA(c), &info, sizeof(info));
    fails(sendmsg(fd, &m, 0), EINVAL);
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
    struct itimerval in = {{0, 20000}, {0, 20000}}; /* again: the first may come before the call */
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
    return tap_run("udp_more");
}
