/*
 * Options as POSIX's utility syntax has them: -a -b value, -abvalue, -- ends; operands are not moved. From GNU: an
 * argument that may be missing (b::, then it must stand in the same word).
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

char *optarg;
int optind = 1, opterr = 1, optopt;
static int option_at; /* place in a word such as -abc; 0: at its beginning */

static int complain(const char *program, const char *what, const char *options)
{
    if (opterr && *options != ':')
        fprintf(stderr, "%s: %s -- '%c'\n", program, what, optopt);
    return '?';
}

/* The word at optind has been read to its end. */
static void next_word(void)
{
    optind++;
    option_at = 0;
}

/* OPTION, the last letter read, takes an argument: the rest of the word, or the next word. */
static int with_argument(int argc, char *const argv[], const char *options, const char *option)
{
    const char *rest = argv[optind] + option_at;
    next_word();
    optarg = *rest ? (char *)rest : NULL;
    if (optarg || option[2] == ':')
        return optopt;
    if (optind >= argc) {
        complain(argv[0], "option requires an argument", options);
        return *options == ':' ? ':' : '?';
    }
    optarg = argv[optind++];
    return optopt;
}

int getopt(int argc, char *const argv[], const char *options)
{
    optarg = NULL;
    if (optind == 0) {
        optind = 1;
        option_at = 0;
    }
    if (option_at == 0) {
        if (optind >= argc || !argv[optind] || argv[optind][0] != '-' || !argv[optind][1])
            return -1;
        if (strcmp(argv[optind], "--") == 0) {
            optind++;
            return -1;
        }
        option_at = 1;
    }
    optopt = (unsigned char)argv[optind][option_at++];
    const char *option = optopt == ':' ? NULL : strchr(options, optopt);
    if (option && option[1] == ':')
        return with_argument(argc, argv, options, option);
    if (!argv[optind][option_at])
        next_word();
    return option ? optopt : complain(argv[0], "invalid option", options);
}
