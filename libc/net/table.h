/* The files of names: lines of words, of which each has a number or an address and one name or more. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define TABLE_WORDS 16

struct table_line {
    char text[512];
    char *words[TABLE_WORDS + 1]; /* NULL behind the last */
    int count;
};

/* The next line of F that has two words or more; what follows a # is none, nor what is too long. False: the end. */
bool __table_next(FILE *f, struct table_line *line);
/* Is NAME one of the words from FIRST on? In hosts, letters are alike whatever their case. */
bool __table_has(const struct table_line *line, int first, const char *name, bool any_case);

struct servent;
/*
 * The line of /etc/services with this NAME, or with this PORT (network order) if NAME is NULL, and PROTOCOL, if not
 * NULL. The service's words lie in LINE.
 */
bool __service_find(const char *name, int port, const char *protocol, struct table_line *line,
                    struct servent *found);
