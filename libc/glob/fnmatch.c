/*
 * fnmatch: * ? [a-z] [!a-z] [[:alpha:]], POSIX.1 section 2.13 of the shell's language.
 *
 * A * takes as little as it can; when the rest does not match, the last * takes one byte more. Only the last
 * one can help: an earlier one was followed by something that has matched already. So the time is the product
 * of both lengths at worst, whatever the pattern.
 */
#include <ctype.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <string.h>

static const struct {
    const char *name;
    int (*test)(int);
} classes[] = {
    {"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
    {"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
    {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit},
};

/* P is at [: of [:name:]; say in *FOUND whether C is of that class. Returns what is behind, NULL: no class. */
static const char *match_class(const char *p, unsigned char c, bool *found)
{
    const char *name = p + 2;
    const char *end = strstr(name, ":]");

    for (size_t i = 0; end != NULL && i < sizeof classes / sizeof classes[0]; i++) {
        size_t length = strlen(classes[i].name);
        if (length == (size_t)(end - name) && strncmp(name, classes[i].name, length) == 0) {
            *found |= classes[i].test(c) != 0;
            return end + 2;
        }
    }
    return NULL;
}

static unsigned char literal(const char **p, int flags)
{
    if (**p == '\\' && (*p)[1] != '\0' && !(flags & FNM_NOESCAPE))
        ++*p;
    return (unsigned char)*(*p)++;
}

/* P is behind [: say in *FOUND whether C is in the list. Returns what is behind ], NULL: there is none. */
static const char *match_bracket(const char *p, unsigned char c, int flags, bool *found)
{
    bool inverted = *p == '!' || *p == '^';

    *found = false;
    p += inverted;
    for (bool first = true; first || *p != ']'; first = false) {
        const char *behind;
        if (*p == '\0')
            return NULL;
        if (p[0] == '[' && p[1] == ':' && (behind = match_class(p, c, found)) != NULL) {
            p = behind;
            continue;
        }
        unsigned char low = literal(&p, flags);
        unsigned char high = low;
        if (p[0] == '-' && p[1] != ']' && p[1] != '\0') {
            p++;
            high = literal(&p, flags);
        }
        *found |= low <= c && c <= high;
    }
    *found ^= inverted;
    return p + 1;
}

/* Whether the byte at S is one that only a literal matches. */
static bool is_guarded(const char *s, const char *whole, int flags)
{
    if (*s == '/' && (flags & FNM_PATHNAME))
        return true;
    if (*s != '.' || !(flags & FNM_PERIOD))
        return false;
    return s == whole || (s[-1] == '/' && (flags & FNM_PATHNAME));
}

/* Match the one byte at S; what is behind its part of the pattern, or NULL. */
static const char *match_byte(const char *p, const char *s, const char *whole, int flags)
{
    const char *behind;
    bool found;

    if (*s == '\0' || *p == '\0')
        return NULL;
    if (*p == '?')
        return is_guarded(s, whole, flags) ? NULL : p + 1;
    if (*p == '[') {
        behind = match_bracket(p + 1, (unsigned char)*s, flags, &found);
        if (behind != NULL)
            return found && !is_guarded(s, whole, flags) ? behind : NULL;
    }
    return literal(&p, flags) == (unsigned char)*s ? p : NULL;
}

int fnmatch(const char *p, const char *s, int flags)
{
    const char *whole = s;
    const char *star = NULL;  /* behind the last * */
    const char *taken = NULL; /* how far it reaches */

    for (;;) {
        const char *behind;
        if (*p == '*') {
            star = ++p;
            taken = s;
        } else if (*p == '\0' && *s == '\0') {
            return 0;
        } else if ((behind = match_byte(p, s, whole, flags)) != NULL) {
            p = behind;
            s++;
        } else if (star != NULL && *taken != '\0' && !is_guarded(taken, whole, flags)) {
            p = star;
            s = ++taken;
        } else {
            return FNM_NOMATCH;
        }
    }
}
