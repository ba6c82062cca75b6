/*
 * A program with a bug that is found best by going backwards (test_replay.py and README.md show how): a table of
 * eight names, of which somebody writes a ninth. What it overwrites is the count of visitors that stands behind it,
 * and nothing is noticed before that count is used, long after.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEATS 8
#define NAME 8

static struct {
    char name[SEATS][NAME];
    long visitors;
} hall;

static void sit_down(int seat, const char *name)
{
    hall.visitors++;
    strncpy(hall.name[seat], name, NAME);
}

__attribute__((noinline)) static void complain(long count)
{
    printf("%ld visitors on %d seats\n", count, SEATS);
    exit(3);
}

int main(void)
{
    static const char *const guests[] = {"Ada",    "Blaise", "Charles", "Donald",
                                         "Edsger", "Fran",   "Grace",   "Hedy"};

    for (int seat = 1; seat <= SEATS; seat++) /* seats are counted from 0 */
        sit_down(seat, guests[seat - 1]);
    for (int i = 0; i < 100000; i++) /* the day goes by */
        hall.name[i % SEATS][NAME - 1] = '\0';
    if (hall.visitors > SEATS)
        complain(hall.visitors);
    return 0;
}
