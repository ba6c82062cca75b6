/*
 * printf's conversions, all but the floating ones (float.c): parse a specification, fetch its arguments, print.
 *
 * An x86-64 va_list has the arguments in three ways: integers and pointers of whatever size fill one slot of
 * eight bytes, doubles another kind of slot, long doubles two on the stack. So an argument's class is all that
 * must be known to fetch it; its length modifier says later how much of it counts. A format with positions
 * ("%2$s") is read twice: first for the class of each argument, which can only be fetched in order.
 */
#include "stdio/format.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define POSITIONS_MAX 64 /* POSIX wants 9 (NL_ARGMAX) */

union arg {
    long integer;
    void *pointer;
    long double real;
};

enum kind { NOTHING, INTEGER, DOUBLE, LONG_DOUBLE };

/* va_list may be an array type: a struct lets functions share one. */
struct args {
    va_list list;
    const union arg *fetched; /* by position, from 1; NULL: the list is used in order */
};

static bool overflow(void)
{
    errno = EOVERFLOW;
    return false;
}

bool __sink_put(struct sink *sink, const char *s, size_t n)
{
    if (n == 0)
        return true;
    if (n > INT_MAX - sink->count)
        return overflow();
    sink->count += n;
    return sink->put(sink, s, n);
}

bool __sink_pad(struct sink *sink, char c, long n)
{
    char block[32];
    if (n > 0 && (size_t)n > INT_MAX - sink->count)
        return overflow();
    memset(block, c, sizeof(block));
    for (; n > 0; n -= (long)sizeof(block))
        if (!__sink_put(sink, block, n < (long)sizeof(block) ? (size_t)n : sizeof(block)))
            return false;
    return true;
}

bool __format_number(struct sink *sink, const struct spec *spec, const char *prefix, long zeroes,
                     const char *digits, int n)
{
    long pad = spec->width - ((long)strlen(prefix) + zeroes + n);
    bool pad_zero = spec->zero && !spec->left;
    return (spec->left || pad_zero || __sink_pad(sink, ' ', pad)) &&
           __sink_put(sink, prefix, strlen(prefix)) && (!pad_zero || __sink_pad(sink, '0', pad)) &&
           __sink_pad(sink, '0', zeroes) && __sink_put(sink, digits, (size_t)n) &&
           (!spec->left || __sink_pad(sink, ' ', pad));
}

static bool format_text(struct sink *sink, const struct spec *spec, const char *s, size_t n)
{
    long pad = spec->width - (long)n;
    return (spec->left || __sink_pad(sink, ' ', pad)) && __sink_put(sink, s, n) &&
           (!spec->left || __sink_pad(sink, ' ', pad));
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
    return __format_number(sink, &spec, prefix, least > n ? least - n : 0, digits, n);
}

static bool parse_flag(struct spec *spec, char c)
{
    switch (c) {
    case '-': return spec->left = true;
    case '+': return spec->plus = true;
    case ' ': return spec->space = true;
    case '#': return spec->alternate = true;
    case '0': return spec->zero = true;
    case '\'': return true; /* groups of digits: this locale has none */
    default: return false;
    }
}

/* The classes of a format's arguments by position, from 1; COUNT is the highest. */
struct positions {
    int count;
    bool too_high;
    unsigned char kind[POSITIONS_MAX + 1];
};

static void fetch(union arg *to, struct args *args, enum kind kind)
{
    switch (kind) {
    case NOTHING: break;
    case INTEGER: to->integer = va_arg(args->list, long); break;
    case DOUBLE: to->real = va_arg(args->list, double); break;
    case LONG_DOUBLE: to->real = va_arg(args->list, long double); break;
    }
}

/* The next argument, or that at POSITION. With POSITIONS only its class is noted, and its value is 0. */
static void next(union arg *to, struct args *args, struct positions *positions, int position,
                 enum kind kind)
{
    to->integer = 0;
    if (kind == NOTHING || (positions && !position))
        return;
    if (!position) {
        fetch(to, args, kind);
    } else if (!positions) {
        *to = args->fetched[position];
    } else if (position < 0 || position > POSITIONS_MAX) {
        positions->too_high = true;
    } else {
        positions->kind[position] = kind;
        if (positions->count < position)
            positions->count = position;
    }
}

