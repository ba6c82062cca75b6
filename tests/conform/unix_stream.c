/* musl: AF_UNIX stream and seqpacket: names, connections, bytes and packets, and how they end. */
#define _GNU_SOURCE
#include "tap.h"

#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

static char big[300000];

static socklen_t make_address(struct sockaddr_un *a, const char *path)
{
    memset(a, 0, sizeof(*a));
    a->sun_family = AF_UNIX;
    if (path[0] == '@') { /* an abstract name */
        memcpy(a->sun_path + 1, path + 1, strlen(path + 1));
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    }
    strcpy(a->sun_path, path);
    return sizeof(*a);
}

static int bind_to(int fd, const char *path)
{
    struct sockaddr_un a;
    socklen_t len = make_address(&a, path);
    return bind(fd, (struct sockaddr *)&a, len);
}

static int connect_to(int fd, const char *path)
{
    struct sockaddr_un a;
    socklen_t len = make_address(&a, path);
    return connect(fd, (struct sockaddr *)&a, len);
}

static int listener(const char *path, int type, int backlog)
{
    int fd = works(socket(AF_UNIX, type, 0));
    works(bind_to(fd, path));
    works(listen(fd, backlog));
    return fd;
}

static int client(const char *path, int type)
{
    int fd = works(socket(AF_UNIX, type, 0));
    works(connect_to(fd, path));
    return fd;
}

static void make_pair(int type, int s[2])
{
    works(socketpair(AF_UNIX, type, 0, s));
}

static int ready(int fd)
{
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
    works(poll(&p, 1, 0));
    return p.revents;
}

/* --- making --- */

TEST(socket_checks_its_arguments)
{
    fails(socket(99, SOCK_STREAM, 0), EAFNOSUPPORT);
    fails(socket(-1, SOCK_STREAM, 0), EAFNOSUPPORT);
    fails(socket(AF_UNIX, 9, 0), ESOCKTNOSUPPORT);
    fails(socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT);
    fails(socket(AF_UNIX, 15, 0), EINVAL);
    fails(socket(AF_UNIX, SOCK_STREAM | 0x100, 0), EINVAL);
    fails(socket(AF_UNIX, SOCK_STREAM, 6), EPROTONOSUPPORT);
    works(socket(AF_UNIX, SOCK_STREAM, PF_UNIX));
    int fd = works(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    same(fcntl(fd, F_GETFD), FD_CLOEXEC);
    same(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR | O_NONBLOCK);
}

TEST(a_socket_is_a_file_of_type_socket)
{
    struct stat st;
    int fd = works(socket(AF_UNIX, SOCK_STREAM, 0));
    works(fstat(fd, &st));
    check(S_ISSOCK(st.st_mode), "a socket");
    fails(lseek(fd, 0, SEEK_SET), ESPIPE);
    char name[64], link[64] = "";
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    works(readlink(name, link, sizeof(link) - 1));
    check(strncmp(link, "socket:[", 8) == 0, "socket:[...], not %s", link);
}

TEST(socketpair_checks_its_arguments)
{
    fails(socketpair(AF_UNIX, SOCK_STREAM, 0, NOWHERE), EFAULT);
    int s[2];
    fails(socketpair(AF_UNIX, SOCK_STREAM, 7, s), EPROTONOSUPPORT);
    works(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s));
    same(fcntl(s[1], F_GETFD), FD_CLOEXEC);
}

TEST(socket_calls_want_sockets)
{
    int p[2];
    works(pipe(p));
    fails(listen(p[0], 1), ENOTSOCK);
    fails(accept(p[0], NULL, NULL), ENOTSOCK);
    fails(connect_to(p[0], "x"), ENOTSOCK);
    fails(send(p[1], "x", 1, 0), ENOTSOCK);
    fails(recv(p[0], big, 1, 0), ENOTSOCK);
    fails(shutdown(p[0], SHUT_RD), ENOTSOCK);
    fails(listen(900, 1), EBADF);
    fails(send(900, "x", 1, 0), EBADF);
}

/* --- names --- */

