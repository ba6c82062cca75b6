/*
 * Text to floating point, correctly rounded whatever the text's length. The digits become one big integer D, so
 * that the value is D * 10^e. The twos of 10^e only move the binary point, so D is multiplied with 5^e; for a
 * negative e it is first shifted left, far enough that the division by 5^-e leaves more bits than a mantissa
 * has. What the division loses can only say "a little more", which one bit, `more`, remembers. Then the highest
 * bits are the mantissa and the rest decides how it is rounded, half to even.
 *
 * Digits past DIGITS_MAX also only say "a little more": no value half way between two long doubles has so many.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DIGITS_MAX 11520
#define WORDS_MAX 620     /* what 5^(DIGITS_MAX + 4966) needs, and DIVISION_BITS */
#define HEX_DIGITS_MAX 24 /* enough for a mantissa and what rounds it */
#define EXPONENT_MAX 100000000000000000L
#define DIVISION_BITS 67
#define DIGITS_OF(bits) ((bits)*1233 / 4096) /* log10(2) = 0.30103 */

struct kind {
    int bits;     /* of the mantissa */
    int min, max; /* the exponents of normal numbers */
};
static const struct kind float_kind = {24, -126, 127};
static const struct kind double_kind = {53, -1022, 1023};
static const struct kind long_double_kind = {64, -16382, 16383};

typedef unsigned __int128 uint128_t;

/* words[0..n), least significant first, the last not 0. */
struct big {
    int n;
    bool more; /* the value is a little larger than the words say */
    uint64_t words[WORDS_MAX];
};

static void big_multiply_add(struct big *b, uint64_t factor, uint64_t addend)
{
    uint128_t carry = addend;
    for (int i = 0; i < b->n; i++) {
        carry += (uint128_t)b->words[i] * factor;
        b->words[i] = (uint64_t)carry;
        carry >>= 64;
    }
    if (carry)
        b->words[b->n++] = (uint64_t)carry;
}

static void big_divide(struct big *b, uint64_t divisor)
{
    uint64_t rest = 0;
    /* The compiler can't know that rest < divisor, as this instruction wants it. */
    for (int i = b->n; i-- > 0;)
        __asm__("divq %2" : "+a"(b->words[i]), "+d"(rest) : "rm"(divisor) : "cc");
    if (rest)
        b->more = true;
    while (b->n && b->words[b->n - 1] == 0)
        b->n--;
}

static void big_shift(struct big *b, int shift)
{
    int words = shift / 64;
    memmove(b->words + words, b->words, (size_t)b->n * sizeof(*b->words));
    memset(b->words, 0, (size_t)words * sizeof(*b->words));
    b->n += words;
    big_multiply_add(b, 1UL << shift % 64, 0);
}

static int big_length(const struct big *b)
{
    return b->n ? 64 * b->n - __builtin_clzl(b->words[b->n - 1]) : 0;
}

static bool big_bit(const struct big *b, int i)
{
    return b->words[i / 64] >> i % 64 & 1;
}

/* As many of the COUNT fives as one word holds, multiplied; COUNT becomes how many are left. */
static uint64_t take_fives(int *count)
{
    uint64_t product = 1;
    for (; *count && product <= UINT64_MAX / 5; --*count)
        product *= 5;
    return product;
}

/*
 * Times 10^exponent, which is 5^exponent here and 2^exponent in the result: the power of two that the number is
 * still to be multiplied with.
 */
static int big_scale(struct big *b, int exponent)
{
    int fives = exponent < 0 ? -exponent : exponent;
    if (exponent >= 0) {
        while (fives)
            big_multiply_add(b, take_fives(&fives), 0);
        return exponent;
    }
    int shift = fives * 2379 / 1024 + DIVISION_BITS - big_length(b); /* log2(5) = 2.3219.. */
    if (shift < 0)
        shift = 0;
    big_shift(b, shift);
    while (fives)
        big_divide(b, take_fives(&fives));
    return exponent - shift;
}

/* B / 2^drop, at most 64 bits, rounded half to even. 2^64 comes back as 0. */
static uint64_t round_off(const struct big *b, int drop, bool *inexact)
{
    uint64_t kept = 0;
    for (int i = big_length(b) - 1; i >= drop; i--)
        kept = kept << 1 | big_bit(b, i);
    bool half = drop > 0 && drop <= big_length(b) && big_bit(b, drop - 1), rest = b->more;
    for (int i = 0; i < drop - 1 && i < big_length(b) && !rest; i++)
        rest = big_bit(b, i);
    *inexact = half || rest;
    return kept + (half && (rest || (kept & 1)));
}

/* MANTISSA * 2^exponent, which a long double can hold. */
static long double compose(uint64_t mantissa, int exponent)
{
    union {
        struct {
            uint64_t mantissa;
            uint16_t exponent;
        };
        long double value;
    } bits = {.value = 0};
    if (mantissa) {
        int shift = __builtin_clzl(mantissa), biased = exponent - shift + 63 + 16383;
        mantissa <<= shift;
        bits.mantissa = biased > 0 ? mantissa : mantissa >> (1 - biased);
        bits.exponent = biased > 0 ? (uint16_t)biased : 0;
    }
    return bits.value;
}

static long double out_of_range(long double value)
{
    errno = ERANGE;
    return value;
}

