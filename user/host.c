/*
 * host [-Tv] [-t TYPE] [-W SECONDS] NAME [SERVER]: ask the domain name system (RFC 1035).
 *
 *     -t  A (the default), AAAA, CNAME, MX, NS, PTR, SOA, SRV, TXT, ANY or a number     -v  the whole answer
 *     -W  wait so long for SERVER (5)     -T  ask SERVER by TCP at once, and not only for what UDP has no room for
 *
 * The address of a host instead of a name asks for the name (PTR). Without SERVER those of /etc/resolv.conf are asked,
 * and with the endings of its line `search`. 0: there were records of that type.
 */
#include "net.h"

#include <arpa/nameser.h>
#include <ctype.h>
#include <poll.h>
#include <resolv.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/time.h>

#define USAGE "host [-Tv] [-t type] [-W seconds] name [server]"
#define ANSWER_MAX 65536
#define ATTEMPTS 2
#define HEADER 12
#define CUT_SHORT 2 /* of the third byte of a message */
#define RECORD 10   /* type, class, time to live, length */

static const struct {
    const char *name;
    int number;
} types[] = {
    {"A", ns_t_a},   {"NS", ns_t_ns},   {"CNAME", ns_t_cname}, {"SOA", ns_t_soa}, {"PTR", ns_t_ptr},
    {"MX", ns_t_mx}, {"TXT", ns_t_txt}, {"AAAA", ns_t_aaaa},   {"SRV", ns_t_srv}, {"ANY", ns_t_any},
};
#define TYPES (sizeof(types) / sizeof(types[0]))

static const char *const codes[] = {
    "no error",     "the server can't read the question", "the server fails",
    "no such name", "the server can't do that",           "the server refuses",
};

static bool verbose, by_stream;
static double patience = 5;

static int type_number(const char *text)
{
    for (size_t i = 0; i < TYPES; i++)
        if (strcasecmp(types[i].name, text) == 0)
            return types[i].number;
    return (int)need_number(text, 1, 65535, "type");
}

static const char *type_name(int type)
{
    static char number[16];
    for (size_t i = 0; i < TYPES; i++)
        if (types[i].number == type)
            return types[i].name;
    snprintf(number, sizeof(number), "TYPE%d", type);
    return number;
}

/* --- asking --- */

/* The same number and the same question, as an answer. */
static bool answers(const unsigned char *answer, ssize_t got, const unsigned char *question, int n)
{
    return got >= n && memcmp(answer, question, 2) == 0 && (answer[2] & 0x80) &&
           get16(answer + 4) == 1 &&
           strncasecmp((const char *)answer + HEADER, (const char *)question + HEADER,
                       (size_t)(n - HEADER - 4)) == 0 &&
           memcmp(answer + n - 4, question + n - 4, 4) == 0;
}

/* Wait for what answers QUESTION; its length, or -1. */
static int await_answer(int fd, const unsigned char *question, int n, unsigned char *answer)
{
    long long end = milliseconds() + (long long)(patience * 1000), left;

    while ((left = end - milliseconds()) > 0) {
        struct pollfd p = {fd, POLLIN, 0};
        if (poll(&p, 1, (int)left) <= 0)
            continue;
        ssize_t got = recv(fd, answer, ANSWER_MAX, MSG_DONTWAIT);
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
        if (answers(answer, got, question, n))
            return (int)got;
    }
    errno = ETIMEDOUT;
    return -1;
}

static int ask_by_datagram(const struct addrinfo *server, const unsigned char *question, int n,
                           unsigned char *answer)
{
    int got = -1;

    for (int i = 0; i < ATTEMPTS && got < 0; i++) {
        int fd = need_socket(AF_INET, SOCK_DGRAM, 0);
        if (connect(fd, server->ai_addr, server->ai_addrlen) == 0 &&
            send(fd, question, (size_t)n, 0) == n)
            got = await_answer(fd, question, n, answer);
        close(fd);
    }
    return got;
}

/* All of N bytes from a connection; false with errno. */
static bool receive(int fd, unsigned char *to, size_t n)
{
    while (n > 0) {
        ssize_t got = recv(fd, to, n, 0);
        if (got <= 0) {
            errno = got == 0 ? EPROTO : errno == EAGAIN ? ETIMEDOUT : errno;
            return false;
        }
        to += got;
        n -= (size_t)got;
    }
    return true;
}

