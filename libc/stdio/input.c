/*
 * Reading characters, lines and blocks. The work is in the functions whose name ends in _unlocked: they are for
 * a program that has taken the lock itself, by flockfile; the others take it for one call.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "stdio/file.h"

int fgetc_unlocked(FILE *f)
{
    return __file_getc(f);
}
int getc_unlocked(FILE *f)
{
    return __file_getc(f);
}
int getchar_unlocked(void)
{
    return __file_getc(stdin);
}
int fgetc(FILE *f)
{
    return WITH_LOCK(f, __file_getc(f));
}
int getc(FILE *f)
{
    return fgetc(f);
}
int getchar(void)
{
    return fgetc(stdin);
}

int ungetc(int c, FILE *f)
{
    int result = EOF;
    if (c == EOF)
        return EOF;
    flockfile(f);
    if (__file_start_reading(f) == 0 && f->pos > f->buf - UNGET_MAX) {
        *--f->pos = (unsigned char)c;
        f->eof = false;
        result = (unsigned char)c;
    }
    funlockfile(f);
    return result;
}

/* What is left to read goes straight to its place when the buffer is empty and no larger than that. */
size_t fread_unlocked(void *restrict p, size_t size, size_t n, FILE *restrict f)
{
    unsigned char *to = p;
    size_t want, got = 0;
    if (size == 0 || n == 0 || __builtin_mul_overflow(size, n, &want))
        return 0;
    while (got < want) {
        size_t ready = f->direction == READING ? (size_t)(f->end - f->pos) : 0;
        size_t part = ready < want - got ? ready : want - got;
        if (part) {
            memcpy(to + got, f->pos, part);
            f->pos += part;
        } else if (want - got >= f->size || f->mode == _IONBF) {
            part = __file_read(f, to + got, want - got);
            if (!part)
                break;
        } else if (!__file_fill(f)) {
            break;
        }
        got += part;
    }
    return got / size;
}

size_t fread(void *restrict p, size_t size, size_t n, FILE *restrict f)
{
    return WITH_LOCK(f, fread_unlocked(p, size, n, f));
}

/* How much of a line that ends with DELIMITER the buffer has, MAX at most; 0 when nothing can be read. */
static size_t line_part(FILE *f, int delimiter, size_t max)
{
    if (!__file_fill(f))
        return 0;
    size_t ready = (size_t)(f->end - f->pos), n = ready < max ? ready : max;
    unsigned char *found = memchr(f->pos, delimiter, n);
    return found ? (size_t)(found + 1 - f->pos) : n;
}

char *fgets_unlocked(char *restrict s, int size, FILE *restrict f)
{
    size_t n = 0, part;
    if (size <= 0)
        return NULL;
    while (n < (size_t)size - 1 && (n == 0 || s[n - 1] != '\n')) {
        part = line_part(f, '\n', (size_t)size - 1 - n);
        if (!part && (n == 0 || !f->eof))
            return NULL;
        if (!part)
            break;
        memcpy(s + n, f->pos, part);
        f->pos += part;
        n += part;
    }
    s[n] = '\0';
    return s;
}

char *fgets(char *restrict s, int size, FILE *restrict f)
{
    return WITH_LOCK(f, fgets_unlocked(s, size, f));
}

/* Make *LINE at least NEED bytes large. */
static bool reserve(char **line, size_t *size, size_t need)
{
    if (*line && *size >= need)
        return true;
    size_t larger = need < 64 ? 120 : need * 2;
    char *moved = realloc(*line, larger);
    if (!moved)
        return false;
    *line = moved;
    *size = larger;
    return true;
}

static ssize_t read_line(char **line, size_t *size, int delimiter, FILE *f)
{
    size_t n = 0, part;
    if (!*line)
        *size = 0;
    while ((part = line_part(f, delimiter, SSIZE_MAX))) {
        if (!reserve(line, size, n + part + 1)) {
            f->error = true;
            return -1;
        }
        memcpy(*line + n, f->pos, part);
        f->pos += part;
        n += part;
        if ((*line)[n - 1] == (char)delimiter)
            break;
    }
    if (n == 0 || (!part && !f->eof))
        return -1;
    (*line)[n] = '\0';
    return (ssize_t)n;
}

ssize_t getdelim(char **restrict line, size_t *restrict size, int delimiter, FILE *restrict f)
{
    if (!line || !size) {
        errno = EINVAL;
        return -1;
    }
    return WITH_LOCK(f, read_line(line, size, delimiter, f));
}

ssize_t getline(char **restrict line, size_t *restrict size, FILE *restrict f)
{
    return getdelim(line, size, '\n', f);
}
