/*
 * What stands around the web servers httpd1 to httpd5: `httpdN PORT [FOLDER]` serves the folder, this one if none is
 * named, at the port, any free one if it is 0. Without words the demo plays a server and its clients: some connect
 * and say nothing for a while. Who has to wait for them? That is what the five differ in.
 */
#pragma once

#include "http.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>

#define HTTPD_BACKLOG 128 /* connections that wait to be accepted */
#define HTTPD_SILENT_MAX 200
#define HTTPD_PAGE "Hello, world!\n"

struct httpd {
    void (*serve)(int listener); /* for ever */
    int silent;                  /* clients that say nothing, in the play */
    bool others_wait;            /* what is claimed of the next one: it isn't answered */
    int threads;                 /* so many answer in the play: processes, or threads of one */
};

static inline int httpd_listen(unsigned port, in_addr_t address)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(address)}};
    int yes = 1, fd = (int)need(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

    /* What is left of former connections may still stand at this port, for a minute. */
    need(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes));
    need(bind(fd, (struct sockaddr *)&a, sizeof a));
    need(listen(fd, HTTPD_BACKLOG));
    return fd;
}

static inline unsigned httpd_port(int fd)
{
    struct sockaddr_in a;
    socklen_t len = sizeof a;

    need(getsockname(fd, (struct sockaddr *)&a, &len));
    return ntohs(a.sin_port);
}

/* accept(2); -1: that connection has gone, or there is no descriptor for it now. */
static inline int httpd_accept(int listener, int flags)
{
    int fd = accept4(listener, NULL, NULL, flags | SOCK_CLOEXEC);

    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS))
        poll(NULL, 0, 10); /* somebody will close one */
    else if (fd < 0 && errno != ECONNABORTED && errno != EINTR && errno != EAGAIN)
        need(fd);
    return fd;
}

/* --- the play's clients --- */

static inline int httpd_call(unsigned port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = (int)need(socket(AF_INET, SOCK_STREAM, 0));

    need(connect(fd, (struct sockaddr *)&a, sizeof a));
    return fd;
}

static inline void httpd_ask(int fd, const char *request)
{
    char text[200];
    int len = snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: play\r\nConnection: close\r\n\r\n",
                       request);

    need(send(fd, text, (size_t)len, MSG_NOSIGNAL) == len ? 0 : -1);
}

/* Read the answer to its end and hang up: its status, *SIZE bytes behind the head, *WHO has answered. */
static inline int httpd_hear(int fd, int *size, int *who)
{
    char text[2000] = "";
    size_t got = 0;
    ssize_t n;
    int status = 0;

    while ((n = need(read(fd, text + got, sizeof text - 1 - got))) > 0)
        got += (size_t)n;
    need(close(fd));
    text[got] = '\0';
    sscanf(text, "HTTP/1.1 %d", &status);
    const char *server = strstr(text, "Server: httpd ("), *body = strstr(text, "\r\n\r\n");
    *who = server != NULL ? atoi(server + strlen("Server: httpd (")) : 0;
    *size = body != NULL ? (int)strlen(body + 4) : -1;
    return status;
}

/* How many different numbers there are. */
static inline int httpd_count(const int *who, int n)
{
    int different = 0;

    for (int i = 0; i < n; i++) {
        int before = 0;
        while (before < i && who[before] != who[i])
            before++;
        different += before == i;
    }
    return different;
}

static inline void httpd_try(unsigned port, const char *request, int expected)
{
    int size, who, fd = httpd_call(port);

    httpd_ask(fd, request);
    int status = httpd_hear(fd, &size, &who);
    claim(status == expected);
    printf("%s: %d %s\n", request, status, http_reason(status));
}

/* Some are silent, one asks; then the silent ones ask too. */
static inline void httpd_silence(const struct httpd *d, unsigned port)
{
    int fd[HTTPD_SILENT_MAX], who[HTTPD_SILENT_MAX + 1], size, status = 0, good = 0;
    const int n = d->silent, all = n + 1;

    for (int i = 0; i < n; i++)
        fd[i] = httpd_call(port);
    printf("%d of the clients connect%s and say%s nothing\n", n, n == 1 ? "s" : "",
           n == 1 ? "s" : "");
    int other = httpd_call(port);
    httpd_ask(other, "GET /hello.txt");
    if (d->others_wait) {
        struct pollfd p = {other, POLLIN, 0};
        int answered = (int)need(poll(&p, 1, 200));
        claim(!answered);
        printf("another asks for a file, and is%s answered\n", answered ? "" : " not");
    } else {
        status = httpd_hear(other, &size, &who[n]);
        claim(status == 200 && size == (int)strlen(HTTPD_PAGE));
        printf("another asks for a file, and is answered: %d, %d bytes\n", status, size);
    }
    for (int i = 0; i < n; i++)
        httpd_ask(fd[i], "GET /hello.txt");
    for (int i = 0; i < n; i++)
        good += httpd_hear(fd[i], &size, &who[i]) == 200 && size == (int)strlen(HTTPD_PAGE);
    claim(good == n);
    printf("the silent ones ask: %d of %d are answered\n", good, n);
    if (d->others_wait) {
        status = httpd_hear(other, &size, &who[n]);
        claim(status == 200 && size == (int)strlen(HTTPD_PAGE));
        printf("and now the other one is, too: %d, %d bytes\n", status, size);
    }
    int threads = httpd_count(who, all);
    claim(threads == d->threads);
    printf("%d requests were answered by %d thread%s of control\n", all, threads,
           threads == 1 ? "" : "s");
}

static inline int httpd_play(const struct httpd *d)
{
    char folder[] = "/tmp/httpd-XXXXXX";
    int listener = httpd_listen(0, INADDR_LOOPBACK), page;
    unsigned port = httpd_port(listener);
    pid_t server;

    alarm(30); /* somebody is never answered */
    need(mkdtemp(folder) == NULL ? -1 : 0);
    http_folder = (int)need(open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    page = (int)need(openat(http_folder, "hello.txt", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    need(write(page, HTTPD_PAGE, strlen(HTTPD_PAGE)));
    need(close(page));
    server = fork_clean();
    if (server == 0) {
        need(prctl(PR_SET_PDEATHSIG, SIGKILL)); /* never outlive the play */
        d->serve(listener);
        _exit(1);
    }
    need(close(listener));
    httpd_silence(d, port);
    httpd_try(port, "HEAD /hello.txt", 200);
    httpd_try(port, "GET /nothing", 404);
    httpd_try(port, "GET /../etc/passwd", 403);
    httpd_try(port, "BREW /coffee", 405);
    need(kill(server, SIGTERM));
    int status = wait_for(server);
    claim(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    need(unlinkat(http_folder, "hello.txt", 0));
    need(rmdir(folder));
    return shown();
}

static inline int httpd_main(int argc, char **argv, const struct httpd *d)
{
    long port = argc > 1 ? number_in(argv[1], 65535) : 0;

    signal(SIGPIPE, SIG_IGN); /* a client that has gone is an error of sendfile, not our end */
    if (argc == 1)
        return httpd_play(d);
    if (argc > 3 || port < 0) {
        fprintf(stderr, "usage: %s [PORT [FOLDER]]\n", argv[0]);
        return 2;
    }
    http_folder = (int)need(open(argc > 2 ? argv[2] : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    int listener = httpd_listen((unsigned)port, INADDR_ANY);
    printf("port %u\n", httpd_port(listener));
    fflush(stdout);
    d->serve(listener);
    return 1;
}