TEST(bind_checks_the_address)
{
    struct sockaddr_un a;
    int fd = works(socket(AF_UNIX, SOCK_STREAM, 0));
    make_address(&a, "s");
    fails(bind(fd, (struct sockaddr *)&a, 0), EINVAL);
    fails(bind(fd, (struct sockaddr *)&a, 1), EINVAL);
    fails(bind(fd, (struct sockaddr *)&a, sizeof(a) + 1), EINVAL);
    a.sun_family = AF_INET;
    fails(bind(fd, (struct sockaddr *)&a, sizeof(a)), EINVAL);
    fails(bind(fd, NOWHERE, sizeof(a)), EFAULT);
    fails(bind_to(fd, "no/such/place"), ENOENT);
    make_file("f", "");
    fails(bind_to(fd, "f/s"), ENOTDIR);
    fails(bind_to(fd, "f"), EADDRINUSE);
}

TEST(bind_makes_a_file_that_outlives_the_socket)
{
    struct stat st;
    int fd = works(socket(AF_UNIX, SOCK_STREAM, 0)), other = works(socket(AF_UNIX, SOCK_STREAM, 0));
    umask(027);
    works(bind_to(fd, "s"));
    works(stat("s", &st));
    check(S_ISSOCK(st.st_mode), "a socket");
    same(st.st_mode & 07777, 0750);
    works(close(fd));
    fails(bind_to(other, "s"), EADDRINUSE);
    fails(connect_to(other, "s"), ECONNREFUSED);
    fails(open("s", O_RDONLY), ENXIO);
    works(unlink("s"));
    works(bind_to(other, "s"));
    fails(bind_to(other, "t"), EINVAL); /* one name is enough */
    fails(access("t", F_OK), ENOENT);
}

TEST(a_path_may_fill_the_whole_address)
{
    struct sockaddr_un a, b;
    socklen_t len = sizeof(b);
    int fd = works(socket(AF_UNIX, SOCK_STREAM, 0));
    a.sun_family = AF_UNIX;
    memset(a.sun_path, 'a', sizeof(a.sun_path));
    works(bind(fd, (struct sockaddr *)&a, sizeof(a)));
    works(listen(fd, 1));
    int c = works(socket(AF_UNIX, SOCK_STREAM, 0));
    works(connect(c, (struct sockaddr *)&a, sizeof(a)));
    works(getsockname(fd, (struct sockaddr *)&b, &len));
    same(len, sizeof(a) + 1);
}

TEST(abstract_names_are_bytes_and_go_with_the_socket)
{
    struct sockaddr_un a;
    socklen_t len = sizeof(a);
    char name[40];
    snprintf(name, sizeof(name), "@tap-%d", (int)getpid());
    int fd = listener(name, SOCK_STREAM, 1), other = works(socket(AF_UNIX, SOCK_STREAM, 0));
    fails(bind_to(other, name), EADDRINUSE);
    works(getsockname(fd, (struct sockaddr *)&a, &len));
    same(len, offsetof(struct sockaddr_un, sun_path) + strlen(name));
    same(a.sun_path[0], 0);
    works(close(client(name, SOCK_STREAM)));
    works(close(fd));
    fails(connect_to(other, name), ECONNREFUSED);
    works(bind_to(other, name));
}

TEST(proc_net_unix_lists_names)
{
    char name[40], line[256];
    bool found = false;
    snprintf(name, sizeof(name), "@listed-%d", (int)getpid());
    listener(name, SOCK_STREAM, 1);
    FILE *f = fopen("/proc/net/unix", "r");
    check(f, "/proc/net/unix");
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = '\0';
        char *last = strrchr(line, ' ');
        if (last && strcmp(last + 1, name) == 0) {
            unsigned flags = 0, type = 0, state = 0;
            same(sscanf(line, "%*[0-9a-f]: %*x %*x %x %x %x", &flags, &type, &state), 3);
            same(flags, 0x10000); /* it accepts connections */
            same(type, SOCK_STREAM);
            same(state, 1);
            found = true;
        }
    }
    check(found, "a line that ends in %s", "its name");
}

TEST(autobind_gives_a_name_of_five_digits)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    socklen_t len = sizeof(a);
    int fd = works(socket(AF_UNIX, SOCK_STREAM, 0));
    works(bind(fd, (struct sockaddr *)&a, sizeof(sa_family_t)));
    works(getsockname(fd, (struct sockaddr *)&a, &len));
    same(len, 8);
    same(a.sun_path[0], 0);
    for (int i = 1; i < 6; i++)
        check(strchr("0123456789abcdef", a.sun_path[i]), "a hexadecimal digit");
}

