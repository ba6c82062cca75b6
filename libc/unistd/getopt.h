/* What getopt() and getopt_long() share. */
#pragma once

#include <getopt.h>

extern int __option_at; /* place in a word such as -abc; 0: at its beginning */
