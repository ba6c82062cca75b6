/* musl: AF_UNIX where two answers are possible: which error comes first, what an end and a full queue say. */
#define _GNU_SOURCE
#include "unix.h"

#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static int bound_dgram(const char *path)
{
    int fd = works(socket(AF_UNIX, SOCK_DGRAM, 0));
    works(bind_to(fd, path));
    return fd;
}

static ssize_t send_to(int fd, const char *path)
{
    struct sockaddr_un a;
    socklen_t len = make_address(&a, path);
    return sendto(fd, "x", 1, 0, (struct sockaddr *)&a, len);
}

static void want_credentials(int fd)
{
    int on = 1;
    works(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
}

static socklen_t name_length(int fd)
{
    struct sockaddr_un a;
    socklen_t len = sizeof(a);
    works(getsockname(fd, (struct sockaddr *)&a, &len));
    return len;
}

TEST(who_sends_nothing_still_hears_of_the_end)
{
    int s[2];
    signal(SIGPIPE, SIG_IGN);
    make_pair(SOCK_STREAM, s);
    same(send(s[0], "", 0, 0), 0);
    works(shutdown(s[0], SHUT_WR));
    fails(send(s[0], "", 0, 0), EPIPE);
    make_pair(SOCK_STREAM, s);
    works(close(s[1]));
    fails(send(s[0], "", 0, 0), EPIPE);
}

TEST(who_asks_for_no_bytes_waits_for_some_but_in_read)
{
    int s[2];
    char byte;
    make_pair(SOCK_STREAM, s);
    fails(recv(s[0], &byte, 0, MSG_DONTWAIT), EAGAIN);
    same(read(s[0], &byte, 0), 0);
    same(send(s[1], "x", 1, 0), 1);
    same(recv(s[0], &byte, 0, 0), 0);
    same(recv(s[0], &byte, 1, 0), 1);
    works(close(s[1]));
    same(recv(s[0], &byte, 0, 0), 0);
}

TEST(own_shutdown_comes_before_who_is_missing)
{
    int fd = works(socket(AF_UNIX, SOCK_DGRAM, 0));
    works(shutdown(fd, SHUT_WR));
    fails(send_to(fd, "nobody"), EPIPE);
    fails(send_to(fd, "@nobody"), EPIPE);
}

TEST(own_shutdown_comes_before_the_peers_death)
{
    int receiver = bound_dgram("r"), fd = works(socket(AF_UNIX, SOCK_DGRAM, 0));
    works(connect_to(fd, "r"));
    works(close(receiver));
    works(shutdown(fd, SHUT_WR));
    fails(send(fd, "x", 1, 0), EPIPE);
    fails(send(fd, "x", 1, 0), EPIPE);
}

TEST(a_listener_that_connects_hears_of_the_address_first)
{
    int a = listener("a", SOCK_STREAM, 1), b = listener("b", SOCK_STREAM, 1);
    fails(connect_to(a, "missing"), ENOENT);
    fails(connect_to(a, "@missing"), ECONNREFUSED);
    fails(connect_to(a, "b"), EINVAL);
    fails(connect_to(a, "a"), EINVAL);
    same(ready(b), 0);
}

TEST(accept_that_would_not_wait_never_hears_of_shutdown)
{
    int fd = listener("a", SOCK_STREAM, 1);
    works(shutdown(fd, SHUT_RD));
    fails(accept(fd, NULL, NULL), EINVAL);
    works(fcntl(fd, F_SETFL, O_NONBLOCK));
    fails(accept(fd, NULL, NULL), EAGAIN);
}

TEST(the_end_of_a_stream_comes_from_nobody)
{
    char space[CMSG_SPACE(sizeof(struct ucred))], byte;
    struct iovec one = {&byte, 1};
    struct msghdr m = {
        .msg_iov = &one, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space)};
    struct ucred ids;
    int s[2];

    make_pair(SOCK_STREAM, s);
    want_credentials(s[0]);
    works(close(s[1]));
    same(recvmsg(s[0], &m, 0), 0);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    check(c, "no control message at the end of the stream");
    same(c->cmsg_type, SCM_CREDENTIALS);
    memcpy(&ids, CMSG_DATA(c), sizeof(ids));
    same(ids.pid, 0);
    same(ids.uid, 0);
    same(ids.gid, 0);
}

