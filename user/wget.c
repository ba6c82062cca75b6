/*
 * wget [-qS] [-O FILE] [-T SECONDS] [-U AGENT] [-p DATA] URL...: fetch what is at http://HOST[:PORT]/PATH (RFC 9112).
 *
 *     -O  into this file (-: standard output), not into the URL's last component     -q  say nothing
 *     -S  show what the server says                  -T  give up after so long without a byte (60)
 *     -U  call ourselves so                          -p  POST this
 *
 * It follows up to ten redirections, understands chunks, and believes no server: an answer that ends before the length
 * it has announced, and one that isn't HTTP, is an error. What has come by then stays in the file.
 */
#include "net.h"

#include <poll.h>
#include <strings.h>
#include <sys/time.h>

#define USAGE "wget [-qS] [-O file] [-T seconds] [-U agent] [-p data] url..."
#define REDIRECTIONS_MAX 10
#define LINE_MAX_BYTES 8192
#define HEADERS_MAX 200

struct url {
    char host[256], port[8], path[4096];
};

struct answer {
    int code;
    long long length; /* -1: until the end */
    bool chunked;
    char location[4096]; /* "": none */
};

static bool quiet, show_headers;
static double patience = 60;
static const char *agent = "wget", *post, *output;

/* The connection, and what was read from it and not yet used. */
static int connection;
static char buffer[65536];
static size_t used, filled;
static bool broken; /* it has failed, and that has been said */

/* --- URLs (RFC 3986) --- */

/* False: TEXT is no URL that we know how to fetch. */
static bool url_parse(struct url *u, const char *text)
{
    if (strncasecmp(text, "http://", 7) == 0)
        text += 7;
    else if (strstr(text, "://"))
        return false;
    size_t authority = strcspn(text, "/?#"), host = strcspn(text, ":/?#");
    const char *at = memchr(text, '@', authority);
    if (at || host == 0 || host >= sizeof(u->host))
        return false;
    memcpy(u->host, text, host);
    u->host[host] = '\0';
    size_t digits = authority > host ? authority - host - 1 : 0;
    snprintf(u->port, sizeof(u->port), "%.*s", digits ? (int)digits : 2,
             digits ? text + host + 1 : "80");
    if (digits > 5 || strspn(u->port, "0123456789") != strlen(u->port))
        return false;
    text += authority;
    size_t path = strcspn(text, "#");
    for (size_t i = 0; i < path; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 127)
            return false;
    return snprintf(u->path, sizeof(u->path), "%s%.*s", *text == '/' ? "" : "/", (int)path, text) <
           (int)sizeof(u->path);
}

/* What LOCATION, perhaps without host or folder, means at BASE. */
static bool url_follow(struct url *u, const char *location)
{
    char path[sizeof(u->path)];

    if (strstr(location, "://") && strcspn(location, "/?#") > strcspn(location, ":"))
        return url_parse(u, location);
    if (strncmp(location, "//", 2) == 0)
        return url_parse(u, location + 2);
    size_t keep = *location == '/' ? 0 : strcspn(u->path, "?#");
    while (keep > 0 && u->path[keep - 1] != '/')
        keep--;
    size_t n = strcspn(location, "#");
    if (snprintf(path, sizeof(path), "%.*s%.*s", (int)keep, u->path, (int)n, location) >=
        (int)sizeof(path))
        return false;
    strcpy(u->path, path);
    return true;
}

/* The file that a URL goes into when nobody says. */
static void name_file(const struct url *u, char *name, size_t size)
{
    size_t n = strcspn(u->path, "?"), start = n;

    while (start > 0 && u->path[start - 1] != '/')
        start--;
    snprintf(name, size, "%.*s", (int)(n - start), u->path + start);
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        snprintf(name, size, "index.html");
}

/* --- the connection --- */

