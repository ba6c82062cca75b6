/*
 * env [-i0] [-u NAME] [NAME=VALUE...] [COMMAND [ARGUMENT...]]: run the command with its environment
 * changed, or print the environment.
 *
 *     -i (or -)  begin with an empty one     -u  without NAME     -0  end each line with NUL
 *
 * The environment is only a vector of strings that execve(2) hands on; here it is changed in place.
 * Exit status: the command's; 127 it wasn't found, 126 it couldn't be run, 125 we failed.
 */
#include "command.h"

#define USAGE "env [-i0] [-u name] [name=value...] [command [argument...]]"

int main(int argc, char **argv)
{
    int c, end = '\n';
    bool empty = false;

    command_begin();
    while ((c = getopt(argc, argv, "+i0u:")) != -1) {
        if (c == '0')
            end = '\0';
        else if (c == 'i')
            empty = true;
        else if (c != 'u' || !*optarg || strchr(optarg, '='))
            usage(125, USAGE);
        else if (unsetenv(optarg) < 0)
            err(125, "%s", optarg);
    }
    if (optind < argc && strcmp(argv[optind], "-") == 0) {
        empty = true;
        optind++;
    }
    if (empty)
        clearenv();
    for (; optind < argc && strchr(argv[optind], '='); optind++)
        if (putenv(argv[optind]) != 0)
            err(125, "%s", argv[optind]);
    if (optind < argc) {
        if (end == '\0')
            usage(125, USAGE);
        execvp(argv[optind], argv + optind);
        int status = errno == ENOENT ? 127 : 126;
        err(status, "%s", argv[optind]);
    }
    for (char **e = environ; e && *e; e++)
        printf("%s%c", *e, end);
    return command_end_with(0, 125);
}
