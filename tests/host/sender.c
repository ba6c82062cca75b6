/*
 * sender ADDRESS PORT TEXT...: send each text as a datagram, say so, wait until one comes to grief, and say what is
 * heard of it. For tests with a wire.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#ifndef SO_EE_ORIGIN_ICMP /* what Linux has in <linux/errqueue.h> */
#include <stdint.h>
struct sock_extended_err {
    uint32_t ee_errno;
    uint8_t ee_origin, ee_type, ee_code, ee_pad;
    uint32_t ee_info, ee_data;
};
#endif

static int need(int result, const char *what)
{
    if (result >= 0)
        return result;
    perror(what);
    exit(1);
}

static void say_error(int fd)
{
    char text[1500], control[256], to[INET_ADDRSTRLEN], from[INET_ADDRSTRLEN];
    struct sockaddr_in name, offender;
    struct sock_extended_err e;
    struct iovec v = {text, sizeof(text)};
    struct msghdr m = {.msg_name = &name,
                       .msg_namelen = sizeof(name),
                       .msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof(control)};
    int n = need((int)recvmsg(fd, &m, MSG_ERRQUEUE), "recvmsg");
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    memcpy(&e, CMSG_DATA(c), sizeof(e));
    memcpy(&offender, CMSG_DATA(c) + sizeof(e), sizeof(offender));
    inet_ntop(AF_INET, &name.sin_addr, to, sizeof(to));
    inet_ntop(AF_INET, &offender.sin_addr, from, sizeof(from));
    printf("%.*s to %s:%d: %s, type %d code %d info %u from %s\n", n, text, to,
           ntohs(name.sin_port), strerror((int)e.ee_errno), e.ee_type, e.ee_code, e.ee_info, from);
}

int main(int argc, char **argv)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    int fd = need(socket(AF_INET, SOCK_DGRAM, 0), "socket"), on = 1;
    struct pollfd p = {.fd = fd};

    if (argc < 4 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
        return 2;
    to.sin_port = htons((uint16_t)atoi(argv[2]));
    need(setsockopt(fd, IPPROTO_IP, 11 /* IP_RECVERR */, &on, sizeof(on)), "IP_RECVERR");
    for (int i = 3; i < argc; i++)
        need((int)sendto(fd, argv[i], strlen(argv[i]), 0, (struct sockaddr *)&to, sizeof(to)),
             "sendto");
    printf("%d sent\n", argc - 3);
    fflush(stdout);
    need(poll(&p, 1, -1), "poll");
    say_error(fd);
    return 0;
}
