/*
 * Patterns: * ? [a-z]. The C library knows them, as fnmatch and glob, and takes a backslash for a quote; in
 * our fields a MARK stands before a quoted byte, so that a backslash can be an ordinary byte too.
 */
#include <fnmatch.h>
#include <glob.h>
#include <string.h>

#include "sh.h"

/* A copy of FIELD, in scratch, with a backslash for each MARK. */
static char *for_library(const char *field)
{
    char *pattern = arena_string(&scratch, field, strlen(field));

    for (char *p = pattern; *p != '\0'; p++)
        if (*p == MARK && p[1] != '\0')
            *p++ = '\\';
    return pattern;
}

bool pattern_match(const char *pattern, const char *s)
{
    return fnmatch(for_library(pattern), s, 0) == 0;
}

bool has_wildcards(const char *p)
{
    for (; *p != '\0'; p++) {
        if (*p == MARK)
            p++;
        else if (*p == '*' || *p == '?' || (*p == '[' && strchr(p, ']') != NULL))
            return true;
    }
    return false;
}

/* Take the MARKs out, in place. */
char *unmark(char *field)
{
    char *to = field;

    for (const char *from = field; *from != '\0'; from++) {
        if (*from == MARK)
            from++;
        *to++ = *from;
    }
    *to = '\0';
    return field;
}

struct word **glob_names(struct word **tail, const char *field)
{
    glob_t found;

    if (glob(for_library(field), 0, NULL, &found) != 0)
        return tail;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        *tail = arena_alloc(&scratch, sizeof **tail);
        (*tail)->text = arena_string(&scratch, found.gl_pathv[i], strlen(found.gl_pathv[i]));
        tail = &(*tail)->next;
    }
    globfree(&found);
    return tail;
}
