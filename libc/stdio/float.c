/*
 * Floating-point output, exact to the last digit. A value is mantissa * 2^exponent; every such number has a
 * finite decimal expansion, so it is simply written out: the integer part as base-10^9 words, least significant
 * first, doubled as often as the exponent says; or halved, which lets fraction words grow on the other side. The
 * digits are then rounded, half to even, where the conversion wants it.
 */
#include <float.h>
#include <stdint.h>
#include <string.h>

#include "stdio/format.h"

#define WORD 1000000000U
#define WORD_DIGITS 9
#define DIGITS_MAX 17000 /* more than any long double has on either side of its point */
#define MANTISSA_BITS 64 /* of a long double; a double fits */

/* The decimal digits of a finite value: digits[0..count), the point behind digits[point-1]. */
struct decimal {
    char *digits;
    int count;
    int point;
};

static const char *sign_of(const struct spec *spec, long double value)
{
    return __builtin_signbitl(value) ? "-" : spec->plus ? "+" : spec->space ? " " : "";
}

/* words[0..n) (least significant first) times 2^shift, shift <= 29. Returns the new n. */
static int multiply(uint32_t *words, int n, int shift)
{
    uint64_t carry = 0;
    for (int i = 0; i < n; i++) {
        uint64_t x = ((uint64_t)words[i] << shift) + carry;
        words[i] = (uint32_t)(x % WORD);
        carry = x / WORD;
    }
    if (carry)
        words[n++] = (uint32_t)carry;
    return n;
}

/*
 * words[from..to) hold a number with the most significant word at FROM: halve it SHIFT <= 9 times. 10^9 is
 * divisible by 2^9, so what a word loses is a whole number of units of the next. Returns the new TO.
 */
static int halve(uint32_t *words, int from, int to, int shift)
{
    uint32_t carry = 0, mask = (1U << shift) - 1;
    for (int i = from; i < to; i++) {
        uint32_t x = words[i];
        words[i] = (x >> shift) + carry;
        carry = (x & mask) * (WORD >> shift);
    }
    if (carry)
        words[to++] = carry;
    return to;
}

static char *put_word(char *p, uint32_t word)
{
    for (int i = WORD_DIGITS - 1; i >= 0; i--, word /= 10)
        p[i] = (char)('0' + word % 10);
    return p + WORD_DIGITS;
}

/* How many words a number of this binary exponent may need, on both sides of the point. */
static int words_for(int exponent)
{
    int bits = exponent < 0 ? -exponent : exponent + MANTISSA_BITS;
    return (exponent < 0 ? bits / 9 : bits / 29) + 10;
}

static void expand_up(struct decimal *d, uint64_t mantissa, int exponent)
{
    uint32_t words[words_for(exponent)];
    char *p = d->digits;
    int n = 0;
    for (uint64_t m = mantissa; m; m /= WORD)
        words[n++] = (uint32_t)(m % WORD);
    for (; exponent > 0; exponent -= 29)
        n = multiply(words, n, exponent < 29 ? exponent : 29);
    while (n)
        p = put_word(p, words[--n]);
    d->count = d->point = (int)(p - d->digits);
}

/*
 * WANTED digits are needed (behind the point, if FIXED): words further right are dropped on the way, since all that
 * they can still do is to break a tie, and one digit behind the last, which isn't 0, does that for them.
 */
static void expand_down(struct decimal *d, uint64_t mantissa, int exponent, int wanted, bool fixed)
{
    uint32_t words[words_for(exponent)];
    words[0] = (uint32_t)(mantissa / WORD / WORD);
    words[1] = (uint32_t)(mantissa / WORD % WORD);
    words[2] = (uint32_t)(mantissa % WORD);
    int from = 0, to = 3, keep = wanted / WORD_DIGITS + 3;
    bool dropped = false;
    for (; exponent < 0; exponent += 9) {
        to = halve(words, from, to, -exponent < 9 ? -exponent : 9);
        while (from < to && words[from] == 0)
            from++;
        for (int last = (fixed ? 3 : from) + keep; to > last; to--)
            dropped |= words[to - 1] != 0;
        if (from > to)
            from = to;
    }
    char *p = d->digits;
    for (int last = (fixed ? 3 : from) + keep; dropped && to < last; to++)
        words[to] = 0;
    for (int i = from; i < to; i++)
        p = put_word(p, words[i]);
    if (dropped)
        *p++ = '1';
    d->count = (int)(p - d->digits);
    d->point = (3 - from) * WORD_DIGITS;
}

/* MANTISSA * 2^EXPONENT into D, whose buffer holds words_for(EXPONENT) * 9 digits. */
static void expand(struct decimal *d, uint64_t mantissa, int exponent, int wanted, bool fixed)
{
    if (exponent >= 0)
        expand_up(d, mantissa, exponent);
    else
        expand_down(d, mantissa, exponent, wanted, fixed);
    while (d->count > 0 && *d->digits == '0') {
        d->digits++;
        d->count--;
        d->point--;
    }
    if (d->count == 0)
        d->point = 1;
}

