/*
 * Copying, filling, comparing. The compiler turns such loops into calls of these very functions, hence
 * the pragma. Long runs go by string instructions, eight bytes a step.
 */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define LONG_RUN 64

/* From low addresses to high: also right when the destination overlaps from below. */
static inline void copy_up(unsigned char *d, const unsigned char *s, size_t n)
{
    if (n >= LONG_RUN) {
        size_t words = n / 8;
        __asm__ volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(words) : : "memory");
        n %= 8;
    }
    while (n--)
        *d++ = *s++;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
    copy_up(dst, src, n);
    return dst;
}

void *mempcpy(void *restrict dst, const void *restrict src, size_t n)
{
    return (char *)memcpy(dst, src, n) + n;
}

void *memmove(void *dst, const void *src, size_t n)
{
    unsigned char *d = dst;
    const unsigned char *s = src;
    if ((uintptr_t)d - (uintptr_t)s >= n)
        copy_up(d, s, n);
    else
        while (n--)
            d[n] = s[n];
    return dst;
}

void *memset(void *dst, int c, size_t n)
{
    unsigned char *d = dst;
    if (n >= LONG_RUN) {
        size_t words = n / 8;
        uint64_t pattern = 0x0101010101010101UL * (unsigned char)c;
        __asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(pattern) : "memory");
        n %= 8;
    }
    while (n--)
        *d++ = (unsigned char)c;
    return dst;
}

void bzero(void *p, size_t n)
{
    memset(p, 0, n);
}

/* For secrets: a compiler that knows that nobody reads them again must not leave this out. */
void explicit_bzero(void *p, size_t n)
{
    memset(p, 0, n);
    __asm__ volatile("" : : "r"(p) : "memory");
}

void *memccpy(void *restrict dst, const void *restrict src, int c, size_t n)
{
    const unsigned char *end = memchr(src, c, n);
    size_t length = end ? (size_t)(end + 1 - (const unsigned char *)src) : n;
    memcpy(dst, src, length);
    return end ? (char *)dst + length : NULL;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;
    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

void *memchr(const void *s, int c, size_t n)
{
    const unsigned char *p = s;
    for (; n; n--, p++)
        if (*p == (unsigned char)c)
            return (void *)p;
    return NULL;
}

void *memrchr(const void *s, int c, size_t n)
{
    const unsigned char *p = s;
    while (n--)
        if (p[n] == (unsigned char)c)
            return (void *)(p + n);
    return NULL;
}

void *memmem(const void *haystack, size_t n, const void *needle, size_t m)
{
    const unsigned char *h = haystack;
    if (m == 0)
        return (void *)h;
    for (; n >= m; h++, n--)
        if (*h == *(const unsigned char *)needle && memcmp(h, needle, m) == 0)
            return (void *)h;
    return NULL;
}
