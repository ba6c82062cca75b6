/*
 * tty [-s]: the name of the terminal that is standard input; exit status 1 when that is none.
 *
 *     -s  say nothing, the status is the answer
 */
#include "command.h"

#define USAGE "tty [-s]"

int main(int argc, char **argv)
{
    bool silent = false;
    int c;

    command_begin();
    while ((c = getopt(argc, argv, "s")) != -1) {
        if (c == '?')
            usage(2, USAGE);
        silent = true;
    }
    if (optind < argc)
        usage(2, USAGE);
    bool terminal = isatty(STDIN_FILENO);
    const char *name = terminal ? ttyname(STDIN_FILENO) : "not a tty";
    if (!silent)
        puts(name ? name : "unknown");
    return command_end_with(!terminal, 3);
}
