/* <getopt.h>: POSIX getopt(), and GNU's long options: --name, --name=value, --name value. */
#pragma once

extern char *optarg;
extern int optind, opterr, optopt;

#define no_argument 0
#define required_argument 1
#define optional_argument 2

struct option {
    const char *name;
    int has_arg;
    int *flag; /* NULL: VALUE is returned; otherwise *FLAG becomes VALUE, and 0 is returned */
    int val;
};

int getopt(int argc, char *const argv[], const char *options);
/* Operands are moved behind the options, unless OPTIONS begins with '+' (stop there) or '-' (return them as 1). */
int getopt_long(int argc, char *const argv[], const char *options, const struct option *names,
                int *index);
/* The same, and -name is as good as --name. */
int getopt_long_only(int argc, char *const argv[], const char *options, const struct option *names,
                     int *index);