/* The value of KIND that is nearest to B * 2^exponent. B isn't 0. */
static long double nearest(const struct big *b, int exponent, const struct kind *kind)
{
    bool inexact;
    int length = big_length(b), leading = exponent + length - 1, keep = kind->bits;
    bool tiny = leading < kind->min;
    if (tiny) {
        /* Not if all the bits of a normal number would round up to the smallest one. */
        uint64_t all =
            leading == kind->min - 1 && length > keep ? round_off(b, length - keep, &inexact) : 1;
        keep -= kind->min - leading;
        tiny = all != (kind->bits == 64 ? 0 : 1UL << kind->bits);
    }
    int drop = length - keep > 0 ? length - keep : 0;
    uint64_t mantissa = round_off(b, drop, &inexact);
    if (mantissa == 0 && keep == 64) {
        mantissa = 1UL << 63;
        drop++;
    }
    exponent += drop;
    if (mantissa && exponent + 63 - __builtin_clzl(mantissa) > kind->max)
        return out_of_range(__builtin_infl());
    long double value = compose(mantissa, exponent);
    return tiny && inexact ? out_of_range(value) : value;
}

/* An exponent behind LETTER, if there is one: *TEXT is moved past it. */
static long parse_exponent(const char **text, char letter)
{
    const char *s = *text;
    if ((*s | 32) != letter)
        return 0;
    bool negative = *++s == '-';
    if (*s == '-' || *s == '+')
        s++;
    if (!isdigit((unsigned char)*s))
        return 0;
    long value = 0;
    for (; isdigit((unsigned char)*s); s++)
        if (value < EXPONENT_MAX)
            value = value * 10 + (*s - '0');
    *text = s;
    return negative ? -value : value;
}

static unsigned digit_of(char c)
{
    return isdigit((unsigned char)c) ? (unsigned)(c - '0') : (unsigned)((c | 32) - 'a' + 10);
}

/*
 * Digits in BASE and perhaps a point, the first MAX of them into B, which then is to be multiplied with BASE to the
 * power of *EXPONENT. Returns how many digits B has got from the first that isn't 0; -1 when there is none at all.
 */
static int parse_digits(struct big *b, const char **text, unsigned base, int max, long *exponent)
{
    const char *s = *text;
    bool point = false, any = false;
    int count = 0;
    uint64_t chunk = 0, scale = 1;
    *exponent = 0;
    for (;; s++) {
        if (*s == '.' && !point) {
            point = true;
            continue;
        }
        if (!(base == 16 ? isxdigit((unsigned char)*s) : isdigit((unsigned char)*s)))
            break;
        any = true;
        unsigned digit = digit_of(*s);
        bool taken = count < max;
        *exponent += !taken - point;
        if (!taken) {
            b->more |= digit != 0;
        } else if (digit || count) {
            count++;
            chunk = chunk * base + digit;
            scale *= base;
            if (scale > UINT64_MAX / base) {
                big_multiply_add(b, scale, chunk);
                chunk = 0;
                scale = 1;
            }
        }
    }
    big_multiply_add(b, scale, chunk);
    *text = s;
    return any ? count : -1;
}

/* The number at *TEXT without its sign; *TEXT is moved past it, to NULL if there is none. */
static long double parse_number(const char **text, const struct kind *kind)
{
    struct big b;
    const char *s = *text;
    long exponent;
    b.n = 0;
    b.more = false;
    bool hex = s[0] == '0' && (s[1] | 32) == 'x' && isxdigit((unsigned char)s[2 + (s[2] == '.')]);
    if (hex)
        s += 2;
    int count = parse_digits(&b, &s, hex ? 16 : 10, hex ? HEX_DIGITS_MAX : DIGITS_MAX, &exponent);
    *text = count < 0 ? NULL : s;
    if (count < 0)
        return 0;
    exponent =
        hex ? exponent * 4 + parse_exponent(text, 'p') : exponent + parse_exponent(text, 'e');
    if (count == 0)
        return 0;
    /* The value is a little less than 2^leading or 10^leading: what is far out of range needs no arithmetic. */
    long leading = hex ? exponent + 4 * count : exponent + count;
    long high = kind->max + 5, low = kind->min - kind->bits - 1;
    if (leading > (hex ? high : DIGITS_OF(high) + 2))
        return out_of_range(__builtin_infl());
    if (leading < (hex ? low : DIGITS_OF(low) - 2))
        return out_of_range(0);
    return nearest(&b, hex ? (int)exponent : big_scale(&b, (int)exponent), kind);
}

/* inf, infinity, nan, nan(letters), in letters of either case; *TEXT is NULL if it is none of these. */
static long double parse_word(const char **text)
{
    const char *s = *text;
    *text = NULL;
    if (strncasecmp(s, "inf", 3) == 0) {
        *text = s + (strncasecmp(s, "infinity", 8) == 0 ? 8 : 3);
        return __builtin_infl();
    }
    if (strncasecmp(s, "nan", 3) != 0)
        return 0;
    *text = s += 3;
    if (*s++ == '(') {
        while (isalnum((unsigned char)*s) || *s == '_')
            s++;
        if (*s == ')')
            *text = s + 1;
    }
    return __builtin_nanl("");
}

static long double parse(const char *text, char **end, const struct kind *kind)
{
    const char *s = text;
    while (isspace((unsigned char)*s))
        s++;
    bool negative = *s == '-';
    if (*s == '-' || *s == '+')
        s++;
    const char *behind = s;
    long double value = parse_word(&behind);
    if (!behind) {
        behind = s;
        value = parse_number(&behind, kind);
    }
    if (end)
        *end = (char *)(behind ? behind : text);
    return negative && behind ? -value : value;
}

long double strtold(const char *restrict text, char **restrict end)
{
    return parse(text, end, &long_double_kind);
}

double strtod(const char *restrict text, char **restrict end)
{
    return (double)parse(text, end, &double_kind);
}

float strtof(const char *restrict text, char **restrict end)
{
    return (float)parse(text, end, &float_kind);
}

double atof(const char *text)
{
    return strtod(text, NULL);
}
