/*
 * printf's conversions, all but the floating ones (float.c): parse a specification, fetch its argument by
 * its length modifier, print. %n is not there: it has no use but in attacks, and a program that has it
 * in a format is told with -1 and EINVAL.
 */
#include "stdio/format.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include <abi/types.h>

bool sink_put(struct sink *sink, const char *s, size_t n)
{
    if (n == 0)
        return true;
    sink->count += n;
    return sink->put(sink, s, n);
}

bool sink_pad(struct sink *sink, char c, int n)
{
    char block[32];
    memset(block, c, sizeof(block));
    for (; n > 0; n -= (int)sizeof(block))
        if (!sink_put(sink, block, n < (int)sizeof(block) ? (size_t)n : sizeof(block)))
            return false;
    return true;
}

bool format_number(struct sink *sink, const struct spec *spec, const char *prefix, int zeroes,
                   const char *digits, int n)
{
    int used = (int)strlen(prefix) + zeroes + n;
    int pad = spec->width > used ? spec->width - used : 0;
    bool pad_zero = spec->zero && !spec->left;
    return (spec->left || pad_zero || sink_pad(sink, ' ', pad)) &&
           sink_put(sink, prefix, strlen(prefix)) && (!pad_zero || sink_pad(sink, '0', pad)) &&
           sink_pad(sink, '0', zeroes) && sink_put(sink, digits, (size_t)n) &&
           (!spec->left || sink_pad(sink, ' ', pad));
}

static bool format_text(struct sink *sink, const struct spec *spec, const char *s, size_t n)
{
    int pad = (size_t)spec->width > n ? spec->width - (int)n : 0;
    return (spec->left || sink_pad(sink, ' ', pad)) && sink_put(sink, s, n) &&
           (!spec->left || sink_pad(sink, ' ', pad));
}

/* VALUE in BASE ends at END; returns where it begins. Zero has no digits: the precision adds one. */
static char *digits_of(char *end, uint64_t value, unsigned base, bool upper)
{
    const char *letters = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    for (; value; value /= base)
        *--end = letters[value % base];
    return end;
}

static bool format_integer(struct sink *sink, const struct spec *given, uint64_t value,
                           bool negative)
{
    struct spec spec = *given;
    char buf[24], *end = buf + sizeof(buf);
    bool is_signed = spec.letter == 'd' || spec.letter == 'i';
    unsigned base = spec.letter == 'o'                                ? 8
                    : (spec.letter | 32) == 'x' || spec.letter == 'p' ? 16
                                                                      : 10;
    const char *prefix = "";
    char *digits = digits_of(end, value, base, spec.letter == 'X');
    int n = (int)(end - digits);
    if (is_signed)
        prefix = negative ? "-" : spec.plus ? "+" : spec.space ? " " : "";
    else if (base == 16 && value && (spec.alternate || spec.letter == 'p'))
        prefix = spec.letter == 'X' ? "0X" : "0x";
    if (spec.precision >= 0)
        spec.zero = false;
    int least = spec.precision < 0 ? 1 : spec.precision;
    if (base == 8 && spec.alternate && n >= least)
        least = n + 1;
    return format_number(sink, &spec, prefix, least > n ? least - n : 0, digits, n);
}

/* A decimal number in a format; -1 when it doesn't fit. */
static int parse_int(const char **text)
{
    int n = 0;
    for (; **text >= '0' && **text <= '9'; ++*text)
        if (n >= 0 &&
            (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, **text - '0', &n)))
            n = -1;
    return n;
}

static bool parse_flag(struct spec *spec, char c)
{
    switch (c) {
    case '-': return spec->left = true;
    case '+': return spec->plus = true;
    case ' ': return spec->space = true;
    case '#': return spec->alternate = true;
    case '0': return spec->zero = true;
    default: return false;
    }
}

static int parse_length(const char **text)
{
    char c = **text;
    if (!c || !strchr("hljztL", c))
        return LENGTH_INT;
    bool twice = *++*text == c && (c == 'h' || c == 'l');
    *text += twice;
    if (c == 'h')
        return twice ? LENGTH_CHAR : LENGTH_SHORT;
    return c == 'L' ? LENGTH_LONG_DOUBLE : LENGTH_LONG;
}

/* va_list may be an array type: a struct lets functions share one. */
struct args {
    va_list list;
};