TEST(a_seqpacket_sender_that_wants_credentials_gets_a_name)
{
    int s[2];
    make_pair(SOCK_SEQPACKET, s);
    want_credentials(s[0]);
    same(send(s[0], "x", 1, 0), 1);
    same(send(s[1], "x", 1, 0), 1);
    same(name_length(s[0]), sizeof(sa_family_t) + 6);
    same(name_length(s[1]), sizeof(sa_family_t));
}

static void *read_all(void *arg)
{
    int fd = *(int *)arg;
    usleep(200 * 1000);
    while (recv(fd, big, sizeof(big), MSG_DONTWAIT) > 0)
        ;
    return NULL;
}

TEST(a_small_queue_that_is_read_wakes_a_poll_for_room)
{
    int s[2], least = 1;
    pthread_t reader;

    make_pair(SOCK_DGRAM, s);
    works(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &least, sizeof(least)));
    while (send(s[0], big, 100, MSG_DONTWAIT) == 100)
        ;
    same(errno, EAGAIN);
    struct pollfd p = {s[0], POLLOUT, 0};
    same(poll(&p, 1, 0), 0);
    same(pthread_create(&reader, NULL, read_all, &s[1]), 0);
    time_t start = time(NULL);
    same(poll(&p, 1, 60000), 1);
    same(p.revents, POLLOUT);
    check(time(NULL) - start < 50, "poll slept on, though there was room");
    same(pthread_join(reader, NULL), 0);
}

TEST(a_datagram_pair_with_much_on_the_way_is_not_writable)
{
    int s[2], size = 100000;
    make_pair(SOCK_DGRAM, s);
    works(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
    same(ready(s[0]), POLLOUT);
    same(send(s[0], big, 80000, 0), 80000);
    same(ready(s[0]), 0);
    same(recv(s[1], big, sizeof(big), 0), 80000);
    same(ready(s[0]), POLLOUT);
}

/* --- a message of many buffers, with another's bytes between them --- */

#define LONG 300000

static int pair[2]; /* pair[0] comes to lie in its own queue */

static void *send_itself(void *data)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } control = {
        .header = {CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    struct iovec all = {data, LONG};
    struct msghdr m = {.msg_iov = &all,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof(control)};
    memcpy(CMSG_DATA(&control.header), &pair[0], sizeof(pair[0]));
    sendmsg(pair[1], &m, MSG_NOSIGNAL);
    return NULL;
}

TEST(a_socket_in_a_message_in_pieces_is_found_to_be_garbage)
{
    for (int round = 0; round < 60; round++) {
        int other[2], there = 0, between = 0;
        pthread_t sender;
        /* Memory that isn't there yet, so that the copying takes its time. */
        void *data = mmap(NULL, LONG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        check(data != MAP_FAILED, "no memory");
        make_pair(SOCK_STREAM, pair);
        make_pair(SOCK_STREAM, other);
        same(pthread_create(&sender, NULL, send_itself, data), 0);
        do {
            if (there && between++ < 60)
                send(pair[1], "x", 1, MSG_DONTWAIT);
            works(ioctl(pair[0], FIONREAD, &there));
        } while (there < 150000);
        works(close(pair[0]));
        works(close(other[0])); /* garbage is looked for */
        works(close(other[1]));
        struct pollfd p = {pair[1], 0, 0};
        same(poll(&p, 1, 60000), 1);
        same(pthread_join(sender, NULL), 0);
        works(close(pair[1]));
        works(munmap(data, LONG));
    }
}

int main(void)
{
    return tap_run("unix_edges");
}
