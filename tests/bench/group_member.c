/*
 * group_member GROUP PORT: join GROUP on eth0 twice over, say what comes for it and how it came, and leave when a
 * datagram says "leave". For tests that watch the wire.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void need(int fine, const char *what)
{
    if (!fine) {
        perror(what);
        exit(1);
    }
}

static int member(const struct ip_mreqn *group, int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1;

    need(fd >= 0, "socket");
    need(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0, "SO_REUSEADDR");
    need(setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one)) == 0, "IP_PKTINFO");
    need(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0, "bind");
    need(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, group, sizeof(*group)) == 0, "join");
    return fd;
}

/* One datagram: true when it says "leave". */
static int hear(int fd)
{
    char text[256], control[256], to[16];
    struct sockaddr_in from;
    struct iovec one = {text, sizeof(text) - 1};
    struct msghdr m = {
        .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &one, .msg_iovlen = 1};

    m.msg_control = control;
    m.msg_controllen = sizeof(control);
    ssize_t n = recvmsg(fd, &m, 0);
    need(n >= 0, "recvmsg");
    text[n] = '\0';
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    need(c && c->cmsg_type == IP_PKTINFO, "how it came");
    struct in_pktinfo info;
    memcpy(&info, CMSG_DATA(c), sizeof(info));
    inet_ntop(AF_INET, &info.ipi_addr, to, sizeof(to));
    printf("%s to %s by interface %d\n", text, to, info.ipi_ifindex);
    fflush(stdout);
    return !strcmp(text, "leave");
}

int main(int argc, char **argv)
{
    struct ifreq r = {.ifr_name = "eth0"};
    struct ip_mreqn group = {0};

    need(argc == 3 && inet_pton(AF_INET, argv[1], &group.imr_multiaddr) == 1,
         "group_member GROUP PORT");
    int first = member(&group, atoi(argv[2]));
    need(ioctl(first, SIOCGIFINDEX, &r) == 0, "eth0");
    need(setsockopt(first, IPPROTO_IP, IP_DROP_MEMBERSHIP, &group, sizeof(group)) == 0, "leave");
    group.imr_ifindex = r.ifr_ifindex;
    need(setsockopt(first, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) == 0,
         "join by index");
    int second = member(&group, atoi(argv[2]));
    printf("joined\n");
    fflush(stdout);
    for (;;) {
        int end = hear(first);
        need(hear(second) == end, "the second hears the same");
        if (end)
            break;
    }
    close(first); /* the second is still a member */
    printf("one left\n");
    fflush(stdout);
    hear(second);
    close(second);
    printf("both left\n");
    return 0;
}
