/* The scanf family. A string is scanned as a file whose buffer is filled from it, piece by piece. */
#include <string.h>

#include "stdio/scan.h"

int vfscanf(FILE *restrict f, const char *restrict format, va_list args)
{
    flockfile(f);
    int result = __scan(f, format, args);
    funlockfile(f);
    return result;
}

struct string_file {
    struct __file file;
    const char *at;
    unsigned char buf[UNGET_MAX + 128];
};

static ssize_t string_read(FILE *f, void *p, size_t n)
{
    struct string_file *s = (struct string_file *)f;
    n = strnlen(s->at, n);
    memcpy(p, s->at, n);
    s->at += n;
    return (ssize_t)n;
}

int vsscanf(const char *restrict text, const char *restrict format, va_list args)
{
    static const struct file_ops string_ops = {.read = string_read};
    struct string_file s;
    s.file = (struct __file){.fd = -1, .ops = &string_ops, .can_read = true};
    s.file.buf = s.buf + UNGET_MAX;
    s.file.size = sizeof(s.buf) - UNGET_MAX;
    s.at = text;
    return __scan(&s.file, format, args);
}

int vscanf(const char *restrict format, va_list args)
{
    return vfscanf(stdin, format, args);
}

/* The variadic functions differ in nothing but what they hand on. */
#define FORWARD(call)           \
    do {                        \
        va_list args;           \
        va_start(args, format); \
        int result = (call);    \
        va_end(args);           \
        return result;          \
    } while (0)

int scanf(const char *restrict format, ...)
{
    FORWARD(vfscanf(stdin, format, args));
}
int fscanf(FILE *restrict f, const char *restrict format, ...)
{
    FORWARD(vfscanf(f, format, args));
}
int sscanf(const char *restrict text, const char *restrict format, ...)
{
    FORWARD(vsscanf(text, format, args));
}
