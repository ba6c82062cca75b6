/*
 * The formatter of printf.h. A conversion is read into a struct spec, turned into a piece of text, and
 * put out with its padding; the output keeps counting after the buffer is full.
 */
#include "lib/printf.h"

#include "lib/string.h"
#include "lib/symbols.h"

struct out {
    char *buf;
    size_t size;
    size_t len; /* what the whole text has so far, written or not */
};

struct spec {
    bool left, plus, space, alt, zero;
    int width;
    int precision; /* -1: none */
    int size;      /* bytes of the integer argument */
};

static void put(struct out *o, char c)
{
    if (o->len + 1 < o->size)
        o->buf[o->len] = c;
    o->len++;
}

static void put_n(struct out *o, char c, int n)
{
    while (n-- > 0)
        put(o, c);
}

/* PREFIX (sign or 0x), zeroes and TEXT, padded to the width. */
static void put_field(struct out *o, const struct spec *s, const char *prefix, int zeroes,
                      const char *text, int len)
{
    int pad = s->width - (int)strlen(prefix) - zeroes - len;
    if (!s->left)
        put_n(o, ' ', pad);
    while (*prefix)
        put(o, *prefix++);
    put_n(o, '0', zeroes);
    for (int i = 0; i < len; i++)
        put(o, text[i]);
    if (s->left)
        put_n(o, ' ', pad);
}

static void put_number(struct out *o, const struct spec *s, uint64_t v, unsigned base, bool upper,
                       const char *prefix)
{
    char text[24];
    char *p = text + sizeof(text);
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";

    for (uint64_t rest = v; rest; rest /= base)
        *--p = digits[rest % base];
    int len = (int)(text + sizeof(text) - p);
    int zeroes = (s->precision < 0 ? 1 : s->precision) - len;
    if (base == 8 && s->alt) /* # asks for a leading zero in octal, which the precision may give */
        zeroes = max(zeroes, 1);
    if (s->zero && !s->left && s->precision < 0)
        zeroes = max(zeroes, s->width - (int)strlen(prefix) - len);
    put_field(o, s, prefix, max(zeroes, 0), p, len);
}

static void put_string(struct out *o, const struct spec *s, const char *text)
{
    if (!text)
        text = "(null)";
    size_t most = s->precision < 0 ? SIZE_MAX : (size_t)s->precision;
    put_field(o, s, "", 0, text, (int)strnlen(text, most));
}

/* %p, and its two relatives of our own: %pS and %pe. Returns how many letters after the p were used. */
static int put_pointer(struct out *o, struct spec *s, const char *after, const void *p)
{
    if (*after == 'S') {
        char text[96];
        uintptr_t offset;
        const char *name = symbol_lookup((uintptr_t)p, &offset);
        if (name)
            snprintf(text, sizeof(text), "%s+%#lx", name, offset);
        else
            snprintf(text, sizeof(text), "%#lx", (uintptr_t)p);
        put_string(o, s, text);
        return 1;
    }
    if (*after == 'e') {
        char text[24];
        snprintf(text, sizeof(text), "error %ld", -ptr_err(p));
        put_string(o, s, text);
        return 1;
    }
    s->precision = 16;
    put_number(o, s, (uintptr_t)p, 16, false, "0x");
    return 0;
}

static const char *parse_flags(const char *f, struct spec *s)
{
    for (;; f++) {
        switch (*f) {
        case '-': s->left = true; break;
        case '+': s->plus = true; break;
        case ' ': s->space = true; break;
        case '#': s->alt = true; break;
        case '0': s->zero = true; break;
        default: return f;
        }
    }
}

static const char *parse_int(const char *f, int *value, va_list *args)
{
    if (*f == '*') {
        *value = va_arg(*args, int);
        return f + 1;
    }
    *value = 0;
    for (; *f >= '0' && *f <= '9'; f++)
        *value = *value * 10 + (*f - '0');
    return f;
}

static const char *parse_length(const char *f, struct spec *s)
{
    s->size = sizeof(int);
    switch (*f) {
    case 'h':
        s->size = f[1] == 'h' ? sizeof(char) : sizeof(short);
        return f + (f[1] == 'h' ? 2 : 1);
    case 'l': s->size = sizeof(long); return f + (f[1] == 'l' ? 2 : 1);
    case 'z':
    case 'j':
    case 't': s->size = sizeof(size_t); return f + 1;
    default: return f;
    }
}

static const char *parse_spec(const char *f, struct spec *s, va_list *args)
{
    *s = (struct spec){.precision = -1};
    f = parse_flags(f, s);
    f = parse_int(f, &s->width, args);
    if (s->width < 0)
        s->left = true, s->width = -s->width;
    if (*f == '.')
        f = parse_int(f + 1, &s->precision, args);
    return parse_length(f, s);
}

/* The argument, cut to the size that the length letters name. */
static uint64_t arg_unsigned(const struct spec *s, va_list *args)
{
    switch (s->size) {
    case 1: return (uint8_t)va_arg(*args, unsigned);
    case 2: return (uint16_t)va_arg(*args, unsigned);
    case 4: return va_arg(*args, unsigned);
    default: return va_arg(*args, unsigned long);
    }
}

static int64_t arg_signed(const struct spec *s, va_list *args)
{
    switch (s->size) {
    case 1: return (int8_t)va_arg(*args, int);
    case 2: return (int16_t)va_arg(*args, int);
    case 4: return va_arg(*args, int);
    default: return va_arg(*args, long);
    }
}

static void put_signed(struct out *o, const struct spec *s, int64_t v)
{
    const char *sign = v < 0 ? "-" : s->plus ? "+" : s->space ? " " : "";
    put_number(o, s, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, false, sign);
}

static void put_hex(struct out *o, const struct spec *s, uint64_t v, bool upper)
{
    put_number(o, s, v, 16, upper, s->alt && v ? (upper ? "0X" : "0x") : "");
}

/* Put out one conversion; F points at its letter. Returns what follows. */
static const char *convert(struct out *o, struct spec *s, const char *f, va_list *args)
{
    switch (*f) {
    case 'd':
    case 'i': put_signed(o, s, arg_signed(s, args)); break;
    case 'u': put_number(o, s, arg_unsigned(s, args), 10, false, ""); break;
    case 'x': put_hex(o, s, arg_unsigned(s, args), false); break;
    case 'X': put_hex(o, s, arg_unsigned(s, args), true); break;
    case 'o': put_number(o, s, arg_unsigned(s, args), 8, false, ""); break;
    case 'c': {
        char c = (char)va_arg(*args, int);
        put_field(o, s, "", 0, &c, 1);
        break;
    }
    case 's': put_string(o, s, va_arg(*args, const char *)); break;
    case 'p': f += put_pointer(o, s, f + 1, va_arg(*args, void *)); break;
    case '%': put(o, '%'); break;
    case '\0': return f;
    default: put(o, '%'), put(o, *f); break;
    }
    return f + 1;
}

int vsnprintf(char *buf, size_t size, const char *format, va_list original)
{
    struct out o = {.buf = buf, .size = size};
    struct spec s;
    va_list args;

    va_copy(args, original);
    while (*format) {
        if (*format != '%') {
            put(&o, *format++);
            continue;
        }
        format = parse_spec(format + 1, &s, &args);
        format = convert(&o, &s, format, &args);
    }
    va_end(args);
    if (size)
        buf[min(o.len, size - 1)] = '\0';
    return (int)o.len;
}

int snprintf(char *buf, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(buf, size, format, args);
    va_end(args);
    return n;
}
