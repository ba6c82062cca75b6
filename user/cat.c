/*
 * cat [-AbeEnstTuv] [FILE...]: the files, one behind the other, on standard output. - is standard input.
 *
 *     -n  number the lines        -b  number those that aren't empty    -s  one empty line for several
 *     -E  $ at the end of a line  -T  a tab is ^I                       -v  others that don't print: ^X, M-X
 *     -A  -vET    -e  -vE         -t  -vT                               -u  nothing: we never hold back
 *
 * There are two ways: bytes that only pass through are read and written by the block, as they come;
 * only with an option that looks at them are they looked at.
 */
#include "command.h"

#define USAGE "cat [-AbeEnstTuv] [file...]"

static bool number_all, number_filled, squeeze, ends, tabs, visible;

/* What the looking way knows between two bytes, also from one file to the next. */
static bool at_start = true;
static int empty_lines;
static long long line_number;

static void print_visible(int c)
{
    if (c >= 128) {
        fputs("M-", stdout);
        c -= 128;
    }
    if (c == 127)
        fputs("^?", stdout);
    else if (c < 32)
        printf("^%c", c + 64);
    else
        putchar(c);
}

static void look_at(int c)
{
    if (at_start) {
        empty_lines = c == '\n' ? empty_lines + 1 : 0;
        if (squeeze && empty_lines > 1)
            return;
        if (number_filled ? c != '\n' : number_all)
            printf("%6lld\t", ++line_number);
    }
    at_start = c == '\n';
    if (c == '\n') {
        if (ends)
            putchar('$');
        putchar(c);
    } else if (c == '\t') {
        fputs(tabs ? "^I" : "\t", stdout);
    } else if (visible) {
        print_visible(c);
    } else {
        putchar(c);
    }
}

/* A file that is its own output would never end. */
static bool is_own_output(int fd)
{
    struct stat in, out;
    return fstat(fd, &in) == 0 && fstat(STDOUT_FILENO, &out) == 0 && S_ISREG(in.st_mode) &&
           in.st_dev == out.st_dev && in.st_ino == out.st_ino &&
           lseek(fd, 0, SEEK_CUR) < in.st_size;
}

static int copy(int fd, const char *name, bool looking)
{
    static unsigned char buf[65536];
    ssize_t n;

    if (is_own_output(fd)) {
        warnx("%s: input file is output file", name);
        return 1;
    }
    while ((n = read_some(fd, buf, sizeof(buf))) > 0) {
        if (!looking && !write_all(STDOUT_FILENO, buf, (size_t)n))
            err(1, "standard output");
        for (ssize_t i = 0; looking && i < n; i++)
            look_at(buf[i]);
        if (looking && fflush(stdout) != 0)
            err(1, "standard output");
    }
    if (n < 0)
        warn("%s", name);
    return n < 0;
}

static void take_option(int c)
{
    switch (c) {
    case 'A': visible = ends = tabs = true; break;
    case 'b': number_filled = true; break;
    case 'e': visible = ends = true; break;
    case 'E': ends = true; break;
    case 'n': number_all = true; break;
    case 's': squeeze = true; break;
    case 't': visible = tabs = true; break;
    case 'T': tabs = true; break;
    case 'u': break;
    case 'v': visible = true; break;
    default: usage(1, USAGE);
    }
}

int main(int argc, char **argv)
{
    char *standard_input[] = {"-", NULL};
    int c, status = 0;

    command_begin();
    while ((c = getopt(argc, argv, "AbeEnstTuv")) != -1)
        take_option(c);
    bool looking = number_all || number_filled || squeeze || ends || tabs || visible;
    for (char **name = optind < argc ? argv + optind : standard_input; *name; name++) {
        int fd = open_operand(*name);
        status |= fd < 0 || copy(fd, *name, looking);
        close_operand(fd);
    }
    return command_end(status);
}
