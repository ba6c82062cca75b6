/*
 * sync [-df] [FILE...]: have everything, or these files, written to where it lasts.
 *
 *     -d  only the files' data     -f  the whole file systems that the files are on
 */
#include "command.h"

#define USAGE "sync [-df] [file...]"

int main(int argc, char **argv)
{
    int (*how)(int) = fsync;
    int c, status = 0;

    command_begin();
    while ((c = getopt(argc, argv, "df")) != -1) {
        if (c == '?' || how != fsync)
            usage(1, USAGE);
        how = c == 'd' ? fdatasync : syncfs;
    }
    if (optind == argc && how == fdatasync)
        usage(1, USAGE);
    if (optind == argc)
        sync();
    for (; optind < argc; optind++) {
        int fd = open(argv[optind], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 || how(fd) < 0) {
            warn("%s", argv[optind]);
            status = 1;
        }
        if (fd >= 0)
            close(fd);
    }
    return status;
}
