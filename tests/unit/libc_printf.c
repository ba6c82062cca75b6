/*
 * libc's printf engine against the host's: random conversions with random flags, widths, precisions, length
 * modifiers and positions, and values of every size, must give the same bytes and the same length.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <float.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <string.h>

#include "tests/unit/random.h"

/* Ours under names of their own, beside the host's. */
#define mbtowc our_mbtowc
#define wctomb our_wctomb
int mbtowc(wchar_t *, const char *, size_t);
int wctomb(char *, wchar_t);
#include "libc/stdio/float.c"
#include "libc/stdio/format.c"
#include "libc/stdio/spec.c"
#include "libc/stdlib/multibyte.c"
#undef mbtowc
#undef wctomb

#define ROUNDS 1000000
#define OUTPUT_MAX 30000

struct buffer {
    struct sink sink;
    char text[OUTPUT_MAX + 1];
};

static bool buffer_put(struct sink *sink, const char *s, size_t n)
{
    struct buffer *b = (struct buffer *)sink;
    if (sink->count <= OUTPUT_MAX)
        memcpy(b->text + sink->count - n, s, n);
    return true;
}

/* "%#g" of what rounds up to a power of ten: glibc 2.36 forgets the zeroes behind the point. */
static bool host_forgets_zeroes(const char *text, const char *got)
{
    got += strcspn(got, "0123456789");
    return strchr(text, '#') && strpbrk(text, "gG") && got[strspn(got, "0")] == '1' &&
           strcspn(got, "23456789") >= strcspn(got, "eE ");
}

/* Print the arguments by FORMAT with both. */
static void check(const char *text, ...)
{
    static struct buffer got;
    static char want[OUTPUT_MAX];
    va_list args, again;
    va_start(args, text);
    va_copy(again, args);
    got.sink = (struct sink){.put = buffer_put};
    errno = ENOENT; /* %m */
    int got_length = __format(&got.sink, text, args);
    got.text[got_length < 0 ? 0 : got_length] = '\0';
    errno = ENOENT;
    int length = vsnprintf(want, sizeof(want), text, again);
    va_end(again);
    va_end(args);
    if (got_length == length && (length < 0 || memcmp(got.text, want, (size_t)length) == 0))
        return;
    if (host_forgets_zeroes(text, got.text))
        return;
    printf("format \"%s\":\n got %d \"%.*s\"\nwant %d \"%s\"\n", text, got_length,
           (int)got.sink.count, got.text, length, length < 0 ? "" : want);
    exit(1);
}

/* "%", flags out of FLAGS, width and precision; the stars' arguments are *WIDTH and *PRECISION. */
static char *begin_spec(char *at, const char *flags, unsigned precision_max, bool *star_width,
                        bool *star_precision)
{
    *at++ = '%';
    for (; *flags; flags++)
        if (draw(4) == 0)
            *at++ = *flags;
    *star_width = *star_precision = false;
    if (draw(8) == 0) {
        *star_width = true;
        *at++ = '*';
    } else if (draw(2)) {
        at += sprintf(at, "%u", 1 + draw(40));
    }
    if (precision_max && draw(2)) {
        *at++ = '.';
        *star_precision = draw(8) == 0;
        at += *star_precision ? sprintf(at, "*")
              : draw(8)       ? sprintf(at, "%u", draw(precision_max))
                              : 0;
    }
    return at;
}

/* The value's class is known at the call alone: one call for each way the stars can stand. */
#define CHECK_STARS(value)                                                \
    do {                                                                  \
        int width_ = (int)draw(60) - 30, precision_ = (int)draw(40) - 10; \
        if (star_width && star_precision)                                 \
            check(text, width_, precision_, value);                       \
        else if (star_width)                                              \
            check(text, width_, value);                                   \
        else if (star_precision)                                          \
            check(text, precision_, value);                               \
        else                                                              \
            check(text, value);                                           \
    } while (0)

static uint64_t any_integer(void)
{
    uint64_t n = random_bits() >> draw(64);
    return draw(8) ? n : -n;
}

static void integers(void)
{
    static const char *const lengths[] = {"", "hh", "h", "l", "ll", "j", "z", "t"};
    char text[64], letter = draw_char("diuoxX");
    bool star_width, star_precision;
    const char *flags = letter == 'd' || letter == 'i' ? "-+ 0'" : letter == 'u' ? "-0" : "-#0";
    char *at = begin_spec(text, flags, 40, &star_width, &star_precision);
    sprintf(at, "%s%c", lengths[draw(8)], letter);
    CHECK_STARS(any_integer());
}

static double any_double(void)
{
    union {
        uint64_t bits;
        double value;
    } u = {random_bits()};
    switch (draw(8)) {
    case 0: return (double)draw(2000) / 8 - 100; /* halves, which round to even */
    case 1: return ((double)draw(2000000) - 1000000) / 1000;
    case 2: u.bits &= ~(0x7feUL << 52); return u.value; /* subnormal, or the smallest normal ones */
    case 3: return draw(2) ? 0.0 : -0.0;
    case 4: return ldexp((double)(random_bits() >> 11), (int)draw(100) - 80);
    case 5: return nextafter(pow(10, (int)draw(40) - 20), draw(2) ? 0 : INFINITY);
    default: return u.value;
    }
}

