/* <libgen.h>: the two halves of a path. Both may change the path they are given. */
#pragma once

char *basename(char *path);
char *dirname(char *path);
