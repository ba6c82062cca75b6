/* Writing characters, strings and blocks. */
#include <string.h>

#include "stdio/file.h"

size_t fwrite(const void *restrict p, size_t size, size_t n, FILE *restrict f)
{
    size_t bytes;
    if (size == 0 || n == 0 || __builtin_mul_overflow(size, n, &bytes))
        return 0;
    lock_acquire(&f->lock);
    size_t done = file_write(f, p, bytes);
    lock_release(&f->lock);
    return done / size;
}

int fputc(int c, FILE *f)
{
    unsigned char byte = (unsigned char)c;
    return fwrite(&byte, 1, 1, f) == 1 ? byte : EOF;
}

int putc(int c, FILE *f)
{
    return fputc(c, f);
}
int putchar(int c)
{
    return fputc(c, stdout);
}

int fputs(const char *restrict s, FILE *restrict f)
{
    size_t n = strlen(s);
    return fwrite(s, 1, n, f) == n ? 0 : EOF;
}

int puts(const char *s)
{
    size_t n = strlen(s);
    lock_acquire(&stdout->lock);
    bool done = file_write(stdout, s, n) == n && file_write(stdout, "\n", 1) == 1;
    lock_release(&stdout->lock);
    return done ? 0 : EOF;
}
