/* musl: the printf family: every conversion, and each place that output can go to. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>

#include "tap.h"

static char out[8192];
static volatile size_t few = 4; /* of which the compiler knows nothing */

/* What the arguments look like, and that the length is told. */
#define prints(expected, ...)                                            \
    do {                                                                 \
        same(snprintf(out, sizeof(out), __VA_ARGS__), strlen(expected)); \
        same_text(out, expected);                                        \
    } while (0)

TEST(integers)
{
    prints("42 -42 +7  7", "%d %i %+d % d", 42, -42, 7, 7);
    prints("4294967295 ff FF 377", "%u %x %X %o", -1U, 255U, 255U, 255U);
    prints("0xff 0XFF 0377 0 0", "%#x %#X %#o %#x %#o", 255U, 255U, 255U, 0U, 0U);
    prints("[   42][42   ][00042][  042]", "[%5d][%-5d][%05d][%5.3d]", 42, 42, 42, 42);
    prints("[][0][     ]", "[%.0d][%d][%5.0d]", 0, 0, 0);
    prints("[ 42][42 ][007]", "[%*d][%*d][%.*d]", 3, 42, -3, 42, 3, 7);
    prints("-2147483648 -9223372036854775808", "%d %ld", -2147483647 - 1, INT64_MIN);
    prints("-1 255 -1 65535", "%hhd %hhu %hd %hu", 255, 255, 65535, 65535);
    prints("1 2 3 4 5", "%lld %jd %zd %td %ld", 1LL, (intmax_t)2, (ssize_t)3, (ptrdiff_t)4, 5L);
    prints("1 2 ff 7", "%" PRId64 " %" PRIu32 " %" PRIx64 " %" PRIoMAX, (int64_t)1, (uint32_t)2,
           (uint64_t)255, (uintmax_t)7);
}

TEST(texts)
{
    prints("[abc][  abc][abc  ][ab]", "[%s][%5s][%-5s][%.2s]", "abc", "abc", "abc", "abc");
    prints("x%y", "%c%%%c", 'x', 'y');
    prints("[  x]", "[%3c]", 'x');
    char unterminated[3] = {'a', 'b', 'c'};
    prints("abc", "%.3s", unterminated);
    prints("[wide][  wi]", "[%ls][%4.2ls]", L"wide", L"wide");
    prints("w", "%lc", (unsigned)L'w');
    errno = ENOENT;
    prints("No such file or directory", "%m");
    prints("0x1234", "%p", (void *)0x1234);
    same(snprintf(out, sizeof(out), "%c", 0), 1);
}

TEST(floats)
{
    prints("3.141593 -1.500000 0.000000 -0.000000", "%f %f %f %f", 3.14159265, -1.5, 0.0, -0.0);
    prints("2 4 2 1e+01", "%.0f %.0f %.0f %.0e", 2.5, 3.5, 1.5, 9.5);
    prints("1.000000e+100 1.0E-05", "%e %.1E", 1e100, 1e-5);
    prints("100000 1e+06 0.0001 1e-05 1.5", "%g %g %g %g %g", 1e5, 1e6, 1e-4, 1e-5, 1.5);
    prints("1.50000 1.", "%#g %#.0f", 1.5, 1.0);
    prints("inf -INF nan [  inf]", "%f %F %g [%05f]", 1 / 0.0, -1 / 0.0, __builtin_nan(""),
           1 / 0.0);
    prints("0x1p+0 0x1.8p+1 -0X1.8P+1 0x1.00p+0", "%a %a %A %.2a", 1.0, 3.0, -3.0, 1.0);
    prints("[    1.50][1.50    ][00001.50][+1.5]", "[%8.2f][%-8.2f][%08.2f][%+g]", 1.5, 1.5, 1.5,
           1.5);
    prints("0.1000000000000000055511151231257827021181583404541015625", "%.55f", 0.1);
    prints("4.9406564584124654e-324", "%.17g", 5e-324);
    same(snprintf(out, sizeof(out), "%f", 1.7976931348623157e308), 316);
    same(strncmp(out, "179769313486231570814527423731704356798070567525844996598917476", 63), 0);
}

