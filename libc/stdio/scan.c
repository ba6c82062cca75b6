/*
 * scanf's conversions (C17 7.21.6.2). Each takes from the input what may be the beginning of what it wants, one
 * character after the other, and stops at the first that doesn't fit, which stays in the file. What it took is a
 * text: a string's is built where the program wants it, a number's in a buffer of ours, which strtol or
 * strtod then reads. So "1e+" takes three characters and is no number: only one character can be given back.
 */
#include "stdio/scan.h"

#include <ctype.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stdio/spec.h"

enum outcome { MATCH, NO_MATCH, NO_INPUT };

/* What one conversion has taken. */
struct text {
    char *at; /* NULL: what comes is dropped */
    size_t n;
    size_t size; /* 0: the array is the program's, of unknown size */
    bool ours;   /* at is from malloc */
    bool failed; /* there was no memory */
};

struct conversion {
    bool suppress, allocate;
    size_t room; /* how much of the width is left */
    enum length length;
    char letter;
    void *to;
    bool members[UCHAR_MAX + 1]; /* of %[, %s and %c: what belongs to it */
};

struct scan {
    FILE *file;
    size_t count; /* characters taken from the file */
    int assigned;
    va_list args, all; /* the next one, and all from the first, for n$ */
};

static void text_put(struct text *t, int c)
{
    if (t->size && t->n == t->size) {
        char *larger = realloc(t->ours ? t->at : NULL, t->size * 2);
        t->failed |= !larger;
        if (!larger)
            return;
        if (!t->ours)
            memcpy(larger, t->at, t->n);
        t->ours = true;
        t->at = larger;
        t->size *= 2;
    }
    if (t->at)
        t->at[t->n] = (char)c;
    t->n++;
}

static int get(struct scan *s)
{
    int c = __file_getc(s->file);
    s->count += c != EOF;
    return c;
}

/* Give back C, which was just got. */
static void unget(struct scan *s, int c)
{
    if (c != EOF) {
        s->file->pos--;
        s->count--;
    }
}

static int peek(struct scan *s)
{
    int c = get(s);
    unget(s, c);
    return c;
}

static void skip_space(struct scan *s)
{
    while (isspace(peek(s)))
        get(s);
}

/* The outcome when C came instead of what was wanted. */
static enum outcome mismatch(int c)
{
    return c == EOF ? NO_INPUT : NO_MATCH;
}

/* If the next character is one of WANTED, take it. */
static bool take(struct scan *s, struct conversion *v, struct text *t, const char *wanted)
{
    int c = v->room ? peek(s) : EOF;
    if (c <= 0 || !strchr(wanted, c))
        return false;
    v->room--;
    text_put(t, get(s));
    return true;
}

static int take_all(struct scan *s, struct conversion *v, struct text *t, const char *wanted)
{
    int n = 0;
    while (take(s, v, t, wanted))
        n = 1;
    return n;
}

/* The letters of WORD in either case. */
static bool take_word(struct scan *s, struct conversion *v, struct text *t, const char *word)
{
    for (; *word; word++)
        if (!take(s, v, t, (char[]){*word, (char)toupper(*word), '\0'}))
            return false;
    return true;
}

#define DECIMAL "0123456789"
#define HEXADECIMAL DECIMAL "abcdefABCDEF"

static bool take_integer(struct scan *s, struct conversion *v, struct text *t, int *base)
{
    bool any = false;
    take(s, v, t, "+-");
    if ((*base == 0 || *base == 16) && take(s, v, t, "0")) {
        any = true;
        if (take(s, v, t, "xX")) {
            any = false;
            *base = 16;
        } else if (*base == 0) {
            *base = 8;
        }
    } else if (*base == 0) {
        *base = 10;
    }
    return take_all(s, v, t, *base == 8 ? "01234567" : *base == 10 ? DECIMAL : HEXADECIMAL) || any;
}

static bool take_float(struct scan *s, struct conversion *v, struct text *t)
{
    bool any = false, hex = false;
    take(s, v, t, "+-");
    if (take(s, v, t, "iI"))
        return take_word(s, v, t, "nf") && (!take(s, v, t, "iI") || take_word(s, v, t, "nity"));
    if (take(s, v, t, "nN")) {
        if (!take_word(s, v, t, "an"))
            return false;
        if (!take(s, v, t, "("))
            return true;
        take_all(s, v, t, DECIMAL "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");
        return take(s, v, t, ")");
    }
    if (take(s, v, t, "0")) {
        any = true;
        hex = take(s, v, t, "xX");
        any = !hex;
    }
    any |= take_all(s, v, t, hex ? HEXADECIMAL : DECIMAL);
    if (take(s, v, t, "."))
        any |= take_all(s, v, t, hex ? HEXADECIMAL : DECIMAL);
    if (!any)
        return false;
    if (!take(s, v, t, hex ? "pP" : "eE"))
        return true;
    take(s, v, t, "+-");
    return take_all(s, v, t, DECIMAL);
}