/* From behind the % to behind the letter. False when width or precision don't fit in an int. */
static bool parse_spec(struct spec *spec, const char **text, struct args *args)
{
    *spec = (struct spec){.precision = -1};
    while (parse_flag(spec, **text))
        ++*text;
    if (**text == '*') {
        ++*text;
        spec->width = va_arg(args->list, int);
        if (spec->width < 0) {
            spec->left = true;
            spec->width = spec->width == INT_MIN ? -1 : -spec->width;
        }
    } else {
        spec->width = parse_int(text);
    }
    if (**text == '.') {
        ++*text;
        if (**text == '*') {
            ++*text;
            spec->precision = va_arg(args->list, int);
            if (spec->precision < 0)
                spec->precision = -1;
        } else {
            spec->precision = parse_int(text);
            if (spec->precision < 0)
                return false;
        }
    }
    spec->length = parse_length(text);
    spec->letter = *(*text)++;
    return spec->width >= 0;
}

static int64_t next_signed(const struct spec *spec, struct args *args)
{
    switch (spec->length) {
    case LENGTH_LONG:
    case LENGTH_LONG_DOUBLE: return va_arg(args->list, long);
    case LENGTH_SHORT: return (short)va_arg(args->list, int);
    case LENGTH_CHAR: return (signed char)va_arg(args->list, int);
    default: return va_arg(args->list, int);
    }
}

static uint64_t next_unsigned(const struct spec *spec, struct args *args)
{
    switch (spec->length) {
    case LENGTH_LONG:
    case LENGTH_LONG_DOUBLE: return va_arg(args->list, unsigned long);
    case LENGTH_SHORT: return (unsigned short)va_arg(args->list, unsigned);
    case LENGTH_CHAR: return (unsigned char)va_arg(args->list, unsigned);
    default: return va_arg(args->list, unsigned);
    }
}

static bool format_string(struct sink *sink, const struct spec *spec, const char *s)
{
    if (!s)
        s = "(null)";
    size_t n = spec->precision < 0 ? strlen(s) : strnlen(s, (size_t)spec->precision);
    return format_text(sink, spec, s, n);
}

static bool format_pointer(struct sink *sink, const struct spec *spec, const void *p)
{
    if (!p)
        return format_text(sink, spec, "(nil)", 5);
    return format_integer(sink, spec, (uintptr_t)p, false);
}

/* False with errno set when the letter is none or the sink refuses. */
static bool convert(struct sink *sink, const struct spec *spec, struct args *args)
{
    char c;
    int64_t number;
    switch (spec->letter) {
    case 'd':
    case 'i':
        number = next_signed(spec, args);
        return format_integer(sink, spec, number < 0 ? -(uint64_t)number : (uint64_t)number,
                              number < 0);
    case 'u':
    case 'o':
    case 'x':
    case 'X': return format_integer(sink, spec, next_unsigned(spec, args), false);
    case 'c': c = (char)va_arg(args->list, int); return format_text(sink, spec, &c, 1);
    case 's': return format_string(sink, spec, va_arg(args->list, const char *));
    case 'p': return format_pointer(sink, spec, va_arg(args->list, void *));
    case '%': return sink_put(sink, "%", 1);
    case 'm': return format_string(sink, spec, strerror(errno));
    case 'a':
    case 'A':
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
        if (spec->length == LENGTH_LONG_DOUBLE)
            return format_float(sink, spec, va_arg(args->list, long double));
        return format_float(sink, spec, va_arg(args->list, double));
    default: errno = EINVAL; return false;
    }
}

int format(struct sink *sink, const char *text, va_list list)
{
    struct args args;
    struct spec spec;
    int result = -1;
    va_copy(args.list, list);
    for (;;) {
        const char *percent = strchrnul(text, '%');
        if (!sink_put(sink, text, (size_t)(percent - text)))
            break;
        if (!*percent) {
            result = (int)sink->count;
            break;
        }
        text = percent + 1;
        if (!parse_spec(&spec, &text, &args)) {
            errno = EOVERFLOW;
            break;
        }
        if (!convert(sink, &spec, &args))
            break;
        if (sink->count > INT_MAX) {
            errno = EOVERFLOW;
            break;
        }
    }
    va_end(args.list);
    return result;
}
