/*
 * libc's strtof, strtod and strtold against the host's: every text must give the same bits, the same end and the
 * same errno. The texts are values printed with few and with many digits, decimals that lie exactly half way between
 * two neighbours or a hair beside, numbers at both ends of the range, hexadecimal ones, and random characters.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/random.h"

/* Ours under names of their own, beside the host's. */
#define strtof our_strtof
#define strtod our_strtod
#define strtold our_strtold
#define atof our_atof
long double strtold(const char *, char **);
double strtod(const char *, char **);
float strtof(const char *, char **);
double atof(const char *);
#include "libc/stdlib/strtod.c"
#undef strtof
#undef strtod
#undef strtold
#undef atof

#define ROUNDS 1000000
#define TEXT_MAX 14000

static char text[TEXT_MAX];

/* The ten bytes of X that are its value; all NaNs of one sign are one. */
static void image(unsigned char *bytes, long double x)
{
    memset(bytes, 0, 16);
    if (isnan(x))
        bytes[0] = signbit(x) ? 2 : 1;
    else
        memcpy(bytes, &x, 10);
}

/* More than a float's mantissa has: glibc 2.36 rounds some of these wrongly when the value is subnormal. */
static bool many_hex_digits(void)
{
    const char *x = strpbrk(text, "xX");
    return x && strspn(x + 1, "0123456789abcdefABCDEF.") > 6;
}

static void compare(const char *name, long double got, const char *got_end, int got_errno,
                    long double want, const char *want_end, int want_errno, long double least)
{
    unsigned char a[16], b[16];
    image(a, got);
    image(b, want);
    if (memcmp(a, b, 16) == 0 && got_end == want_end && got_errno == want_errno)
        return;
    if (got_end == want_end && fabsl(want) <= least && many_hex_digits())
        return;
    printf("%s(\"%s\"): got %La, %d characters, errno %d; the host has %La, %d, %d\n", name, text,
           got, (int)(got_end - text), got_errno, want, (int)(want_end - text), want_errno);
    exit(1);
}

