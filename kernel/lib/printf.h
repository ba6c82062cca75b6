/*
 * Formatted output into memory: C's printf without floating point and without wide characters.
 * Conversions: d i u x X o c s p %, with flags - 0 + space #, width, precision, *, and lengths
 * hh h l ll z j t. %pS prints a code address as symbol+offset; %pe prints an err_ptr's errno by name.
 */
#pragma once

#include <stdarg.h>

#include "lib/types.h"

/* Both write at most SIZE bytes including the NUL and return the length the whole text has. */
int vsnprintf(char *buf, size_t size, const char *format, va_list args) format_printf(3, 0);
int snprintf(char *buf, size_t size, const char *format, ...) format_printf(3, 4);
