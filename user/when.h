/*
 * Points in time as people write them, for date and touch. Local time, unless a zone stands behind.
 *
 *      @1700000000.5                        seconds since 1970
 *      now
 *      2024-02-29                           midnight
 *      2024-02-29 13:14[:15[.25]][Z|+01:00]    a T may stand for the blank
 *      13:14[:15[.25]]                      today
 */
#pragma once

#include "command.h"

#include <time.h>

/* N digits at *P, no more and no less, as a number from LOW to HIGH. */
static inline bool when_digits(const char **p, int n, int low, int high, int *value)
{
    *value = 0;
    for (; n > 0; n--, ++*p) {
        if (**p < '0' || **p > '9')
            return false;
        *value = *value * 10 + (**p - '0');
    }
    return *value >= low && *value <= high;
}

static inline bool when_sign(const char **p, char sign)
{
    if (**p != sign)
        return false;
    ++*p;
    return true;
}

/* .25 as nanoseconds, 0 when there is no fraction. */
static inline long when_fraction(const char **p)
{
    long scale = 1000000000, nanoseconds = 0;
    if (when_sign(p, '.'))
        for (; **p >= '0' && **p <= '9'; ++*p)
            nanoseconds += (**p - '0') * (scale /= 10);
    return nanoseconds;
}

/* Seconds of TM. mktime makes 2 March of 30 February; we say that there is none. */
static inline bool when_seconds(struct tm *tm, bool utc, time_t *seconds)
{
    int day = tm->tm_mday, month = tm->tm_mon;
    tm->tm_isdst = -1;
    *seconds = utc ? timegm(tm) : mktime(tm);
    return tm->tm_mday == day && tm->tm_mon == month;
}

/* hh:mm[:ss[.fraction]] */
static inline bool when_clock(const char **p, struct tm *tm, long *nanoseconds)
{
    tm->tm_sec = 0;
    if (!when_digits(p, 2, 0, 23, &tm->tm_hour) || !when_sign(p, ':') ||
        !when_digits(p, 2, 0, 59, &tm->tm_min))
        return false;
    if (when_sign(p, ':')) {
        if (!when_digits(p, 2, 0, 59, &tm->tm_sec))
            return false;
        *nanoseconds = when_fraction(p);
    }
    return true;
}

/* Z or +hh:mm or +hhmm: seconds east, and that there is one. */
static inline bool when_zone(const char **p, bool *utc, long *east)
{
    int hours, minutes;
    *p += strspn(*p, " ");
    if (**p == '\0')
        return true;
    *utc = true;
    if (when_sign(p, 'Z'))
        return true;
    long sign = **p == '-' ? -1 : 1;
    if ((!when_sign(p, '+') && !when_sign(p, '-')) || !when_digits(p, 2, 0, 24, &hours))
        return false;
    when_sign(p, ':');
    if (!when_digits(p, 2, 0, 59, &minutes))
        return false;
    *east = sign * (hours * 3600L + minutes * 60L);
    return true;
}

static inline bool when_parse(const char *text, struct timespec *when)
{
    struct tm tm;
    bool utc = false;
    long east = 0;
    int year;
    const char *p = text;

    clock_gettime(CLOCK_REALTIME, when);
    if (strcmp(text, "now") == 0)
        return true;
    if (when_sign(&p, '@')) {
        char *end;
        errno = 0;
        when->tv_sec = strtoll(p, &end, 10);
        if (end == p || errno != 0)
            return false;
        bool negative = *p == '-';
        p = end;
        when->tv_nsec = when_fraction(&p);
        if (negative && when->tv_nsec > 0) {
            when->tv_sec--;
            when->tv_nsec = 1000000000 - when->tv_nsec;
        }
        return *p == '\0';
    }
    localtime_r(&when->tv_sec, &tm);
    when->tv_nsec = 0;
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    if (strlen(text) > 4 && text[4] == '-') {
        if (!when_digits(&p, 4, 0, 9999, &year) || !when_sign(&p, '-') ||
            !when_digits(&p, 2, 1, 12, &tm.tm_mon) || !when_sign(&p, '-') ||
            !when_digits(&p, 2, 1, 31, &tm.tm_mday))
            return false;
        tm.tm_year = year - 1900;
        tm.tm_mon--;
        if (*p && !when_sign(&p, 'T') && !when_sign(&p, ' '))
            return false;
    }
    if ((*p || p == text) && !when_clock(&p, &tm, &when->tv_nsec))
        return false;
    if (!when_zone(&p, &utc, &east) || *p || !when_seconds(&tm, utc, &when->tv_sec))
        return false;
    when->tv_sec -= east;
    return true;
}

/*
 * The form of old, digits only: [[CC]YY]MMDDhhmm[.ss] for touch -t; with YEAR_LAST, MMDDhhmm[[CC]YY][.ss],
 * for date. Two digits of a year are from 1969 to 2068 (POSIX).
 */
static inline bool when_parse_digits(const char *text, bool year_last, struct timespec *when)
{
    size_t digits = strspn(text, "0123456789");
    const char *p = text, *year_at = year_last ? text + 8 : text;
    int century = 0, year = 0;
    struct tm tm;

    clock_gettime(CLOCK_REALTIME, when);
    localtime_r(&when->tv_sec, &tm);
    when->tv_nsec = 0;
    if (digits != 8 && digits != 10 && digits != 12)
        return false;
    if (digits == 12)
        when_digits(&year_at, 2, 0, 99, &century);
    if (digits >= 10) {
        when_digits(&year_at, 2, 0, 99, &year);
        tm.tm_year = digits == 12 ? century * 100 + year - 1900 : year < 69 ? year + 100 : year;
    }
    if (!year_last)
        p += digits - 8;
    if (!when_digits(&p, 2, 1, 12, &tm.tm_mon) || !when_digits(&p, 2, 1, 31, &tm.tm_mday) ||
        !when_digits(&p, 2, 0, 23, &tm.tm_hour) || !when_digits(&p, 2, 0, 59, &tm.tm_min))
        return false;
    tm.tm_mon--;
    tm.tm_sec = 0;
    p = text + digits;
    if (when_sign(&p, '.') && !when_digits(&p, 2, 0, 60, &tm.tm_sec))
        return false;
    return *p == '\0' && when_seconds(&tm, false, &when->tv_sec);
}
