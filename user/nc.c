/*
 * nc [-nuvz] [-p PORT] [-s ADDRESS] [-w SECONDS] HOST PORT, nc -l [-knuv] [-w SECONDS] [HOST] PORT: two ends of a
 * connection. nc [-kluv] [-w SECONDS] -U PATH: the same between processes of this machine.
 *
 *     -l  wait for others          -k  and, when one has gone, for the next      -u  UDP     -U  local sockets
 *     -p  our own port             -s  our own address                           -n  numbers, no names
 *     -w  give up a connection, and end one where nothing passes, after so long  -z  only see who is there
 *     -v  say who is there
 *
 * What is read from standard input goes to the other end, what comes from there to standard output. The end of the
 * input is passed on; it is over when both have ended. UDP knows no end: it is over a second, or -w, after the input
 * has ended and nothing more has come. What waits to be sent never keeps us from reading, or two of us could
 * wait for each other forever.
 */
#include "net.h"

#include <poll.h>
#include <sys/un.h>

#define USAGE \
    "nc [-klnuUvz] [-p port] [-s address] [-w seconds] [host] port | [-kluv] [-w seconds] -U path"
#define BUFFER 65536

static bool waits, again, datagrams, local, numeric, verbose, only_look;
static const char *own_port, *own_address;
static double patience; /* seconds; 0: any time */

/* One direction: what was read and not yet written. */
struct flow {
    char data[BUFFER];
    size_t start, end;
    bool over; /* nothing more is to be read */
};

static struct flow out, in;

static int timeout_of(double seconds)
{
    return seconds > 0 ? (int)(seconds * 1000) : -1;
}

/* --- the two directions --- */

/* Standard input has something, or has ended. */
static void read_input(void)
{
    ssize_t n = read_some(STDIN_FILENO, out.data, datagrams ? BUFFER / 2 : BUFFER);
    if (n < 0)
        warn("standard input");
    out.start = 0;
    out.end = n > 0 ? (size_t)n : 0;
    out.over = n <= 0;
}

/* Send what waits. False: the other end is gone. */
static bool send_out(int fd)
{
    ssize_t n = send(fd, out.data + out.start, out.end - out.start, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        warn("send");
        return false;
    }
    if (n > 0)
        out.start = datagrams ? out.end : out.start + (size_t)n;
    return true;
}

/* Receive and print; the other's end is noted. False: it is over, not as it should be. */
static bool receive(int fd)
{
    ssize_t n = recv(fd, in.data, BUFFER, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n < 0) {
        warn("receive");
        return false;
    }
    in.over = n == 0 && !datagrams;
    if (!write_all(STDOUT_FILENO, in.data, (size_t)n))
        err(1, "standard output");
    return true;
}

/* Is there nothing more to be passed on? Somebody at a terminal, who has nobody to talk to, is done too. */
static bool is_done(void)
{
    return in.over && out.start == out.end && (out.over || isatty(STDIN_FILENO));
}

/* Pass on both ways until it is over. The exit status. */
static int talk(int fd)
{
    out.start = out.end = 0;
    in.over = false;
    while (!is_done()) {
        bool empty = out.start == out.end, idle = datagrams && out.over && empty;
        struct pollfd p[2] = {
            {in.over && empty ? -1 : fd, (short)((in.over ? 0 : POLLIN) | (empty ? 0 : POLLOUT)),
             0},
            {empty && !out.over ? STDIN_FILENO : -1, POLLIN, 0},
        };
        int n = poll(p, 2, idle && patience == 0 ? 1000 : timeout_of(patience));
        if (n == 0)
            return 0;
        if (n < 0)
            continue;
        if (!in.over && (p[0].revents & (POLLIN | POLLHUP | POLLERR)) && !receive(fd))
            return 1;
        if ((p[0].revents & (POLLOUT | POLLERR)) && !empty && !send_out(fd))
            return 1;
        if (p[1].revents) {
            read_input();
            if (out.over && !datagrams)
                shutdown(fd, SHUT_WR);
        }
    }
    return 0;
}

/* --- how they find each other --- */

static int kind(void)
{
    return datagrams ? SOCK_DGRAM : SOCK_STREAM;
}

static void say_who(const char *what, const struct sockaddr *a, socklen_t length)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];
    int flags = (numeric ? NI_NUMERICHOST | NI_NUMERICSERV : 0) | (datagrams ? NI_DGRAM : 0);

    if (!verbose)
        return;
    if (local)
        fprintf(stderr, "%s\n", what);
    else if (getnameinfo(a, length, host, sizeof(host), port, sizeof(port), flags) == 0)
        fprintf(stderr, "%s %s %s\n", what, host, port);
}

static struct sockaddr_un path_address(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(a.sun_path))
        errx(1, "%s: the name is too long", path);
    strcpy(a.sun_path, path);
    return a;
}

