/* musl: rtnetlink: lists of what every machine has, answers to requests that are wrong, and what stays root's. */
#define _GNU_SOURCE
#include "netlink.h"

#if __has_include(<ifaddrs.h>) /* ours has none */
#include <ifaddrs.h>
#endif

/* Read a list to its end: how many messages of TYPE there were. */
static int count(int fd, int type)
{
    for (int found = 0;;) {
        ssize_t n = works(recv(fd, &answer, sizeof(answer), MSG_DONTWAIT));
        struct nlmsghdr *h = &answer.h;
        while (n >= (ssize_t)sizeof(*h)) {
            check(h->nlmsg_len >= sizeof(*h) && h->nlmsg_len <= (size_t)n,
                  "a message's length is %u", h->nlmsg_len);
            same(h->nlmsg_seq, request.h.nlmsg_seq);
            check(h->nlmsg_flags & NLM_F_MULTI, "part of a list");
            if (h->nlmsg_type == NLMSG_DONE)
                return found;
            same(h->nlmsg_type, type);
            found++;
            size_t step = (h->nlmsg_len + 3u) & ~3u;
            n -= (ssize_t)step;
            h = (struct nlmsghdr *)((char *)h + step);
        }
    }
}

/* --- sockets --- */

TEST(a_socket_has_no_name_before_it_needs_one)
{
    int fd = netlink();
    same(port_of(fd), 0);
    ask(fd, RTM_GETLINK, NLM_F_DUMP, 4);
    same(port_of(fd), getpid());
}

TEST(the_first_is_named_after_its_process_and_others_are_not)
{
    struct sockaddr_nl nl = {.nl_family = AF_NETLINK};
    int first = netlink(), second = netlink();
    works(bind(first, ADDR(nl)));
    works(bind(second, ADDR(nl)));
    same(port_of(first), getpid());
    check(port_of(second) && port_of(second) != port_of(first), "a number of its own");
}

TEST(a_name_can_be_chosen_once_and_by_one)
{
    struct sockaddr_nl nl = {.nl_family = AF_NETLINK, .nl_pid = 0x7654321};
    int first = netlink(), second = netlink();
    works(bind(first, ADDR(nl)));
    same(port_of(first), 0x7654321);
    works(bind(first, ADDR(nl)));
    fails(bind(second, ADDR(nl)), EADDRINUSE);
    nl.nl_pid++;
    fails(bind(first, ADDR(nl)), EINVAL);
    works(close(first));
    nl.nl_pid--;
    works(bind(second, ADDR(nl)));
}

TEST(names_of_other_families_are_refused)
{
    struct sockaddr_nl nl = {.nl_family = AF_INET};
    int fd = netlink();
    fails(bind(fd, ADDR(nl)), EINVAL);
    nl.nl_family = AF_NETLINK;
    fails(bind(fd, (struct sockaddr *)&nl, 8), EINVAL);
    fails(sendto(fd, &request, 20, 0, (struct sockaddr *)&nl, 8), EINVAL);
}

TEST(kinds_that_do_not_exist_are_refused)
{
    fails(socket(AF_NETLINK, SOCK_STREAM, 0), ESOCKTNOSUPPORT);
    fails(socket(AF_NETLINK, SOCK_RAW, 31), EPROTONOSUPPORT);
    fails(socket(AF_NETLINK, SOCK_RAW, 32), EPROTONOSUPPORT);
    int fd = netlink();
    fails(listen(fd, 1), EOPNOTSUPP);
    fails(accept(fd, NULL, NULL), EOPNOTSUPP);
    fails(shutdown(fd, SHUT_RDWR), EOPNOTSUPP);
    fails(send(fd, &request, 20, MSG_OOB), EOPNOTSUPP);
    fails(recv(fd, &answer, 20, MSG_OOB), EOPNOTSUPP);
}

TEST(nothing_to_read_before_a_question)
{
    int fd = netlink();
    fails(recv(fd, &answer, sizeof(answer), MSG_DONTWAIT), EAGAIN);
    same(inet_ready(fd, 0), POLLOUT);
    ask(fd, RTM_GETLINK, NLM_F_DUMP, 4);
    same(inet_ready(fd, 1000), POLLIN | POLLOUT);
}

TEST(the_sender_of_an_answer_is_the_kernel)
{
    struct sockaddr_nl from = {.nl_pid = 77, .nl_groups = 77};
    socklen_t len = sizeof(from);
    int fd = netlink();
    ask(fd, RTM_GETLINK, NLM_F_DUMP, 4);
    works(recvfrom(fd, &answer, sizeof(answer), 0, (struct sockaddr *)&from, &len));
    same(len, sizeof(from));
    same(from.nl_family, AF_NETLINK);
    same(from.nl_pid, 0);
    same(from.nl_groups, 0);
}

