/*
 * Asking name servers (resolver(3)). Each question leaves by a fresh socket, so from a port that nobody can guess,
 * connected to the server, so that others' packets don't come in and a server that isn't there is noticed at once.
 * What comes and doesn't answer the question is passed over, and the waiting goes on; what is no answer in time is
 * asked of the next server. An answer that a datagram has no room for is cut short and says so: then the same server
 * is asked again by a connection, where a message has its length before it (RFC 7766).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <resolv.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "net/dns.h"
#include "net/table.h"

#define SERVERS_MAX 3
#define TIMEOUT_MAX 30 /* seconds */
#define ATTEMPTS_MAX 5
#define NDOTS_MAX 15

/* /etc/resolv.conf. */
struct resolver {
    struct in_addr servers[SERVERS_MAX];
    int count;
    int timeout; /* seconds, for each question sent */
    int attempts;
    int ndots; /* a name with so many dots is tried as it stands first */
    struct table_line search;
};

static void take_option(struct resolver *r, const char *word)
{
    static const char *const names[] = {"timeout:", "attempts:", "ndots:"};
    static const int least[] = {1, 1, 0}, most[] = {TIMEOUT_MAX, ATTEMPTS_MAX, NDOTS_MAX};
    int *const values[] = {&r->timeout, &r->attempts, &r->ndots};

    for (int i = 0; i < 3; i++) {
        size_t n = strlen(names[i]);
        int value = strncmp(word, names[i], n) == 0 ? atoi(word + n) : -1;
        if (value >= least[i])
            *values[i] = value < most[i] ? value : most[i];
    }
}

static void read_configuration(struct resolver *r)
{
    FILE *f = fopen("/etc/resolv.conf", "re");
    struct table_line line;

    memset(r, 0, sizeof *r);
    r->timeout = 5;
    r->attempts = 2;
    r->ndots = 1;
    while (f != NULL && __table_next(f, &line)) {
        struct in_addr server;
        const char *what = line.words[0];
        if (strcmp(what, "nameserver") == 0 && r->count < SERVERS_MAX &&
            inet_pton(AF_INET, line.words[1], &server) == 1)
            r->servers[r->count++] = server;
        for (int i = 1; strcmp(what, "options") == 0 && i < line.count; i++)
            take_option(r, line.words[i]);
        if (strcmp(what, "search") == 0 || strcmp(what, "domain") == 0) {
            r->search = line;
            for (int i = 0; i < line.count; i++) /* the words lie in the copy */
                r->search.words[i] = r->search.text + (line.words[i] - line.text);
        }
    }
    if (f != NULL)
        fclose(f);
    if (r->count == 0)
        r->servers[r->count++].s_addr = htonl(INADDR_LOOPBACK);
}

static long long milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Wait until EVENTS are true of FD: false: not before END. */
static bool wait_until(int fd, short events, long long end)
{
    struct pollfd p = {fd, events, 0};
    long long left;

    while ((left = end - milliseconds()) > 0)
        if (poll(&p, 1, (int)left) > 0)
            return true;
    return false;
}

/* A question to one server, until END. ANSWER has SIZE bytes; what is longer is counted, but not kept. */
struct exchange {
    const unsigned char *question;
    int question_length;
    unsigned char *answer;
    int size;
    long long end; /* by milliseconds() */
};

/* Is what came, N bytes, the answer? */
static bool answers(const struct exchange *x, int n)
{
    return __dns_answers(x->answer, n < x->size ? n : x->size, x->question, x->question_length);
}

/* By a datagram on FD: the answer's length; -1: none came in time, or the server isn't there. */
static int ask_by_datagram(int fd, const struct exchange *x)
{
    size_t length = (size_t)x->question_length;

    if (send(fd, x->question, length, MSG_NOSIGNAL) != x->question_length)
        return -1;
    while (wait_until(fd, POLLIN, x->end)) {
        ssize_t n = recv(fd, x->answer, (size_t)x->size, MSG_TRUNC);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
        if (n >= 0 && answers(x, (int)n))
            return (int)n;
    }
    return -1;
}