TEST(names_are_cut_to_the_room_there_is)
{
    struct sockaddr_un a;
    int fd = works(socket(AF_UNIX, SOCK_STREAM, 0));
    works(bind_to(fd, "abcdef"));
    socklen_t len = 5;
    memset(&a, 'z', sizeof(a));
    works(getsockname(fd, (struct sockaddr *)&a, &len));
    same(len, 9);
    same(a.sun_path[2], 'c');
    same(a.sun_path[3], 'z');
    len = (socklen_t)-1;
    fails(getsockname(fd, (struct sockaddr *)&a, &len), EINVAL);
    len = sizeof(a);
    fails(getsockname(fd, NOWHERE, &len), EFAULT);
    fails(getpeername(fd, (struct sockaddr *)&a, &len), ENOTCONN);
}

/* --- connecting --- */

TEST(connect_says_what_is_wrong)
{
    int fd = works(socket(AF_UNIX, SOCK_STREAM, 0));
    fails(connect_to(fd, "nothing"), ENOENT);
    make_file("f", "");
    fails(connect_to(fd, "f"), ECONNREFUSED);
    fails(connect_to(fd, "."), ECONNREFUSED);
    fails(connect_to(fd, "@nobody here"), ECONNREFUSED);
    int bound = works(socket(AF_UNIX, SOCK_STREAM, 0));
    works(bind_to(bound, "s"));
    fails(connect_to(fd, "s"), ECONNREFUSED); /* it doesn't listen */
    int d = works(socket(AF_UNIX, SOCK_DGRAM, 0));
    works(bind_to(d, "d"));
    fails(connect_to(fd, "d"), EPROTOTYPE);
    works(listen(bound, 1));
    fails(connect_to(bound, "s"), EINVAL);
    works(connect_to(fd, "s"));
    fails(connect_to(fd, "s"), EISCONN);
}

TEST(connect_wants_write_permission)
{
    pid_t pid;
    int fd = listener("s", SOCK_STREAM, 5);
    if (getuid() != 0)
        return;
    works(chmod(".", 0755));
    works(chmod("s", 0755));
    CHILD (pid) {
        works(setuid(12345));
        int c = works(socket(AF_UNIX, SOCK_STREAM, 0));
        fails(connect_to(c, "s"), EACCES);
    }
    exits(pid, 0);
    works(chmod("s", 0777));
    CHILD (pid) {
        works(setuid(12345));
        client("s", SOCK_STREAM);
    }
    exits(pid, 0);
    works(close(fd));
}

TEST(listen_and_accept_check_the_socket)
{
    int s[2], fd = works(socket(AF_UNIX, SOCK_STREAM, 0));
    fails(listen(fd, 1), EINVAL); /* no name */
    fails(accept(fd, NULL, NULL), EINVAL);
    make_pair(SOCK_STREAM, s);
    fails(listen(s[0], 1), EINVAL);
    fails(accept(s[0], NULL, NULL), EINVAL);
    int d = works(socket(AF_UNIX, SOCK_DGRAM, 0));
    fails(listen(d, 1), EOPNOTSUPP);
    fails(accept(d, NULL, NULL), EOPNOTSUPP);
    fails(accept4(fd, NULL, NULL, 1), EINVAL);
}

TEST(bytes_go_both_ways)
{
    int l = listener("s", SOCK_STREAM, 5), c = client("s", SOCK_STREAM);
    same(send(c, "early", 5, 0), 5); /* before anybody has accepted */
    int a = works(accept4(l, NULL, NULL, SOCK_CLOEXEC));
    same(fcntl(a, F_GETFD), FD_CLOEXEC);
    same(recv(a, big, 100, 0), 5);
    check(memcmp(big, "early", 5) == 0, "early");
    same(write(a, "back", 4), 4);
    same(read(c, big, 100), 4);
}