TEST(a_short_read_cuts_the_answer)
{
    int fd = netlink();
    ask(fd, 99, NLM_F_ACK, 4);
    same(recv(fd, &answer, 20, MSG_PEEK | MSG_TRUNC), 40);
    same(recv(fd, &answer, 20, 0), 20);
    fails(recv(fd, &answer, 20, MSG_DONTWAIT), EAGAIN);
}

/* --- lists --- */

TEST(lists_end)
{
    int fd = netlink();
    ask(fd, RTM_GETLINK, NLM_F_DUMP, 4);
    check(count(fd, RTM_NEWLINK) >= 1, "there is the loopback");
    ask(fd, RTM_GETADDR, NLM_F_DUMP, 4);
    (void)count(fd, RTM_NEWADDR);
    ask(fd, RTM_GETROUTE, NLM_F_DUMP, 4);
    (void)count(fd, RTM_NEWROUTE);
    ask(fd, RTM_GETNEIGH, NLM_F_DUMP, 4);
    (void)count(fd, RTM_NEWNEIGH);
}

#if __has_include(<ifaddrs.h>)
TEST(interfaces_have_names_and_numbers)
{
    struct if_nameindex *all = if_nameindex();
    char name[IF_NAMESIZE];
    check(all && all[0].if_index == 1 && !strcmp(all[0].if_name, "lo"),
          "the first is the loopback");
    for (int i = 0; all[i].if_index; i++) {
        same(if_nametoindex(all[i].if_name), all[i].if_index);
        same_text(if_indextoname(all[i].if_index, name), all[i].if_name);
    }
    if_freenameindex(all);
}

TEST(the_loopback_has_its_address)
{
    struct ifaddrs *all, *at;
    bool found = false;
    works(getifaddrs(&all));
    for (at = all; at; at = at->ifa_next) {
        if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET || strcmp(at->ifa_name, "lo") != 0)
            continue;
        const struct sockaddr_in *a = (const void *)at->ifa_addr,
                                 *mask = (const void *)at->ifa_netmask;
        found |= a->sin_addr.s_addr == htonl(LOOP) && mask->sin_addr.s_addr == htonl(0xff000000u);
        same(at->ifa_flags & (IFF_UP | IFF_LOOPBACK), IFF_UP | IFF_LOOPBACK);
    }
    check(found, "lo has 127.0.0.1/8");
    freeifaddrs(all);
}
#endif

TEST(one_interface_can_be_asked_for)
{
    int fd = netlink();
    memset(request.body, 0, sizeof(request.body));
    request.body[4] = 1; /* its number */
    ask(fd, RTM_GETLINK, 0, 16);
    works(recv(fd, &answer, sizeof(answer), 0));
    same(answer.h.nlmsg_type, RTM_NEWLINK);
    same(answer.h.nlmsg_flags & NLM_F_MULTI, 0);
    request.body[4] = 0xf0;
    request.body[5] = 0x7f;
    ask(fd, RTM_GETLINK, 0, 16);
    same(verdict(fd), ENODEV);
    request.body[4] = request.body[5] = 0;
    ask(fd, RTM_GETLINK, 0, 16);
    same(verdict(fd), EINVAL);
}

TEST(one_interface_can_be_asked_for_by_name)
{
    int fd = netlink();
    memset(request.body, 0, sizeof(request.body));
    memcpy(request.body + 16, "\7\0\3\0lo\0", 8);
    ask(fd, RTM_GETLINK, 0, 24);
    works(recv(fd, &answer, sizeof(answer), 0));
    same(answer.h.nlmsg_type, RTM_NEWLINK);
    same(*(int *)(answer.bytes + 20), 1);
    memcpy(request.body + 16, "\7\0\3\0xx\0", 8);
    ask(fd, RTM_GETLINK, 0, 24);
    same(verdict(fd), ENODEV);
}

TEST(a_way_can_be_asked_for)
{
    int fd = netlink();
    memset(request.body, 0, sizeof(request.body));
    request.body[0] = AF_INET;
    request.body[1] = 32;
    memcpy(request.body + 12, "\10\0\1\0\177\0\0\1", 8);
    ask(fd, RTM_GETROUTE, 0, 20);
    works(recv(fd, &answer, sizeof(answer), 0));
    same(answer.h.nlmsg_type, RTM_NEWROUTE);
    same(answer.bytes[16 + 7], 2); /* local */
}

/* --- what is wrong --- */

TEST(unknown_types_are_refused)
{
    int fd = netlink();
    memset(request.body, 0, sizeof(request.body));
    ask(fd, 15 + 200 * 4, 0, 16);
    same(verdict(fd), EOPNOTSUPP);
    same(answer.h.nlmsg_len, 36 + 16); /* with the request itself */
}

