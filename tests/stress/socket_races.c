/*
 * socket_races [SEED [SECONDS [ROUNDS [NAME]]]]: local sockets where two sides meet at the worst moment.
 *
 * For the long run: tools/run --debug --smp 4 --timeout 3600 -- build/tests/stress/socket_races 1 3600 20000
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "pairs.h"

static char block[1 << 17];

static ssize_t send_file(int socket, int fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } control = {0};
    struct iovec v = {"x", 1};
    struct msghdr m = {.msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};

    control.header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    return sendmsg(socket, &m, MSG_NOSIGNAL);
}

/* A descriptor from SOCKET, or -1: the message had none, or there was no message. */
static int receive_file(int socket)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } control;
    char byte;
    struct iovec v = {&byte, 1};
    struct msghdr m = {.msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    int fd = -1;

    if (recvmsg(socket, &m, 0) == 1 && CMSG_FIRSTHDR(&m))
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
    return fd;
}

/* --- the races --- */

/* A descriptor is sent while its receiver is being closed: received or not, in the end nobody has it. */
static void rights_against_close(void)
{
    int s[2], p[2];
    pid_t pid;
    char byte;

    need(socketpair(AF_UNIX, round_number % 2 ? SOCK_STREAM : SOCK_DGRAM, 0, s) == 0 &&
         pipe(p) == 0);
    PARTNER(pid)
    {
        close(p[0]);
        close(s[0]);
        hesitate();
        if (draw(2)) {
            int fd = receive_file(s[1]);
            if (fd >= 0)
                need(write(fd, "y", 1) == 1);
        }
    }
    close(s[1]);
    ssize_t sent = send_file(s[0], p[1]);
    need(sent == 1 || errno == EPIPE || errno == ECONNRESET || errno == ECONNREFUSED);
    close(p[1]);
    close(s[0]);
    partner_ends(pid);
    while (read(p[0], &byte, 1) == 1) /* ends only when the last writer has gone */
        ;
    close(p[0]);
}

/* Sockets that carry each other are dropped by two processes at once; both pipes' writers must go. */
static void garbage_from_two_sides(void)
{
    int a[2], b[2], p[2];
    pid_t pid;
    char byte;

    need(socketpair(AF_UNIX, SOCK_STREAM, 0, a) == 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, b) == 0);
    need(pipe(p) == 0);
    need(send_file(a[0], b[1]) == 1 && send_file(b[0], a[1]) == 1 && send_file(a[0], p[1]) == 1);
    PARTNER(pid)
    {
        close(p[0]);
        hesitate();
        if (draw(2)) {
            int fd = receive_file(a[1]);
            need(fd >= 0);
            close(fd);
        }
        for (int i = 0; i < 2; i++) {
            close(a[i]);
            hesitate();
            close(b[i]);
        }
    }
    close(p[1]);
    for (int i = 0; i < 2; i++) {
        close(b[i]);
        close(a[i]);
    }
    partner_ends(pid);
    need(socketpair(AF_UNIX, SOCK_STREAM, 0, a) == 0);
    close(a[0]); /* a collector that only looks when a socket is closed has its chance */
    close(a[1]);
    need(read(p[0], &byte, 1) == 0);
    close(p[0]);
}

static struct sockaddr_un abstract_name(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "race-%05d", (int)(getpid() % 100000));
    return a;
}

#define NAME_LENGTH (offsetof(struct sockaddr_un, sun_path) + 11)

