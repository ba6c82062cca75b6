/*
 * touch [-acmh] [-d WHEN|-r FILE|-t [[CC]YY]MMDDhhmm[.SS]] FILE...: set the times of files; what isn't
 * there is made.
 *
 *     -a  only when it was read     -m  only when it was changed     -c  make no file
 *     -d, -t  not now but then      -r  as that file has them        -h  a symbolic link itself
 */
#include "when.h"

#define USAGE "touch [-acmh] [-d when | -r file | -t [[CC]YY]MMDDhhmm[.SS]] file..."

static bool reading, changing, make_none, link_itself;
static struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};

static void take_times_of(const char *file)
{
    struct stat st;
    if ((link_itself ? lstat(file, &st) : stat(file, &st)) < 0)
        err(1, "%s", file);
    times[0] = st.st_atim;
    times[1] = st.st_mtim;
}

static void take_option(int c)
{
    switch (c) {
    case 'a': reading = true; break;
    case 'm': changing = true; break;
    case 'c': make_none = true; break;
    case 'h': link_itself = make_none = true; break;
    case 'r': break;
    case 'd':
    case 't':
        if (!(c == 'd' ? when_parse(optarg, times) : when_parse_digits(optarg, false, times)))
            errx(1, "%s: not a time", optarg);
        times[1] = times[0];
        break;
    default: usage(1, USAGE);
    }
}

static int touch(const char *file)
{
    int flags = link_itself ? AT_SYMLINK_NOFOLLOW : 0;
    if (utimensat(AT_FDCWD, file, times, flags) == 0)
        return 0;
    if (errno == ENOENT && make_none)
        return 0;
    if (errno == ENOENT) {
        int fd = open(file, O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0666);
        int result = fd < 0 ? -1 : futimens(fd, times);
        if (fd >= 0)
            close(fd);
        if (result == 0)
            return 0;
    }
    warn("%s", file);
    return 1;
}

int main(int argc, char **argv)
{
    const char *model = NULL;
    int c, status = 0;

    command_begin();
    while ((c = getopt(argc, argv, "acmhd:r:t:")) != -1) {
        take_option(c);
        if (c == 'r')
            model = optarg;
    }
    if (optind == argc)
        usage(1, USAGE);
    if (model)
        take_times_of(model);
    if (changing && !reading)
        times[0].tv_nsec = UTIME_OMIT;
    if (reading && !changing)
        times[1].tv_nsec = UTIME_OMIT;
    for (; optind < argc; optind++)
        status |= touch(argv[optind]);
    return status;
}