static void store_integer(const struct conversion *v, long value)
{
    switch (v->length) {
    case LENGTH_CHAR: *(char *)v->to = (char)value; break;
    case LENGTH_SHORT: *(short *)v->to = (short)value; break;
    case LENGTH_INT: *(int *)v->to = (int)value; break;
    default: *(long *)v->to = value; break;
    }
}

static void store_float(const struct conversion *v, const char *text)
{
    switch (v->length) {
    case LENGTH_LONG_DOUBLE: *(long double *)v->to = strtold(text, NULL); break;
    case LENGTH_LONG: *(double *)v->to = strtod(text, NULL); break;
    default: *(float *)v->to = strtof(text, NULL); break;
    }
}

/* %p reads what printf's %p writes, also of NULL. */
static bool take_pointer(struct scan *s, struct conversion *v, struct text *t, int *base)
{
    if (take(s, v, t, "("))
        return take_word(s, v, t, "nil") && take(s, v, t, ")");
    return take_integer(s, v, t, base);
}

static enum outcome convert_number(struct scan *s, struct conversion *v)
{
    char small[64];
    struct text t = {.at = small, .size = sizeof(small)};
    int base = strchr("xXp", v->letter) ? 16 : v->letter == 'o' ? 8 : v->letter == 'i' ? 0 : 10;
    bool is_float = strchr("aAeEfFgG", v->letter);
    bool is_signed = v->letter == 'd' || v->letter == 'i';
    bool taken = is_float           ? take_float(s, v, &t)
                 : v->letter == 'p' ? take_pointer(s, v, &t, &base)
                                    : take_integer(s, v, &t, &base);
    enum outcome outcome = taken ? MATCH : t.n ? NO_MATCH : mismatch(peek(s));
    text_put(&t, '\0');
    if (t.failed)
        outcome = NO_INPUT;
    if (outcome == MATCH && !v->suppress) {
        if (is_float)
            store_float(v, t.at);
        else if (is_signed)
            store_integer(v, strtol(t.at, NULL, base));
        else
            store_integer(v, (long)strtoul(t.at, NULL, base));
    }
    if (t.ours)
        free(t.at);
    return outcome;
}

/* A text of UTF-8 as wide characters: N of them, and 0 behind if it is a string. */
static bool store_wide(const struct conversion *v, const struct text *t, size_t n)
{
    wchar_t *to = v->to;
    if (v->allocate)
        to = *(wchar_t **)v->to = malloc((n + 1) * sizeof(*to));
    if (!to)
        return false;
    const char *from = t->at, *end = t->at + t->n;
    for (size_t i = 0; i < n; i++) {
        int length = mbtowc(to + i, from, (size_t)(end - from));
        if (length < 0) {
            if (v->allocate)
                free(to);
            return false;
        }
        from += length ? length : 1; /* NUL is a character of one byte */
    }
    if (v->letter != 'c')
        to[n] = 0;
    return true;
}

/* Bytes that continue a character behind C, if C begins one. */
static int continuation(int c)
{
    return c < 0xc0 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
}

/* %c, %s and %[. The width counts characters, which are more than bytes if they are wide. */
static enum outcome convert_text(struct scan *s, struct conversion *v)
{
    bool wide = v->length == LENGTH_LONG, build = v->allocate || wide;
    struct text t = {.at = v->to};
    size_t n = 0;
    int more = 0, c = 0;
    if (build && !v->suppress)
        t = (struct text){.at = malloc(32), .size = 32, .ours = true};
    t.failed = build && !v->suppress && !t.at;
    for (; !t.failed && (v->room || more); text_put(&t, c)) {
        c = peek(s);
        if (c == EOF || (!more && !v->members[c]))
            break;
        get(s);
        if (more) {
            more--;
        } else {
            v->room--;
            n++;
            more = wide ? continuation(c) : 0;
        }
    }
    enum outcome outcome = t.failed ? NO_INPUT : n == 0 ? mismatch(c) : MATCH;
    if (v->letter == 'c' && n && v->room)
        outcome = NO_MATCH; /* exactly as many as the width says */
    if (outcome == MATCH && wide && !v->suppress) {
        outcome = store_wide(v, &t, n) ? MATCH : NO_INPUT;
    } else if (outcome == MATCH) {
        if (v->letter != 'c')
            text_put(&t, '\0');
        if (t.failed)
            outcome = NO_INPUT;
        else if (build && !v->suppress)
            *(char **)v->to = t.at;
    }
    if (t.ours && (wide || outcome != MATCH))
        free(t.at);
    return outcome;
}

