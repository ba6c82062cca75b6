/* <fnmatch.h>: a pattern of * ? [ ] against a string. */
#pragma once

#define FNM_PATHNAME 1 /* only a / matches a / */
#define FNM_NOESCAPE 2 /* \ is an ordinary byte */
#define FNM_PERIOD 4   /* only a . matches a . at the beginning */
#define FNM_NOMATCH 1

int fnmatch(const char *pattern, const char *s, int flags);