TEST(names_of_both_ends)
{
    struct sockaddr_un a;
    socklen_t len;
    int l = listener("s", SOCK_STREAM, 5), c = works(socket(AF_UNIX, SOCK_STREAM, 0));
    works(bind_to(c, "client"));
    works(connect_to(c, "s"));
    len = sizeof(a);
    int fd = works(accept(l, (struct sockaddr *)&a, &len));
    same_text(a.sun_path, "client");
    same(len, offsetof(struct sockaddr_un, sun_path) + 7);
    len = sizeof(a);
    works(getsockname(fd, (struct sockaddr *)&a, &len));
    same_text(a.sun_path, "s");
    len = sizeof(a);
    works(getpeername(c, (struct sockaddr *)&a, &len));
    same_text(a.sun_path, "s");
    int nameless = client("s", SOCK_STREAM);
    len = sizeof(a);
    works(accept(l, (struct sockaddr *)&a, &len));
    same(len, sizeof(sa_family_t));
    works(close(nameless));
}

TEST(the_backlog_is_a_limit)
{
    int l = listener("s", SOCK_STREAM, 1);
    client("s", SOCK_STREAM);
    client("s", SOCK_STREAM); /* one more than the backlog */
    int c = works(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    fails(connect_to(c, "s"), EAGAIN);
    works(accept(l, NULL, NULL));
    works(connect_to(c, "s"));
}

TEST(connect_waits_for_the_backlog)
{
    pid_t pid;
    int l = listener("s", SOCK_STREAM, 0);
    client("s", SOCK_STREAM);
    CHILD (pid)
        client("s", SOCK_STREAM);
    pause_a_little();
    works(accept(l, NULL, NULL));
    exits(pid, 0);
}

TEST(accept_without_a_client)
{
    int l = listener("s", SOCK_STREAM, 1);
    same(ready(l), 0);
    works(fcntl(l, F_SETFL, O_NONBLOCK));
    fails(accept(l, NULL, NULL), EAGAIN);
    client("s", SOCK_STREAM);
    same(ready(l), POLLIN);
    int fd = works(accept(l, NULL, NULL));
    same(fcntl(fd, F_GETFL) & O_NONBLOCK, 0); /* not inherited */
    works(fcntl(l, F_SETFL, 0));
    struct timeval t = {0, 20000};
    works(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
    fails(accept(l, NULL, NULL), EAGAIN);
}

TEST(closing_a_listener_resets_who_waits)
{
    int l = listener("s", SOCK_STREAM, 5), c = client("s", SOCK_STREAM);
    works(close(l));
    fails(read(c, big, 1), ECONNRESET);
    same(read(c, big, 1), 0);
    fails(send(c, "x", 1, MSG_NOSIGNAL), EPIPE);
}

TEST(closing_a_listener_ends_a_waiting_connect)
{
    pid_t pid;
    int l = listener("s", SOCK_STREAM, 0);
    CHILD (pid) {
        works(close(l));
        client("s", SOCK_STREAM);
        int c = works(socket(AF_UNIX, SOCK_STREAM, 0));
        fails(connect_to(c, "s"), ECONNREFUSED);
    }
    for (int i = 0; i < 20; i++)
        pause_a_little();
    works(close(l));
    exits(pid, 0);
}

/* --- bytes --- */

TEST(a_fresh_socket_is_not_connected)
{
    int fd = works(socket(AF_UNIX, SOCK_STREAM, 0));
    fails(send(fd, "x", 1, MSG_NOSIGNAL), ENOTCONN);
    fails(recv(fd, big, 1, 0), EINVAL);
    same(ready(fd), POLLOUT | POLLHUP);
    works(shutdown(fd, SHUT_RD));
    fails(shutdown(fd, 3), EINVAL);
    fails(shutdown(fd, -1), EINVAL);
}

TEST(a_stream_has_no_boundaries)
{
    int s[2];
    make_pair(SOCK_STREAM, s);
    same(send(s[0], "abc", 3, 0), 3);
    same(send(s[0], "defg", 4, 0), 4);
    same(recv(s[1], big, 5, 0), 5);
    same(recv(s[1], big, 100, 0), 2);
    same(send(s[0], "", 0, 0), 0);
    fails(recv(s[1], big, 1, MSG_DONTWAIT), EAGAIN);
}

TEST(an_address_on_a_stream_is_refused)
{
    struct sockaddr_un a;
    int s[2], fd = works(socket(AF_UNIX, SOCK_STREAM, 0));
    socklen_t len = make_address(&a, "s");
    make_pair(SOCK_STREAM, s);
    fails(sendto(s[0], "x", 1, 0, (struct sockaddr *)&a, len), EISCONN);
    fails(sendto(fd, "x", 1, 0, (struct sockaddr *)&a, len), EOPNOTSUPP);
}

TEST(closing_is_the_end_behind_the_last_byte)
{
    int s[2];
    make_pair(SOCK_STREAM, s);
    same(send(s[0], "last", 4, 0), 4);
    works(close(s[0]));
    same(ready(s[1]) & (POLLIN | POLLHUP | POLLRDHUP), POLLIN | POLLHUP | POLLRDHUP);
    same(recv(s[1], big, 100, 0), 4);
    same(recv(s[1], big, 100, 0), 0);
    fails(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE);
}

TEST(writing_to_a_closed_socket_kills)
{
    int s[2];
    pid_t pid;
    make_pair(SOCK_STREAM, s);
    works(close(s[0]));
    CHILD (pid)
        (void)!write(s[1], "x", 1);
    dies(pid, SIGPIPE);
}

TEST(closing_with_unread_bytes_is_a_reset)
{
    int s[2];
    make_pair(SOCK_STREAM, s);
    same(send(s[0], "unread", 6, 0), 6);
    works(close(s[1]));
    same(ready(s[0]) & POLLERR, POLLERR);
    int error = 0;
    socklen_t len = sizeof(error);
    works(getsockopt(s[0], SOL_SOCKET, SO_ERROR, &error, &len));
    same(error, ECONNRESET);
    works(getsockopt(s[0], SOL_SOCKET, SO_ERROR, &error, &len));
    same(error, 0); /* told once */
    same(recv(s[0], big, 1, 0), 0);
}

TEST(shutdown_closes_one_direction)
{
    int s[2];
    make_pair(SOCK_STREAM, s);
    same(send(s[0], "ab", 2, 0), 2);
    works(shutdown(s[0], SHUT_WR));
    same(recv(s[1], big, 10, 0), 2);
    same(recv(s[1], big, 10, 0), 0);
    same(ready(s[1]), POLLIN | POLLOUT | POLLRDHUP);
    fails(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    same(send(s[1], "c", 1, 0), 1);
    same(recv(s[0], big, 10, 0), 1);
    works(shutdown(s[0], SHUT_RD));
    fails(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE);
    same(ready(s[1]) & POLLHUP, POLLHUP);
}

TEST(shutdown_wakes_a_reader)
{
    int s[2];
    pid_t pid;
    make_pair(SOCK_STREAM, s);
    CHILD (pid)
        same(recv(s[0], big, 1, 0), 0);
    pause_a_little();
    works(shutdown(s[1], SHUT_WR));
    exits(pid, 0);
}

TEST(a_full_socket_takes_no_more_and_a_read_makes_room)
{
    int s[2];
    long held = 0, n;
    make_pair(SOCK_STREAM, s);
    works(fcntl(s[0], F_SETFL, O_NONBLOCK));
    while ((n = send(s[0], big, 10000, 0)) > 0)
        held += n;
    same(errno, EAGAIN);
    check(held >= 65536, "at least 64 KiB on the way, not %ld", held);
    same(ready(s[0]) & POLLOUT, 0);
    long got = 0;
    while (got < held)
        got += works(recv(s[1], big, sizeof(big), 0));
    same(got, held);
    same(ready(s[0]) & POLLOUT, POLLOUT);
}

TEST(a_blocking_send_writes_it_all)
{
    int s[2];
    pid_t pid;
    make_pair(SOCK_STREAM, s);
    CHILD (pid) {
        works(close(s[1]));
        for (size_t i = 0; i < sizeof(big); i++)
            big[i] = (char)(i * 7);
        for (int i = 0; i < 4; i++)
            same(send(s[0], big, sizeof(big), 0), sizeof(big));
    }
    works(close(s[0]));
    long got = 0, n;
    while ((n = recv(s[1], big, 77777, 0)) > 0) {
        for (long i = 0; i < n; i++)
            check(big[i] == (char)((got + i) % (long)sizeof(big) * 7), "byte %ld", got + i);
        got += n;
    }
    same(got, 4 * sizeof(big));
    exits(pid, 0);
}

TEST(send_timeout_ends_a_wait)
{
    int s[2];
    struct timeval t = {0, 20000};
    make_pair(SOCK_STREAM, s);
    works(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)));
    while (send(s[0], big, sizeof(big), 0) > 0)
        ;
    same(errno, EAGAIN);
}

TEST(receive_timeout_ends_a_wait)
{
    int s[2];
    struct timeval t = {0, 20000}, got;
    socklen_t len = sizeof(got);
    make_pair(SOCK_STREAM, s);
    works(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
    works(getsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &got, &len));
    check(got.tv_sec == 0 && got.tv_usec >= 20000 && got.tv_usec < 40000, "20 ms, as it was set");
    fails(recv(s[0], big, 1, 0), EAGAIN);
}

TEST(peek_leaves_the_bytes)
{
    int s[2];
    make_pair(SOCK_STREAM, s);
    same(send(s[0], "abc", 3, 0), 3);
    same(send(s[0], "def", 3, 0), 3);
    same(recv(s[1], big, 4, MSG_PEEK), 4);
    same(recv(s[1], big, 100, MSG_PEEK), 6);
    check(memcmp(big, "abcdef", 6) == 0, "abcdef");
    same(recv(s[1], big, 100, 0), 6);
}

TEST(waitall_waits_for_all)
{
    int s[2];
    pid_t pid;
    make_pair(SOCK_STREAM, s);
    CHILD (pid)
        for (int i = 0; i < 10; i++) {
            same(send(s[0], "0123456789", 10, 0), 10);
            pause_a_little();
        }
    same(recv(s[1], big, 100, MSG_WAITALL), 100);
    exits(pid, 0);
    same(send(s[0], "rest", 4, 0), 4);
    works(close(s[0]));
    same(recv(s[1], big, 100, MSG_WAITALL), 4); /* the end comes first */
}

TEST(low_water_mark_makes_a_read_wait)
{
    int s[2], four = 4;
    pid_t pid;
    make_pair(SOCK_STREAM, s);
    works(setsockopt(s[1], SOL_SOCKET, SO_RCVLOWAT, &four, sizeof(four)));
    CHILD (pid)
        for (int i = 0; i < 4; i++) {
            same(send(s[0], "x", 1, 0), 1);
            pause_a_little();
        }
    same(recv(s[1], big, 100, 0), 4);
    exits(pid, 0);
}

TEST(vectors_are_gathered_and_scattered)
{
    int s[2];
    char a[3], b[4];
    struct iovec out[] = {{"ab", 2}, {"", 0}, {"cdefg", 5}}, in[] = {{a, 3}, {b, 4}};
    struct msghdr m = {.msg_iov = out, .msg_iovlen = 3};
    make_pair(SOCK_STREAM, s);
    same(sendmsg(s[0], &m, 0), 7);
    m.msg_iov = in;
    m.msg_iovlen = 2;
    same(recvmsg(s[1], &m, 0), 7);
    check(memcmp(a, "abc", 3) == 0 && memcmp(b, "defg", 4) == 0, "abc defg");
    same(m.msg_flags, 0);
    same(m.msg_controllen, 0);
}

TEST(bytes_before_a_bad_address_count)
{
    int s[2];
    struct iovec out[] = {{big, 5000}, {NOWHERE, 5000}};
    make_pair(SOCK_STREAM, s);
    ssize_t n = writev(s[0], out, 2);
    check(n == 4096 || n == 5000 || (n == -1 && errno == EFAULT),
          "what could be copied, or EFAULT");
    fails(send(s[0], NOWHERE, 1, 0), EFAULT);
    same(send(s[0], "x", 1, 0), 1);
    char *edge = big + sizeof(big);
    (void)edge;
    long there = n > 0 ? n + 1 : 1, got = 0;
    fails(recv(s[1], NOWHERE, 10, 0), EFAULT);
    while (got < there)
        got += works(recv(s[1], big, sizeof(big), 0));
    same(got, there); /* nothing was lost by the failed read */
}

TEST(ioctl_tells_what_is_on_the_way)
{
    int s[2], n = 0;
    make_pair(SOCK_STREAM, s);
    same(send(s[0], "12345", 5, 0), 5);
    works(ioctl(s[1], FIONREAD, &n));
    same(n, 5);
    works(ioctl(s[0], TIOCOUTQ, &n));
    check(n > 0, "something is on the way");
    same(recv(s[1], big, 10, 0), 5);
    works(ioctl(s[0], TIOCOUTQ, &n));
    same(n, 0);
    fails(ioctl(s[0], 0x5490, &n), ENOTTY);
}

static void on_signal(int signal)
{
    (void)signal;
}

TEST(a_handler_interrupts_a_read_with_a_time_limit)
{
    int s[2];
    pid_t pid, parent = getpid();
    struct timeval t = {20, 0};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    make_pair(SOCK_STREAM, s);
    works(sigaction(SIGUSR1, &action, NULL));
    works(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
    CHILD (pid)
        for (;;) {
            pause_a_little();
            works(kill(parent, SIGUSR1));
        }
    fails(recv(s[0], big, 1, 0), EINTR); /* not restarted, whatever the flags say */
    works(kill(pid, SIGKILL));
    dies(pid, SIGKILL);
}

TEST(a_read_without_a_time_limit_is_restarted)
{
    int s[2];
    pid_t pid, parent = getpid();
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    make_pair(SOCK_STREAM, s);
    works(sigaction(SIGUSR1, &action, NULL));
    CHILD (pid) {
        for (int i = 0; i < 10; i++) {
            pause_a_little();
            works(kill(parent, SIGUSR1));
        }
        same(send(s[1], "x", 1, 0), 1);
    }
    same(recv(s[0], big, 1, 0), 1);
    exits(pid, 0);
}

/* --- packets --- */

TEST(packets_keep_their_boundaries)
{
    int s[2];
    make_pair(SOCK_SEQPACKET, s);
    same(send(s[0], "abc", 3, 0), 3);
    same(send(s[0], "", 0, 0), 0);
    same(send(s[0], "defg", 4, 0), 4);
    same(recv(s[1], big, 100, 0), 3);
    same(recv(s[1], big, 100, 0), 0);
    same(recv(s[1], big, 2, 0), 2); /* the rest is lost */
    fails(recv(s[1], big, 100, MSG_DONTWAIT), EAGAIN);
}

TEST(a_cut_packet_says_so)
{
    int s[2];
    char c[2];
    struct iovec v = {c, 2};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    make_pair(SOCK_SEQPACKET, s);
    same(send(s[0], "abcdef", 6, 0), 6);
    same(send(s[0], "ab", 2, 0), 2);
    same(recvmsg(s[1], &m, MSG_PEEK | MSG_TRUNC), 6);
    same(m.msg_flags & MSG_TRUNC, MSG_TRUNC);
    same(recvmsg(s[1], &m, 0), 2);
    same(m.msg_flags & MSG_TRUNC, MSG_TRUNC);
    same(recvmsg(s[1], &m, 0), 2);
    same(m.msg_flags & MSG_TRUNC, 0);
}

TEST(packets_between_a_client_and_a_server)
{
    int l = listener("s", SOCK_SEQPACKET, 5), c = works(socket(AF_UNIX, SOCK_SEQPACKET, 0));
    fails(send(c, "x", 1, 0), ENOTCONN);
    fails(recv(c, big, 1, MSG_DONTWAIT), ENOTCONN);
    works(connect_to(c, "s"));
    int stream = works(socket(AF_UNIX, SOCK_STREAM, 0));
    fails(connect_to(stream, "s"), EPROTOTYPE);
    int a = works(accept(l, NULL, NULL));
    same(send(c, big, 100000, 0), 100000);
    same(recv(a, big, sizeof(big), 0), 100000);
    fails(send(c, big, sizeof(big), 0), EMSGSIZE);
    works(close(a));
    same(recv(c, big, 1, 0), 0);
    fails(send(c, "x", 1, 0), EPIPE); /* and no signal */
}

TEST(packets_fill_the_queue)
{
    int s[2], n = 0;
    make_pair(SOCK_SEQPACKET, s);
    while (send(s[0], big, 20000, MSG_DONTWAIT) == 20000)
        n++;
    same(errno, EAGAIN);
    check(n >= 4, "at least four of 20,000 bytes, not %d", n);
    same(ready(s[0]) & POLLOUT, 0);
    for (int i = 0; i < n; i++)
        same(recv(s[1], big, sizeof(big), 0), 20000);
    same(ready(s[0]) & POLLOUT, POLLOUT);
}

int main(void)
{
    return tap_run("unix_stream");
}