static enum kind kind_of(const struct spec *spec)
{
    if (spec->letter == '%' || spec->letter == 'm')
        return NOTHING;
    if (!strchr("aAeEfFgG", spec->letter))
        return INTEGER;
    return spec->length == LENGTH_LONG_DOUBLE ? LONG_DOUBLE : DOUBLE;
}

/* A number or a star, which stands for an argument. */
static int parse_number(const char **text, struct args *args, struct positions *positions)
{
    if (**text != '*')
        return __spec_parse_int(text);
    ++*text;
    union arg value;
    next(&value, args, positions, __spec_parse_position(text), INTEGER);
    return (int)value.integer;
}

/*
 * From behind the % to behind the letter, and the argument. False when it ends too soon, or when width or
 * precision don't fit in an int.
 */
static bool parse_spec(struct spec *spec, union arg *value, const char **text, struct args *args,
                       struct positions *positions)
{
    *spec = (struct spec){.precision = -1};
    int position = __spec_parse_position(text);
    while (parse_flag(spec, **text))
        ++*text;
    bool star = **text == '*';
    spec->width = parse_number(text, args, positions);
    if (star && spec->width < 0) {
        spec->left = true;
        spec->width = spec->width == INT_MIN ? -1 : -spec->width;
    }
    if (spec->width < 0)
        return overflow();
    if (**text == '.') {
        ++*text;
        star = **text == '*';
        spec->precision = parse_number(text, args, positions);
        if (spec->precision < 0 && !star)
            return overflow();
        if (spec->precision < 0)
            spec->precision = -1;
    }
    spec->length = __spec_parse_length(text);
    spec->letter = **text;
    if (!spec->letter) {
        errno = EINVAL;
        return false;
    }
    ++*text;
    if (spec->letter == 'C' || spec->letter == 'S') {
        spec->letter |= 32;
        spec->length = LENGTH_LONG;
    }
    next(value, args, positions, position, kind_of(spec));
    return true;
}

/* Fetch all arguments of a format with positions. False, with errno, when one is too high. */
static bool fetch_positions(const char *text, struct args *args, union arg *fetched)
{
    struct positions positions = {0};
    struct spec spec;
    union arg unused;
    while (*(text = strchrnul(text, '%'))) {
        text++;
        if (!parse_spec(&spec, &unused, &text, args, &positions))
            return false;
    }
    if (positions.too_high) {
        errno = EINVAL;
        return false;
    }
    /* One that the format doesn't name is taken for an int, as glibc does. */
    for (int i = 1; i <= positions.count; i++)
        fetch(&fetched[i], args, positions.kind[i] ? positions.kind[i] : INTEGER);
    args->fetched = fetched;
    return true;
}

static int64_t as_signed(const struct spec *spec, long value)
{
    switch (spec->length) {
    case LENGTH_INT: return (int)value;
    case LENGTH_SHORT: return (short)value;
    case LENGTH_CHAR: return (signed char)value;
    default: return value;
    }
}

static uint64_t as_unsigned(const struct spec *spec, long value)
{
    switch (spec->length) {
    case LENGTH_INT: return (unsigned)value;
    case LENGTH_SHORT: return (unsigned short)value;
    case LENGTH_CHAR: return (unsigned char)value;
    default: return (uint64_t)value;
    }
}

static bool format_string(struct sink *sink, const struct spec *spec, const char *s)
{
    if (!s)
        s = "(null)";
    size_t n = spec->precision < 0 ? strlen(s) : strnlen(s, (size_t)spec->precision);
    return format_text(sink, spec, s, n);
}

