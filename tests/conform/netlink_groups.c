/* musl: rtnetlink's groups: what changes about interfaces, addresses, routes and neighbours is told to who listens. */
#define _GNU_SOURCE
#include "netlink.h"

#define SOL_NETLINK 270
#ifndef NETLINK_ADD_MEMBERSHIP
#define NETLINK_ADD_MEMBERSHIP 1
#define NETLINK_DROP_MEMBERSHIP 2
#define NETLINK_PKTINFO 3
#define NETLINK_NO_ENOBUFS 5
#define NETLINK_LIST_MEMBERSHIPS 9
#endif

static int membership(int fd, int what, int group)
{
    return setsockopt(fd, SOL_NETLINK, what, &group, sizeof(group));
}

static uint32_t groups_of(int fd)
{
    struct sockaddr_nl nl;
    socklen_t len = sizeof(nl);
    works(getsockname(fd, (struct sockaddr *)&nl, &len));
    return nl.nl_groups;
}

static void set_mtu(int mtu)
{
    struct ifreq r = {.ifr_mtu = mtu};
    int fd = inet_fresh(SOCK_DGRAM);
    strcpy(r.ifr_name, "lo");
    works(ioctl(fd, SIOCSIFMTU, &r));
    works(close(fd));
}

/* What set_mtu() changed, as it was. */
static void restore_mtu(void)
{
    set_mtu(65536);
}

/* RTM_NEWADDR or RTM_DELADDR: 198.51.100.7/24 (RFC 5737) of the loopback. */
static void change_address(int type, int flags)
{
    int fd = netlink();
    memset(request.body, 0, sizeof(request.body));
    request.body[0] = AF_INET;
    request.body[1] = 24;
    request.body[4] = LO;
    memcpy(request.body + 8, "\10\0\2\0\306\63\144\7\10\0\1\0\306\63\144\7", 16);
    ask(fd, type, NLM_F_ACK | flags, 24);
    same(verdict(fd), 0);
    works(close(fd));
}

enum { UNREACHABLE = 7, PROHIBIT = 8 };

/* RTM_NEWROUTE or RTM_DELROUTE: 203.0.113.0/24 is refused, in the way that KIND is. */
static int change_route(int type, int kind, int flags)
{
    int fd = netlink();
    memset(request.body, 0, sizeof(request.body));
    request.body[0] = AF_INET;
    request.body[1] = 24;
    request.body[4] = 254; /* the main table */
    request.body[5] = 4;   /* by hand */
    request.body[7] = (unsigned char)kind;
    memcpy(request.body + 12, "\10\0\1\0\313\0\161\0", 8);
    ask(fd, type, NLM_F_ACK | flags, 20);
    int error = verdict(fd);
    works(close(fd));
    return error;
}

/* --- members --- */

TEST(groups_are_joined_by_a_name)
{
    int fd = listener(BIT(GROUP_LINK) | BIT(GROUP_ROUTE));
    same(groups_of(fd), BIT(GROUP_LINK) | BIT(GROUP_ROUTE));
    struct sockaddr_nl nl = {.nl_family = AF_NETLINK, .nl_groups = BIT(GROUP_NEIGH)};
    nl.nl_pid = port_of(fd);
    works(bind(fd, ADDR(nl))); /* again: others instead */
    same(groups_of(fd), BIT(GROUP_NEIGH));
}

TEST(groups_are_joined_and_left_one_by_one)
{
    int fd = netlink();
    works(membership(fd, NETLINK_ADD_MEMBERSHIP, GROUP_LINK));
    works(membership(fd, NETLINK_ADD_MEMBERSHIP, GROUP_ADDRESS));
    works(membership(fd, NETLINK_ADD_MEMBERSHIP, GROUP_ADDRESS));
    same(groups_of(fd), BIT(GROUP_LINK) | BIT(GROUP_ADDRESS));
    uint32_t list[8] = {0};
    socklen_t len = sizeof(list);
    works(getsockopt(fd, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, list, &len));
    check(len >= 4 && len <= sizeof(list), "%u bytes", len);
    same(list[0], BIT(GROUP_LINK) | BIT(GROUP_ADDRESS));
    works(membership(fd, NETLINK_DROP_MEMBERSHIP, GROUP_LINK));
    works(membership(fd, NETLINK_DROP_MEMBERSHIP, GROUP_LINK));
    same(groups_of(fd), BIT(GROUP_ADDRESS));
}