/* Keep KEEP digits (it may be negative). The digit before digits[0] is there for a carry. */
static void round_to(struct decimal *d, int keep)
{
    if (keep >= d->count)
        return;
    bool up = false;
    if (keep >= 0) {
        bool beyond = false;
        for (int i = keep + 1; i < d->count && !beyond; i++)
            beyond = d->digits[i] != '0';
        bool odd = keep > 0 && (d->digits[keep - 1] & 1);
        up = d->digits[keep] > '5' || (d->digits[keep] == '5' && (beyond || odd));
    }
    d->count = keep > 0 ? keep : 0;
    if (!up)
        return;
    int i = d->count;
    while (i > 0 && d->digits[i - 1] == '9')
        d->digits[--i] = '0';
    if (i > 0) {
        d->digits[i - 1]++;
        return;
    }
    *--d->digits = '1';
    d->count++;
    d->point++;
}

/* Digit I of the number, counted from digits[0]; zeroes on both sides of what is stored. */
static char digit_at(const struct decimal *d, int i)
{
    return i >= 0 && i < d->count ? d->digits[i] : '0';
}

/* Sends the number piece by piece between its padding. BODY is how many bytes come after the sign. */
static bool begin(struct sink *sink, const struct spec *spec, const char *prefix, long body)
{
    long pad = spec->width - (long)strlen(prefix) - body;
    bool zero = spec->zero && !spec->left;
    return (spec->left || zero || __sink_pad(sink, ' ', pad)) &&
           __sink_put(sink, prefix, strlen(prefix)) && (!zero || __sink_pad(sink, '0', pad));
}

static bool finish(struct sink *sink, const struct spec *spec, const char *prefix, long body)
{
    return !spec->left || __sink_pad(sink, ' ', spec->width - (long)strlen(prefix) - body);
}

static bool put_digits(struct sink *sink, const struct decimal *d, int from, long n)
{
    while (n > 0 && from < 0) {
        int zeroes = n < -from ? (int)n : -from;
        if (!__sink_pad(sink, '0', zeroes))
            return false;
        from += zeroes;
        n -= zeroes;
    }
    long stored = d->count - from < n ? d->count - from : n;
    if (stored > 0) {
        if (!__sink_put(sink, d->digits + from, (size_t)stored))
            return false;
        n -= stored;
    }
    return __sink_pad(sink, '0', n);
}

/* ddd.ddd with PRECISION digits behind the point. */
static bool put_fixed(struct sink *sink, const struct spec *spec, const char *sign,
                      struct decimal *d, long precision)
{
    bool point = precision > 0 || spec->alternate;
    int whole = d->point > 0 && d->count > 0 ? d->point : 1;
    long body = whole + point + precision;
    bool has_whole = d->point > 0 && d->count > 0;
    return begin(sink, spec, sign, body) &&
           (has_whole ? put_digits(sink, d, 0, whole) : __sink_put(sink, "0", 1)) &&
           (!point || __sink_put(sink, ".", 1)) &&
           put_digits(sink, d, d->count ? d->point : 0, precision) &&
           finish(sink, spec, sign, body);
}

/* "e+05", at least two digits. Returns the length. */
static int exponent_text(char *buf, char letter, int exponent)
{
    char *p = buf, digits[8];
    int n = 0;
    unsigned e = exponent < 0 ? -(unsigned)exponent : (unsigned)exponent;
    *p++ = letter;
    *p++ = exponent < 0 ? '-' : '+';
    for (; e || n == 0; e /= 10)
        digits[n++] = (char)('0' + e % 10);
    if (n < 2 && (letter | 32) == 'e')
        digits[n++] = '0';
    while (n)
        *p++ = digits[--n];
    return (int)(p - buf);
}

/* d.ddde+xx with PRECISION digits behind the point. */
static bool put_scientific(struct sink *sink, const struct spec *spec, const char *sign,
                           struct decimal *d, int precision)
{
    char exponent[12];
    bool point = precision > 0 || spec->alternate;
    int n = exponent_text(exponent, spec->letter & 32 ? 'e' : 'E', d->count ? d->point - 1 : 0);
    long body = 1L + point + precision + n;
    char first = digit_at(d, 0);
    return begin(sink, spec, sign, body) && __sink_put(sink, &first, 1) &&
           (!point || __sink_put(sink, ".", 1)) && put_digits(sink, d, 1, precision) &&
           __sink_put(sink, exponent, (size_t)n) && finish(sink, spec, sign, body);
}

/* %g: the shorter style, without trailing zeroes unless '#' (C17 7.21.6.1p8). */
static bool put_general(struct sink *sink, const struct spec *spec, const char *sign,
                        struct decimal *d)
{
    int precision = spec->precision < 0 ? 6 : spec->precision ? spec->precision : 1;
    round_to(d, precision);
    int exponent = d->count ? d->point - 1 : 0;
    if (!spec->alternate) {
        while (d->count > 0 && d->digits[d->count - 1] == '0')
            d->count--;
        if (d->count > 0 && d->count < precision)
            precision = d->count;
        else if (d->count == 0)
            precision = 1;
    }
    int wanted = spec->precision < 0 ? 6 : spec->precision ? spec->precision : 1;
    if (exponent >= -4 && exponent < wanted) {
        long behind = (long)precision - 1 - exponent;
        return put_fixed(sink, spec, sign, d, behind > 0 ? behind : 0);
    }
    return put_scientific(sink, spec, sign, d, precision - 1);
}

