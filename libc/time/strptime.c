/*
 * Text to a date: strftime's conversions read backwards (POSIX, strptime), in the C locale. What the text tells is
 * stored in the struct; when it tells year, month and day, the days of the week and of the year follow from them.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char days[] = "sunday\0monday\0tuesday\0wednesday\0thursday\0friday\0saturday\0";
static const char months[] = "january\0february\0march\0april\0may\0june\0july\0august\0"
                             "september\0october\0november\0december\0";

struct reader {
    const char *s; /* NULL: it doesn't match */
    struct tm *tm;
    int century; /* -1: not told */
    bool pm, has_pm, has_year_of_century;
    bool has_year, has_month, has_day;
};

static void skip_space(struct reader *r)
{
    while (isspace((unsigned char)*r->s))
        r->s++;
}

/* A number of at most DIGITS digits between MIN and MAX. */
static int number(struct reader *r, int digits, int min, int max)
{
    int value = 0;
    skip_space(r);
    const char *s = r->s;
    for (; digits > 0 && isdigit((unsigned char)*s); digits--)
        value = value * 10 + (*s++ - '0');
    r->s = s == r->s || value < min || value > max ? NULL : s;
    return value;
}

/* Which of NAMES stands there, whole or by its first three letters. */
static int name(struct reader *r, const char *names)
{
    for (int i = 0; *names; i++, names += strlen(names) + 1) {
        size_t n = strlen(names);
        if (strncasecmp(r->s, names, n) != 0)
            n = 3;
        if (strncasecmp(r->s, names, n) == 0) {
            r->s += n;
            return i;
        }
    }
    r->s = NULL;
    return 0;
}

static void zone(struct reader *r)
{
    bool negative = *r->s == '-';
    if (*r->s != '-' && *r->s != '+') {
        r->s = *r->s == 'Z' ? r->s + 1 : NULL;
        return;
    }
    r->s++;
    int hours = number(r, 2, 0, 14);
    if (r->s && *r->s == ':')
        r->s++;
    int minutes = r->s ? number(r, 2, 0, 59) : 0;
    r->tm->tm_gmtoff = (negative ? -60 : 60) * (hours * 60 + minutes);
}

static void read_all(struct reader *r, const char *format);

static void read_year(struct reader *r, char letter)
{
    int value;
    switch (letter) {
    case 'C': r->century = number(r, 2, 0, 99); break;
    case 'y':
        value = number(r, 2, 0, 99);
        r->tm->tm_year = value < 69 ? value + 100 : value;
        r->has_year_of_century = true;
        break;
    default: r->tm->tm_year = number(r, 4, 0, 9999) - 1900; break;
    }
    r->has_year = true;
}

static void read_seconds(struct reader *r)
{
    char *end;
    time_t t = strtol(r->s, &end, 10);
    r->s = end == r->s || !gmtime_r(&t, r->tm) ? NULL : end;
}

static void read_one(struct reader *r, char letter)
{
    struct tm *tm = r->tm;
    switch (letter) {
    case 'a':
    case 'A': tm->tm_wday = name(r, days); break;
    case 'b':
    case 'B':
    case 'h':
        tm->tm_mon = name(r, months);
        r->has_month = true;
        break;
    case 'c': read_all(r, "%a %b %e %H:%M:%S %Y"); break;
    case 'D':
    case 'x': read_all(r, "%m/%d/%y"); break;
    case 'd':
    case 'e':
        tm->tm_mday = number(r, 2, 1, 31);
        r->has_day = true;
        break;
    case 'F': read_all(r, "%Y-%m-%d"); break;
    case 'H':
    case 'k': tm->tm_hour = number(r, 2, 0, 23); break;
    case 'I':
    case 'l': tm->tm_hour = number(r, 2, 1, 12) % 12; break;
    case 'j': tm->tm_yday = number(r, 3, 1, 366) - 1; break;
    case 'm':
        tm->tm_mon = number(r, 2, 1, 12) - 1;
        r->has_month = true;
        break;
    case 'M': tm->tm_min = number(r, 2, 0, 59); break;
    case 'n':
    case 't': skip_space(r); break;
    case 'p':
        r->pm = name(r, "am\0pm\0");
        r->has_pm = true;
        break;
    case 'r': read_all(r, "%I:%M:%S %p"); break;
    case 'R': read_all(r, "%H:%M"); break;
    case 's': read_seconds(r); break;
    case 'S': tm->tm_sec = number(r, 2, 0, 60); break;
    case 'T':
    case 'X': read_all(r, "%H:%M:%S"); break;
    case 'u': tm->tm_wday = number(r, 1, 1, 7) % 7; break;
    case 'U':
    case 'W': number(r, 2, 0, 53); break; /* read, and used for nothing, as elsewhere */
    case 'w': tm->tm_wday = number(r, 1, 0, 6); break;
    case 'C':
    case 'y':
    case 'Y': read_year(r, letter); break;
    case 'z': zone(r); break;
    case 'Z': r->s = strncmp(r->s, "UTC", 3) && strncmp(r->s, "GMT", 3) ? NULL : r->s + 3; break;
    case '%': r->s = *r->s == '%' ? r->s + 1 : NULL; break;
    default: r->s = NULL; break;
    }
}

static void read_all(struct reader *r, const char *format)
{
    for (; *format && r->s; format++) {
        if (isspace((unsigned char)*format)) {
            skip_space(r);
        } else if (*format != '%') {
            r->s = *r->s == *format ? r->s + 1 : NULL;
        } else {
            format++;
            if (*format == 'E' || *format == 'O')
                format++;
            read_one(r, *format);
            if (!*format)
                return;
        }
    }
}

char *strptime(const char *restrict s, const char *restrict format, struct tm *restrict tm)
{
    struct reader r = {.s = s, .tm = tm, .century = -1};
    read_all(&r, format);
    if (!r.s)
        return NULL;
    if (r.has_pm)
        tm->tm_hour = tm->tm_hour % 12 + (r.pm ? 12 : 0);
    if (r.century >= 0)
        tm->tm_year = r.century * 100 - 1900 + (r.has_year_of_century ? tm->tm_year % 100 : 0);
    if (r.has_year && r.has_month && r.has_day) {
        struct tm date = {.tm_year = tm->tm_year, .tm_mon = tm->tm_mon, .tm_mday = tm->tm_mday};
        timegm(&date);
        tm->tm_wday = date.tm_wday;
        tm->tm_yday = date.tm_yday;
    }
    return (char *)r.s;
}
