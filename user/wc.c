/*
 * wc [-clLmw] [FILE...]: how many lines, words and bytes there are.
 *
 *     -l  lines     -w  words     -m  characters (of UTF-8)     -c  bytes     -L  the longest line's width
 *
 * Without options: -lwc. The columns are as wide as the sum of the sizes of the files, which no count exceeds.
 */
#include "command.h"

#include <ctype.h>

#define USAGE "wc [-clLmw] [file...]"

enum { LINES, WORDS, CHARACTERS, BYTES, LONGEST, COUNTS };
static const char letters[] = "lwmcL";

struct counts {
    unsigned long long n[COUNTS];
};

static bool wanted[COUNTS];
static int width = 1;

static bool count(int fd, const char *name, struct counts *counts)
{
    static unsigned char buf[65536];
    unsigned long long *n = counts->n, column = 0;
    bool in_word = false;
    ssize_t got;

    while ((got = read_some(fd, buf, sizeof(buf))) > 0) {
        n[BYTES] += (size_t)got;
        for (ssize_t i = 0; i < got; i++) {
            unsigned char c = buf[i];
            bool space = isspace(c);
            n[LINES] += c == '\n';
            n[WORDS] += in_word && space;
            in_word = space ? false : in_word || c >= 128 || isprint(c);
            n[CHARACTERS] += (c & 0xc0) != 0x80;
            if (c == '\n' || c == '\r' || c == '\f')
                column = 0;
            else
                column += c == '\t' ? 8 - column % 8 : isprint(c) || c >= 0xc0;
            n[LONGEST] = column > n[LONGEST] ? column : n[LONGEST];
        }
    }
    n[WORDS] += in_word;
    if (got < 0)
        warn("%s", name);
    return got == 0;
}

static void print(const struct counts *counts, const char *name)
{
    const char *space = "";
    for (int i = 0; i < COUNTS; i++) {
        if (!wanted[i])
            continue;
        printf("%s%*llu", space, width, counts->n[i]);
        space = " ";
    }
    printf("%s%s\n", name ? " " : "", name ? name : "");
}

static void add(struct counts *total, const struct counts *counts)
{
    unsigned long long longest = total->n[LONGEST];
    for (int i = 0; i < COUNTS; i++)
        total->n[i] += counts->n[i];
    total->n[LONGEST] = counts->n[LONGEST] > longest ? counts->n[LONGEST] : longest;
}

/* How wide: one column needs nothing, several the digits of all bytes, seven where these aren't known. */
static void find_width(char **names, int columns, int count)
{
    unsigned long long total = 0;
    int least = 1;
    struct stat st;
    if (columns == 1 && count <= 1)
        return;
    for (int i = 0; i < (count ? count : 1); i++) {
        bool standard_input = count == 0 || strcmp(names[i], "-") == 0;
        if ((standard_input ? fstat(STDIN_FILENO, &st) : stat(names[i], &st)) < 0)
            continue;
        if (S_ISREG(st.st_mode))
            total += (unsigned long long)st.st_size;
        else
            least = 7;
    }
    for (width = 1; total >= 10; total /= 10)
        width++;
    width = width < least ? least : width;
}

int main(int argc, char **argv)
{
    struct counts total = {0};
    int c, columns = 0, status = 0;

    command_begin();
    while ((c = getopt(argc, argv, "clLmw")) != -1) {
        if (c == '?')
            usage(1, USAGE);
        wanted[strchr(letters, c) - letters] = true;
    }
    for (int i = 0; i < COUNTS; i++)
        columns += wanted[i];
    if (columns == 0) {
        wanted[LINES] = wanted[WORDS] = wanted[BYTES] = true;
        columns = 3;
    }
    int files = argc - optind;
    find_width(argv + optind, columns, files);
    for (int i = 0; i < (files ? files : 1); i++) {
        struct counts counts = {0};
        const char *name = files ? argv[optind + i] : "-";
        int fd = open_operand(name);
        if (fd < 0 || !count(fd, name, &counts))
            status = 1;
        if (fd < 0)
            continue;
        print(&counts, files ? name : NULL);
        close_operand(fd);
        add(&total, &counts);
    }
    if (files > 1)
        print(&total, "total");
    return command_end(status);
}