static bool put_decimal(struct sink *sink, const struct spec *spec, const char *sign,
                        uint64_t mantissa, int exponent)
{
    char buf[words_for(exponent) * WORD_DIGITS + 1];
    struct decimal d = {.digits = buf + 1};
    int precision = spec->precision < 0 ? 6 : spec->precision;
    bool fixed = (spec->letter | 32) == 'f';
    expand(&d, mantissa, exponent, precision < DIGITS_MAX ? precision : DIGITS_MAX, fixed);
    switch (spec->letter | 32) {
    case 'f':
        if (d.point <= __INT_MAX__ - precision)
            round_to(&d, d.point + precision);
        return put_fixed(sink, spec, sign, &d, precision);
    case 'e':
        if (precision < __INT_MAX__)
            round_to(&d, precision + 1);
        return put_scientific(sink, spec, sign, &d, precision);
    default: return put_general(sink, spec, sign, &d);
    }
}

/*
 * Keep PRECISION hexadecimal digits of a fraction whose first is in the highest bits. Returns the carry into
 * the digit before it, which is odd if ODD.
 */
static unsigned round_hex(uint64_t *fraction, int precision, bool odd)
{
    if (precision < 0 || precision >= MANTISSA_BITS / 4)
        return 0;
    uint64_t unit = 1UL << (MANTISSA_BITS - 4 * precision - 1) << 1; /* 0 when no digit is kept */
    uint64_t rest = *fraction & (unit - 1), half = 1UL << (MANTISSA_BITS - 4 * precision - 1);
    *fraction -= rest;
    if (precision > 0)
        odd = *fraction & unit;
    if (rest < half || (rest == half && !odd))
        return 0;
    return precision == 0 || __builtin_add_overflow(*fraction, unit, fraction);
}

/*
 * %a: the bits as they are, one digit (a long double's mantissa gives it four bits, a double's one), then
 * the rest in hexadecimal and the power of two.
 */
static bool put_hex(struct sink *sink, const struct spec *spec, const char *sign, uint64_t mantissa,
                    int exponent)
{
    bool upper = !(spec->letter & 32);
    const char *letters = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char prefix[4], text[20], power[12];
    int lead_bits = spec->length == LENGTH_LONG_DOUBLE ? 4 : 1;
    unsigned lead = 0;
    if (mantissa) {
        int shift = __builtin_clzl(mantissa);
        mantissa <<= shift;
        exponent += MANTISSA_BITS - shift - lead_bits;
        lead = (unsigned)(mantissa >> (MANTISSA_BITS - lead_bits));
        mantissa <<= lead_bits;
        lead += round_hex(&mantissa, spec->precision, lead & 1);
        if (lead == 16) {
            lead = 1;
            exponent += 4;
        }
    } else {
        exponent = 0;
    }
    int n = 0;
    for (; mantissa; mantissa <<= 4)
        text[n++] = letters[mantissa >> 60];
    int behind = spec->precision < 0 ? n : spec->precision;
    if (n > behind)
        n = behind;
    strcpy(prefix, sign);
    strcat(prefix, upper ? "0X" : "0x");
    int power_length = exponent_text(power, upper ? 'P' : 'p', exponent);
    bool point = behind > 0 || spec->alternate;
    long body = 1L + point + behind + power_length;
    return begin(sink, spec, prefix, body) && __sink_put(sink, &letters[lead], 1) &&
           (!point || __sink_put(sink, ".", 1)) && __sink_put(sink, text, (size_t)n) &&
           __sink_pad(sink, '0', behind - n) && __sink_put(sink, power, (size_t)power_length) &&
           finish(sink, spec, prefix, body);
}

bool __format_float(struct sink *sink, const struct spec *given, long double value)
{
    struct spec spec = *given;
    const char *sign = sign_of(&spec, value);
    bool upper = !(spec.letter & 32);
    if (!__builtin_isfinite(value)) {
        spec.zero = false;
        const char *word =
            __builtin_isnan(value) ? (upper ? "NAN" : "nan") : (upper ? "INF" : "inf");
        return __format_number(sink, &spec, sign, 0, word, 3);
    }
    union {
        long double value;
        struct {
            uint64_t mantissa;
            uint16_t exponent;
        };
    } bits = {.value = value};
    int exponent = bits.exponent & 0x7fff;
    exponent = (exponent ? exponent : 1) - 16383 - (MANTISSA_BITS - 1);
    uint64_t mantissa = bits.mantissa;
    if ((spec.letter | 32) == 'a')
        return put_hex(sink, &spec, sign, mantissa, exponent);
    if (mantissa == 0)
        exponent = 0;
    /* An exponent no lower than it must be keeps the expansion short. */
    while (mantissa && !(mantissa & 1) && exponent < 0) {
        mantissa >>= 1;
        exponent++;
    }
    return put_decimal(sink, &spec, sign, mantissa, exponent);
}
