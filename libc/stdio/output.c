/* Writing characters, strings and blocks; _unlocked as in input.c. */
#include <string.h>

#include "stdio/file.h"

size_t fwrite_unlocked(const void *restrict p, size_t size, size_t n, FILE *restrict f)
{
    size_t bytes;
    if (size == 0 || n == 0 || __builtin_mul_overflow(size, n, &bytes))
        return 0;
    return __file_write(f, p, bytes) / size;
}

size_t fwrite(const void *restrict p, size_t size, size_t n, FILE *restrict f)
{
    return WITH_LOCK(f, fwrite_unlocked(p, size, n, f));
}

int fputc_unlocked(int c, FILE *f)
{
    unsigned char byte = (unsigned char)c;
    return __file_write(f, &byte, 1) == 1 ? byte : EOF;
}
int putc_unlocked(int c, FILE *f)
{
    return fputc_unlocked(c, f);
}
int putchar_unlocked(int c)
{
    return fputc_unlocked(c, stdout);
}
int fputc(int c, FILE *f)
{
    return WITH_LOCK(f, fputc_unlocked(c, f));
}
int putc(int c, FILE *f)
{
    return fputc(c, f);
}
int putchar(int c)
{
    return fputc(c, stdout);
}

int fputs_unlocked(const char *restrict s, FILE *restrict f)
{
    size_t n = strlen(s);
    return __file_write(f, s, n) == n ? 0 : EOF;
}

int fputs(const char *restrict s, FILE *restrict f)
{
    return WITH_LOCK(f, fputs_unlocked(s, f));
}

int puts(const char *s)
{
    return WITH_LOCK(stdout, fputs_unlocked(s, stdout) == 0 && fputc_unlocked('\n', stdout) == '\n')
               ? 0
               : EOF;
}