/* connect(2), but not longer than our patience. */
static bool connect_in_time(int fd, const struct sockaddr *a, socklen_t length)
{
    int flags = fcntl(fd, F_GETFL), error = 0;
    socklen_t size = sizeof(error);
    struct pollfd p = {fd, POLLOUT, 0};

    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    bool done = connect(fd, a, length) == 0;
    if (!done && errno == EINPROGRESS) {
        int n;
        do
            n = poll(&p, 1, timeout_of(patience));
        while (n < 0 && errno == EINTR);
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
        errno = n == 0 ? ETIMEDOUT : error;
        done = n > 0 && error == 0;
    }
    fcntl(fd, F_SETFL, flags);
    return done;
}

/* The address that -s and -p, or a listener's operands, name. */
static void bind_to(int fd, const char *address, const char *port)
{
    struct addrinfo *a = need_addresses(address, port ? port : "0", kind(), AI_PASSIVE);
    int on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, a->ai_addr, a->ai_addrlen) < 0)
        err(1, "%s", port ? port : address);
    freeaddrinfo(a);
}

/* A socket connected to the first of HOST's addresses that answers, or the end. */
static int call(const char *host, const char *port)
{
    struct addrinfo *list = need_addresses(host, port, kind(), 0);
    int error = 0;

    for (struct addrinfo *a = list; a; a = a->ai_next) {
        int fd = need_socket(AF_INET, kind(), 0);
        if (own_port || own_address)
            bind_to(fd, own_address, own_port);
        if (connect_in_time(fd, a->ai_addr, a->ai_addrlen)) {
            say_who("connected to", a->ai_addr, a->ai_addrlen);
            freeaddrinfo(list);
            return fd;
        }
        error = errno;
        close(fd);
    }
    errno = error;
    err(1, "%s %s", host, port);
}

static int call_local(const char *path)
{
    struct sockaddr_un a = path_address(path), own = {.sun_family = AF_UNIX};
    int fd = need_socket(AF_UNIX, kind(), 0);

    /* A name that the kernel chooses, so that there is somebody to answer to. */
    if (datagrams && bind(fd, (struct sockaddr *)&own, sizeof(own.sun_family)) < 0)
        err(1, "bind");
    if (!connect_in_time(fd, (struct sockaddr *)&a, sizeof(a)))
        err(1, "%s", path);
    return fd;
}

/* Whoever sends the first datagram is the one we talk to. */
static int await_datagram(int fd)
{
    struct sockaddr_storage from;
    socklen_t length = sizeof(from);
    char byte;

    while (recvfrom(fd, &byte, 1, MSG_PEEK, (struct sockaddr *)&from, &length) < 0)
        if (errno != EINTR)
            err(1, "receive");
    if (length > sizeof(sa_family_t) && connect(fd, (struct sockaddr *)&from, length) < 0)
        err(1, "connect");
    say_who("heard from", (struct sockaddr *)&from, length);
    return fd;
}

static int await_call(int listener)
{
    struct sockaddr_storage from;
    socklen_t length = sizeof(from);
    int fd;

    do
        fd = accept4(listener, (struct sockaddr *)&from, &length, SOCK_CLOEXEC);
    while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (fd < 0)
        err(1, "accept");
    say_who("connected from", (struct sockaddr *)&from, length);
    return fd;
}

static int open_listener(const char *address, const char *port)
{
    int fd = need_socket(local ? AF_UNIX : AF_INET, kind(), 0);

    if (local) {
        struct sockaddr_un a = path_address(port);
        if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
            err(1, "%s", port);
    } else {
        bind_to(fd, address, port);
    }
    if (!datagrams && listen(fd, 5) < 0)
        err(1, "%s", port);
    return fd;
}

static int serve(const char *address, const char *port)
{
    int status = 0;

    do {
        int listener = open_listener(address, port), fd;
        do {
            fd = datagrams ? await_datagram(listener) : await_call(listener);
            if (!again && !datagrams)
                close(listener); /* nobody else need wait in vain */
            status = talk(fd);
            close(fd);
        } while (again && !datagrams);
        if (local)
            unlink(port);
    } while (again);
    return status;
}

int main(int argc, char **argv)
{
    int c, status = 0;

    command_begin();
    while ((c = getopt(argc, argv, "klnp:s:uUvw:z")) != -1) {
        switch (c) {
        case 'k': again = true; break;
        case 'l': waits = true; break;
        case 'n': numeric = true; break;
        case 'p': own_port = optarg; break;
        case 's': own_address = optarg; break;
        case 'u': datagrams = true; break;
        case 'U': local = true; break;
        case 'v': verbose = true; break;
        case 'w': patience = need_seconds(optarg); break;
        case 'z': only_look = true; break;
        default: usage(1, USAGE);
        }
    }
    argv += optind;
    argc -= optind;
    if (waits && !local && own_port && argc < 2) { /* nc -l -p PORT, as others have it */
        if (argc == 1)
            own_address = argv[0];
        argv[0] = (char *)own_port;
        argc = 1;
    }
    bool with_host = argc == 2 && !local;
    if (argc != 1 && !with_host)
        usage(1, USAGE);
    if (again && !waits)
        usage(1, USAGE);
    if (!waits && !local && !with_host)
        usage(1, USAGE);
    if (waits)
        return serve(with_host ? argv[0] : own_address, argv[argc - 1]);
    int fd = local ? call_local(argv[0]) : call(argv[0], argv[1]);
    if (!only_look)
        status = talk(fd);
    close(fd);
    return status;
}