TEST(long_doubles)
{
    prints("1.5 1.189731495357231765e+4932 3.645e-4951", "%Lg %.18Le %.3Le", 1.5L, __LDBL_MAX__,
           __LDBL_DENORM_MIN__);
    prints("0.333333333333333333342", "%.21Lf", 1 / 3.0L);
}

TEST(positions)
{
    prints("b a", "%2$s %1$s", "a", "b");
    prints("  7 1.50 7", "%1$*2$d %3$.*4$f %1$d", 7, 3, 1.5, 2);
}

TEST(counts)
{
    int n = 0;
    long l = 0;
    short h = 0;
    signed char hh = 0;
    same(snprintf(out, few, "abcdef%n%ln%hn%hhn", &n, &l, &h, &hh), 6);
    same(n, 6);
    same(l, 6);
    same(h, 6);
    same(hh, 6);
    same_text(out, "abc");
}

TEST(errors)
{
    const char *volatile wide = "%2147483647d%2147483647d";
    fails(snprintf(NULL, 0, wide, 1, 1), EOVERFLOW);
    int (*volatile print)(char *, size_t, const char *, ...) = snprintf;
    fails(print(out, sizeof(out), "%99999999999d", 1), EOVERFLOW);
    fails(dprintf(-1, "%d", 1), EBADF);
}

TEST(sizes)
{
    strcpy(out, "keep");
    same(snprintf(NULL, 0, "%d", 12345), 5);
    same(snprintf(out, few - 3, "%d", 12345), 5);
    same_text(out, "");
    same(sprintf(out, "%s-%s", "a", "b"), 3);
    same_text(out, "a-b");
}

TEST(allocating)
{
    char *text = NULL;
    same(asprintf(&text, "%0500d", 7), 500);
    same(strlen(text), 500);
    free(text);
}

static int forward(int (*with)(char *, const char *, va_list), const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = with(out, format, args);
    va_end(args);
    return n;
}

static int by_vsnprintf(char *to, const char *format, va_list args)
{
    return vsnprintf(to, sizeof(out), format, args);
}

static int by_vasprintf(char *to, const char *format, va_list args)
{
    char *text;
    int n = vasprintf(&text, format, args);
    strcpy(to, text);
    free(text);
    return n;
}

/* Into a file, which is then read back. */
static int by_file(int (*print)(const char *, va_list), char *to, const char *format, va_list args)
{
    int before = works(dup(1)), fd = works(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
    fflush(stdout);
    works(dup2(fd, 1));
    int n = print(format, args);
    fflush(stdout);
    works(dup2(before, 1));
    ssize_t length = pread(fd, to, 100, 0);
    to[length < 0 ? 0 : length] = '\0';
    close(fd);
    close(before);
    return n;
}

static int to_descriptor(const char *format, va_list args)
{
    return vdprintf(1, format, args);
}
static int to_stream(const char *format, va_list args)
{
    return vfprintf(stdout, format, args);
}

static int by_vprintf(char *to, const char *format, va_list args)
{
    return by_file(vprintf, to, format, args);
}
static int by_vfprintf(char *to, const char *format, va_list args)
{
    return by_file(to_stream, to, format, args);
}
static int by_vdprintf(char *to, const char *format, va_list args)
{
    return by_file(to_descriptor, to, format, args);
}

TEST(argument_lists)
{
    int (*const functions[])(char *, const char *, va_list) = {
        vsprintf, by_vsnprintf, by_vasprintf, by_vprintf, by_vfprintf, by_vdprintf};
    for (int i = 0; i < 6; i++) {
        *out = '\0';
        same(forward(functions[i], "%s %d %.2f", "text", i, 1.5), 11);
        check(out[5] == '0' + i && strncmp(out, "text ", 5) == 0, "%d: %s", i, out);
    }
}

int main(void)
{
    return tap_run("libc_printf");
}
