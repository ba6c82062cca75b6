/* musl: <time.h>: the calendar both ways, dates as text and back, clocks. The zone is UTC. */
#define _GNU_SOURCE
#include "tap.h"

static struct tm date_of(time_t t)
{
    struct tm tm;
    check(gmtime_r(&t, &tm) == &tm, "gmtime_r(%ld)", (long)t);
    return tm;
}

static const char *as(const char *format, time_t t)
{
    static char text[128];
    struct tm tm = date_of(t);
    size_t n = strftime(text, sizeof(text), format, &tm);
    same(n, strlen(text));
    return text;
}

TEST(dates)
{
    same_text(as("%F %T %a", 0), "1970-01-01 00:00:00 Thu");
    same_text(as("%F %T %j", 951782400), "2000-02-29 00:00:00 060");
    same_text(as("%F %T %j", -1), "1969-12-31 23:59:59 365");
    same_text(as("%F %T", 4102444799), "2099-12-31 23:59:59");
    same_text(as("%F", -11644473600), "1601-01-01");
    time_t t = 1234567890;
    struct tm *tm = gmtime(&t);
    check(tm->tm_year == 109 && tm->tm_mon == 1 && tm->tm_mday == 13 && tm->tm_wday == 5, "gmtime");
    struct tm local;
    check(localtime_r(&t, &local) == &local && local.tm_hour == tm->tm_hour, "localtime_r");
    same(localtime(&t)->tm_min, 31);
}

TEST(a_date_too_far_is_refused)
{
    struct tm tm;
    time_t t = (time_t)1 << 62;
    errno = 0;
    check(!gmtime_r(&t, &tm), "a year that is no int");
    same(errno, EOVERFLOW);
}

TEST(every_day_there_and_back)
{
    struct tm before = date_of(-86400L * 40000);
    for (long day = -40000 + 1; day < 60000; day++) {
        struct tm tm = date_of(day * 86400 + 3661);
        check(tm.tm_wday == (before.tm_wday + 1) % 7, "weekday of day %ld", day);
        check(tm.tm_yday == before.tm_yday + 1 ||
                  (tm.tm_yday == 0 && tm.tm_year == before.tm_year + 1),
              "day of the year of day %ld", day);
        check(tm.tm_hour == 1 && tm.tm_min == 1 && tm.tm_sec == 1, "time of day %ld", day);
        before = tm;
        check(timegm(&tm) == day * 86400 + 3661, "timegm of day %ld", day);
    }
}

TEST(mktime_brings_fields_into_range)
{
    tzset();
    struct tm tm = {
        .tm_year = 100, .tm_mon = 13, .tm_mday = 32, .tm_hour = -1, .tm_min = 61, .tm_sec = 0};
    same(mktime(&tm), 983664060);
    check(tm.tm_year == 101 && tm.tm_mon == 2 && tm.tm_mday == 4, "%d-%d-%d", tm.tm_year, tm.tm_mon,
          tm.tm_mday);
    check(tm.tm_hour == 0 && tm.tm_min == 1 && tm.tm_wday == 0 && tm.tm_yday == 62, "%d:%d",
          tm.tm_hour, tm.tm_min);
    check(tzname[0] && timezone == 0 && daylight == 0, "UTC");
}

TEST(conversions)
{
    time_t t = 1234567890; /* Friday 13 February 2009, 23:31:30 */
    same_text(as("%a %A %b %B %h", t), "Fri Friday Feb February Feb");
    same_text(as("%c|%x|%X", t), "Fri Feb 13 23:31:30 2009|02/13/09|23:31:30");
    same_text(as("%C %d %D %e %F", t), "20 13 02/13/09 13 2009-02-13");
    same_text(as("%g %G %V %u %w %U %W", t), "09 2009 07 5 5 06 06");
    same_text(as("%H %I %j %m %M %p", t), "23 11 044 02 31 PM");
    same_text(as("%r %R %S %T %y %Y %%", t), "11:31:30 PM 23:31 30 23:31:30 09 2009 %");
    same_text(as("%s%n%t", t), "1234567890\n\t");
    same_text(as("%z", t), "+0000");
    same_text(as("%Ey %Od", t), "09 13");
    same_text(as("%G-%V %g", 1230768000 - 3 * 86400), "2009-01 09"); /* 29 December 2008 */
    same_text(as("%G-%V", 1262304000), "2009-53");                   /* 1 January 2010 */
}

TEST(strftime_needs_room)
{
    char text[8];
    struct tm tm = date_of(0);
    same(strftime(text, 5, "%Y", &tm), 4);
    same(strftime(text, 4, "%Y", &tm), 0);
}

TEST(dates_as_one_line)
{
    time_t t = 1234567890;
    struct tm tm = date_of(t);
    char text[32];
    same_text(asctime(&tm), "Fri Feb 13 23:31:30 2009\n");
    same_text(asctime_r(&tm, text), "Fri Feb 13 23:31:30 2009\n");
    same_text(ctime(&t), "Fri Feb 13 23:31:30 2009\n");
    same_text(ctime_r(&t, text), "Fri Feb 13 23:31:30 2009\n");
}

TEST(clocks)
{
    struct timespec ts, now;
    time_t t = time(NULL), same_t;
    check(time(&same_t) == same_t && same_t >= t, "time");
    same(timespec_get(&ts, TIME_UTC), TIME_UTC);
    same(timespec_get(&ts, 99), 0);
    works(clock_gettime(CLOCK_REALTIME, &now));
    check(ts.tv_sec >= t && ts.tv_sec <= now.tv_sec, "timespec_get");
    clock_t begin = clock();
    for (volatile long i = 0; clock() - begin < CLOCKS_PER_SEC / 1000 && i < 100000000; i++)
        ;
    check(clock() > begin, "clock goes on while the program works");
    check(difftime(10, 4) == 6.0, "difftime");
}

int main(void)
{
    setenv("TZ", "UTC0", 1);
    return tap_run("libc_time");
}
