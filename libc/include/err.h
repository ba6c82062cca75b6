/* <err.h>, from BSD: messages `program: text: reason` on standard error. The x forms have no reason. */
#pragma once

#include <stdarg.h>

void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void warnx(const char *format, ...) __attribute__((format(printf, 1, 2)));
void vwarn(const char *format, va_list args) __attribute__((format(printf, 1, 0)));
void vwarnx(const char *format, va_list args) __attribute__((format(printf, 1, 0)));
_Noreturn void err(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void errx(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void verr(int status, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
_Noreturn void verrx(int status, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
