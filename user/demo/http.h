/*
 * HTTP for the web servers httpd1 to httpd5, which differ in one thing only: who waits for whom. It is HTTP/1.1 (RFC
 * 9110 and 9112) for files: GET and HEAD, connections that last, and a refusal for all that is wrong.
 *
 *      http_begin(&h, false)                       a connection; true: it may last for several requests
 *      http_input(&h, fd)                          read until there is a whole request, and find the answer
 *      http_output(&h, fd)                         send it
 *      http_end(&h, fd)                            the connection is over, and fd closed
 *
 * http_input and http_output say HTTP_READY when they are through, HTTP_LATER when the descriptor would block (they
 * go on where they were when they are called again), HTTP_OVER when nothing more can come of this connection.
 * http_serve does all four on a descriptor that blocks. Nothing here is shared between connections but the folder.
 */
#pragma once

#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "demo.h"

#define HTTP_REQUEST_MAX 4096 /* bytes, with all its fields */
#define HTTP_HEAD_MAX 1024
#define HTTP_PATIENCE 10 /* seconds for somebody who says nothing */

enum http_step { HTTP_READY, HTTP_LATER, HTTP_OVER };

struct http {
    char
        in[HTTP_REQUEST_MAX + 1]; /* what has come and is not answered; request is a string in it */
    size_t got;
    char out[HTTP_HEAD_MAX]; /* status, fields, and the text of an error */
    size_t out_len, out_sent;
    int file; /* the rest of the answer; -1: there is none */
    off_t at, size;
    bool may_last, lasts; /* the connection: for all requests, after this one */
};

static int http_folder = AT_FDCWD; /* set before the first connection */

static inline void http_begin(struct http *h, bool may_last)
{
    h->got = 0;
    h->file = -1;
    h->may_last = may_last;
}

/* --- the answer --- */

static inline const char *http_reason(int status)
{
    switch (status) {
    case 200: return "OK";
    case 301: return "Moved Permanently";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 431: return "Request Header Fields Too Large";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Internal Server Error";
    }
}

/*
 * Status and fields; SIZE bytes of TYPE follow. EXTRA: one more field with its end of line, or "". The thread that
 * answers is named, so that one can see who did the work.
 */
static inline void http_head(struct http *h, int status, const char *type, off_t size,
                             const char *extra)
{
    char date[40];
    time_t now = time(NULL);
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    h->out_sent = 0;
    h->out_len =
        (size_t)snprintf(h->out, sizeof h->out,
                         "HTTP/1.1 %d %s\r\nDate: %s\r\nServer: httpd (%ld)\r\n%s"
                         "Content-Type: %s\r\nContent-Length: %lld\r\nConnection: %s\r\n\r\n",
                         status, http_reason(status), date, syscall(SYS_gettid), extra, type,
                         (long long)size, h->lasts ? "keep-alive" : "close");
}

/* An answer without a file. FIELD: one that this status wants, or "". */
static inline void http_refuse(struct http *h, int status, const char *field, bool head_only)
{
    char text[100];
    int len = snprintf(text, sizeof text, "%d %s\n", status, http_reason(status));

    http_head(h, status, "text/plain", len, field);
    if (head_only)
        return;
    memcpy(h->out + h->out_len, text, (size_t)len);
    h->out_len += (size_t)len;
}

