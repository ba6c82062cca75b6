/* Finding characters and strings in strings, and splitting at separators. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

char *strchrnul(const char *s, int c)
{
    while (*s && *s != (char)c)
        s++;
    return (char *)s;
}

char *strchr(const char *s, int c)
{
    char *p = strchrnul(s, c);
    return *p == (char)c ? p : NULL;
}

char *strrchr(const char *s, int c)
{
    return memrchr(s, c, strlen(s) + 1);
}

char *strstr(const char *haystack, const char *needle)
{
    return memmem(haystack, strlen(haystack), needle, strlen(needle));
}

char *strcasestr(const char *haystack, const char *needle)
{
    size_t n = strlen(needle);
    for (; strncasecmp(haystack, needle, n) != 0; haystack++)
        if (!*haystack)
            return NULL;
    return (char *)haystack;
}

/* A set of characters, one bit each. NUL is in no set: it ends the string that is looked through. */
struct set {
    uint64_t bits[4];
};

static struct set set_of(const char *members)
{
    struct set set = {{0}};
    for (; *members; members++)
        set.bits[(unsigned char)*members / 64] |= 1UL << (unsigned char)*members % 64;
    return set;
}

static bool set_has(const struct set *set, char c)
{
    return set->bits[(unsigned char)c / 64] >> (unsigned char)c % 64 & 1;
}

size_t strspn(const char *s, const char *accept)
{
    struct set set = set_of(accept);
    size_t n = 0;
    while (set_has(&set, s[n]))
        n++;
    return n;
}

size_t strcspn(const char *s, const char *reject)
{
    struct set set = set_of(reject);
    size_t n = 0;
    while (s[n] && !set_has(&set, s[n]))
        n++;
    return n;
}

char *strpbrk(const char *s, const char *accept)
{
    s += strcspn(s, accept);
    return *s ? (char *)s : NULL;
}

char *strtok_r(char *restrict s, const char *restrict separators, char **restrict state)
{
    if (!s)
        s = *state;
    s += strspn(s, separators);
    if (!*s) {
        *state = s;
        return NULL;
    }
    char *end = s + strcspn(s, separators);
    *state = *end ? end + 1 : end;
    *end = '\0';
    return s;
}

char *strtok(char *restrict s, const char *restrict separators)
{
    static char *state;
    return strtok_r(s, separators, &state);
}

char *strsep(char **s, const char *separators)
{
    char *token = *s;
    if (!token)
        return NULL;
    char *end = token + strcspn(token, separators);
    *s = *end ? end + 1 : NULL;
    *end = '\0';
    return token;
}
