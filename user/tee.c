/*
 * tee [-ai] [FILE...]: standard input, on standard output and into each of the files.
 *
 *     -a  behind what is in the files     -i  go on when interrupted
 *
 * What can't be written to one is still written to the others; the exit status remembers.
 */
#include "command.h"

#include <signal.h>

#define USAGE "tee [-ai] [file...]"

int main(int argc, char **argv)
{
    static char buf[65536];
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_TRUNC, c, status = 0;
    ssize_t n;

    command_begin();
    while ((c = getopt(argc, argv, "ai")) != -1) {
        if (c == 'a')
            flags = (flags & ~O_TRUNC) | O_APPEND;
        else if (c == 'i')
            signal(SIGINT, SIG_IGN);
        else
            usage(1, USAGE);
    }
    /* argv's own words name the outputs; the place before the files is standard output's. */
    int count = argc - optind + 1;
    char **names = argv + optind - 1;
    int *fds = need_memory(calloc((size_t)count, sizeof(*fds)));
    names[0] = "standard output";
    fds[0] = STDOUT_FILENO;
    for (int i = 1; i < count; i++) {
        fds[i] = open(names[i], flags, 0666);
        if (fds[i] < 0) {
            warn("%s", names[i]);
            status = 1;
        }
    }
    while ((n = read_some(STDIN_FILENO, buf, sizeof(buf))) > 0) {
        for (int i = 0; i < count; i++) {
            if (fds[i] < 0 || write_all(fds[i], buf, (size_t)n))
                continue;
            warn("%s", names[i]);
            fds[i] = -1; /* no more of the same */
            status = 1;
        }
    }
    if (n < 0) {
        warn("standard input");
        status = 1;
    }
    return status;
}
