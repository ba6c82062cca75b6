/* What the tests of rtnetlink share: messages as they are, questions and verdicts. */
#pragma once

#include "inet.h"

#include <sys/syscall.h>

#ifndef NLM_F_REQUEST /* what Linux has in <linux/rtnetlink.h> */
struct nlmsghdr {
    uint32_t nlmsg_len;
    uint16_t nlmsg_type, nlmsg_flags;
    uint32_t nlmsg_seq, nlmsg_pid;
};
struct sockaddr_nl {
    uint16_t nl_family, nl_pad;
    uint32_t nl_pid, nl_groups;
};
enum { NLMSG_NOOP = 1, NLMSG_ERROR = 2, NLMSG_DONE = 3 };
enum { RTM_NEWLINK = 16, RTM_GETLINK = 18, RTM_NEWADDR = 20, RTM_DELADDR = 21, RTM_GETADDR = 22 };
enum { RTM_NEWROUTE = 24, RTM_DELROUTE = 25, RTM_GETROUTE = 26, RTM_NEWNEIGH = 28 };
enum { RTM_GETNEIGH = 30 };
#define NLM_F_REQUEST 1
#define NLM_F_MULTI 2
#define NLM_F_ACK 4
#define NLM_F_DUMP 0x300
#define NLM_F_REPLACE 0x100
#define NLM_F_CREATE 0x400
#endif
enum { GROUP_LINK = 1, GROUP_NEIGH = 3, GROUP_ADDRESS = 5, GROUP_ROUTE = 7 };
#define BIT(group) (1u << ((group)-1))
#define LO 1 /* its number */
#define RTA_DST 1
#define IFLA_IFNAME 3

static struct request {
    struct nlmsghdr h;
    unsigned char body[64];
} request;
static union {
    struct nlmsghdr h;
    char bytes[16384];
} answer;

static inline int netlink(void)
{
    return works(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static inline uint32_t port_of(int fd)
{
    struct sockaddr_nl nl;
    socklen_t len = sizeof(nl);
    works(getsockname(fd, (struct sockaddr *)&nl, &len));
    same(len, sizeof(nl));
    same(nl.nl_family, AF_NETLINK);
    return nl.nl_pid;
}

/* Send a request with N bytes of body. */
static inline void ask(int fd, int type, int flags, size_t n)
{
    request.h.nlmsg_len = (uint32_t)(sizeof(request.h) + n);
    request.h.nlmsg_type = (uint16_t)type;
    request.h.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    request.h.nlmsg_seq++;
    same(send(fd, &request, request.h.nlmsg_len, 0), request.h.nlmsg_len);
}

/* The error in the answer to the last request, which must be one; 0: it is done. */
static inline int verdict(int fd)
{
    ssize_t n = works(recv(fd, &answer, sizeof(answer), 0));
    check(n >= 36, "an error has at least 36 bytes, this has %zd", n);
    same(answer.h.nlmsg_type, NLMSG_ERROR);
    same(answer.h.nlmsg_seq, request.h.nlmsg_seq);
    same(answer.h.nlmsg_pid, port_of(fd));
    same(((struct nlmsghdr *)(answer.bytes + 20))->nlmsg_seq, request.h.nlmsg_seq);
    return -*(int *)(answer.bytes + 16);
}

/* A machine, or a name space, of one's own: where tests may ask for changes. */
static inline bool set_apart(void)
{
    return syscall(SYS_unshare, 0x40000000) == 0 ||
           errno == ENOSYS; /* none here: the machine is ours */
}

/* --- groups --- */

/* A member of GROUPS, by its name. */
static inline int listener(uint32_t groups)
{
    struct sockaddr_nl nl = {.nl_family = AF_NETLINK, .nl_groups = groups};
    int fd = netlink();
    works(bind(fd, ADDR(nl)));
    return fd;
}

/* The next announcement of TYPE (0: any); others are passed over. */
static inline struct nlmsghdr *heard(int fd, int type)
{
    do {
        ssize_t n = works(recv(fd, &answer, sizeof(answer), 0));
        check(n >= (ssize_t)sizeof(answer.h) && answer.h.nlmsg_len <= (size_t)n, "%zd bytes", n);
        same(answer.h.nlmsg_flags & NLM_F_MULTI, 0);
    } while (type && answer.h.nlmsg_type != type);
    return &answer.h;
}

/* Attribute TYPE of the message H with FIXED bytes; NULL: it has none. */
static inline const void *attribute(const struct nlmsghdr *h, size_t fixed, int type)
{
    const char *at = (const char *)(h + 1) + fixed, *end = (const char *)h + h->nlmsg_len;
    while (at + 4 <= end) {
        uint16_t head[2];
        memcpy(head, at, sizeof(head));
        check(head[0] >= 4 && head[0] <= end - at, "an attribute of %u bytes", head[0]);
        if (head[1] == type)
            return at + 4;
        at += (head[0] + 3) & ~3;
    }
    return NULL;
}

static inline uint32_t number_in(const struct nlmsghdr *h, size_t fixed, int type)
{
    uint32_t n;
    const void *at = attribute(h, fixed, type);
    check(at, "attribute %d", type);
    memcpy(&n, at, sizeof(n));
    return n;
}

static inline int lo_goes(bool up)
{
    struct ifreq r = {0};
    int fd = inet_fresh(SOCK_DGRAM);
    strcpy(r.ifr_name, "lo");
    works(ioctl(fd, SIOCGIFFLAGS, &r));
    r.ifr_flags = (short)(up ? r.ifr_flags | IFF_UP : r.ifr_flags & ~IFF_UP);
    works(ioctl(fd, SIOCSIFFLAGS, &r));
    return close(fd);
}
