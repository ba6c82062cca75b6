/*
 * tail [-fqv] [-c COUNT|-n COUNT] [-s SECONDS] [FILE...]: the last 10 lines of each file.
 *
 *     -n  so many lines; -n +3: from the third on     -c  the same with bytes     -3  as -n 3
 *     -f  then wait for more     -s  and look for it every so many seconds     -q, -v  never, always say which file
 *
 * A file is read from its end backwards, as far as needed. A pipe must be read whole, but only what may
 * still be among the last is kept. Who waits has no better way than to look again: a file that has grown
 * is read on, one that has become shorter is begun again.
 */
#include "slurp.h"

#include <time.h>

#define USAGE "tail [-fqv] [-c count | -n count] [-s seconds] [file...]"
#define BLOCK 65536

static bool bytes, from_start, follow, quiet, verbose;
static long long count = 10;
static time_t interval = 1;

/* What is followed: the descriptor, and how far it was read. */
struct followed {
    const char *name;
    int fd;
};

static void print(const char *data, size_t n)
{
    if (fwrite(data, 1, n, stdout) != n)
        exit(command_end(1));
}

/* All that is left. False: it can't be read. */
static bool copy_rest(int fd, const char *name)
{
    static char buf[BLOCK];
    ssize_t got;
    while ((got = read_some(fd, buf, sizeof(buf))) > 0)
        print(buf, (size_t)got);
    if (got < 0)
        warn("%s", name);
    return got == 0;
}

/* From the COUNT-th line or byte on. */
static bool copy_from(int fd, const char *name)
{
    static char buf[BLOCK];
    long long skip = count > 0 ? count - 1 : 0;
    while (skip > 0) {
        size_t used = 0;
        ssize_t got = read_some(fd, buf, sizeof(buf));
        if (got < 0)
            warn("%s", name);
        if (got <= 0)
            return got == 0;
        for (; used < (size_t)got && skip > 0; used++)
            skip -= bytes || buf[used] == '\n';
        print(buf + used, (size_t)got - used);
    }
    return copy_rest(fd, name);
}

/* The end of what can only be read once. */
static bool copy_end(int fd, const char *name)
{
    struct text text = {0};
    size_t start = 0, dropped_at = 1 << 20;
    long long found;
    ssize_t got;

    do {
        got = text_read(&text, fd);
        if (got > 0 && text.length < dropped_at)
            continue;
        if (bytes)
            start = text.length > (size_t)count ? text.length - (size_t)count : 0;
        else
            start = text_last_lines(text.data, text.length, count, &found);
        memmove(text.data, text.data + start, text.length - start);
        text.length -= start;
        dropped_at = text.length * 2 + (1 << 20);
    } while (got > 0);
    print(text.data, text.length);
    free(text.data);
    if (got < 0)
        warn("%s", name);
    return got == 0;
}

/* The end of a file of SIZE bytes: go back block by block until there are enough lines. */
static bool copy_file_end(int fd, const char *name, off_t size)
{
    static char buf[BLOCK];
    off_t at = size, begin = lseek(fd, 0, SEEK_CUR);
    long long left = count;

    if (bytes)
        at = size - begin > count ? size - count : begin;
    while (!bytes && left > 0 && at > begin) {
        off_t block = at - begin > BLOCK ? at - BLOCK : begin;
        ssize_t got = pread(fd, buf, (size_t)(at - block), block);
        if (got <= 0)
            break;
        bool last = at == size;
        long long found;
        /* A newline at the very end ends the last line; in an earlier block it ends one more. */
        size_t start = (size_t)got;
        for (found = 0; start > 0; start--) {
            if (buf[start - 1] != '\n' || (last && start == (size_t)got))
                continue;
            if (++found == left)
                break;
        }
        left -= found;
        at = block + (off_t)start;
    }
    lseek(fd, at, SEEK_SET);
    return copy_rest(fd, name);
}

static bool copy(int fd, const char *name)
{
    struct stat st;
    if (from_start)
        return copy_from(fd, name);
    bool seekable = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
    return seekable ? copy_file_end(fd, name, st.st_size) : copy_end(fd, name);
}

static void print_title(const char *name, bool first)
{
    printf("%s==> %s <==\n", first ? "" : "\n", strcmp(name, "-") == 0 ? "standard input" : name);
}

/* Look at each file again and again, for ever. TITLES: say whose text it is when that changes. */
static void keep_following(const struct followed *files, int n, bool titles)
{
    const struct timespec pause = {interval, 0};
    int last = n - 1;
    for (;;) {
        for (int i = 0; i < n; i++) {
            struct stat st;
            off_t at = lseek(files[i].fd, 0, SEEK_CUR);
            if (fstat(files[i].fd, &st) < 0 || (S_ISREG(st.st_mode) && st.st_size == at))
                continue;
            if (S_ISREG(st.st_mode) && st.st_size < at) {
                warnx("%s: has become shorter", files[i].name);
                lseek(files[i].fd, 0, SEEK_SET);
            }
            if (titles && i != last)
                print_title(files[i].name, false);
            last = i;
            copy_rest(files[i].fd, files[i].name);
        }
        if (fflush(stdout) != 0)
            exit(command_end(1));
        nanosleep(&pause, NULL);
    }
}

static void take_count(const char *text)
{
    from_start = *text == '+';
    if (!parse_count(text + (*text == '+' || *text == '-'), &count))
        errx(1, "%s: not a count", text);
}

static void take_option(int c)
{
    switch (c) {
    case 'c':
    case 'n':
        bytes = c == 'c';
        take_count(optarg);
        break;
    case 'f': follow = true; break;
    case 'q': quiet = true, verbose = false; break;
    case 's': interval = strtol(optarg, NULL, 10); break;
    case 'v': verbose = true, quiet = false; break;
    default: usage(1, USAGE);
    }
}

int main(int argc, char **argv)
{
    char *standard_input[] = {"-", NULL};
    int c, status = 0, n = 0;

    command_begin();
    /* The ways of old: -3 and +3. */
    if (argc > 1 && (argv[1][0] == '-' || argv[1][0] == '+') && argv[1][1] >= '0' &&
        argv[1][1] <= '9') {
        take_count(argv[1]);
        optind = 2;
    }
    while ((c = getopt(argc, argv, "c:fn:qs:v")) != -1)
        take_option(c);
    char **names = optind < argc ? argv + optind : standard_input;
    bool titles = verbose || (argc - optind > 1 && !quiet), first = true;
    struct followed *files = need_memory(calloc((size_t)argc, sizeof(*files)));
    for (; *names; names++) {
        int fd = open_operand(*names);
        if (fd < 0) {
            status = 1;
            continue;
        }
        if (titles)
            print_title(*names, first);
        first = false;
        if (!copy(fd, *names))
            status = 1;
        struct stat st;
        /* A pipe's end is its end; only a FIFO may get another writer. */
        bool grows = fstat(fd, &st) == 0 && (!S_ISFIFO(st.st_mode) || strcmp(*names, "-") != 0);
        if (follow && grows)
            files[n++] = (struct followed){*names, fd};
        else
            close_operand(fd);
    }
    if (n > 0)
        keep_following(files, n, titles);
    return command_end(status);
}
