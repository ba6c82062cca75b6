/*
 * The battery-backed clock (MC146818), read once at boot. It keeps civil time, which is taken to be
 * UTC, in registers that change under the reader: while an update is in progress they are invalid,
 * so they are read twice, until both readings agree.
 */
#include "lib/string.h"
#include "x86/acpi.h"
#include "x86/clock_internal.h"
#include "x86/cpu.h"
#include "x86/io.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71
#define RTC_STATUS_A 0x0a
#define STATUS_A_UPDATING 0x80
#define RTC_STATUS_B 0x0b
#define STATUS_B_24_HOURS 0x02
#define STATUS_B_BINARY 0x04
#define HOUR_PM 0x80
#define UPDATE_TRIES 100000 /* an update takes 2 ms at most */
#define READ_TRIES 10

enum rtc_field { SECOND, MINUTE, HOUR, DAY, MONTH, YEAR, CENTURY, RTC_FIELDS };

static uint8_t cmos_read(unsigned index)
{
    outb(CMOS_INDEX, (uint8_t)index);
    return inb(CMOS_DATA);
}

static void read_fields(uint8_t field[RTC_FIELDS])
{
    static const uint8_t index[] = {0x00, 0x02, 0x04, 0x07, 0x08, 0x09};

    for (unsigned i = 0; cmos_read(RTC_STATUS_A) & STATUS_A_UPDATING && i < UPDATE_TRIES; i++)
        cpu_relax();
    for (unsigned i = 0; i < ARRAY_SIZE(index); i++)
        field[i] = cmos_read(index[i]);
    field[CENTURY] = acpi_machine.rtc_century ? cmos_read(acpi_machine.rtc_century) : 0;
}

static void from_bcd(uint8_t *v)
{
    *v = (uint8_t)((*v & 0x0f) + (*v >> 4) * 10);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar, counting years from March. */
static int64_t days_since_1970(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era_year = year % 400;
    unsigned year_day = (153 * (month + (month > 2 ? -3u : 9u)) + 2) / 5 + day - 1;
    return year / 400 * 146097 + era_year * 365 + era_year / 4 - era_year / 100 + year_day - 719468;
}

int64_t rtc_read(void)
{
    uint8_t f[RTC_FIELDS], again[RTC_FIELDS];
    unsigned tries = 0;

    do {
        read_fields(f);
        read_fields(again);
    } while (memcmp(f, again, sizeof(f)) && ++tries < READ_TRIES);

    uint8_t mode = cmos_read(RTC_STATUS_B);
    bool pm = f[HOUR] & HOUR_PM;
    f[HOUR] &= (uint8_t)~HOUR_PM;
    if (!(mode & STATUS_B_BINARY))
        for (unsigned i = 0; i < RTC_FIELDS; i++)
            from_bcd(&f[i]);
    if (!(mode & STATUS_B_24_HOURS))
        f[HOUR] = (uint8_t)(f[HOUR] % 12 + (pm ? 12 : 0));

    unsigned century = f[CENTURY] >= 19 && f[CENTURY] <= 99 ? f[CENTURY] : 20;
    if (f[MONTH] < 1 || f[MONTH] > 12 || f[DAY] < 1 || f[DAY] > 31 || f[HOUR] > 23 ||
        f[MINUTE] > 59)
        return 0;
    int64_t days = days_since_1970(century * 100 + f[YEAR], f[MONTH], f[DAY]);
    return ((days * 24 + f[HOUR]) * 60 + f[MINUTE]) * 60 + f[SECOND];
}
