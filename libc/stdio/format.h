/* The printf family's engine: __format() sends the pieces of its output to a sink. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "stdio/spec.h"

struct sink {
    /* Take N bytes; false when they could not be written. */
    bool (*put)(struct sink *sink, const char *s, size_t n);
    size_t count; /* bytes so far, also those that found no room; INT_MAX at most */
};

/* One conversion specification (C17 7.21.6.1): flags, width, precision, length modifier, letter. */
struct spec {
    bool left, plus, space, alternate, zero;
    int width;
    int precision; /* -1: not given */
    enum length length;
    char letter;
};

/* False when the sink refuses, or with EOVERFLOW when the output gets longer than INT_MAX. */
bool __sink_put(struct sink *sink, const char *s, size_t n);
bool __sink_pad(struct sink *sink, char c, long n);

/* A number: sign or 0x PREFIX, zeroes, DIGITS, to the width of SPEC. */
bool __format_number(struct sink *sink, const struct spec *spec, const char *prefix, long zeroes,
                     const char *digits, int n);
bool __format_float(struct sink *sink, const struct spec *spec, long double value);

/* The number of bytes, or -1 with errno. */
int __format(struct sink *sink, const char *text, va_list args);
