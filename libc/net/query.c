/*
 * Asking name servers (resolver(3)). Each question leaves by a fresh socket, so from a port that nobody can guess,
 * connected to the server, so that others' packets don't come in and a server that isn't there is noticed at once.
 * What comes and doesn't answer the question is passed over, and the waiting goes on; what is no answer in time is
 * asked of the next server.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <resolv.h>
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

/* Wait on FD for the answer to QUESTION: its length; -1: none came in time, or the server isn't there. */
static int await(int fd, const unsigned char *question, int question_length, int seconds,
                 unsigned char *answer, int size)
{
    long long end = milliseconds() + seconds * 1000LL, left;

    while ((left = end - milliseconds()) > 0) {
        struct pollfd p = {fd, POLLIN, 0};
        if (poll(&p, 1, (int)left) <= 0)
            continue;
        ssize_t n = recv(fd, answer, (size_t)size, MSG_TRUNC | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
        if (n >= 0 && n <= size && __dns_answers(answer, (int)n, question, question_length))
            return (int)n;
    }
    return -1;
}

static int ask_server(struct in_addr server, int seconds, const unsigned char *question,
                      int question_length, unsigned char *answer, int size)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(NS_DEFAULTPORT), .sin_addr = server};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), n = -1;

    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
        send(fd, question, (size_t)question_length, MSG_NOSIGNAL) == question_length)
        n = await(fd, question, question_length, seconds, answer, size);
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
        int n = ask_server(r->servers[i % r->count], r->timeout, question, length, answer, size);
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