static bool open_connection(const struct url *u)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
    struct timeval limit = {(time_t)patience,
                            (suseconds_t)((patience - (double)(time_t)patience) * 1e6)};
    int error = getaddrinfo(u->host, u->port, &hints, &list);

    if (error) {
        warnx("%s: %s", error == EAI_SERVICE ? u->port : u->host, gai_strerror(error));
        return false;
    }
    used = filled = 0;
    broken = false;
    connection = -1;
    for (struct addrinfo *a = list; a && connection < 0; a = a->ai_next) {
        connection = need_socket(AF_INET, SOCK_STREAM, 0);
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit,
                   sizeof(limit)); /* of connect, too */
        if (connect(connection, a->ai_addr, a->ai_addrlen) < 0) {
            if (errno == EINPROGRESS) /* what connect says when the limit is over */
                errno = ETIMEDOUT;
            warn("%s:%s", u->host, u->port);
            close(connection);
            connection = -1;
        }
    }
    freeaddrinfo(list);
    return connection >= 0;
}

static bool send_request(const struct url *u)
{
    static const char form[] = "Content-Type: application/x-www-form-urlencoded\r\n";
    char head[9000];
    bool plain = strcmp(u->port, "80") == 0;

    int n = snprintf(head, sizeof(head), "%s %s HTTP/1.1\r\nHost: %s%s%s\r\nUser-Agent: %s\r\n%s",
                     post ? "POST" : "GET", u->path, u->host, plain ? "" : ":",
                     plain ? "" : u->port, agent, post ? form : "");
    if (post)
        n += snprintf(head + n, sizeof(head) - (size_t)n, "Content-Length: %zu\r\n", strlen(post));
    n += snprintf(head + n, sizeof(head) - (size_t)n, "Accept: */*\r\nConnection: close\r\n\r\n");
    if (!write_all(connection, head, (size_t)n) ||
        (post && !write_all(connection, post, strlen(post)))) {
        warn("%s", u->host);
        return false;
    }
    return true;
}

/* Have something in the buffer. False: nothing more comes; the connection is BROKEN, or the server has ended it. */
static bool fill(void)
{
    struct pollfd p = {connection, POLLIN, 0};

    if (used < filled)
        return true;
    used = filled = 0;
    if (poll(&p, 1, (int)(patience * 1000)) == 0) {
        warnx("nothing comes any more");
        broken = true;
        return false;
    }
    ssize_t n = read_some(connection, buffer, sizeof(buffer));
    if (n < 0) {
        warn("receive");
        broken = true;
    }
    filled = n > 0 ? (size_t)n : 0;
    return n > 0;
}

/* Say what is wrong with the answer, if it isn't the connection. False. */
static bool is_wrong(const char *what)
{
    if (!broken)
        warnx("%s", what);
    return false;
}

/* A line without its end. False: there is no whole one, or it is too long. */
static bool read_line(char *line)
{
    size_t n = 0;

    while (n < LINE_MAX_BYTES && fill()) {
        char c = buffer[used++];
        if (c == '\n') {
            if (n > 0 && line[n - 1] == '\r')
                n--;
            line[n] = '\0';
            return memchr(line, '\0', n) == NULL;
        }
        line[n++] = c;
    }
    return false;
}

/* Exactly N bytes, or, if N is -1, all there are, to FD. False: they didn't come, or could not be written. */
static bool copy_body(int fd, long long n, long long *copied)
{
    while (n != 0 && fill()) {
        size_t piece = filled - used;
        if (n > 0 && (long long)piece > n)
            piece = (size_t)n;
        if (!write_all(fd, buffer + used, piece)) {
            warn("%s", output ? output : "file");
            return false;
        }
        used += piece;
        *copied += (long long)piece;
        n -= n > 0 ? (long long)piece : 0;
    }
    if (n > 0 && !broken)
        warnx("the answer ends %lld bytes too early", n);
    return n <= 0 && !broken;
}

/* RFC 9112, section 7.1: each chunk has its length in front, in hexadecimal; the last one is empty. */
static bool copy_chunks(int fd, long long *copied)
{
    char line[LINE_MAX_BYTES + 1], *end;

    for (;;) {
        if (!read_line(line))
            return is_wrong("the answer ends within its chunks");
        errno = 0;
        long long n = strtoll(line, &end, 16);
        if (end == line || n < 0 || errno || !strchr("; \t", *end)) {
            warnx("a chunk without a length");
            return false;
        }
        if (n == 0)
            return true; /* what trails behind it is nothing for us */
        if (!copy_body(fd, n, copied))
            return false;
        if (!read_line(line) || *line)
            return is_wrong("a chunk that doesn't end where it should");
    }
}

