/*
 * The kernel's formatter against the host's: random formats of the conversions both have, with random
 * values and buffer sizes, must give the same text and the same length.
 */
#include <stdio.h>
#include <stdlib.h>

/* The kernel's functions under names of their own, beside the host's. */
#define vsnprintf kernel_vsnprintf
#define snprintf kernel_snprintf
#include "kernel/lib/printf.c"
#undef vsnprintf
#undef snprintf
int snprintf(char *, size_t, const char *, ...);

#define ROUNDS 200000

const char *symbol_lookup(uintptr_t addr, uintptr_t *offset)
{
    (void)addr;
    (void)offset;
    return NULL;
}

static uint64_t state = 88172645463325252;

static uint64_t draw(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 7) % below;
}

/* "%" with flags, width, precision and length as KIND, one of "duxXocs", may have them. */
static void make_format(char *format, char kind, const char *length)
{
    static const char *const flags[] = {"", "-", "0", "+", " ", "#", "-#", "0#", "+0"};
    char *at = format;

    at += sprintf(at, "<%%");
    if (kind == 's' || kind == 'c')
        at += sprintf(at, "%s", draw(2) ? "-" : "");
    else if (kind == 'd')
        at += sprintf(at, "%s", (const char *[]){"", "-", "0", "+", " ", "+0"}[draw(6)]);
    else if (kind == 'u')
        at += sprintf(at, "%s", flags[draw(3)]);
    else
        at += sprintf(at, "%s", (const char *[]){"", "-", "0", "#", "-#", "0#"}[draw(6)]);
    if (draw(2))
        at += sprintf(at, "%d", (int)draw(24));
    if (kind != 'c' && draw(3) == 0)
        at += sprintf(at, ".%d", (int)draw(20));
    sprintf(at, "%s%c>", length, kind);
}

static void compare(const char *format, const char *got, int got_length, const char *expected,
                    int expected_length)
{
    if (got_length == expected_length && strcmp(got, expected) == 0)
        return;
    printf("not ok - %s: expected %d \"%s\", got %d \"%s\"\n", format, expected_length, expected,
           got_length, got);
    exit(1);
}

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#define BOTH(value)                                                    \
    do {                                                               \
        int expected_length = snprintf(expected, size, format, value); \
        int got_length = kernel_snprintf(got, size, format, value);    \
        compare(format, got, got_length, expected, expected_length);   \
    } while (0)

int main(void)
{
    static const char kinds[] = "duxXocs";
    static const char *const words[] = {"", "a", "word", "a rather long piece of text"};
    char format[64], got[128], expected[128];

    for (int round = 0; round < ROUNDS; round++) {
        char kind = kinds[draw(sizeof kinds - 1)];
        size_t size = 1 + draw(sizeof got);
        uint64_t value = draw(4) ? state >> draw(64) : draw(20);

        if (kind == 's') {
            make_format(format, kind, "");
            const char *word = words[draw(4)];
            BOTH(word);
        } else if (kind == 'c') {
            make_format(format, kind, "");
            int letter = ' ' + (int)draw(90);
            BOTH(letter);
        } else if (draw(2)) {
            make_format(format, kind, (const char *[]){"l", "ll", "z", "j", "t"}[draw(5)]);
            BOTH(value);
        } else {
            make_format(format, kind, (const char *[]){"", "h", "hh"}[draw(3)]);
            BOTH((int)value);
        }
    }
    printf("ok - %d formats\n", ROUNDS);
    return 0;
}