/* The set behind %[, which ends with the first ] that isn't its first character. */
static bool parse_set(struct conversion *v, const char **format)
{
    const unsigned char *p = (const unsigned char *)*format;
    bool inverted = *p == '^';
    p += inverted;
    memset(v->members, inverted, sizeof(v->members));
    const unsigned char *first = p;
    for (; *p && (*p != ']' || p == first); p++) {
        v->members[*p] = !inverted;
        if (p[1] != '-' || p[2] == ']' || !p[2])
            continue;
        for (int c = *p; c <= p[2]; c++)
            v->members[c] = !inverted;
        p += 2;
    }
    *format = (const char *)p + 1;
    return *p;
}

static void set_for_string(struct conversion *v)
{
    for (int c = 0; c <= UCHAR_MAX; c++)
        v->members[c] = v->letter == 'c' || !isspace(c);
}

/* From behind the % to behind the conversion. False when it is none. */
static bool parse(struct scan *s, struct conversion *v, const char **format)
{
    int position = __spec_parse_position(format);
    v->suppress = **format == '*';
    *format += v->suppress;
    const char *before = *format;
    int width = __spec_parse_int(format);
    bool has_width = *format != before;
    v->allocate = **format == 'm';
    *format += v->allocate;
    v->length = __spec_parse_length(format);
    v->letter = **format;
    if (!v->letter || width < 0 || !strchr("%aAcCdeEfFgGinopsSuxX[", v->letter))
        return false;
    ++*format;
    if (strchr("CSp", v->letter))
        v->length = LENGTH_LONG;
    if (v->letter == 'C' || v->letter == 'S')
        v->letter |= 32;
    v->room = has_width ? (size_t)width : v->letter == 'c' ? 1 : SIZE_MAX;
    if (v->letter == '[' && !parse_set(v, format))
        return false;
    if (v->letter == 's' || v->letter == 'c')
        set_for_string(v);
    v->to = NULL;
    if (v->suppress || v->letter == '%')
        return true;
    if (!position) {
        v->to = va_arg(s->args, void *);
        return true;
    }
    va_list args;
    va_copy(args, s->all);
    while (position-- > 0)
        v->to = va_arg(args, void *);
    va_end(args);
    return true;
}

static enum outcome literal(struct scan *s, int wanted)
{
    int c = peek(s);
    if (c != wanted)
        return mismatch(c);
    get(s);
    return MATCH;
}

static enum outcome convert(struct scan *s, struct conversion *v)
{
    enum outcome outcome;
    if (!strchr("c[n", v->letter))
        skip_space(s);
    switch (v->letter) {
    case '%': return literal(s, '%');
    case 'n':
        if (!v->suppress)
            store_integer(v, (long)s->count);
        return MATCH;
    case 'c':
    case 's':
    case '[': outcome = convert_text(s, v); break;
    default: outcome = convert_number(s, v); break;
    }
    s->assigned += outcome == MATCH && !v->suppress;
    return outcome;
}

static enum outcome scan_all(struct scan *s, const char *format)
{
    struct conversion conversion;
    enum outcome outcome = MATCH;
    while (outcome == MATCH && *format) {
        if (isspace((unsigned char)*format)) {
            skip_space(s);
            format++;
        } else if (*format != '%') {
            outcome = literal(s, (unsigned char)*format++);
        } else {
            format++;
            outcome = parse(s, &conversion, &format) ? convert(s, &conversion) : NO_MATCH;
        }
    }
    return outcome;
}

int __scan(FILE *f, const char *format, va_list args)
{
    struct scan s = {.file = f};
    va_copy(s.args, args);
    va_copy(s.all, args);
    enum outcome outcome = scan_all(&s, format);
    va_end(s.args);
    va_end(s.all);
    return outcome == NO_INPUT && s.assigned == 0 ? EOF : s.assigned;
}
