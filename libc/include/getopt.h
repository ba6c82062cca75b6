/* <getopt.h>: POSIX getopt(). */
#pragma once

extern char *optarg;
extern int optind, opterr, optopt;

int getopt(int argc, char *const argv[], const char *options);