/* On the socket FD; by a connection a message has its length before it. */
static int exchange(int fd, const struct addrinfo *server, const unsigned char *question, int n,
                    unsigned char *answer)
{
    unsigned char message[2 + NS_PACKETSZ];

    put16(message, (unsigned)n);
    memcpy(message + 2, question, (size_t)n);
    if (connect(fd, server->ai_addr, server->ai_addrlen) < 0 ||
        send(fd, message, (size_t)n + 2, MSG_NOSIGNAL) < 0) {
        errno = errno == EINPROGRESS || errno == EAGAIN ? ETIMEDOUT : errno;
        return -1;
    }
    if (!receive(fd, message, 2) || !receive(fd, answer, get16(message)))
        return -1;
    errno = EPROTO;
    return answers(answer, get16(message), question, n) ? (int)get16(message) : -1;
}

static int ask_by_stream(const struct addrinfo *server, const unsigned char *question, int n,
                         unsigned char *answer)
{
    struct timeval wait = {(time_t)patience, (suseconds_t)((patience - (time_t)patience) * 1e6)};
    int fd = need_socket(AF_INET, SOCK_STREAM, 0);

    wait.tv_usec += wait.tv_sec == 0 && wait.tv_usec == 0; /* 0 would be for ever */
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0)
        err(1, "setsockopt");
    int got = exchange(fd, server, question, n, answer), error = errno;
    close(fd);
    errno = error;
    return got;
}

static int ask_server(const char *server, const char *name, int type, unsigned char *answer)
{
    unsigned char question[NS_PACKETSZ];
    struct addrinfo *list = need_addresses(server, "53", SOCK_DGRAM, 0);
    int n = res_mkquery(0, name, ns_c_in, type, NULL, 0, NULL, question, sizeof(question)),
        got = -1;

    if (n < 0)
        errx(1, "%s: not a name", name);
    if (getrandom(question, 2, 0) != 2)
        err(1, "getrandom");
    if (!by_stream)
        got = ask_by_datagram(list, question, n, answer);
    if (by_stream || (got >= 0 && (answer[2] & CUT_SHORT)))
        got = ask_by_stream(list, question, n, answer);
    freeaddrinfo(list);
    if (got < 0)
        err(1, "%s", server);
    return got;
}

/* --- what came --- */

/* The name at P, in TEXT; how long it is at P. */
static int take_name(const unsigned char *message, int n, const unsigned char *p, char *text)
{
    int length = dn_expand(message, message + n, p, text, NS_MAXDNAME);

    if (length < 0)
        errx(1, "the answer is damaged");
    for (char *c = text; *c; c++) /* it comes from strangers, and goes to a terminal */
        if (!isgraph((unsigned char)*c))
            *c = '?';
    if (!*text)
        strcpy(text, ".");
    return length;
}

static void print_texts(const unsigned char *data, int length)
{
    for (int at = 0; at < length; at += data[at] + 1) {
        printf(" \"");
        for (int i = at + 1; i <= at + data[at] && i < length; i++)
            printf(isprint(data[i]) && data[i] != '"' && data[i] != '\\' ? "%c" : "\\%03d",
                   data[i]);
        printf("\"");
    }
}

static void print_soa(const unsigned char *message, int n, const unsigned char *data, int length)
{
    char first[NS_MAXDNAME], second[NS_MAXDNAME];
    int at = take_name(message, n, data, first);

    at += take_name(message, n, data + at, second);
    if (length - at < 20)
        errx(1, "the answer is damaged");
    printf(" %s %s", first, second);
    for (int i = 0; i < 5; i++)
        printf(" %u", get32(data + at + 4 * i));
}