/* --- one answer --- */

static void take_header(struct answer *a, char *line)
{
    char *value = strchr(line, ':');

    if (!value)
        return;
    *value++ = '\0';
    value += strspn(value, " \t");
    if (strcasecmp(line, "Content-Length") == 0)
        a->length = *value >= '0' && *value <= '9' ? strtoll(value, NULL, 10) : -1;
    if (strcasecmp(line, "Transfer-Encoding") == 0)
        a->chunked = strcasecmp(value, "chunked") == 0;
    if (strcasecmp(line, "Location") == 0)
        snprintf(a->location, sizeof(a->location), "%s", value);
}

/* The status line and the headers. False: it is no HTTP. */
static bool read_head(struct answer *a)
{
    char line[LINE_MAX_BYTES + 1];

    do {
        *a = (struct answer){.length = -1};
        if (!read_line(line) || sscanf(line, "HTTP/1.%*1[01] %3d", &a->code) != 1 || a->code < 100)
            return is_wrong("that is no HTTP server");
        if (show_headers)
            fprintf(stderr, "  %s\n", line);
        for (int n = 0;; n++) {
            if (n == HEADERS_MAX || !read_line(line))
                return is_wrong("the answer has no end of its headers");
            if (!*line)
                break;
            if (show_headers)
                fprintf(stderr, "  %s\n", line);
            take_header(a, line);
        }
    } while (a->code < 200); /* "continue", and the like: another answer follows */
    return true;
}

static bool save(const struct url *u, const struct answer *a)
{
    char name[256];
    long long copied = 0;
    bool to_stdout = output && strcmp(output, "-") == 0;

    name_file(u, name, sizeof(name));
    if (output)
        snprintf(name, sizeof(name), "%s", output);
    int fd = to_stdout ? STDOUT_FILENO : open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        warn("%s", name);
        return false;
    }
    bool ok = a->chunked ? copy_chunks(fd, &copied) : copy_body(fd, a->length, &copied);
    if (!to_stdout && close(fd) < 0) {
        warn("%s", name);
        ok = false;
    }
    if (ok && !quiet)
        fprintf(stderr, "%s: %lld bytes\n", to_stdout ? "standard output" : name, copied);
    return ok;
}

static bool fetch(const char *text)
{
    struct url u;
    struct answer a;

    if (!url_parse(&u, text)) {
        warnx("%s: not a URL of http", text);
        return false;
    }
    for (int i = 0; i <= REDIRECTIONS_MAX; i++) {
        if (!open_connection(&u))
            return false;
        bool ok = send_request(&u) && read_head(&a);
        bool moved = ok && a.code >= 300 && a.code < 400 && *a.location;
        if (ok && !moved && a.code >= 300) {
            warnx("%s: the server says %d", text, a.code);
            ok = false;
        }
        if (ok && !moved)
            ok = save(&u, &a);
        close(connection);
        if (!ok || !moved)
            return ok;
        if (!url_follow(&u, a.location)) {
            warnx("%s: not a URL of http", a.location);
            return false;
        }
    }
    warnx("%s: leads from one to the next", text);
    return false;
}

int main(int argc, char **argv)
{
    int c, status = 0;

    command_begin();
    while ((c = getopt(argc, argv, "O:p:qST:U:")) != -1) {
        switch (c) {
        case 'O': output = optarg; break;
        case 'p': post = optarg; break;
        case 'q': quiet = true; break;
        case 'S': show_headers = true; break;
        case 'T': patience = need_seconds(optarg); break;
        case 'U': agent = optarg; break;
        default: usage(1, USAGE);
        }
    }
    if (optind == argc)
        usage(1, USAGE);
    if (strlen(agent) > 1000)
        errx(1, "%s: too long", agent);
    for (char **url = argv + optind; *url; url++)
        if (!fetch(*url))
            status = 1;
    return command_end(status);
}
