/* Options as POSIX's utility syntax has them: -a -b value, -abvalue, -- ends; operands are not moved. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

char *optarg;
int optind = 1, opterr = 1, optopt;

static int complain(const char *program, const char *what, const char *options)
{
    if (opterr && *options != ':')
        fprintf(stderr, "%s: %s -- '%c'\n", program, what, optopt);
    return '?';
}

int getopt(int argc, char *const argv[], const char *options)
{
    static int at; /* place in a cluster such as -abc; 0: at its beginning */
    if (optind == 0) {
        optind = 1;
        at = 0;
    }
    if (at == 0) {
        if (optind >= argc || !argv[optind] || argv[optind][0] != '-' || !argv[optind][1])
            return -1;
        if (strcmp(argv[optind], "--") == 0) {
            optind++;
            return -1;
        }
        at = 1;
    }
    const char *cluster = argv[optind];
    optopt = (unsigned char)cluster[at++];
    bool last = !cluster[at];
    const char *option = optopt == ':' ? NULL : strchr(options, optopt);
    if (!option || option[1] != ':') {
        if (last) {
            optind++;
            at = 0;
        }
        return option ? optopt : complain(argv[0], "invalid option", options);
    }
    optarg = last ? NULL : (char *)cluster + at;
    optind++;
    at = 0;
    if (optarg)
        return optopt;
    if (optind >= argc) {
        complain(argv[0], "option requires an argument", options);
        return *options == ':' ? ':' : '?';
    }
    optarg = argv[optind++];
    return optopt;
}
