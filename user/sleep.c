/*
 * sleep NUMBER[smhd]...: do nothing for so many seconds, minutes, hours or days, all added up.
 * A fraction is fine: sleep 0.25.
 */
#include "command.h"

#include <time.h>

#define USAGE "sleep number[smhd]..."
#define NANOSECONDS 1000000000LL
#define FOREVER (INT64_MAX / NANOSECONDS - 1)

static long long unit(const char *suffix)
{
    switch (*suffix) {
    case '\0': return 1;
    case 's': return suffix[1] ? 0 : 1;
    case 'm': return suffix[1] ? 0 : 60;
    case 'h': return suffix[1] ? 0 : 60 * 60;
    case 'd': return suffix[1] ? 0 : 24 * 60 * 60;
    default: return 0;
    }
}

/* In nanoseconds; -1: not a time. More than 292 years is as good as for ever. */
static long long parse_time(const char *text)
{
    long long whole = 0, fraction = 0, scale = NANOSECONDS;
    size_t digits = strspn(text, "0123456789"), decimals = 0;

    for (size_t i = 0; i < digits && whole < FOREVER; i++)
        whole = whole * 10 + (text[i] - '0');
    text += digits;
    if (*text == '.') {
        decimals = strspn(++text, "0123456789");
        for (size_t i = 0; i < decimals && scale > 1; i++)
            fraction += (text[i] - '0') * (scale /= 10);
        text += decimals;
    }
    long long factor = unit(text);
    if (digits + decimals == 0 || factor == 0)
        return -1;
    if (whole >= FOREVER / factor)
        return FOREVER * NANOSECONDS;
    return whole * factor * NANOSECONDS + fraction * factor;
}

int main(int argc, char **argv)
{
    long long total = 0;

    command_begin();
    if (getopt(argc, argv, "") != -1 || optind == argc)
        usage(1, USAGE);
    for (; optind < argc; optind++) {
        long long more = parse_time(argv[optind]);
        if (more < 0)
            errx(1, "%s: not a time", argv[optind]);
        if (__builtin_add_overflow(total, more, &total))
            total = FOREVER * NANOSECONDS;
    }
    struct timespec left = {total / NANOSECONDS, total % NANOSECONDS};
    while (nanosleep(&left, &left) < 0)
        if (errno != EINTR)
            err(1, "nanosleep");
    return 0;
}
