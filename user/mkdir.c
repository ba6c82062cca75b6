/*
 * mkdir [-pv] [-m MODE] DIRECTORY...: make directories.
 *
 *     -p  those that lead there too, and never mind what exists     -m  with this mode     -v  say so
 *
 * The directories on the way must let us go on: they get u+wx whatever the umask says (POSIX).
 */
#include "mode.h"

#define USAGE "mkdir [-pv] [-m mode] directory..."

static bool parents, verbose, mode_given;
static mode_t mode = S_IFDIR | 0777;

static int make(const char *path, mode_t how)
{
    if (mkdir(path, how & 0777) < 0)
        return -1;
    if (verbose)
        printf("mkdir: %s\n", path);
    return 0;
}

/* Every directory that PATH leads through. */
static int make_parents(char *path, mode_t mask)
{
    int result = 0;
    umask(mask & ~(mode_t)0300);
    for (char *p = path + strspn(path, "/"); result == 0 && (p = strchr(p, '/'));) {
        size_t slashes = strspn(p, "/");
        if (!p[slashes])
            break;
        *p = '\0';
        if (make(path, 0777) < 0 && !is_directory(path)) {
            warn("%s", path);
            result = 1;
        }
        *p = '/';
        p += slashes;
    }
    umask(mask);
    return result;
}

static int make_directory(char *path, mode_t mask)
{
    if (parents && make_parents(path, mask) != 0)
        return 1;
    if (mode_given)
        umask(0);
    int result = make(path, mode);
    umask(mask);
    if (result < 0 && parents && errno == EEXIST && is_directory(path))
        return 0;
    if (result == 0 && mode_given && (mode & ~(mode_t)(S_IFMT | 0777)))
        result = chmod(path, mode & 07777);
    if (result < 0)
        warn("%s", path);
    return result < 0;
}

int main(int argc, char **argv)
{
    int c, status = 0;

    command_begin();
    while ((c = getopt(argc, argv, "pvm:")) != -1) {
        if (c == 'p')
            parents = true;
        else if (c == 'v')
            verbose = true;
        else if (c == 'm' && mode_parse(optarg, &mode))
            mode_given = true;
        else
            usage(1, USAGE);
    }
    if (optind == argc)
        usage(1, USAGE);
    mode_t mask = umask(0);
    umask(mask);
    for (; optind < argc; optind++)
        status |= make_directory(argv[optind], mask);
    return command_end(status);
}
