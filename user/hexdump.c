/*
 * hexdump [-bcCdovx] [-n LENGTH] [-s SKIP] [FILE...]: the bytes of the files, as if they were one.
 *
 *     -C  as bytes, with the characters beside     -b, -c  as octal bytes, as characters
 *     -d, -o, -x  as two-byte numbers, decimal, octal, hexadecimal (the default is -x, but narrower)
 *     -n  only so many bytes     -s  not the first ones     -v  all lines: else * stands for equal ones
 */
#include "command.h"

#include <ctype.h>

#define USAGE "hexdump [-bcCdovx] [-n length] [-s skip] [file...]"
#define LINE 16

/* How a line is shown: one piece of `width` columns for every `size` bytes. */
static const struct style {
    char letter;
    int size, width;
    const char *format;
} styles[] = {
    {'x', 2, 8, "    %04x"}, {'d', 2, 8, "   %05u"}, {'o', 2, 8, "  %06o"}, {'b', 1, 4, " %03o"},
    {'c', 1, 4, NULL},       {'C', 1, 3, NULL},      {0, 2, 5, " %04x"},
};

static char **names;
static const char *name;
static int fd = -1, status;
static long long skip, left = LLONG_MAX;

/* The next file. False: there is none. */
static bool next_file(void)
{
    struct stat st;
    while ((name = *names)) {
        names++;
        fd = open_operand(name);
        if (fd < 0) {
            status = 1;
            continue;
        }
        /* What is skipped needn't be read where one can seek. */
        if (skip > 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
            off_t step = st.st_size < skip ? st.st_size : (off_t)skip;
            lseek(fd, step, SEEK_CUR);
            skip -= step;
        }
        return true;
    }
    return false;
}

/* Up to N bytes, from one file or several. */
static size_t read_bytes(unsigned char *to, size_t n)
{
    size_t got = 0;
    while (got < n && (fd >= 0 || next_file())) {
        ssize_t more = read_some(fd, to + got, n - got);
        if (more > 0) {
            got += (size_t)more;
            continue;
        }
        if (more < 0) {
            warn("%s", name);
            status = 1;
        }
        close_operand(fd);
        fd = -1;
    }
    return got;
}

static void print_character(unsigned char c)
{
    static const char letters[] = "0abtnvfr", codes[] = "\0\a\b\t\n\v\f\r";
    const char *code = memchr(codes, c, sizeof(letters) - 1);
    if (code)
        printf("  \\%c", letters[code - codes]);
    else
        printf(isprint(c) ? "   %c" : " %03o", c);
}

/* -C: 16 bytes in two halves, and what they would be as text. */
static void print_canonical(const unsigned char *line, size_t n)
{
    for (size_t i = 0; i < LINE; i++) {
        fputs(i % 8 ? " " : "  ", stdout);
        if (i < n)
            printf("%02x", line[i]);
        else
            fputs("  ", stdout);
    }
    fputs("  |", stdout);
    for (size_t i = 0; i < n; i++)
        putchar(isprint(line[i]) ? line[i] : '.');
    puts("|");
}

static void print_line(const struct style *style, const unsigned char *line, size_t n)
{
    if (style->letter == 'C') {
        print_canonical(line, n);
        return;
    }
    for (size_t i = 0; i < LINE; i += (size_t)style->size) {
        unsigned second = style->size > 1 && i + 1 < n ? line[i + 1] : 0;
        if (i >= n)
            printf("%*s", style->width, "");
        else if (style->format)
            printf(style->format, line[i] | second << 8);
        else
            print_character(line[i]);
    }
    putchar('\n');
}

static void dump(const struct style *style, bool all, long long offset)
{
    unsigned char line[LINE], before[LINE];
    int digits = style->letter == 'C' ? 8 : 7;
    bool have_before = false, starred = false;
    size_t n;

    do {
        n = read_bytes(line, left < LINE ? (size_t)left : LINE);
        left -= (long long)n;
        if (n == 0)
            break;
        if (!all && have_before && n == LINE && memcmp(line, before, LINE) == 0) {
            if (!starred)
                puts("*");
            starred = true;
        } else {
            printf("%0*llx", digits, offset);
            print_line(style, line, n);
            starred = false;
        }
        memcpy(before, line, LINE);
        have_before = true;
        offset += (long long)n;
    } while (n == LINE);
    if (offset > 0)
        printf("%0*llx\n", digits, offset);
}

static long long parse_size(const char *text)
{
    long long n;
    char *end;
    if (text[0] != '0')
        return parse_count(text, &n) ? n : -1;
    n = strtoll(text, &end, 0);
    return *end ? -1 : n;
}

int main(int argc, char **argv)
{
    static char *standard_input[] = {"-", NULL};
    const struct style *style = &styles[6];
    bool all = false;
    int c;

    command_begin();
    while ((c = getopt(argc, argv, "bcCdn:os:vx")) != -1) {
        for (const struct style *s = styles; s->letter; s++)
            if (s->letter == c)
                style = s;
        all |= c == 'v';
        if (c == 'n')
            left = parse_size(optarg);
        if (c == 's')
            skip = parse_size(optarg);
        if (c == '?' || left < 0 || skip < 0)
            usage(1, USAGE);
    }
    names = optind < argc ? argv + optind : standard_input;
    long long offset = skip;
    bool any = next_file();
    while (any && skip > 0) {
        unsigned char unwanted[4096];
        size_t n = read_bytes(unwanted, skip < 4096 ? (size_t)skip : 4096);
        skip -= (long long)n;
        any = n > 0;
    }
    if (any)
        dump(style, all, offset);
    return command_end(status);
}
