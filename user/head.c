/*
 * head [-qv] [-c COUNT|-n COUNT] [FILE...]: the first 10 lines of each file.
 *
 *     -n  so many lines; -n -3: all but the last 3     -c  the same with bytes     -3  as -n 3
 *     -q, -v  never, always say which file it is
 *
 * What was read too far is given back, where the input can do that: the next reader of the same file
 * goes on behind the lines that were printed.
 */
#include "slurp.h"

#define USAGE "head [-qv] [-c count | -n count] [file...]"

static bool bytes, from_end;
static long long count = 10;

static bool copy_first(int fd, const char *name)
{
    static char buf[32768];
    long long left = count;
    ssize_t got = 1;

    while (left > 0 && got > 0) {
        size_t used = 0;
        got =
            read_some(fd, buf, bytes && left < (long long)sizeof(buf) ? (size_t)left : sizeof(buf));
        if (bytes && got > 0) {
            used = (size_t)got;
            left -= got;
        }
        while (!bytes && left > 0 && got > 0 && used < (size_t)got)
            left -= buf[used++] == '\n';
        fwrite(buf, 1, used, stdout);
        if (got > 0 && used < (size_t)got)
            lseek(fd, (off_t)used - got, SEEK_CUR);
    }
    if (got < 0)
        warn("%s", name);
    return got >= 0;
}

static bool copy_all_but_last(int fd, const char *name)
{
    struct text text = {0};
    long long found;
    ssize_t got;

    while ((got = text_read(&text, fd)) > 0)
        ;
    size_t end = (size_t)count > text.length ? 0 : text.length - (size_t)count;
    if (!bytes)
        end = text_last_lines(text.data, text.length, count, &found);
    fwrite(text.data, 1, end, stdout);
    free(text.data);
    if (got < 0)
        warn("%s", name);
    return got >= 0;
}

static void take_count(const char *text)
{
    from_end = *text == '-';
    if (!parse_count(text + from_end, &count))
        errx(1, "%s: not a count", text);
}

int main(int argc, char **argv)
{
    char *standard_input[] = {"-", NULL};
    bool quiet = false, verbose = false;
    int c, status = 0;

    command_begin();
    /* -3 of old is turned into -n 3 by being read here. */
    if (argc > 1 && argv[1][0] == '-' && argv[1][1] >= '0' && argv[1][1] <= '9') {
        take_count(argv[1] + 1);
        optind = 2;
    }
    while ((c = getopt(argc, argv, "c:n:qv")) != -1) {
        if (c == '?')
            usage(1, USAGE);
        quiet = c == 'q' || (quiet && c != 'v');
        verbose = c == 'v' || (verbose && c != 'q');
        if (c == 'c' || c == 'n') {
            bytes = c == 'c';
            take_count(optarg);
        }
    }
    bool titles = verbose || (argc - optind > 1 && !quiet);
    const char *gap = "";
    for (char **name = optind < argc ? argv + optind : standard_input; *name; name++) {
        int fd = open_operand(*name);
        if (fd < 0) {
            status = 1;
            continue;
        }
        if (titles)
            printf("%s==> %s <==\n", gap, fd == STDIN_FILENO ? "standard input" : *name);
        gap = "\n";
        if (!(from_end ? copy_all_but_last(fd, *name) : copy_first(fd, *name)))
            status = 1;
        close_operand(fd);
    }
    return command_end(status);
}