TEST(an_acknowledgement_comes_when_it_is_wanted)
{
    int fd = netlink();
    ask(fd, NLMSG_NOOP, NLM_F_ACK, 0);
    same(verdict(fd), 0);
    same(answer.h.nlmsg_len, 36);
    ask(fd, NLMSG_NOOP, 0, 0);
    fails(recv(fd, &answer, sizeof(answer), MSG_DONTWAIT), EAGAIN);
}

TEST(several_requests_in_one_message_are_all_answered)
{
    struct nlmsghdr three[3];
    int fd = netlink();
    for (int i = 0; i < 3; i++)
        three[i] =
            (struct nlmsghdr){16, NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, 70u + (uint32_t)i, 0};
    same(send(fd, three, sizeof(three), 0), sizeof(three));
    for (uint32_t i = 0; i < 3; i++) {
        request.h.nlmsg_seq = 70 + i;
        same(verdict(fd), 0);
    }
}

TEST(lengths_that_can_not_be_end_the_message)
{
    static const uint32_t wrong[] = {0, 1, 15, 37, 4096, 0x7fffffff, 0xffffffff};
    struct nlmsghdr two[2];
    int fd = netlink();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        two[0] = (struct nlmsghdr){wrong[i], NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, 1, 0};
        two[1] = (struct nlmsghdr){16, NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, 2, 0};
        same(send(fd, two, sizeof(two), 0), sizeof(two));
        fails(recv(fd, &answer, sizeof(answer), MSG_DONTWAIT), EAGAIN);
    }
    same(send(fd, two, 3, 0), 3);
    fails(send(fd, two, 0, 0), ENODATA);
    fails(recv(fd, &answer, sizeof(answer), MSG_DONTWAIT), EAGAIN);
}

TEST(what_is_no_request_is_passed_over)
{
    int fd = netlink();
    struct nlmsghdr h = {16, RTM_GETLINK, NLM_F_DUMP, 1, 0};
    same(send(fd, &h, sizeof(h), 0), sizeof(h));
    fails(recv(fd, &answer, sizeof(answer), MSG_DONTWAIT), EAGAIN);
}

TEST(changes_are_for_root)
{
    pid_t pid;
    CHILD (pid) {
        works(setuid(1000));
        int fd = netlink();
        memset(request.body, 0, sizeof(request.body));
        for (int type = 16; type < 32; type++) {
            if (type % 4 == 2)
                continue;
            ask(fd, type, NLM_F_CREATE, 16);
            same(verdict(fd), EPERM);
        }
        ask(fd, RTM_GETLINK, NLM_F_DUMP, 4);
        check(count(fd, RTM_NEWLINK) >= 1, "asking is free");
    }
    exits(pid, 0);
}

TEST(routes_that_are_not_there_can_not_be_removed)
{
    if (!set_apart())
        return;
    int fd = netlink();
    memset(request.body, 0, sizeof(request.body));
    request.body[0] = AF_INET;
    request.body[1] = 24;
    memcpy(request.body + 12, "\10\0\1\0\306\63\144\0", 8); /* 198.51.100.0 (RFC 5737) */
    ask(fd, RTM_DELROUTE, NLM_F_ACK, 20);
    same(verdict(fd), ESRCH);
    request.body[1] = 33;
    ask(fd, RTM_DELROUTE, NLM_F_ACK, 20);
    same(verdict(fd), EINVAL);
}

/* Whoever sends nonsense gets an error or nothing, and lists still work. */
TEST(nonsense_does_no_harm)
{
    uint32_t chance = 12345;
    pid_t pid;
    CHILD (pid) {
        works(setuid(1000));
        int fd = netlink();
        for (int round = 0; round < 20000; round++) {
            struct request r;
            unsigned char *bytes = (unsigned char *)&r;
            for (size_t i = 0; i < sizeof(r); i++) {
                chance = chance * 1103515245 + 12345;
                bytes[i] = chance >> 28 ? 0 : (unsigned char)(chance >> 16);
            }
            chance = chance * 1103515245 + 12345;
            r.h.nlmsg_len = 16 + (chance >> 16) % 68;
            r.h.nlmsg_type = (uint16_t)(14 + (chance >> 8) % 24);
            r.h.nlmsg_flags |= NLM_F_REQUEST;
            ssize_t sent = send(fd, &r, sizeof(r), 0);
            check(sent == (ssize_t)sizeof(r) || errno == ENOBUFS, "send: %s", strerror(errno));
            while (recv(fd, &answer, sizeof(answer), MSG_DONTWAIT) > 0)
                ;
        }
        int fresh = netlink();
        ask(fresh, RTM_GETLINK, NLM_F_DUMP, 4);
        check(count(fresh, RTM_NEWLINK) >= 1, "lists still work");
    }
    exits(pid, 0);
}

int main(void)
{
    return tap_run("netlink");
}
