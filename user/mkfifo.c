/*
 * mkfifo [-m MODE] NAME...: make pipes that have names.
 */
#include "mode.h"

#define USAGE "mkfifo [-m mode] name..."

int main(int argc, char **argv)
{
    mode_t mode = S_IFIFO | 0666;
    int c, status = 0;

    command_begin();
    while ((c = getopt(argc, argv, "m:")) != -1) {
        if (c != 'm' || !mode_parse(optarg, &mode) || (mode & ~(mode_t)(S_IFMT | 0777)))
            usage(1, USAGE);
        umask(0);
    }
    if (optind == argc)
        usage(1, USAGE);
    for (; optind < argc; optind++) {
        if (mkfifo(argv[optind], mode & 0777) < 0) {
            warn("%s", argv[optind]);
            status = 1;
        }
    }
    return status;
}
