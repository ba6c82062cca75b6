/* Memory and strings as ISO C defines them (7.24), plus the few that C lacks. */
#pragma once

#include "lib/types.h"

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
/*
 * A freestanding compiler takes these for functions like any other. Told what they mean, it makes a few moves of a
 * small fixed size instead of a call. (Not in the checking build: there it sees lengths wrap that never do.)
 */
#ifndef CONFIG_DEBUG
#define memcpy(...) __builtin_memcpy(__VA_ARGS__)
#define memset(...) __builtin_memset(__VA_ARGS__)
#define memcmp(...) __builtin_memcmp(__VA_ARGS__)
#endif
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *needle);

/* Copy at most SIZE-1 bytes and always end with NUL (SIZE > 0). Returns strlen(src), as OpenBSD's does. */
size_t strlcpy(char *dst, const char *src, size_t size);

/*
 * An unsigned number in BASE (2 to 16; 0 means what C's prefixes say) from all of S.
 * Returns 0, -EINVAL when S is not a number, -ERANGE when it does not fit.
 */
int parse_u64(const char *s, unsigned base, uint64_t *value);
