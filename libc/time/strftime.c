/* strftime in the C locale (C17 7.27.3.5), with POSIX's %s of the struct taken as UTC. */
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};
static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};

static const char *name(const char *const *names, int count, int i)
{
    return i >= 0 && i < count ? names[i] : "?";
}

static int is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* ISO 8601: week 1 has the year's first Thursday. Sets the year that the week belongs to. */
static int iso_week(const struct tm *tm, int *year)
{
    int from_monday = (tm->tm_wday + 6) % 7;
    int week = (tm->tm_yday - from_monday + 10) / 7;
    *year = tm->tm_year + 1900;
    if (week == 0) {
        int last = *year - 1;
        --*year;
        return (tm->tm_yday + 365 + is_leap(last) - from_monday + 10) / 7;
    }
    if (week == 53 && tm->tm_yday - from_monday + 3 >= 365 + is_leap(*year)) {
        ++*year;
        return 1;
    }
    return week;
}

/* The combinations that are defined by others. */
static const char *shorthand(char c)
{
    switch (c) {
    case 'c': return "%a %b %e %H:%M:%S %Y";
    case 'D':
    case 'x': return "%m/%d/%y";
    case 'F': return "%Y-%m-%d";
    case 'r': return "%I:%M:%S %p";
    case 'R': return "%H:%M";
    case 'T':
    case 'X': return "%H:%M:%S";
    default: return NULL;
    }
}

/* The conversions that are words; NULL for others. */
static const char *word_for(char c, const struct tm *tm)
{
    switch (c) {
    case 'a':
    case 'A': return name(days, 7, tm->tm_wday);
    case 'b':
    case 'B':
    case 'h': return name(months, 12, tm->tm_mon);
    case 'p': return tm->tm_hour < 12 ? "AM" : "PM";
    case 'n': return "\n";
    case 't': return "\t";
    case 'z': return "+0000";
    case 'Z': return "UTC";
    default: return NULL;
    }
}

/* A number and how it is printed. No format: there is no such conversion. */
struct number {
    int value;
    const char *format;
};

static struct number week_for(char c, const struct tm *tm)
{
    int year, week = iso_week(tm, &year), from_monday = (tm->tm_wday + 6) % 7;
    switch (c) {
    case 'g': return (struct number){year % 100, "%02d"};
    case 'G': return (struct number){year, "%d"};
    case 'u': return (struct number){from_monday + 1, "%d"};
    case 'U': return (struct number){(tm->tm_yday + 7 - tm->tm_wday) / 7, "%02d"};
    case 'V': return (struct number){week, "%02d"};
    case 'w': return (struct number){tm->tm_wday, "%d"};
    case 'W': return (struct number){(tm->tm_yday + 7 - from_monday) / 7, "%02d"};
    default: return (struct number){0, NULL};
    }
}

static struct number number_for(char c, const struct tm *tm)
{
    switch (c) {
    case 'C': return (struct number){(tm->tm_year + 1900) / 100, "%02d"};
    case 'd': return (struct number){tm->tm_mday, "%02d"};
    case 'e': return (struct number){tm->tm_mday, "%2d"};
    case 'H': return (struct number){tm->tm_hour, "%02d"};
    case 'I': return (struct number){(tm->tm_hour + 11) % 12 + 1, "%02d"};
    case 'j': return (struct number){tm->tm_yday + 1, "%03d"};
    case 'm': return (struct number){tm->tm_mon + 1, "%02d"};
    case 'M': return (struct number){tm->tm_min, "%02d"};
    case 'S': return (struct number){tm->tm_sec, "%02d"};
    case 'y': return (struct number){(tm->tm_year % 100 + 100) % 100, "%02d"};
    case 'Y': return (struct number){tm->tm_year + 1900, "%d"};
    default: return week_for(c, tm);
    }
}

#define TEXT_MAX 64

static void convert(char *text, char c, const struct tm *tm)
{
    const char *longer = shorthand(c), *word = word_for(c, tm);
    struct number number = number_for(c, tm);
    struct tm copy = *tm;
    if (longer)
        strftime(text, TEXT_MAX, longer, tm);
    else if (c == 's')
        snprintf(text, TEXT_MAX, "%ld", (long)timegm(&copy));
    else if (word)
        snprintf(text, TEXT_MAX, c == 'a' || c == 'b' || c == 'h' ? "%.3s" : "%s", word);
    else if (number.format)
        snprintf(text, TEXT_MAX, number.format, number.value);
    else
        snprintf(text, TEXT_MAX, "%c", c);
}

size_t strftime(char *restrict s, size_t size, const char *restrict format,
                const struct tm *restrict tm)
{
    size_t used = 0;
    for (; *format; format++) {
        char text[TEXT_MAX] = {*format};
        if (*format == '%' && format[1]) {
            format++;
            if ((*format == 'E' || *format == 'O') && format[1])
                format++;
            convert(text, *format, tm);
        }
        size_t n = strlen(text);
        if (n >= size - used)
            return 0;
        memcpy(s + used, text, n);
        used += n;
    }
    if (size)
        s[used] = '\0';
    return used;
}