static long double any_long_double(void)
{
    union {
        struct {
            uint64_t mantissa;
            uint16_t exponent;
        };
        long double value;
    } u = {.value = 0};
    if (draw(64)) /* the others take the host a millisecond each */
        return any_double() * (1 + (long double)draw(1000) * LDBL_EPSILON);
    u.exponent = (uint16_t)(random_bits() & 0xffff);
    if (draw(4) == 0)
        u.exponent &= 0x8001;
    u.mantissa = (u.exponent & 0x7fff) == 0x7fff ? 1UL << 63
                 : u.exponent & 0x7fff           ? random_bits() | 1UL << 63
                                                 : random_bits() >> 1;
    return u.value;
}

static void floats(void)
{
    char text[64], letter = draw_char("aAeEfFgGeEfFgG");
    bool star_width, star_precision, is_long = draw(3) == 0;
    unsigned max = draw(20) ? 24 : draw(20) ? 400 : 6000;
    char *at = begin_spec(text, "-+ #0", max, &star_width, &star_precision);
    sprintf(at, "%s%c", is_long ? "L" : draw(4) ? "" : "l", letter);
    if (is_long) {
        long double value = any_long_double();
        if ((letter | 32) == 'a' && fabsl(value) < LDBL_MIN)
            value = 1; /* a subnormal has many right answers in %a */
        CHECK_STARS(value);
    } else {
        double value = any_double();
        if ((letter | 32) == 'a' && fabs(value) < DBL_MIN)
            value = 1;
        CHECK_STARS(value);
    }
}

static void texts(void)
{
    static const char *const strings[] = {
        "", "x", "hello, world", "%d", "a longer string than most of the others", NULL};
    static const wchar_t *const wides[] = {L"", L"abc", L"h\u00e9\u20ac\U0001f600!",
                                           L"\u20ac\u20ac\u20ac", L"a\xd800"};
    char text[64];
    bool star_width, star_precision;
    char *at = begin_spec(text, "-", draw(2) ? 20 : 0, &star_width, &star_precision);
    switch (draw(6)) {
    case 0:
        sprintf(at, "c");
        CHECK_STARS((int)draw(256));
        return;
    case 1:
        sprintf(at, "lc");
        CHECK_STARS((unsigned)(random_bits() & 0xfffff) >> draw(20));
        return;
    case 2:
        sprintf(at, "%s", draw(2) ? "ls" : "S");
        CHECK_STARS(wides[draw(5)]);
        return;
    case 3:
        sprintf(at, "p");
        CHECK_STARS((void *)(random_bits() >> draw(64)));
        return;
    case 4:
        sprintf(at, "m");
        CHECK_STARS(0);
        return;
    default: break;
    }
    const char *string = strings[draw(6)];
    sprintf(at, "s");
    if (!string && strchr(text, '.'))
        string = "null"; /* how much of "(null)" a precision leaves is nobody's rule */
    CHECK_STARS(string);
}

/* Arguments 1 to 6 of known types, in any order, with other text in between. */
static void positions(void)
{
    static const char *const specs[] = {"%1$d",  "%1$5x",    "%2$ld",    "%2$#*1$lx", "%3$.2f",
                                        "%3$+e", "%4$s",     "%4$.*1$s", "%5$Lg",     "%5$.3Lf",
                                        "%6$c",  "%6$-4hhd", "%%",       " - ",       "%6$04d"};
    char text[256] = "%1$d%2$ld%3$g%4$s%5$Lg%6$d"; /* every type is told at least once */
    for (unsigned i = 0, n = draw(6); i < n; i++)
        strcat(text, specs[draw(sizeof(specs) / sizeof(*specs))]);
    check(text, (int)draw(30), (long)any_integer(), any_double(), "string", any_long_double(),
          (int)draw(128));
}

static void several(void)
{
    char text[128];
    sprintf(text, "<%%%dd|%%-%ds|%%%d.%df> %%%% %%c %%lu %%Lg %%hhd", draw(9) + 1, draw(9) + 1,
            draw(12) + 1, draw(9));
    check(text, (int)any_integer(), "text", any_double(), (int)draw(128),
          (unsigned long)any_integer(), any_long_double(), (int)any_integer());
}

/* With ours alone. */
static int print(const char *text, ...)
{
    struct buffer out = {.sink = {.put = buffer_put}};
    va_list args;
    va_start(args, text);
    int length = __format(&out.sink, text, args);
    va_end(args);
    return length;
}

static void once(void)
{
    signed char c = 0;
    short s = 0;
    int i = 0;
    long l = 0;
    check("%2147483648d", 1);
    check("%.99999999999d", 1);
    check("%2147483647d%d", 1, 1);
    check("");
    if (print("abc%hhn def%n %%%ln%hn", &c, &i, &l, &s) != 9 || c != 3 || i != 7 || l != 9 ||
        s != 9) {
        printf("%%n stored %d %d %ld %d\n", c, i, l, s);
        exit(1);
    }
    if (print("%99$d", 1) != -1 || print("%", 1) != -1 || print("%y", 1) != -1) {
        printf("a format that is none was printed\n");
        exit(1);
    }
}

int main(int argc, char **argv)
{
    static void (*const makers[])(void) = {integers, integers, floats,    floats,
                                           floats,   texts,    positions, several};
    random_begin(argc, argv);
    if (!setlocale(LC_ALL, "C.UTF-8"))
        abort();
    once();
    for (int i = 0; i < ROUNDS; i++)
        makers[draw(8)]();
    printf("%d formats: the same as the host's\n", ROUNDS);
    return 0;
}