TEST(groups_that_can_not_be_are_refused)
{
    int fd = netlink();
    fails(membership(fd, NETLINK_ADD_MEMBERSHIP, 0), EINVAL);
    fails(membership(fd, NETLINK_ADD_MEMBERSHIP, -1), EINVAL);
    fails(membership(fd, NETLINK_ADD_MEMBERSHIP, 10000), EINVAL);
    fails(membership(fd, NETLINK_DROP_MEMBERSHIP, 0), EINVAL);
    fails(membership(fd, 99, 1), ENOPROTOOPT);
    int n;
    socklen_t len = 2;
    fails(getsockopt(fd, SOL_NETLINK, NETLINK_PKTINFO, &n, &len), EINVAL);
    fails(getsockopt(fd, SOL_NETLINK, 99, &n, &len), ENOPROTOOPT);
}

TEST(anybody_may_listen)
{
    pid_t pid;
    CHILD (pid) {
        works(setuid(1000));
        int fd = listener(BIT(GROUP_LINK));
        works(membership(fd, NETLINK_ADD_MEMBERSHIP, GROUP_ROUTE));
        struct sockaddr_nl nl = {.nl_family = AF_NETLINK, .nl_groups = BIT(GROUP_LINK)};
        fails(sendto(fd, &request, 20, 0, ADDR(nl)), EPERM); /* but not speak */
        fails(connect(fd, ADDR(nl)), EPERM);
    }
    exits(pid, 0);
}

/* --- what is told --- */

TEST(a_changed_interface_is_told)
{
    if (!set_apart())
        return;
    int fd = listener(BIT(GROUP_LINK)), deaf = listener(BIT(GROUP_ROUTE)), none = netlink();
    set_mtu(60000);
    struct nlmsghdr *h = heard(fd, RTM_NEWLINK);
    same(*(int *)((char *)(h + 1) + 4), LO);
    same_text(attribute(h, 16, IFLA_IFNAME), "lo");
    same(number_in(h, 16, 4 /* IFLA_MTU */), 60000);
    restore_mtu();
    same(number_in(heard(fd, RTM_NEWLINK), 16, 4), 65536);
    fails(recv(deaf, &answer, sizeof(answer), MSG_DONTWAIT), EAGAIN);
    fails(recv(none, &answer, sizeof(answer), MSG_DONTWAIT), EAGAIN);
}

TEST(up_and_down_are_told_with_what_changed)
{
    if (!set_apart())
        return;
    (void)lo_goes(true);
    int fd = listener(BIT(GROUP_LINK));
    (void)lo_goes(false);
    struct nlmsghdr *h = heard(fd, RTM_NEWLINK);
    unsigned flags = ((unsigned *)(h + 1))[2], changed = ((unsigned *)(h + 1))[3];
    same(flags & IFF_UP, 0);
    same(changed & IFF_UP, IFF_UP);
    (void)lo_goes(true);
    do {
        h = heard(fd, RTM_NEWLINK);
        flags = ((unsigned *)(h + 1))[2];
    } while (!(flags & IFF_UP));
}

TEST(what_leaves_all_as_it_is_is_not_told)
{
    if (!set_apart())
        return;
    restore_mtu();
    int fd = listener(BIT(GROUP_LINK));
    restore_mtu();
    set_mtu(50000);
    same(number_in(heard(fd, RTM_NEWLINK), 16, 4), 50000); /* the first word */
    restore_mtu();
}

TEST(addresses_and_their_routes_are_told)
{
    if (!set_apart())
        return;
    (void)lo_goes(true);
    int fd = listener(BIT(GROUP_ADDRESS)), routes = listener(BIT(GROUP_ROUTE));
    change_address(RTM_NEWADDR, NLM_F_CREATE);
    struct nlmsghdr *h = heard(fd, RTM_NEWADDR);
    unsigned char *m = (unsigned char *)(h + 1);
    same(m[0], AF_INET);
    same(m[1], 24);
    same(((unsigned *)m)[1], LO);
    same(ntohl(number_in(h, 8, 2 /* IFA_LOCAL */)), 0xc6336407);
    same_text(attribute(h, 8, 3 /* IFA_LABEL */), "lo");
    h = heard(routes, RTM_NEWROUTE);
    m = (unsigned char *)(h + 1);
    same(m[7], 2); /* local */
    change_address(RTM_DELADDR, 0);
    same(ntohl(number_in(heard(fd, RTM_DELADDR), 8, 2)), 0xc6336407);
    (void)heard(routes, RTM_DELROUTE);
}

