/* The printf family: one engine, and a sink for each place that output can go to. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stdio/file.h"
#include "stdio/format.h"

struct file_sink {
    struct sink sink;
    FILE *file;
};

static bool file_put(struct sink *sink, const char *s, size_t n)
{
    return __file_write(((struct file_sink *)sink)->file, s, n) == n;
}

/*
 * An unbuffered file gets what one call prints in one write (as far as its buffer reaches), so that lines of
 * several processes on one terminal don't mix: it is treated as buffered until the end of the call.
 */
int vfprintf(FILE *restrict f, const char *restrict text, va_list args)
{
    struct file_sink out = {{.put = file_put}, f};
    flockfile(f);
    bool unbuffered = f->mode == _IONBF;
    if (unbuffered)
        f->mode = _IOFBF;
    int result = __file_start_writing(f) < 0 ? -1 : __format(&out.sink, text, args);
    if (unbuffered) {
        f->mode = _IONBF;
        if (f->direction == WRITING && __file_flush(f) < 0)
            result = -1;
    }
    funlockfile(f);
    return result;
}

struct string_sink {
    struct sink sink;
    char *at, *end; /* the next byte goes to AT; END is kept for NUL */
};

static bool string_put(struct sink *sink, const char *s, size_t n)
{
    struct string_sink *out = (struct string_sink *)sink;
    size_t room = (size_t)(out->end - out->at);
    if (n > room)
        n = room;
    memcpy(out->at, s, n);
    out->at += n;
    return true;
}

int vsnprintf(char *restrict s, size_t size, const char *restrict text, va_list args)
{
    char nothing;
    if (size == 0) {
        s = &nothing;
        size = 1;
    }
    if (size > PTRDIFF_MAX)
        size = PTRDIFF_MAX;
    struct string_sink out = {{.put = string_put}, s, s + size - 1};
    int result = __format(&out.sink, text, args);
    *out.at = '\0';
    return result;
}

int vsprintf(char *restrict s, const char *restrict text, va_list args)
{
    return vsnprintf(s, INT_MAX, text, args);
}

int vasprintf(char **s, const char *text, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, text, again);
    va_end(again);
    *s = n < 0 ? NULL : malloc((size_t)n + 1);
    return *s ? vsnprintf(*s, (size_t)n + 1, text, args) : -1;
}

struct fd_sink {
    struct sink sink;
    int fd;
    size_t used;
    char buf[256];
};

static bool fd_flush(struct fd_sink *out)
{
    size_t done = 0;
    while (done < out->used) {
        ssize_t n = write(out->fd, out->buf + done, out->used - done);
        if (n < 0)
            return false;
        done += (size_t)n;
    }
    out->used = 0;
    return true;
}

static bool fd_put(struct sink *sink, const char *s, size_t n)
{
    struct fd_sink *out = (struct fd_sink *)sink;
    while (n) {
        size_t room = sizeof(out->buf) - out->used, part = n < room ? n : room;
        memcpy(out->buf + out->used, s, part);
        out->used += part;
        s += part;
        n -= part;
        if (out->used == sizeof(out->buf) && !fd_flush(out))
            return false;
    }
    return true;
}

int vdprintf(int fd, const char *restrict text, va_list args)
{
    struct fd_sink out = {.sink = {.put = fd_put}, .fd = fd};
    int result = __format(&out.sink, text, args);
    return fd_flush(&out) ? result : -1;
}

int vprintf(const char *restrict text, va_list args)
{
    return vfprintf(stdout, text, args);
}

/* The variadic functions differ in nothing but what they hand on. */
#define FORWARD(call)         \
    do {                      \
        va_list args;         \
        va_start(args, text); \
        int result = (call);  \
        va_end(args);         \
        return result;        \
    } while (0)

int printf(const char *restrict text, ...)
{
    FORWARD(vfprintf(stdout, text, args));
}
int fprintf(FILE *restrict f, const char *restrict text, ...)
{
    FORWARD(vfprintf(f, text, args));
}
int dprintf(int fd, const char *restrict text, ...)
{
    FORWARD(vdprintf(fd, text, args));
}
int sprintf(char *restrict s, const char *restrict text, ...)
{
    FORWARD(vsprintf(s, text, args));
}
int asprintf(char **s, const char *text, ...)
{
    FORWARD(vasprintf(s, text, args));
}

int snprintf(char *restrict s, size_t size, const char *restrict text, ...)
{
    FORWARD(vsnprintf(s, size, text, args));
}
