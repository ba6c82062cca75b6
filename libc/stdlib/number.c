/* Text to integers (C17 7.22.1.4), and the small arithmetic of <stdlib.h>. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

static int digit_value(char c)
{
    if (isdigit((unsigned char)c))
        return c - '0';
    if (isalpha((unsigned char)c))
        return (c | 32) - 'a' + 10;
    return INT_MAX;
}

/*
 * The magnitude at S, at most MAX_POSITIVE or MAX_NEGATIVE (by its sign): beyond it ERANGE and that bound.
 * Sets *NEGATIVE; *END is S itself when there is no number.
 */
static unsigned long parse(const char *s, char **end, int base, unsigned long max_positive,
                           unsigned long max_negative, bool *negative)
{
    const char *p = s, *number_end = s;
    *negative = false;
    if (end)
        *end = (char *)s;
    if (base < 0 || base == 1 || base > 36) {
        errno = EINVAL;
        return 0;
    }
    while (isspace((unsigned char)*p))
        p++;
    if (*p == '+' || *p == '-')
        *negative = *p++ == '-';
    if ((base == 0 || base == 16) && p[0] == '0' && (p[1] | 32) == 'x' && digit_value(p[2]) < 16) {
        base = 16;
        p += 2;
    } else if (base == 0) {
        base = *p == '0' ? 8 : 10;
    }
    unsigned long max = *negative ? max_negative : max_positive, value = 0;
    bool overflow = false;
    for (; digit_value(*p) < base; number_end = ++p) {
        if (__builtin_mul_overflow(value, (unsigned long)base, &value) ||
            __builtin_add_overflow(value, (unsigned long)digit_value(*p), &value) || value > max)
            overflow = true;
    }
    if (end && number_end != s)
        *end = (char *)number_end;
    if (overflow) {
        errno = ERANGE;
        return max;
    }
    return value;
}

long strtol(const char *restrict s, char **restrict end, int base)
{
    bool negative;
    unsigned long value = parse(s, end, base, LONG_MAX, (unsigned long)LONG_MAX + 1, &negative);
    return (long)(negative ? -value : value);
}

unsigned long strtoul(const char *restrict s, char **restrict end, int base)
{
    bool negative;
    int before = errno;
    errno = 0;
    unsigned long value = parse(s, end, base, ULONG_MAX, ULONG_MAX, &negative);
    if (errno == ERANGE)
        return ULONG_MAX; /* a sign negates what fits, not the bound */
    if (errno == 0)
        errno = before;
    return negative ? -value : value;
}

long long strtoll(const char *restrict s, char **restrict end, int base)
{
    return strtol(s, end, base);
}

unsigned long long strtoull(const char *restrict s, char **restrict end, int base)
{
    return strtoul(s, end, base);
}

intmax_t strtoimax(const char *restrict s, char **restrict end, int base)
{
    return strtol(s, end, base);
}

uintmax_t strtoumax(const char *restrict s, char **restrict end, int base)
{
    return strtoul(s, end, base);
}

int atoi(const char *s)
{
    return (int)strtol(s, NULL, 10);
}
long atol(const char *s)
{
    return strtol(s, NULL, 10);
}
long long atoll(const char *s)
{
    return strtol(s, NULL, 10);
}

int abs(int n)
{
    return n < 0 ? -n : n;
}
long labs(long n)
{
    return n < 0 ? -n : n;
}
long long llabs(long long n)
{
    return n < 0 ? -n : n;
}
intmax_t imaxabs(intmax_t n)
{
    return n < 0 ? -n : n;
}
div_t div(int a, int b)
{
    return (div_t){a / b, a % b};
}
ldiv_t ldiv(long a, long b)
{
    return (ldiv_t){a / b, a % b};
}
lldiv_t lldiv(long long a, long long b)
{
    return (lldiv_t){a / b, a % b};
}
imaxdiv_t imaxdiv(intmax_t a, intmax_t b)
{
    return (imaxdiv_t){a / b, a % b};
}
