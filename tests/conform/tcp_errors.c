/* Each call on stream sockets with what it must refuse, and the errno. */
#define _GNU_SOURCE
#include "inet.h"
#include "inet_stream.h"

#include <sys/resource.h>

#include <sys/time.h>

static struct sockaddr_in nowhere_to(int family)
{
    struct sockaddr_in a = at(LOOP, 9);
    a.sin_family = (sa_family_t)family;
    return a;
}

TEST(socket_checks_its_words)
{
    fails(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    fails(socket(AF_INET, 99, 0), EINVAL);
    fails(socket(99, SOCK_STREAM, 0), EAFNOSUPPORT);
    fails(socket(AF_INET, SOCK_STREAM | 0x100000, 0), EINVAL);
    works(socket(AF_INET, SOCK_STREAM, IPPROTO_TCP));
}

TEST(socketpair_is_local_only)
{
    int end[2];
    fails(socketpair(AF_INET, SOCK_STREAM, 0, end), EOPNOTSUPP);
}

TEST(bind_wants_an_address_of_ours)
{
    int fd = inet_fresh(TCP);
    struct sockaddr_in a = nowhere_to(AF_INET);
    fails(inet_bind(fd, 0xc0000201, 0), EADDRNOTAVAIL); /* 192.0.2.1: nobody's */
    fails(bind(fd, (struct sockaddr *)&a, 4), EINVAL);
    fails(bind(fd, NOWHERE, sizeof(a)), EFAULT);
    a = nowhere_to(AF_UNIX);
    fails(bind(fd, ADDR(a)), EAFNOSUPPORT);
    works(inet_bind(fd, LOOP, 0)); /* after all that */
    fails(inet_bind(fd, LOOP, 0), EINVAL);
}

TEST(ports_under_1024_are_roots)
{
    pid_t pid;
    CHILD (pid) {
        works(setuid(12345));
        int fd = inet_fresh(TCP);
        fails(inet_bind(fd, LOOP, 1023), EACCES);
        fails(inet_bind(fd, LOOP, 1), EACCES);
        works(inet_bind(fd, LOOP, 0));
    }
    exits(pid, 0);
}

/* The user whom /proc/net/tcp names for END; -1: END isn't there. */
static int user_of(int end)
{
    char line[256];
    int port, uid, found = -1;
    FILE *table = fopen("/proc/net/tcp", "r");
    check(table, "no /proc/net/tcp");
    while (fgets(line, sizeof(line), table))
        if (sscanf(line, " %*u: %*8X:%X %*8X:%*4X %*X %*8X:%*8X %*X:%*X %*X %d", (unsigned *)&port,
                   &uid) == 2 &&
            port == inet_port(end))
            found = uid;
    fclose(table);
    return found;
}

TEST(a_socket_is_its_makers)
{
    int l = stream_listener(1), early = inet_fresh(TCP);
    pid_t pid;
    CHILD (pid) {
        works(setuid(12345));
        int fd = inet_fresh(TCP);
        works(inet_connect(fd, LOOP, inet_port(l)));
        same(user_of(fd), 12345);
        works(inet_bind(early, LOOP, 0));
        works(listen(early, 1));
        same(user_of(early), 0);
    }
    exits(pid, 0);
}

TEST(connect_checks_its_address)
{
    int fd = inet_fresh(TCP);
    struct sockaddr_in a = nowhere_to(AF_INET);
    fails(connect(fd, (struct sockaddr *)&a, 1), EINVAL);
    fails(connect(fd, (struct sockaddr *)&a, 8), EINVAL);
    fails(connect(fd, (struct sockaddr *)&a, 5000), EINVAL);
    fails(connect(fd, NOWHERE, sizeof(a)), EFAULT);
    a = nowhere_to(AF_UNIX);
    fails(connect(fd, ADDR(a)), EAFNOSUPPORT);
    fails(inet_connect(fd, 0xe0000001, 80), ENETUNREACH); /* a group is nobody to talk to */
}

TEST(a_refused_socket_may_call_again)
{
    int l = stream_listener(1), fd = inet_fresh(TCP);
    for (int i = 0; i < 3; i++)
        fails(inet_connect(fd, LOOP, inet_closed_port(TCP)), ECONNREFUSED);
    works(inet_connect(fd, LOOP, inet_port(l)));
}

TEST(a_second_connect_is_too_much)
{
    int end[2];
    stream_pair(end);
    fails(inet_connect(end[0], LOOP, 80), EISCONN);
    fails(inet_connect(end[1], LOOP, 80), EISCONN);
}

TEST(a_connection_that_broke_was_one)
{
    int end[2];
    char c;
    stream_pair(end);
    stream_reset(end[1]);
    inet_await(end[0]);
    fails(read(end[0], &c, 1), ECONNRESET);
    fails(inet_connect(end[0], LOOP, 80), EISCONN);
    fails(listen(end[0], 1), EINVAL);
    struct sockaddr_in none = {.sin_family = AF_UNSPEC};
    int l = stream_listener(1);
    works(connect(end[0], ADDR(none)));
    works(inet_connect(end[0], LOOP, inet_port(l)));
}

TEST(connect_on_a_listener)
{
    int l = stream_listener(1), other = stream_listener(1);
    fails(inet_connect(l, LOOP, inet_port(other)), EISCONN);
}

/* A call that gets no answer, since the listener at *PORT is full. */
static int unanswered(int *port)
{
    int l = stream_listener(0), fd = -1;
    *port = inet_port(l);
    for (int i = 0; i < 8 && (fd < 0 || inet_ready(fd, 50) & POLLOUT); i++) {
        fd = works(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
        fails(inet_connect(fd, LOOP, *port), EINPROGRESS);
    }
    same(inet_ready(fd, 0), 0);
    same(stream_state(fd), TCP_SYN_SENT);
    return fd;
}

TEST(connect_again_while_it_is_under_way)
{
    int port, fd = unanswered(&port);
    fails(inet_connect(fd, LOOP, port), EALREADY);
    char c;
    fails(read(fd, &c, 1), EAGAIN);
    fails(write(fd, &c, 1), EAGAIN);
    fails(getpeername(fd, (struct sockaddr *)&(struct sockaddr_in){0}, &(socklen_t){16}), ENOTCONN);
}

TEST(a_call_is_over_whatever_is_shut_down)
{
    for (int how = SHUT_RD; how <= SHUT_RDWR; how++) {
        int port, fd = unanswered(&port);
        works(shutdown(fd, how));
        same(stream_state(fd), TCP_CLOSE);
        same(inet_ready(fd, 0), POLLOUT | POLLERR | POLLHUP);
        fails(inet_connect(fd, LOOP, port), EINPROGRESS); /* the next one is no part of it */
        fails(inet_connect(fd, LOOP, port), EALREADY);
        works(shutdown(fd, how));
        same(inet_option(fd, SOL_SOCKET, SO_ERROR), ECONNRESET);
        works(close(fd));
    }
}

TEST(listen_needs_a_fresh_socket)
{
    int end[2], l = stream_listener(1);
    stream_pair(end);
    fails(listen(end[0], 1), EINVAL);
    works(listen(l, 5)); /* again: another backlog */
    int fd = inet_fresh(TCP);
    works(listen(fd, -1)); /* as many as may be; and it gets a port */
    check(inet_port(fd) != 0, "no port");
}

TEST(accept_wants_a_listener)
{
    int end[2], fd = inet_fresh(TCP);
    stream_pair(end);
    fails(accept(fd, NULL, NULL), EINVAL);
    fails(accept(end[0], NULL, NULL), EINVAL);
    fails(accept4(fd, NULL, NULL, 0x1234), EINVAL);
    fails(accept(0x7fff, NULL, NULL), EBADF);
    int p[2];
    works(pipe(p));
    fails(accept(p[0], NULL, NULL), ENOTSOCK);
}

TEST(accept_checks_where_the_name_goes)
{
    int l = stream_listener(4), fd = inet_fresh(TCP);
    struct sockaddr_in a;
    socklen_t len = sizeof(a);
    works(inet_connect(fd, LOOP, inet_port(l)));
    int other = works(accept(l, (struct sockaddr *)&a, &len));
    same(len, sizeof(a));
    same(ntohs(a.sin_port), inet_port(fd));
    works(close(other));
    fd = inet_fresh(TCP);
    works(inet_connect(fd, LOOP, inet_port(l)));
    len = 4;
    memset(&a, 0x55, sizeof(a));
    works(accept(l, (struct sockaddr *)&a, &len));
    same(len, sizeof(a)); /* what it would take */
    same(a.sin_addr.s_addr, 0x55555555);
}

TEST(a_caller_that_has_gone_has_a_name)
{
    int l = stream_listener(4), fd = inet_fresh(TCP);
    struct sockaddr_in a;
    socklen_t len = sizeof(a);
    works(inet_connect(fd, LOOP, inet_port(l)));
    int port = inet_port(fd);
    stream_reset(fd);
    fd = works(accept(l, (struct sockaddr *)&a, &len));
    same(ntohs(a.sin_port), port);
    wait_until(stream_state(fd) == TCP_CLOSE);
    fails(getpeername(fd, (struct sockaddr *)&a, &len), ENOTCONN);
    char c;
    fails(read(fd, &c, 1), ECONNRESET);
    same(read(fd, &c, 1), 0);
}

TEST(accept_without_a_number_loses_no_caller)
{
    struct rlimit limit, few;
    int l = stream_listener(4), fd = inet_fresh(TCP);
    char c;
    works(inet_connect(fd, LOOP, inet_port(l)));
    same(write(fd, "x", 1), 1);
    works(getrlimit(RLIMIT_NOFILE, &limit));
    few = limit;
    few.rlim_cur = (rlim_t)fd + 1;
    works(setrlimit(RLIMIT_NOFILE, &few));
    fails(accept(l, NULL, NULL), EMFILE);
    works(setrlimit(RLIMIT_NOFILE, &limit));
    same(read(works(accept(l, NULL, NULL)), &c, 1), 1);
}

TEST(a_reset_behind_some_bytes_is_told_next)
{
    int end[2];
    char c[10];
    stream_pair(end);
    same(write(end[0], "abc", 3), 3);
    inet_await(end[1]);
    stream_reset(end[0]);
    wait_until(stream_state(end[1]) == TCP_CLOSE);
    same(recv(end[1], c, 10, MSG_WAITALL), 3);
    fails(recv(end[1], c, 10, 0), ECONNRESET);
    same(recv(end[1], c, 10, 0), 0);
    check(inet_port(end[1]) != 0, "it has forgotten its port");
}

TEST(nobody_answers_at_port_0)
{
    fails(inet_connect(inet_fresh(TCP), LOOP, 0), ECONNREFUSED);
}

TEST(data_without_a_connection)
{
    int fd = inet_fresh(TCP), l = stream_listener(1);
    char c;
    fails(read(fd, &c, 1), ENOTCONN);
    fails(recv(fd, &c, 1, MSG_DONTWAIT), ENOTCONN);
    fails(send(fd, &c, 1, MSG_NOSIGNAL), EPIPE);
    fails(read(l, &c, 1), ENOTCONN);
    fails(send(l, &c, 1, MSG_NOSIGNAL), EPIPE);
    fails(shutdown(fd, SHUT_RDWR), ENOTCONN);
    fails(getpeername(fd, (struct sockaddr *)&(struct sockaddr_in){0}, &(socklen_t){16}), ENOTCONN);
}

TEST(shutdown_checks_how)
{
    int end[2];
    stream_pair(end);
    fails(shutdown(end[0], 3), EINVAL);
    fails(shutdown(end[0], -1), EINVAL);
    fails(shutdown(0x7fff, SHUT_RD), EBADF);
    works(shutdown(end[0], SHUT_WR));
    works(shutdown(end[0], SHUT_WR)); /* once more does no harm */
    works(shutdown(end[0], SHUT_RD));
}

TEST(a_listener_is_shut_by_shutdown)
{
    int l = stream_listener(1), port = inet_port(l);
    works(shutdown(l, SHUT_RDWR));
    fails(accept(l, NULL, NULL), EINVAL);
    fails(inet_connect(inet_fresh(TCP), LOOP, port), ECONNREFUSED);
    works(listen(l, 1)); /* it has a new port, for it had not asked for the old one */
    works(inet_connect(inet_fresh(TCP), LOOP, inet_port(l)));
}

TEST(bad_memory_sends_nothing)
{
    int end[2];
    char c[8];
    stream_pair(end);
    fails(send(end[0], NOWHERE, 10, 0), EFAULT);
    same(write(end[0], "ok", 2), 2);
    inet_await(end[1]);
    same(read(end[1], c, 8), 2);
}

TEST(bad_memory_receives_nothing)
{
    int end[2];
    char c[8];
    stream_pair(end);
    same(write(end[0], "kept", 4), 4);
    inet_await(end[1]);
    fails(read(end[1], NOWHERE, 4), EFAULT);
    same(read(end[1], c, 8), 4);
    same(memcmp(c, "kept", 4), 0);
}

TEST(sendmsg_checks_its_vector)
{
    int end[2];
    struct iovec v = {NOWHERE, 4};
    struct msghdr m = {.msg_iov = NOWHERE, .msg_iovlen = 1};
    stream_pair(end);
    fails(sendmsg(end[0], &m, 0), EFAULT);
    m = (struct msghdr){.msg_iov = &v, .msg_iovlen = 1025};
    fails(sendmsg(end[0], &m, 0), EMSGSIZE);
    fails(recvmsg(end[0], &m, 0), EMSGSIZE);
    fails(sendmsg(end[0], NOWHERE, 0), EFAULT);
}

TEST(an_address_is_of_no_use_when_connected)
{
    int end[2];
    char c;
    struct sockaddr_in a = at(LOOP, 9), from = {0};
    socklen_t len = sizeof(from);
    stream_pair(end);
    same(sendto(end[0], "x", 1, 0, ADDR(a)), 1); /* not looked at */
    same(recvfrom(end[1], &c, 1, 0, (struct sockaddr *)&from, &len), 1);
    same(from.sin_family, 0); /* a stream has no sender's name */
}

TEST(nothing_is_not_an_end)
{
    int end[2];
    char c;
    stream_pair(end);
    same(write(end[0], &c, 0), 0);
    same(read(end[1], &c, 0), 0);
    fails(recv(end[1], &c, 1, MSG_DONTWAIT), EAGAIN);
}

TEST(a_stream_cannot_be_sought)
{
    int end[2];
    char c;
    stream_pair(end);
    fails(lseek(end[0], 0, SEEK_SET), ESPIPE);
    fails(pread(end[0], &c, 1, 0), ESPIPE);
    fails(pwrite(end[0], &c, 1, 0), ESPIPE);
    fails(ftruncate(end[0], 0), EINVAL);
    fails(fsync(end[0]), EINVAL);
}

TEST(an_error_is_told_once)
{
    int end[2];
    char c;
    stream_pair(end);
    stream_reset(end[1]);
    inet_await(end[0]);
    same(inet_option(end[0], SOL_SOCKET, SO_ERROR), ECONNRESET);
    same(inet_option(end[0], SOL_SOCKET, SO_ERROR), 0);
    same(read(end[0], &c, 1), 0);
    fails(send(end[0], "x", 1, MSG_NOSIGNAL), EPIPE);
}

TEST(ioctls_of_a_stream)
{
    int end[2], n = -1, l = stream_listener(1);
    stream_pair(end);
    works(ioctl(end[1], FIONREAD, &n));
    same(n, 0);
    same(write(end[0], "12345", 5), 5);
    inet_await(end[1]);
    works(ioctl(end[1], FIONREAD, &n));
    same(n, 5);
    wait_until((works(ioctl(end[0], TIOCOUTQ, &n)), n == 0)); /* what isn't acknowledged yet */
    fails(ioctl(l, FIONREAD, &n), EINVAL);
    fails(ioctl(l, TIOCOUTQ, &n), EINVAL);
    fails(ioctl(end[0], FIONREAD, NOWHERE), EFAULT);
    fails(ioctl(end[0], TIOCGWINSZ, &n), ENOTTY);
}

TEST(a_tuple_is_taken_once)
{
    int l = stream_listener(4), a = inet_fresh(TCP), b = inet_fresh(TCP);
    works(inet_set(a, SOL_SOCKET, SO_REUSEADDR, 1));
    works(inet_set(b, SOL_SOCKET, SO_REUSEADDR, 1));
    works(inet_bind(a, LOOP, 0));
    works(inet_bind(b, LOOP, inet_port(a)));
    works(inet_connect(a, LOOP, inet_port(l)));
    fails(inet_connect(b, LOOP, inet_port(l)), EADDRNOTAVAIL);
}

int main(void)
{
    return tap_run("tcp_errors");
}
