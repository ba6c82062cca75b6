/*
 * Datagrams by UDP: an echo, and what a datagram is. `udpecho server PORT` and `udpecho client ADDRESS PORT TEXT...`
 * are the two; without words the demo plays both. See udpecho.txt.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "demo.h"

#define SIZE_MAX_UDP 65507 /* 65535 less the headers of IP and UDP */
#define PATIENCE 1000      /* milliseconds until a client asks once more */
#define TRIES 5

static char buffer[SIZE_MAX_UDP];

static struct sockaddr_in address(in_addr_t host, unsigned port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(host)}};
}

static unsigned port_of(int fd)
{
    struct sockaddr_in a;
    socklen_t len = sizeof a;

    need(getsockname(fd, (struct sockaddr *)&a, &len));
    return ntohs(a.sin_port);
}

static int bound_to(struct sockaddr_in a)
{
    int fd = (int)need(socket(AF_INET, SOCK_DGRAM, 0));

    need(bind(fd, (struct sockaddr *)&a, sizeof a));
    return fd;
}

/* What comes goes back to where it came from. There are no connections: one socket serves all. */
static void serve(int fd)
{
    struct sockaddr_in from;

    for (;;) {
        socklen_t len = sizeof from;
        ssize_t n = need(recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &len));
        if (ntohs(from.sin_port) >=
            1024) /* two such servers would send it to each other for ever */
            sendto(fd, buffer, (size_t)n, 0, (struct sockaddr *)&from, len);
    }
}

/* A socket that sends to one address, hears only what comes from there, and learns that nobody is there. */
static int client_of(struct sockaddr_in server)
{
    int fd = (int)need(socket(AF_INET, SOCK_DGRAM, 0));

    need(connect(fd, (struct sockaddr *)&server, sizeof server));
    return fd;
}

/* A datagram can be lost, and nobody says so: ask again. Bytes of the answer; -1: there is none. */
static ssize_t ask(int fd, const char *text)
{
    struct pollfd p = {fd, POLLIN, 0};

    for (int i = 0; i < TRIES; i++) {
        need(send(fd, text, strlen(text), 0));
        if (need(poll(&p, 1, PATIENCE)) > 0)
            return recv(fd, buffer, sizeof buffer, 0);
    }
    errno = ETIMEDOUT;
    return -1;
}

static int ask_all(struct sockaddr_in server, int n, char **texts)
{
    int fd = client_of(server);

    for (int i = 0; i < n; i++) {
        ssize_t got = need(ask(fd, texts[i]));
        printf("client: sent \"%s\", got \"%.*s\"\n", texts[i], (int)got, buffer);
        claim((size_t)got == strlen(texts[i]) && memcmp(buffer, texts[i], (size_t)got) == 0);
    }
    return shown();
}

static void show_boundaries(struct sockaddr_in server)
{
    static const char *const texts[] = {"one", "", "three"};
    int fd = client_of(server);

    for (int i = 0; i < 3; i++)
        need(send(fd, texts[i], strlen(texts[i]), 0));
    for (int i = 0; i < 3; i++) {
        ssize_t n = need(recv(fd, buffer, sizeof buffer, 0));
        printf("sent \"%s\", got %zd bytes: \"%.*s\"\n", texts[i], n, (int)n, buffer);
        claim((size_t)n == strlen(texts[i]));
    }
    need(close(fd));
}

static void show_length(struct sockaddr_in server)
{
    static char large[SIZE_MAX_UDP + 1], small[4];
    int fd = client_of(server);

    need(send(fd, "too long for it", 15, 0));
    ssize_t n = need(recv(fd, small, sizeof small, MSG_TRUNC));
    printf("a buffer of 4 bytes: \"%.4s\" of %zd, and the rest is gone\n", small, n);
    claim(n == 15);
    need(send(fd, large, SIZE_MAX_UDP, 0));
    n = need(recv(fd, buffer, sizeof buffer, 0));
    printf("the largest datagram: %zd bytes\n", n);
    claim(n == SIZE_MAX_UDP);
    n = send(fd, large, SIZE_MAX_UDP + 1, 0);
    printf("one byte more: %s\n", n == -1 && errno == EMSGSIZE ? "EMSGSIZE" : "something else");
    claim(n == -1 && errno == EMSGSIZE);
    need(close(fd));
}

static void show_nobody(struct sockaddr_in nobody)
{
    int fd = client_of(nobody);

    need(send(fd, "hello?", 6, 0));
    printf("nobody at that port: the datagram is sent, and ");
    ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    printf("the answer is: %s\n",
           n == -1 && errno == ECONNREFUSED ? "ECONNREFUSED" : "something else");
    claim(n == -1 && errno == ECONNREFUSED);
    need(close(fd));
}

static int play(void)
{
    int fd = bound_to(address(INADDR_LOOPBACK, 0));
    struct sockaddr_in server = address(INADDR_LOOPBACK, port_of(fd)), nobody;
    pid_t child;

    alarm(30);
    child = fork_clean();
    if (child == 0) {
        alarm(30); /* it isn't inherited */
        serve(fd);
    }
    need(close(fd));
    fd = bound_to(address(INADDR_LOOPBACK, 0));
    nobody = address(INADDR_LOOPBACK, port_of(fd));
    need(close(fd));
    show_boundaries(server);
    show_length(server);
    show_nobody(nobody);
    need(kill(child, SIGTERM));
    wait_for(child);
    return shown();
}

int main(int argc, char **argv)
{
    struct sockaddr_in a;
    long port;

    if (argc == 1)
        return play();
    if (argc == 3 && strcmp(argv[1], "server") == 0 && (port = number_in(argv[2], 65535)) >= 0) {
        int fd = bound_to(address(INADDR_ANY, (unsigned)port));
        printf("port %u\n", port_of(fd));
        fflush(stdout);
        serve(fd);
    }
    if (argc > 4 && strcmp(argv[1], "client") == 0 && (port = number_in(argv[3], 65535)) > 0) {
        a = address(0, (unsigned)port);
        if (inet_pton(AF_INET, argv[2], &a.sin_addr) == 1)
            return ask_all(a, argc - 4, argv + 4);
    }
    fprintf(stderr, "usage: udpecho [server PORT | client ADDRESS PORT TEXT...]\n");
    return 2;
}
