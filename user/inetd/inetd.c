/*
 * inetd [-d] [FILE]: wait for callers of many servers, and start the one that is called; /etc/inetd.conf says which.
 *
 *     -d  stay in the foreground
 *
 * It sleeps in ppoll until there is a connection or a datagram for one of the services. A connection (nowait) is
 * accepted here and becomes the server's descriptors 0, 1 and 2; the server needs to know nothing of sockets. To a
 * service that waits the socket itself is given, and nobody looks at it here until that server has ended. SIGHUP: read
 * the file again; whoever is being served is served to the end.
 *
 * The only signals caught are SIGHUP and SIGCHLD. They are blocked but while ppoll sleeps, so none is missed between
 * looking and sleeping.
 */
#include "inetd.h"

#include <grp.h>
#include <poll.h>
#include <sys/wait.h>

#define USAGE "inetd [-d] [file]"
#define BACKLOG 128
#define CHILDREN_MAX 200 /* at a time, of all services */
#define MINUTE 60
#define PIECE 1024 /* bytes of a datagram, of what a server prints */

static struct service *services;
static int children;
static volatile sig_atomic_t hung_up, child_ended;
static sigset_t awake; /* what is blocked while ppoll sleeps: nothing of ours */

static void on_signal(int number)
{
    if (number == SIGHUP)
        hung_up = 1;
    else
        child_ended = 1;
}

static time_t seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* --- sockets --- */

static bool open_socket(struct service *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = s->port};
    int yes = 1, type = s->datagrams ? SOCK_DGRAM : SOCK_STREAM;

    s->fd = socket(AF_INET, type | SOCK_CLOEXEC | (s->waits ? 0 : SOCK_NONBLOCK), 0);
    if (s->fd < 0)
        return false;
    if ((s->datagrams || setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0) &&
        bind(s->fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        (s->datagrams || listen(s->fd, BACKLOG) == 0))
        return true;
    close(s->fd);
    s->fd = -1;
    return false;
}

/* Is it the same place to call? Then its socket, and those who wait there, are kept. */
static bool same_place(const struct service *a, const struct service *b)
{
    return a->port == b->port && a->datagrams == b->datagrams && a->waits == b->waits;
}

static void configure(const char *path)
{
    struct service *old = services, *list = config_read(path);

    for (struct service *s = list; s; s = s->next) {
        for (struct service *o = old; o && s->fd < 0; o = o->next) {
            if (o->fd >= 0 && same_place(s, o)) {
                s->fd = o->fd;
                s->server = o->server;
                o->fd = -1;
            }
        }
    }
    for (struct service *o = old; o; o = o->next)
        if (o->fd >= 0)
            close(o->fd);
    config_free(old);
    for (struct service *s = list; s; s = s->next)
        if (s->fd < 0 && !open_socket(s))
            warn("%s/%s", s->name, s->datagrams ? "udp" : "tcp");
    services = list;
}

/* --- starting --- */

/* In the child: be whom the line says, with the signals as they were. */
static void become_user(const struct service *s)
{
    signal(SIGHUP, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &awake, NULL);
    setsid();
    if (geteuid() == 0 && s->uid != 0 &&
        (setgroups(1, &s->gid) < 0 || setgid(s->gid) < 0 || setuid(s->uid) < 0))
        err(1, "%s", s->user);
}

static _Noreturn void run_program(struct service *s, int in, int out)
{
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
        _exit(1);
    execv(s->program, s->words);
    _exit(127);
}

/* The length of the first piece of N bytes of TEXT to send: whole lines, if that is possible. */
static size_t piece_of(const char *text, size_t n)
{
    const char *end = n < PIECE ? NULL : memrchr(text, '\n', PIECE);

    return end ? (size_t)(end - text) + 1 : n < PIECE ? n : PIECE;
}

/* In a child: what the program prints goes TO whoever has sent a datagram, in pieces. */
static _Noreturn void answer_datagram(struct service *s, const struct sockaddr_in *to)
{
    static char text[2 * PIECE];
    size_t have = 0;
    ssize_t n;
    int out[2], nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (nothing < 0 || pipe2(out, O_CLOEXEC) < 0)
        _exit(1);
    pid_t program = fork();
    if (program == 0)
        run_program(s, nothing, out[1]);
    close(out[1]);
    do {
        n = program < 0 ? 0 : read_some(out[0], text + have, sizeof(text) - have);
        have += n > 0 ? (size_t)n : 0;
        while (have >= PIECE || (n <= 0 && have > 0)) {
            size_t piece = piece_of(text, have);
            sendto(s->fd, text, piece, 0, (const struct sockaddr *)to, sizeof(*to));
            memmove(text, text + piece, have -= piece);
        }
    } while (n > 0);
    _exit(0);
}