/* A client connects, with a full backlog perhaps, while the listener accepts one and closes. */
static void connect_against_close(void)
{
    struct sockaddr_un name = abstract_name();
    int l = socket(AF_UNIX, SOCK_STREAM, 0);
    pid_t pid;
    char byte;

    need(bind(l, (struct sockaddr *)&name, NAME_LENGTH) == 0 && listen(l, (int)draw(2)) == 0);
    PARTNER(pid)
    {
        close(l);
        for (int i = 0; i < 4; i++) {
            int c = socket(AF_UNIX, SOCK_STREAM, 0);
            if (connect(c, (struct sockaddr *)&name, NAME_LENGTH) == 0) {
                ssize_t n = read(c, &byte, 1);
                need(n == 0 || n == 1 || (n < 0 && errno == ECONNRESET));
            } else {
                need(errno == ECONNREFUSED);
            }
            close(c);
        }
    }
    for (uint64_t i = draw(3); i > 0; i--) {
        int fd = accept(l, NULL, NULL);
        need(fd >= 0);
        if (draw(2))
            need(send(fd, "x", 1, MSG_NOSIGNAL) == 1 || errno == EPIPE);
        close(fd);
    }
    hesitate();
    close(l);
    partner_ends(pid);
}

/* Whatever was accepted for sending before the end is read, no more and no less. */
static void send_against_shutdown(void)
{
    int s[2];
    pid_t pid;
    long sent = 0, got = 0;
    ssize_t n;

    need(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    PARTNER(pid)
    {
        close(s[1]);
        hesitate();
        shutdown(s[0], SHUT_RD); /* at some moment the other side learns it */
        hesitate();
    }
    while (sent < (1 << 20)) {
        n = send(s[1], block, 1 + draw(sizeof block), MSG_NOSIGNAL);
        if (n < 0) {
            need(errno == EPIPE);
            break;
        }
        sent += n;
        if (draw(4) == 0)
            break;
    }
    partner_ends(pid);
    close(s[1]);
    while ((n = recv(s[0], block, sizeof block, 0)) > 0)
        got += n;
    need(got == sent);
    close(s[0]);
}

/* Datagram senders wait for room while the receiver reads some and closes: they are refused, not forgotten. */
static void datagrams_against_close(void)
{
    struct sockaddr_un name = abstract_name();
    int r = socket(AF_UNIX, SOCK_DGRAM, 0);
    pid_t pid;

    need(bind(r, (struct sockaddr *)&name, NAME_LENGTH) == 0);
    PARTNER(pid)
    {
        int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
        close(r);
        if (connect(fd, (struct sockaddr *)&name, NAME_LENGTH) == 0) {
            while (send(fd, block, 100, 0) == 100)
                ;
            need(errno == ECONNREFUSED || errno == ENOTCONN);
        }
    }
    for (uint64_t i = draw(30); i > 0; i--)
        if (recv(r, block, sizeof block, MSG_DONTWAIT) < 0)
            need(errno == EAGAIN);
    close(r);
    partner_ends(pid);
}

/* An edge that comes while the set is being asked is told the next time. */
static void epoll_against_packets(void)
{
    enum { PACKETS = 20 };
    int s[2], set = epoll_create1(0), got = 0;
    struct epoll_event e = {.events = EPOLLIN | EPOLLET};
    pid_t pid;

    need(set >= 0 && socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s) == 0);
    need(fcntl(s[0], F_SETFL, O_NONBLOCK) == 0 && epoll_ctl(set, EPOLL_CTL_ADD, s[0], &e) == 0);
    PARTNER(pid)
    for (int i = 0; i < PACKETS; i++) {
        need(send(s[1], block, 3000, 0) == 3000);
        hesitate();
    }
    while (got < PACKETS) {
        need(epoll_wait(set, &e, 1, PATIENCE * 1000) == 1);
        ssize_t n;
        while ((n = recv(s[0], block, sizeof block, 0)) > 0) {
            need(n == 3000);
            got++;
        }
        need(errno == EAGAIN);
    }
    partner_ends(pid);
    close(set);
    close(s[0]);
    close(s[1]);
}

static const struct race races[] = {
    {"rights_against_close", rights_against_close},
    {"garbage_from_two_sides", garbage_from_two_sides},
    {"connect_against_close", connect_against_close},
    {"send_against_shutdown", send_against_shutdown},
    {"datagrams_against_close", datagrams_against_close},
    {"epoll_against_packets", epoll_against_packets},
};

int main(int argc, char **argv)
{
    return play_all(races, sizeof races / sizeof races[0], argc, argv);
}
