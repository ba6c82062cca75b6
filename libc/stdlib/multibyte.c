/*
 * Characters of several bytes: UTF-8 (RFC 3629), in every locale there is here. A text that isn't (an overlong
 * form, a surrogate, a value past U+10FFFF, a byte that begins nothing) is EILSEQ.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

static int illegal(void)
{
    errno = EILSEQ;
    return -1;
}

int wctomb(char *s, wchar_t wide)
{
    uint32_t c = (uint32_t)wide;
    if (!s)
        return 0; /* there are no shift states */
    if (c < 0x80) {
        *s = (char)c;
        return 1;
    }
    if (c > 0x10ffff || c - 0xd800 < 0x800)
        return illegal();
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    for (int i = more; i > 0; i--, c >>= 6)
        s[i] = (char)(0x80 | (c & 0x3f));
    s[0] = (char)(0xff80 >> more | c);
    return more + 1;
}

int mbtowc(wchar_t *restrict wide, const char *restrict text, size_t n)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *s = (const unsigned char *)text;
    if (!s)
        return 0;
    if (n == 0)
        return illegal();
    int more = *s < 0x80 ? 0 : *s < 0xc0 ? 4 : *s < 0xe0 ? 1 : *s < 0xf0 ? 2 : *s < 0xf8 ? 3 : 4;
    if (more == 4 || n <= (size_t)more)
        return illegal();
    uint32_t c = more ? *s & (0x3fU >> more) : *s;
    for (int i = 1; i <= more; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return illegal();
        c = c << 6 | (s[i] & 0x3f);
    }
    if (c < least[more] || c > 0x10ffff || c - 0xd800 < 0x800)
        return illegal();
    if (wide)
        *wide = (wchar_t)c;
    return c ? more + 1 : 0;
}
