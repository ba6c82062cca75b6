/*
 * date [-uR] [-I] [-d WHEN|-r FILE] [+FORMAT], date [-u] MMDDhhmm[[CC]YY][.ss], date -s WHEN:
 * show the time, or set the clock.
 *
 *     -u  in UTC     -d  not now but then     -r  when the file was changed     -s  set the clock to it
 *     -R  as mail has it     -I  only the date, as ISO 8601 has it
 *
 * The format's letters are strftime's, and %N is the nanoseconds.
 */
#include "when.h"

#define USAGE "date [-uRI] [-d when | -r file | -s when] [+format | MMDDhhmm[[CC]YY][.ss]]"

/* FORMAT with every %N replaced, since strftime doesn't know it. */
static char *put_nanoseconds(const char *format, long nanoseconds)
{
    char *result = need_memory(malloc(strlen(format) * 5 + 1)), *to = result;
    while (*format) {
        if (format[0] == '%' && format[1] == 'N') {
            to += sprintf(to, "%09ld", nanoseconds);
            format += 2;
        } else {
            if (format[0] == '%' && format[1])
                *to++ = *format++;
            *to++ = *format++;
        }
    }
    *to = '\0';
    return result;
}

static void print(const char *format, const struct timespec *when)
{
    struct tm tm;
    if (!localtime_r(&when->tv_sec, &tm))
        err(1, "%lld", (long long)when->tv_sec);
    char *text, *changed = put_nanoseconds(format, when->tv_nsec);
    /* strftime says 0 when there was no room, and when the result is empty. */
    size_t size = strlen(changed) * 64 + 1;
    text = need_memory(malloc(size));
    text[strftime(text, size, changed, &tm)] = '\0';
    puts(text);
    free(text);
    free(changed);
}

static void set_clock(const struct timespec *when)
{
    if (clock_settime(CLOCK_REALTIME, when) < 0)
        err(1, "the clock");
}

/* What the options say. */
static const char *text_of_time, *file, *new_time, *format = "%a %b %e %H:%M:%S %Z %Y";

static void take_option(int c)
{
    switch (c) {
    case 'd': text_of_time = optarg; break;
    case 'I': format = "%Y-%m-%d"; break;
    case 'r': file = optarg; break;
    case 'R': format = "%a, %d %b %Y %H:%M:%S %z"; break;
    case 's': new_time = optarg; break;
    case 'u': setenv("TZ", "UTC0", 1); break;
    default: usage(1, USAGE);
    }
}

int main(int argc, char **argv)
{
    struct timespec when;
    struct stat st;
    int c;

    command_begin();
    while ((c = getopt(argc, argv, "d:Ir:Rs:u")) != -1)
        take_option(c);
    if (argc - optind > 1 || (text_of_time != NULL) + (file != NULL) + (new_time != NULL) > 1)
        usage(1, USAGE);
    clock_gettime(CLOCK_REALTIME, &when);
    if (file && stat(file, &st) < 0)
        err(1, "%s", file);
    if (file)
        when = st.st_mtim;
    if (text_of_time && !when_parse(text_of_time, &when))
        errx(1, "%s: not a time", text_of_time);
    if (new_time && !when_parse(new_time, &when))
        errx(1, "%s: not a time", new_time);
    const char *operand = argv[optind];
    if (operand && *operand == '+') {
        format = operand + 1;
    } else if (operand) {
        if (text_of_time || file || new_time)
            usage(1, USAGE);
        if (!when_parse_digits(operand, true, &when))
            errx(1, "%s: not a time", operand);
        new_time = operand;
    }
    if (new_time)
        set_clock(&when);
    print(format, &when);
    return command_end(0);
}
