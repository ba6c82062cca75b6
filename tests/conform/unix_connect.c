/* musl: AF_UNIX: sockets as files, names, and how connections come about. */
#define _GNU_SOURCE
#include "unix.h"

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

int main(void)
{
    return tap_run("unix_connect");
}