/* The data of a record; numbers stand in front of names in some. */
static void print_data(const unsigned char *message, int n, int type, const unsigned char *data,
                       int length)
{
    char name[NS_MAXDNAME];
    int numbers = type == ns_t_mx ? 1 : type == ns_t_srv ? 3 : 0;

    if (type == ns_t_a && length == 4) {
        printf(" %u.%u.%u.%u", data[0], data[1], data[2], data[3]);
    } else if (type == ns_t_aaaa && length == 16) {
        for (int i = 0; i < 16; i += 2)
            printf("%c%x", i ? ':' : ' ', get16(data + i));
    } else if (type == ns_t_txt) {
        print_texts(data, length);
    } else if (type == ns_t_soa) {
        print_soa(message, n, data, length);
    } else if (type == ns_t_ns || type == ns_t_cname || type == ns_t_ptr || numbers) {
        if (length < 2 * numbers + 1)
            errx(1, "the answer is damaged");
        for (int i = 0; i < numbers; i++)
            printf(" %u", get16(data + 2 * i));
        take_name(message, n, data + 2 * numbers, name);
        printf(" %s", name);
    } else {
        printf(" %d bytes", length);
    }
}

/* Print COUNT records from P on; *FOUND counts those of TYPE. Behind them. */
static const unsigned char *print_records(const unsigned char *message, int n,
                                          const unsigned char *p, unsigned count, int type,
                                          int *found)
{
    char owner[NS_MAXDNAME];

    for (; count > 0; count--) {
        int name = take_name(message, n, p, owner);
        if (message + n - p < name + RECORD)
            errx(1, "the answer is damaged");
        p += name;
        int this = (int)get16(p), length = (int)get16(p + 8);
        const unsigned char *data = p + RECORD;
        if (message + n - data < length)
            errx(1, "the answer is damaged");
        *found += this == type || type == ns_t_any;
        printf("%s", owner);
        if (verbose)
            printf(" %u", get32(p + 4));
        printf(" %s", type_name(this));
        print_data(message, n, this, data, length);
        printf("\n");
        p = data + length;
    }
    return p;
}

/* The exit status. */
static int print_answer(const unsigned char *message, int n, const char *name, int type)
{
    const unsigned char *p = message + HEADER;
    unsigned code = message[3] & 15;
    int found = 0, ignored = 0;
    char text[NS_MAXDNAME];

    if (code != 0) {
        warnx("%s: %s", name, code < sizeof(codes) / sizeof(codes[0]) ? codes[code] : "an error");
        return 1;
    }
    if (message[2] & CUT_SHORT) {
        warnx("%s: the answer was cut short", name);
        return 1;
    }
    for (unsigned i = get16(message + 4); i > 0; i--) {
        p += take_name(message, n, p, text) + 4;
        if (p > message + n)
            errx(1, "the answer is damaged");
    }
    p = print_records(message, n, p, get16(message + 6), type, &found);
    if (verbose) {
        p = print_records(message, n, p, get16(message + 8), type, &ignored);
        print_records(message, n, p, get16(message + 10), type, &ignored);
    }
    if (found == 0)
        warnx("%s: no %s record", name, type_name(type));
    return found == 0;
}

int main(int argc, char **argv)
{
    static unsigned char answer[ANSWER_MAX];
    char reverse[64];
    struct in_addr a;
    int c, n, type = 0;

    command_begin();
    while ((c = getopt(argc, argv, "Tt:vW:")) != -1) {
        switch (c) {
        case 'T': by_stream = true; break;
        case 't': type = type_number(optarg); break;
        case 'v': verbose = true; break;
        case 'W': patience = need_seconds(optarg); break;
        default: usage(1, USAGE);
        }
    }
    if (argc - optind < 1 || argc - optind > 2)
        usage(1, USAGE);
    const char *name = argv[optind], *server = argv[optind + 1];
    if (inet_pton(AF_INET, name, &a) == 1 && (type == 0 || type == ns_t_ptr)) {
        const unsigned char *b = (const unsigned char *)&a;
        snprintf(reverse, sizeof(reverse), "%d.%d.%d.%d.in-addr.arpa", b[3], b[2], b[1], b[0]);
        name = reverse;
        type = ns_t_ptr;
    }
    if (type == 0)
        type = ns_t_a;
    if (server) {
        n = ask_server(server, name, type, answer);
    } else {
        n = res_search(name, ns_c_in, type, answer, sizeof(answer));
        if (n < 0)
            errx(1, "%s: %s", name, hstrerror(h_errno));
        n = n > ANSWER_MAX ? ANSWER_MAX : n;
    }
    int status = print_answer(answer, n, name, type);
    return command_end(status);
}
