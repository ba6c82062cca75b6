/*
 * Clocks, and the calendar. A day's date comes from counting days since 1 March 2000 in eras of 400
 * years: with the leap day at the end of the year, months and years are plain divisions.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "internal/cancel.h"

#define DAY 86400
#define ERA_DAYS 146097           /* 400 years */
#define EPOCH_TO_MARCH_2000 11017 /* days from 1 January 1970 */

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *request,
                    struct timespec *remain)
{
    int before = errno, error = 0;
    if (syscall_cancel(SYS_clock_nanosleep, clock, flags, request, remain) < 0)
        error = errno;
    errno = before;
    return error;
}

int clock_getcpuclockid(pid_t pid, clockid_t *clock)
{
    struct timespec ts;
    clockid_t id = (clockid_t)(~(unsigned)pid << 3 | CPUCLOCK_SCHED);
    if (syscall_raw(SYS_clock_getres, id, &ts) < 0)
        return ESRCH;
    *clock = id;
    return 0;
}

clock_t clock(void)
{
    struct timespec ts;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) < 0)
        return -1;
    return ts.tv_sec * CLOCKS_PER_SEC + ts.tv_nsec / 1000;
}

double difftime(time_t a, time_t b)
{
    return (double)(a - b);
}

static int is_leap(long year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static long floor_div(long a, long b)
{
    return a / b - (a % b < 0);
}

struct tm *gmtime_r(const time_t *restrict t, struct tm *restrict tm)
{
    long days = floor_div(*t, DAY), seconds = *t - days * DAY;
    int weekday = (int)((days % 7 + 7 + 4) % 7); /* 1 January 1970 was a Thursday */
    days -= EPOCH_TO_MARCH_2000;
    long era = floor_div(days, ERA_DAYS);
    long day = days - era * ERA_DAYS;
    long year = (day - day / 1460 - day / 146096 + day / 36524) / 365;
    day -= 365 * year + year / 4 - year / 100;
    long month = (5 * day + 2) / 153; /* months of 30.6 days, from March */
    long in_month = day - (153 * month + 2) / 5 + 1;
    year += 2000 + era * 400 + (month >= 10);
    if (year - 1900 > INT_MAX || year - 1900 < INT_MIN) {
        errno = EOVERFLOW;
        return NULL;
    }
    static const short before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    memset(tm, 0, sizeof(*tm));
    tm->tm_year = (int)(year - 1900);
    tm->tm_mon = (int)(month < 10 ? month + 2 : month - 10);
    tm->tm_mday = (int)in_month;
    tm->tm_yday = before[tm->tm_mon] + tm->tm_mday - 1 + (tm->tm_mon > 1 && is_leap(year));
    tm->tm_wday = weekday;
    tm->tm_hour = (int)(seconds / 3600);
    tm->tm_min = (int)(seconds / 60 % 60);
    tm->tm_sec = (int)(seconds % 60);
    tm->tm_zone = "UTC";
    return tm;
}

/* The inverse; fields may be out of range and are brought into it. */
time_t timegm(struct tm *tm)
{
    long month = tm->tm_mon, year = tm->tm_year + 1900L + floor_div(month, 12);
    month -= floor_div(month, 12) * 12;
    long from_march = month < 2 ? month + 10 : month - 2;
    year -= month < 2;
    long era = floor_div(year - 2000, 400), in_era = year - 2000 - era * 400;
    long days = era * ERA_DAYS + in_era * 365 + in_era / 4 - in_era / 100 +
                (153 * from_march + 2) / 5 + tm->tm_mday - 1 + EPOCH_TO_MARCH_2000;
    time_t t = days * DAY + tm->tm_hour * 3600L + tm->tm_min * 60L + tm->tm_sec;
    struct tm normal;
    if (!gmtime_r(&t, &normal))
        return -1;
    *tm = normal;
    return t;
}

time_t mktime(struct tm *tm)
{
    return timegm(tm);
}

struct tm *localtime_r(const time_t *restrict t, struct tm *restrict tm)
{
    return gmtime_r(t, tm);
}

struct tm *gmtime(const time_t *t)
{
    static struct tm tm;
    return gmtime_r(t, &tm);
}

struct tm *localtime(const time_t *t)
{
    return gmtime(t);
}

char *asctime_r(const struct tm *restrict tm, char *restrict text)
{
    return strftime(text, 26, "%a %b %e %H:%M:%S %Y\n", tm) ? text : NULL;
}

char *asctime(const struct tm *tm)
{
    static char text[26];
    return asctime_r(tm, text);
}

char *ctime_r(const time_t *t, char *text)
{
    struct tm tm;
    return localtime_r(t, &tm) ? asctime_r(&tm, text) : NULL;
}

char *ctime(const time_t *t)
{
    struct tm *tm = localtime(t);
    return tm ? asctime(tm) : NULL;
}

int timespec_get(struct timespec *ts, int base)
{
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, ts) == 0 ? base : 0;
}

/* The zone is UTC, whatever TZ says. */
static char zone[] = "UTC";
char *tzname[2] = {zone, zone};
long timezone;
int daylight;

void tzset(void) {}