/* Read N bytes to TO, or away if it is NULL; false: they didn't come in time. */
static bool read_whole(const struct exchange *x, int fd, unsigned char *to, int n)
{
    unsigned char away[512];

    while (n > 0) {
        int room = to != NULL || n < (int)sizeof away ? n : (int)sizeof away;
        if (!wait_until(fd, POLLIN, x->end))
            return false;
        ssize_t got = recv(fd, to != NULL ? to : away, (size_t)room, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            return false;
        if (got > 0) {
            n -= (int)got;
            to = to != NULL ? to + got : NULL;
        }
    }
    return true;
}

/* By the connection FD, which is being made. */
static int ask_by_connection(int fd, const struct exchange *x)
{
    unsigned char message[2 + NS_PACKETSZ] = {(unsigned char)(x->question_length >> 8),
                                              (unsigned char)x->question_length};
    int length = 2 + x->question_length;

    memcpy(message + 2, x->question, (size_t)x->question_length);
    /* A new connection takes so little at once, or isn't one. */
    if (!wait_until(fd, POLLOUT, x->end) ||
        send(fd, message, (size_t)length, MSG_NOSIGNAL) != length)
        return -1;
    if (!read_whole(x, fd, message, 2))
        return -1;
    int n = dns_number(message), kept = n < x->size ? n : x->size;
    if (!read_whole(x, fd, x->answer, kept) || !read_whole(x, fd, NULL, n - kept) || !answers(x, n))
        return -1;
    return n;
}

static int ask_server(struct in_addr server, int type, const struct exchange *x)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(NS_DEFAULTPORT), .sin_addr = server};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), n = -1;

    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS)
        n = type == SOCK_DGRAM ? ask_by_datagram(fd, x) : ask_by_connection(fd, x);
    close(fd);
    return n;
}

/* Ask for NAME as it stands. The answer's length, or -1 with h_errno. */
static int ask(const struct resolver *r, const char *name, int class, int type,
               unsigned char *answer, int size)
{
    unsigned char question[NS_PACKETSZ];
    int length = res_mkquery(0, name, class, type, NULL, 0, NULL, question, sizeof question);

    h_errno = NO_RECOVERY;
    if (length < 0)
        return -1;
    for (int i = 0; i < r->attempts * r->count; i++) {
        struct in_addr server = r->servers[i % r->count];
        struct exchange x = {question, length, answer, size, milliseconds() + r->timeout * 1000LL};
        int n = ask_server(server, SOCK_DGRAM, &x);
        if (n >= 0 && __dns_is_cut_short(answer)) {
            x.end = milliseconds() + r->timeout * 1000LL;
            n = ask_server(server, SOCK_STREAM, &x);
        }
        int verdict = n < 0 ? -1 : __dns_verdict(answer);
        if (verdict >= 0) {
            if (verdict == 0 && dns_number(answer + 6) == 0)
                verdict = NO_DATA;
            h_errno = verdict;
            return verdict == 0 ? n : -1;
        }
    }
    h_errno = TRY_AGAIN;
    return -1;
}

int res_query(const char *name, int class, int type, unsigned char *answer, int size)
{
    struct resolver r;
    read_configuration(&r);
    return ask(&r, name, class, type, answer, size);
}

int res_search(const char *name, int class, int type, unsigned char *answer, int size)
{
    struct resolver r;
    char longer[NS_MAXCDNAME];
    size_t length = strlen(name);
    int dots = 0, n = -1;

    read_configuration(&r);
    for (size_t i = 0; i < length; i++)
        dots += name[i] == '.';
    bool complete = length > 0 && name[length - 1] == '.', first = dots >= r.ndots;
    if (complete || first || r.search.count == 0)
        n = ask(&r, name, class, type, answer, size);
    for (int i = 1; !complete && n < 0 && i < r.search.count; i++) {
        if (n < 0 && h_errno == TRY_AGAIN && (first || i > 1))
            return n; /* nobody answers: a longer name won't help */
        if (snprintf(longer, sizeof longer, "%s.%s", name, r.search.words[i]) < (int)sizeof longer)
            n = ask(&r, longer, class, type, answer, size);
    }
    if (n < 0 && !complete && !first && r.search.count > 0 && h_errno != TRY_AGAIN)
        n = ask(&r, name, class, type, answer, size);
    return n;
}