/* One of the three, ours and the host's, with the text. */
#define CHECK(function, least)                                                     \
    do {                                                                           \
        char *got_end, *want_end;                                                  \
        errno = 0;                                                                 \
        long double got = our_##function(text, &got_end);                          \
        int got_errno = errno;                                                     \
        errno = 0;                                                                 \
        long double want = function(text, &want_end);                              \
        compare(#function, got, got_end, got_errno, want, want_end, errno, least); \
    } while (0)

static void check_text(void)
{
    CHECK(strtof, FLT_MIN);
    CHECK(strtod, DBL_MIN);
    CHECK(strtold, LDBL_MIN);
}

static double any_double(void)
{
    union {
        uint64_t bits;
        double value;
    } u = {random_bits()};
    if (draw(4) == 0) /* subnormal, or nearly so */
        u.bits &= ~(0x7feUL << 52);
    return isfinite(u.value) ? u.value : 1.5;
}

static float any_float(void)
{
    union {
        uint32_t bits;
        float value;
    } u = {(uint32_t)random_bits()};
    if (draw(4) == 0)
        u.bits &= 0x80ffffff;
    return isfinite(u.value) ? u.value : 1.5F;
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
    u.exponent = (uint16_t)(random_bits() & 0x7fff);
    if (draw(4) == 0)
        u.exponent &= 1;
    if (u.exponent == 0x7fff)
        u.exponent = 0x3fff;
    u.mantissa = random_bits();
    u.mantissa = u.exponent ? u.mantissa | 1UL << 63 : u.mantissa >> 1;
    return u.value;
}

/* How many digits: mostly few, now and then more than any value has. */
static int any_precision(void)
{
    switch (draw(40)) {
    case 0: return (int)draw(1200);
    case 1: return (int)draw(200);
    default: return (int)draw(24);
    }
}

static void printed_value(void)
{
    static const char *const formats[] = {"%.*Lg", "%.*Le", "%.*LE", "%.*Lf", "%.*La", "%.*LA"};
    unsigned kind = draw(8);
    long double value = kind < 5 ? any_double() : kind < 7 ? any_float() : any_long_double();
    snprintf(text, sizeof(text), formats[draw(draw(8) ? 3 : 6)], any_precision(), value);
}

/* Exactly half way between a float or a double and its neighbour, then perhaps a little more or less. */
static void half_way(void)
{
    long double a, b;
    if (draw(2)) {
        double x = any_double();
        a = x;
        b = nextafter(x, INFINITY);
    } else {
        float x = any_float();
        a = x;
        b = nextafterf(x, INFINITY);
    }
    if (isinf(b))
        b = a;
    snprintf(text, sizeof(text), "%.800Le", (a + b) / 2);
    char *e = strchr(text, 'e'), exponent[16];
    strcpy(exponent, e);
    while (e[-1] == '0')
        e--;
    unsigned what = draw(3);
    if (what == 1)
        e[-1]--; /* a little less (the last digit isn't 0) */
    unsigned zeroes = draw(500) ? draw(30) : draw(12000);
    if (what == 2) {
        memset(e, '0', zeroes);
        e[zeroes] = '1';
        e += zeroes + 1;
    }
    strcpy(e, exponent);
}

/* A number of 65 bits, odd, is half way between two long doubles; so it is when divided by a power of two. */
static void long_half_way(void)
{
    unsigned __int128 n = (unsigned __int128)1 << 64 | random_bits() | 1;
    int power = (int)draw(27), at = 60;
    for (int i = 0; i < power; i++)
        n *= 5;
    text[at] = '\0';
    for (; n; n /= 10)
        text[--at] = (char)('0' + (int)(n % 10));
    memmove(text, text + at, (size_t)(61 - at));
    at = 60 - at;
    if (draw(3) == 0)
        at += sprintf(text + at, draw(2) ? ".00000000000000000000001" : ".000");
    sprintf(text + at, "e-%d", power);
}

static void extreme(void)
{
    static const int exponents[] = {38, -38, -45, 308, -308, -324, 0, 1000000, 4932, -4932, -4951};
    size_t n = 0;
    for (unsigned i = 0, zeroes = draw(4) ? 0 : draw(400); i < zeroes; i++)
        text[n++] = '0';
    for (unsigned i = 0, digits = 1 + draw(25); i < digits; i++)
        text[n++] = (char)('0' + draw(10));
    if (draw(2))
        text[n++] = '.';
    for (unsigned i = 0, digits = draw(draw(20) ? 25 : 600); i < digits; i++)
        text[n++] = (char)('0' + draw(10));
    sprintf(text + n, "e%d", exponents[draw(draw(4) ? 8 : 11)] + (int)draw(40) - 20);
}

static void hexadecimal(void)
{
    static const int exponents[] = {0,     127,   -126,   -149,   1023,  -1022,
                                    -1074, 16383, -16382, -16445, 100000};
    size_t n = (size_t)sprintf(text, "%s0%c", draw(2) ? "-" : "", draw_char("xX"));
    unsigned digits = draw(30), point = draw(30);
    for (unsigned i = 0; i < digits; i++) {
        if (i == point)
            text[n++] = '.';
        text[n++] = draw(2) ? draw_char("0008f") : draw_char("0123456789abcdefABCDEF");
    }
    sprintf(text + n, "%c%d", draw_char("pP"), exponents[draw(11)] - (int)draw(100) + 20);
}

static void nonsense(void)
{
    static const char *const pieces[] = {"inf", "INFINITY", "infinit", "nan",  "NaN(",  "nan(0x_a)",
                                         "0x",  "0x.",      "e+",      "1e",   " \t\n", "-",
                                         "+",   ".",        "1.",      ".5",   "0",     "00",
                                         "e5",  "E-99",     "p3",      "0x1p", "9e9",   ")"};
    *text = '\0';
    for (unsigned i = 0, n = draw(5); i < n; i++)
        strcat(text, pieces[draw(sizeof(pieces) / sizeof(*pieces))]);
    for (unsigned i = 0, n = draw(5); i < n; i++)
        strncat(text, (char[]){draw_char("0123456789.eE+-xXpPinfaty()_ ")}, 1);
}

/* Once each: what has broken others. */
static const char *const known[] = {
    "2.2250738585072011e-308",
    "2.2250738585072012e-308",
    "2.2250738585072014e-308",
    "4.9406564584124654e-324",
    "2.4703282292062327208e-324",
    "2.4703282292062328e-324",
    "1.7976931348623157e308",
    "1.7976931348623158e308",
    "1.7976931348623159e308",
    "1.797693134862315807937289714053e308",
    "3.4028235677973366e38",
    "1.17549434e-38",
    "1.18973149535723176502126385303097021e4932",
    "1.18973149535723176508575932662800702e4932",
    "3.6451995318824746025284059336194e-4951",
    "1.8225997659412373012642029668097e-4951",
    "9007199254740993",
    "9007199254740992.99999999999999999999999999999999999999999",
    "0.000000000000000000000000000000000000000000000000000000000000e99999999999999999999",
    "1e-99999999999999999999999",
    "1e99999999999999999999999",
    "0x1.fffffffffffff7p1023",
    "0x1.fffffffffffff8p1023",
    "0x0.fffffffffffff8p-1022",
    "0x0.fffffffffffff7ffffp-1022",
    "0x1p-1075",
    "0x1.00000000000001p-1075",
    "-0x1.8p-1075",
    "0x.fffffffffffffffffp-16382",
    "0x.ffffffffffffffff7p-16382",
    "0x1.ffffffffffffffffp16383",
    "-0",
    "",
};

int main(int argc, char **argv)
{
    static void (*const makers[])(void) = {printed_value, printed_value, half_way, long_half_way,
                                           extreme,       hexadecimal,   nonsense};
    random_begin(argc, argv);
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        strcpy(text, known[i]);
        check_text();
    }
    for (int i = 0; i < ROUNDS; i++) {
        makers[draw(7)]();
        check_text();
    }
    printf("%d texts, three functions each: the same as the host's\n", ROUNDS);
    return 0;
}