/* Wide characters as UTF-8: as many whole ones as the precision has bytes for. */
static bool format_wide(struct sink *sink, const struct spec *spec, const wchar_t *s)
{
    char bytes[MB_LEN_MAX];
    size_t max = spec->precision < 0 ? SIZE_MAX : (size_t)spec->precision, n = 0, count = 0;
    int length;
    for (; n < max && s[count]; count++, n += (size_t)length) {
        length = wctomb(bytes, s[count]);
        if (length < 0)
            return false;
        if ((size_t)length > max - n)
            break;
    }
    if (!spec->left && !__sink_pad(sink, ' ', spec->width - (long)n))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!__sink_put(sink, bytes, (size_t)wctomb(bytes, s[i])))
            return false;
    return !spec->left || __sink_pad(sink, ' ', spec->width - (long)n);
}

static bool format_character(struct sink *sink, const struct spec *spec, long value)
{
    char bytes[MB_LEN_MAX] = {(char)value};
    int n = spec->length == LENGTH_LONG ? wctomb(bytes, (wchar_t)value) : 1;
    return n >= 0 && format_text(sink, spec, bytes, (size_t)n);
}

static bool format_pointer(struct sink *sink, const struct spec *spec, const void *p)
{
    if (!p)
        return format_text(sink, spec, "(nil)", 5);
    return format_integer(sink, spec, (uintptr_t)p, false);
}

static bool store_count(const struct spec *spec, void *to, size_t count)
{
    switch (spec->length) {
    case LENGTH_CHAR: *(signed char *)to = (signed char)count; break;
    case LENGTH_SHORT: *(short *)to = (short)count; break;
    case LENGTH_INT: *(int *)to = (int)count; break;
    default: *(long *)to = (long)count; break;
    }
    return true;
}

/* False with errno set when the letter is none or the sink refuses. ERROR is what %m tells. */
static bool convert(struct sink *sink, const struct spec *spec, const union arg *value, int error)
{
    int64_t number;
    switch (spec->letter) {
    case 'd':
    case 'i':
        number = as_signed(spec, value->integer);
        return format_integer(sink, spec, number < 0 ? -(uint64_t)number : (uint64_t)number,
                              number < 0);
    case 'u':
    case 'o':
    case 'x':
    case 'X': return format_integer(sink, spec, as_unsigned(spec, value->integer), false);
    case 'c': return format_character(sink, spec, value->integer);
    case 's':
        if (spec->length == LENGTH_LONG && value->pointer)
            return format_wide(sink, spec, value->pointer);
        return format_string(sink, spec, value->pointer);
    case 'p': return format_pointer(sink, spec, value->pointer);
    case 'n': return store_count(spec, value->pointer, sink->count);
    case '%': return __sink_put(sink, "%", 1);
    case 'm': return format_string(sink, spec, strerror(error));
    case 'a':
    case 'A':
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': return __format_float(sink, spec, value->real);
    default: errno = EINVAL; return false;
    }
}

static bool format_all(struct sink *sink, const char *text, struct args *args, int error)
{
    struct spec spec;
    union arg value;
    for (;;) {
        const char *percent = strchrnul(text, '%');
        if (!__sink_put(sink, text, (size_t)(percent - text)))
            return false;
        if (!*percent)
            return true;
        text = percent + 1;
        if (!parse_spec(&spec, &value, &text, args, NULL) || !convert(sink, &spec, &value, error))
            return false;
    }
}

static bool has_positions(const char *text)
{
    while (*(text = strchrnul(text, '%'))) {
        text++;
        if (__spec_parse_position(&text))
            return true;
        text += *text == '%';
    }
    return false;
}

/* Apart, so that a format without positions doesn't pay for the array. */
__attribute__((noinline)) static bool format_positions(struct sink *sink, const char *text,
                                                       struct args *args, int error)
{
    union arg fetched[POSITIONS_MAX + 1];
    return fetch_positions(text, args, fetched) && format_all(sink, text, args, error);
}

int __format(struct sink *sink, const char *text, va_list list)
{
    struct args args = {.fetched = NULL};
    int error = errno;
    va_copy(args.list, list);
    bool done = has_positions(text) ? format_positions(sink, text, &args, error)
                                    : format_all(sink, text, &args, error);
    va_end(args.list);
    return done ? (int)sink->count : -1;
}
