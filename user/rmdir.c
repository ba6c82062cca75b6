/*
 * rmdir [-pv] DIRECTORY...: remove empty directories.
 *
 *     -p  and those that lead there: rmdir -p a/b/c is rmdir a/b/c a/b a     -v  say so
 */
#include "command.h"

#define USAGE "rmdir [-pv] directory..."

/* Cut the last component off PATH. False: there is nothing before it. */
static bool cut(char *path)
{
    char *end = (char *)last_component(path);
    while (end > path && end[-1] == '/')
        end--;
    *end = '\0';
    return end > path;
}

int main(int argc, char **argv)
{
    bool parents = false, verbose = false;
    int c, status = 0;

    command_begin();
    while ((c = getopt(argc, argv, "pv")) != -1) {
        if (c == '?')
            usage(1, USAGE);
        parents |= c == 'p';
        verbose |= c == 'v';
    }
    if (optind == argc)
        usage(1, USAGE);
    for (; optind < argc; optind++) {
        char *path = argv[optind];
        do {
            if (rmdir(path) < 0) {
                warn("%s", path);
                status = 1;
                break;
            }
            if (verbose)
                printf("rmdir: %s\n", path);
        } while (parents && cut(path));
    }
    return command_end(status);
}
