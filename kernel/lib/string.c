/*
 * Memory and strings. The block functions use the string instructions eight bytes at a time: short to
 * read, and under an emulator that counts instructions an eighth of what a byte loop costs.
 *
 * The compiler itself emits calls to memcpy, memmove, memset and memcmp, so these four must exist.
 */
#include "lib/string.h"

#undef memcpy
#undef memset
#undef memcmp

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
    void *d = dst;
    size_t words = n / 8;
    size_t rest = n % 8;
    asm volatile("rep movsq" : "+D"(d), "+S"(src), "+c"(words) : : "memory");
    asm volatile("rep movsb" : "+D"(d), "+S"(src), "+c"(rest) : : "memory");
    return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
    if ((uintptr_t)dst - (uintptr_t)src >= n)
        return memcpy(dst, src, n);
    char *d = (char *)dst + n;
    const char *s = (const char *)src + n;
    while (n--)
        *--d = *--s;
    return dst;
}

void *memset(void *dst, int byte, size_t n)
{
    void *d = dst;
    uint64_t word = 0x0101010101010101UL * (uint8_t)byte;
    size_t words = n / 8;
    size_t rest = n % 8;
    asm volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(word) : "memory");
    asm volatile("rep stosb" : "+D"(d), "+c"(rest) : "a"(word) : "memory");
    return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;
    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

size_t strlen(const char *s)
{
    const char *p = s;
    while (*p)
        p++;
    return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;
    while (n < max && s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (uint8_t)*a - (uint8_t)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n; n--, a++, b++)
        if (*a != *b || !*a)
            return (uint8_t)*a - (uint8_t)*b;
    return 0;
}

char *strchr(const char *s, int c)
{
    for (; *s != (char)c; s++)
        if (!*s)
            return NULL;
    return (char *)s;
}

char *strrchr(const char *s, int c)
{
    const char *found = NULL;
    do
        if (*s == (char)c)
            found = s;
    while (*s++);
    return (char *)found;
}

char *strstr(const char *s, const char *needle)
{
    size_t n = strlen(needle);
    for (; strncmp(s, needle, n) != 0; s++)
        if (!*s)
            return NULL;
    return (char *)s;
}

size_t strlcpy(char *dst, const char *src, size_t size)
{
    size_t n = strlen(src);
    size_t copied = min(n, size - 1);
    memcpy(dst, src, copied);
    dst[copied] = '\0';
    return n;
}

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if ((c | 32) >= 'a' && (c | 32) <= 'f')
        return (unsigned)((c | 32) - 'a') + 10;
    return 99;
}

int parse_u64(const char *s, unsigned base, uint64_t *value)
{
    uint64_t v = 0;

    if (base == 0) {
        base = 10;
        if (s[0] == '0' && s[1])
            base = 8;
        if (s[0] == '0' && (s[1] | 32) == 'x')
            base = 16, s += 2;
    }
    if (!*s)
        return -EINVAL;
    for (; *s; s++) {
        unsigned d = digit_value(*s);
        if (d >= base)
            return -EINVAL;
        if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, d, &v))
            return -ERANGE;
    }
    *value = v;
    return 0;
}