static inline const char *http_type(const char *path)
{
    static const char *const types[][2] = {
        {".html", "text/html; charset=utf-8"},
        {".txt", "text/plain; charset=utf-8"},
        {".c", "text/plain; charset=utf-8"},
        {".css", "text/css"},
        {".js", "text/javascript"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".svg", "image/svg+xml"},
    };
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot != NULL && i < sizeof types / sizeof types[0]; i++)
        if (strcasecmp(dot, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

static inline int http_status_of(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG: return 404;
    case EACCES:
    case EPERM: return 403;
    case EMFILE:
    case ENFILE:
    case ENOMEM: return 503;
    default: return 500;
    }
}

/* The file PATH below the folder, a directory's index.html: *STATUS, and a descriptor if that is 200. */
static inline int http_open(const char *path, off_t *size, const char **name, int *status)
{
    struct stat st;
    const char *below = path[1] != '\0' ? path + 1 : ".";
    int file = openat(http_folder, below, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    *name = path;
    if (file >= 0 && fstat(file, &st) == 0 && S_ISDIR(st.st_mode)) {
        int inside = -1;
        *name = "index.html";
        *status = 301;
        if (path[strlen(path) - 1] == '/') {
            inside = openat(file, *name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
            *status = http_status_of(errno);
        }
        close(file);
        file = inside;
    } else if (file < 0) {
        *status = http_status_of(errno);
    }
    if (file < 0)
        return -1;
    if (fstat(file, &st) == 0 && S_ISREG(st.st_mode)) {
        *size = st.st_size;
        *status = 200;
        return file;
    }
    close(file); /* a device, a pipe */
    *status = 403;
    return -1;
}

/* --- the request --- */

/* The value of field NAME behind the first line of REQUEST; *LEN bytes. NULL: it isn't there. */
static inline const char *http_field(const char *request, const char *name, size_t *len)
{
    size_t n = strlen(name);

    for (const char *line = strchr(request, '\n'); line != NULL; line = strchr(line, '\n')) {
        line++;
        if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
            const char *value = line + n + 1 + strspn(line + n + 1, " \t");
            *len = strcspn(value, "\r\n");
            return value;
        }
    }
    return NULL;
}

/* Is WORD one of the words, with commas between, of field NAME? */
static inline bool http_field_has(const char *request, const char *name, const char *word)
{
    size_t len = 0, n = strlen(word);
    const char *at = http_field(request, name, &len), *end = at != NULL ? at + len : NULL;

    while (at < end) {
        at += strspn(at, " \t,");
        size_t part = strcspn(at, " \t,\r\n");
        if (part == n && strncasecmp(at, word, n) == 0)
            return true;
        at += part + (part == 0);
    }
    return false;
}

/* %XX becomes a byte, in place. False: it is wrong, or a byte that no name has. */
static inline bool http_decode(char *text)
{
    char *to = text;

    for (; *text != '\0'; text++) {
        if (*text == '%') {
            if (!isxdigit((unsigned char)text[1]) || !isxdigit((unsigned char)text[2]))
                return false;
            char digits[3] = {text[1], text[2], '\0'};
            *to++ = (char)strtol(digits, NULL, 16);
            if (to[-1] == '\0')
                return false;
            text += 2;
        } else {
            *to++ = *text;
        }
    }
    *to = '\0';
    return true;
}

/* Does PATH lead out of the folder? */
static inline bool http_climbs(const char *path)
{
    for (const char *at = path; (at = strstr(at, "/..")) != NULL; at++)
        if (at[3] == '/' || at[3] == '\0')
            return true;
    return false;
}

/*
 * The target as a path, decoded, its query left out: NULL: it is wrong. In place; http://host/path is the same
 * as /path (RFC 9112, section 3.2.2).
 */
static inline char *http_path(char *target)
{
    if (strncasecmp(target, "http://", 7) == 0) {
        target = strchr(target + 7, '/');
        if (target == NULL)
            return NULL;
    }
    target[strcspn(target, "?#")] = '\0';
    return target[0] == '/' && http_decode(target) ? target : NULL;
}

/* The answer to a request for PATH. */
static inline void http_find(struct http *h, char *path, bool head_only)
{
    char field[HTTP_HEAD_MAX / 2] = "";
    const char *name;
    int status;

    if (http_climbs(path)) {
        http_refuse(h, 403, "", head_only);
        return;
    }
    while (path[1] == '/') /* "//x" would be a path from the root */
        path++;
    h->file = http_open(path, &h->size, &name, &status);
    /* What is sent back must be one line; a name that is longer, or odd, isn't helped. */
    if (status == 301 &&
        (strpbrk(path, "\r\n%? ") != NULL ||
         snprintf(field, sizeof field, "Location: %s/\r\n", path) >= (int)sizeof field)) {
        field[0] = '\0';
        status = 404;
    }
    if (status != 200) {
        http_refuse(h, status, field, head_only);
        return;
    }
    http_head(h, 200, http_type(name), h->size, "");
    h->at = 0;
    if (head_only) {
        close(h->file);
        h->file = -1;
    }
}

/* REQUEST is all of one, as a string that may be changed. */
static inline void http_answer(struct http *h, char *request)
{
    char method[16], version[16];
    int start = 0, end = 0, after = 0;
    size_t len;

    h->lasts = false;
    if (sscanf(request, "%15[A-Z] %n%*s%n %15[^ \r\n]%n", method, &start, &end, version, &after) <
            2 ||
        strspn(request + after, "\r\n") == 0 || strncmp(version, "HTTP/", 5) != 0) {
        http_refuse(h, 400, "", false);
        return;
    }
    bool head_only = strcmp(method, "HEAD") == 0, newer = strcmp(version, "HTTP/1.0") != 0;
    if (strncmp(version, "HTTP/1.", 7) != 0) {
        http_refuse(h, 505, "", head_only);
        return;
    }
    if (newer && http_field(request, "Host", &len) == NULL) {
        http_refuse(h, 400, "", head_only);
        return;
    }
    if (!head_only && strcmp(method, "GET") != 0) {
        http_refuse(h, 405, "Allow: GET, HEAD\r\n", false);
        return;
    }
    /* We don't read what comes with a request: where the next one would begin isn't known then. */
    h->lasts = h->may_last && http_field(request, "Content-Length", &len) == NULL &&
               http_field(request, "Transfer-Encoding", &len) == NULL &&
               !http_field_has(request, "Connection", "close") &&
               (newer || http_field_has(request, "Connection", "keep-alive"));
    request[end] = '\0';
    char *path = http_path(request + start);
    if (path != NULL)
        http_find(h, path, head_only);
    else
        http_refuse(h, 400, "", head_only);
}

/* How long is the first request in H, with the empty line behind it? 0: it isn't whole. */
static inline size_t http_request_len(struct http *h)
{
    for (size_t i = 0; i + 1 < h->got; i++) {
        if (h->in[i] != '\n')
            continue;
        if (h->in[i + 1] == '\n')
            return i + 2;
        if (i + 2 < h->got && h->in[i + 1] == '\r' && h->in[i + 2] == '\n')
            return i + 3;
    }
    return 0;
}

/* Is there a whole request? Then its answer is made, and it is forgotten. */
static inline bool http_take(struct http *h)
{
    size_t skip = 0, len;

    while (skip < h->got && (h->in[skip] == '\r' || h->in[skip] == '\n'))
        skip++; /* RFC 9112, section 2.2 */
    memmove(h->in, h->in + skip, h->got -= skip);
    len = http_request_len(h);
    if (len == 0 && h->got < HTTP_REQUEST_MAX)
        return false;
    if (len == 0) {
        h->lasts = false;
        http_refuse(h, 431, "", false);
        return true;
    }
    char first_of_next = h->in[len];
    h->in[len] = '\0';
    if (strlen(h->in) == len) {
        http_answer(h, h->in);
    } else {
        h->lasts = false;
        http_refuse(h, 400, "", false);
    }
    h->in[len] = first_of_next;
    memmove(h->in, h->in + len, h->got -= len);
    return true;
}

/* --- both ways --- */

static inline enum http_step http_failed(void)
{
    return errno == EAGAIN || errno == EINTR ? HTTP_LATER : HTTP_OVER;
}

static inline enum http_step http_input(struct http *h, int fd)
{
    while (!http_take(h)) {
        ssize_t n = recv(fd, h->in + h->got, HTTP_REQUEST_MAX - h->got, 0);
        if (n < 0)
            return http_failed();
        if (n == 0)
            return HTTP_OVER;
        h->got += (size_t)n;
    }
    return HTTP_READY;
}

static inline enum http_step http_output(struct http *h, int fd)
{
    ssize_t n;

    while (h->out_sent < h->out_len) {
        /* MSG_MORE: head and file in one segment, if there is place */
        n = send(fd, h->out + h->out_sent, h->out_len - h->out_sent,
                 MSG_NOSIGNAL | (h->file >= 0 && h->size > 0 ? MSG_MORE : 0));
        if (n < 0)
            return http_failed();
        h->out_sent += (size_t)n;
    }
    while (h->file >= 0 && h->at < h->size) {
        n = sendfile(fd, h->file, &h->at, (size_t)(h->size - h->at));
        if (n < 0)
            return http_failed();
        if (n == 0)
            return HTTP_OVER; /* the file became shorter than we have promised */
    }
    if (h->file >= 0)
        close(h->file);
    h->file = -1;
    return h->lasts ? HTTP_READY : HTTP_OVER;
}

/* What has come and isn't read would make the kernel answer with a reset, and that could overtake our answer. */
static inline void http_end(struct http *h, int fd)
{
    char rest[1024];

    if (h->file >= 0)
        close(h->file);
    shutdown(fd, SHUT_WR);
    while (recv(fd, rest, sizeof rest, MSG_DONTWAIT) > 0)
        ;
    close(fd);
}

/* A whole connection, on a descriptor that blocks. */
static inline void http_serve(int fd, bool may_last)
{
    struct timeval patience = {.tv_sec = HTTP_PATIENCE};
    struct http h;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    http_begin(&h, may_last);
    while (http_input(&h, fd) == HTTP_READY && http_output(&h, fd) == HTTP_READY)
        ;
    http_end(&h, fd);
}
