/* Reading characters, lines and blocks. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "stdio/file.h"

int fgetc(FILE *f)
{
    lock_acquire(&f->lock);
    int c = file_getc(f);
    lock_release(&f->lock);
    return c;
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
    lock_acquire(&f->lock);
    if (file_start_reading(f) == 0 && f->pos > f->buf - UNGET_MAX) {
        *--f->pos = (unsigned char)c;
        f->eof = false;
        result = (unsigned char)c;
    }
    lock_release(&f->lock);
    return result;
}

size_t fread(void *restrict p, size_t size, size_t n, FILE *restrict f)
{
    unsigned char *to = p;
    size_t want, got = 0;
    if (size == 0 || n == 0 || __builtin_mul_overflow(size, n, &want))
        return 0;
    lock_acquire(&f->lock);
    while (got < want) {
        int c = file_getc(f);
        if (c == EOF)
            break;
        to[got++] = (unsigned char)c;
        size_t ready = (size_t)(f->end - f->pos);
        size_t more = ready < want - got ? ready : want - got;
        memcpy(to + got, f->pos, more);
        f->pos += more;
        got += more;
    }
    lock_release(&f->lock);
    return got / size;
}

char *fgets(char *restrict s, int size, FILE *restrict f)
{
    int n = 0, c = 0;
    if (size <= 0)
        return NULL;
    lock_acquire(&f->lock);
    while (n < size - 1 && c != '\n') {
        c = file_getc(f);
        if (c == EOF)
            break;
        s[n++] = (char)c;
    }
    bool nothing = c == EOF && (n == 0 || f->error);
    lock_release(&f->lock);
    if (nothing)
        return NULL;
    s[n] = '\0';
    return s;
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

ssize_t getdelim(char **restrict line, size_t *restrict size, int delimiter, FILE *restrict f)
{
    size_t n = 0;
    int c;
    if (!*line)
        *size = 0;
    lock_acquire(&f->lock);
    do {
        c = file_getc(f);
        if (c == EOF)
            break;
        if (!reserve(line, size, n + 2)) {
            f->error = true;
            n = 0;
            break;
        }
        (*line)[n++] = (char)c;
    } while (c != delimiter);
    lock_release(&f->lock);
    if (n == 0)
        return -1;
    (*line)[n] = '\0';
    return (ssize_t)n;
}

ssize_t getline(char **restrict line, size_t *restrict size, FILE *restrict f)
{
    return getdelim(line, size, '\n', f);
}