/* A child for S, with the connection FD, or a datagram's sender, if there is one. */
static void start(struct service *s, int fd, const struct sockaddr_in *from)
{
    pid_t child = fork();

    if (child < 0) {
        warn("fork");
        return;
    }
    if (child > 0) {
        children++;
        s->server = s->waits ? child : 0;
        return;
    }
    /* A child that lives on must not keep a port open that its parent has given up. */
    for (struct service *other = services; other; other = other->next)
        if (other != s && other->fd >= 0)
            close(other->fd);
    become_user(s);
    if (s->internal) {
        close(s->fd);
        signal(SIGPIPE, SIG_IGN);
        s->internal->stream(fd);
        _exit(0);
    }
    if (s->datagrams && !s->waits)
        answer_datagram(s, from);
    /* Who waits gets the socket as it was opened: the program's reads are to sleep. */
    run_program(s, s->waits ? s->fd : fd, s->waits ? s->fd : fd);
}

/* Is S asked for too often? It rests until its minute is over. */
static bool rests(struct service *s, time_t now)
{
    if (now - s->minute >= MINUTE) {
        s->minute = now;
        s->starts = 0;
    }
    return s->starts >= s->starts_max;
}

static void serve(struct service *s)
{
    struct sockaddr_in from = {0};
    socklen_t length = sizeof(from);
    int fd = -1;
    char c;

    if (s->datagrams && s->internal) {
        s->internal->datagram(s->fd);
        return;
    }
    /* What has gone already, or is nobody's to answer, starts nothing. */
    if (!s->waits && s->datagrams) {
        if (recvfrom(s->fd, &c, 1, MSG_DONTWAIT, (struct sockaddr *)&from, &length) < 0 ||
            !internal_may_answer(&from))
            return;
    } else if (!s->waits) {
        fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            return;
    }
    if (++s->starts == s->starts_max)
        warnx("%s is asked for too often: %d times in a minute", s->name, s->starts_max);
    if (s->internal && !s->internal->stream_is_slow)
        s->internal->stream(fd);
    else
        start(s, fd, &from);
    if (fd >= 0)
        close(fd);
}

static void bury(void)
{
    pid_t child;

    while ((child = waitpid(-1, NULL, WNOHANG)) > 0) {
        children--;
        for (struct service *s = services; s; s = s->next)
            if (s->server == child)
                s->server = 0;
    }
}

/* --- waiting --- */

static bool listens(struct service *s, time_t now)
{
    bool forks = !s->internal || (!s->datagrams && s->internal->stream_is_slow);

    return s->fd >= 0 && s->server == 0 && !(forks && children >= CHILDREN_MAX) && !rests(s, now);
}

static void wait_and_serve(void)
{
    static const struct timespec second = {1, 0};
    static struct pollfd *from;
    static struct service **whose;
    static size_t room;
    size_t n = 0, all = 0;
    bool some_rest = false;
    time_t now = seconds_now();

    for (struct service *s = services; s; s = s->next)
        all++;
    if (all > room) {
        from = need_memory(realloc(from, all * sizeof(*from)));
        whose = need_memory(realloc(whose, all * sizeof(*whose)));
        room = all;
    }
    for (struct service *s = services; s; s = s->next) {
        if (listens(s, now)) {
            from[n] = (struct pollfd){s->fd, POLLIN, 0};
            whose[n++] = s;
        } else {
            some_rest |= s->fd >= 0;
        }
    }
    if (ppoll(from, n, some_rest ? &second : NULL, &awake) <= 0)
        return;
    for (size_t i = 0; i < n; i++)
        if (from[i].revents)
            serve(whose[i]);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t ours;

    sigemptyset(&ours);
    sigaddset(&ours, SIGHUP);
    sigaddset(&ours, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ours, &awake);
    sigdelset(&awake, SIGHUP); /* nohup doesn't concern us: here it says something else */
    sigdelset(&awake, SIGCHLD);
    sigaction(SIGHUP, &action, NULL);
    sigaction(SIGCHLD, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Go on in the background, when all sockets are there: who has started us can call at once. */
static void go_to_background(void)
{
    pid_t pid = fork();
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (pid < 0 || nothing < 0)
        err(1, "background");
    if (pid > 0)
        _exit(0);
    setsid();
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    close(nothing);
}

int main(int argc, char **argv)
{
    bool foreground = false;
    int c;

    command_begin();
    while ((c = getopt(argc, argv, "d")) != -1) {
        if (c != 'd')
            usage(1, USAGE);
        foreground = true;
    }
    if (argc - optind > 1)
        usage(1, USAGE);
    const char *path = optind < argc ? argv[optind] : "/etc/inetd.conf";
    catch_signals();
    configure(path);
    if (!services)
        errx(1, "%s: no service", path);
    if (!foreground)
        go_to_background();
    for (;;) {
        wait_and_serve();
        if (child_ended) {
            child_ended = 0;
            bury();
        }
        if (hung_up) {
            hung_up = 0;
            configure(path);
        }
    }
}