TEST(routes_are_told_when_they_come_are_replaced_and_go)
{
    if (!set_apart())
        return;
    (void)lo_goes(true);
    int fd = listener(BIT(GROUP_ROUTE));
    same(change_route(RTM_NEWROUTE, UNREACHABLE, NLM_F_CREATE), 0);
    struct nlmsghdr *h = heard(fd, RTM_NEWROUTE);
    unsigned char *m = (unsigned char *)(h + 1);
    same(m[1], 24);
    same(m[5], 4);
    same(m[7], UNREACHABLE);
    same(ntohl(number_in(h, 12, RTA_DST)), 0xcb007100);
    same(h->nlmsg_flags & NLM_F_REPLACE, 0);
    same(change_route(RTM_NEWROUTE, PROHIBIT, NLM_F_CREATE | NLM_F_REPLACE), 0);
    h = heard(fd, RTM_NEWROUTE);
    same(((unsigned char *)(h + 1))[7], PROHIBIT);
    same(h->nlmsg_flags & NLM_F_REPLACE, NLM_F_REPLACE);
    same(change_route(RTM_NEWROUTE, PROHIBIT, NLM_F_CREATE | NLM_F_REPLACE), 0); /* as it is */
    same(change_route(RTM_DELROUTE, PROHIBIT, 0), 0);
    same(ntohl(number_in(heard(fd, RTM_DELROUTE), 12, RTA_DST)), 0xcb007100);
    same(change_route(RTM_DELROUTE, PROHIBIT, 0), ESRCH); /* and that is told to nobody */
    fails(recv(fd, &answer, sizeof(answer), MSG_DONTWAIT), EAGAIN);
}

TEST(an_announcement_says_which_group_it_was_for)
{
    if (!set_apart())
        return;
    int fd = listener(BIT(GROUP_LINK)), one = 1;
    works(setsockopt(fd, SOL_NETLINK, NETLINK_PKTINFO, &one, sizeof(one)));
    same(inet_option(fd, SOL_NETLINK, NETLINK_PKTINFO), 1);
    set_mtu(40000);
    struct sockaddr_nl from;
    union {
        char room[64];
        struct cmsghdr align;
    } u;
    struct iovec v = {&answer, sizeof(answer)};
    struct msghdr m = {.msg_name = &from,
                       .msg_namelen = sizeof(from),
                       .msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = u.room,
                       .msg_controllen = sizeof(u.room)};
    works(recvmsg(fd, &m, 0));
    same(from.nl_pid, 0);
    same(from.nl_groups, BIT(GROUP_LINK));
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    check(c && c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_PKTINFO, "its group");
    same(*(unsigned *)CMSG_DATA(c), GROUP_LINK);
    restore_mtu();
}

TEST(every_member_hears)
{
    if (!set_apart())
        return;
    int fds[20];
    for (int i = 0; i < 20; i++)
        fds[i] = listener(BIT(GROUP_LINK));
    works(membership(fds[3], NETLINK_DROP_MEMBERSHIP, GROUP_LINK));
    set_mtu(30000);
    for (int i = 0; i < 20; i++) {
        if (i != 3)
            same(number_in(heard(fds[i], RTM_NEWLINK), 16, 4), 30000);
    }
    fails(recv(fds[3], &answer, sizeof(answer), MSG_DONTWAIT), EAGAIN);
    restore_mtu();
}

TEST(who_does_not_read_is_told_that_something_was_lost)
{
    if (!set_apart())
        return;
    int fd = listener(BIT(GROUP_LINK)), careless = listener(BIT(GROUP_LINK)), one = 1, got = 0;
    works(inet_set(fd, SOL_SOCKET, SO_RCVBUF, 4096));
    works(inet_set(careless, SOL_SOCKET, SO_RCVBUF, 4096));
    works(setsockopt(careless, SOL_NETLINK, NETLINK_NO_ENOBUFS, &one, sizeof(one)));
    for (int i = 0; i < 100; i++)
        set_mtu(20000 + i);
    check(inet_ready(fd, 0) & POLLERR, "POLLERR");
    fails(recv(fd, &answer, sizeof(answer), MSG_DONTWAIT), ENOBUFS);
    while (recv(fd, &answer, sizeof(answer), MSG_DONTWAIT) > 0)
        got++;
    check(got >= 1 && got < 100, "%d were kept", got);
    same(errno, EAGAIN);
    same(inet_ready(careless, 0) & POLLERR, 0);
    check(recv(careless, &answer, sizeof(answer), MSG_DONTWAIT) > 0, "the first are there");
    set_mtu(25000); /* there is room again */
    same(number_in(heard(fd, RTM_NEWLINK), 16, 4), 25000);
    restore_mtu();
}

int main(void)
{
    return tap_run("netlink_groups");
}
