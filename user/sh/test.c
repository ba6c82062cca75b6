/*
 * test and [: expressions of files, strings and numbers. -o is of -a, -a is of terms; a term is a unary or
 * binary test, ! term, ( expression ) or a string. Where an argument could be an operator or a string, their
 * number decides: POSIX says that a binary operator in the middle of three wins.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sh.h"

static char **at, **end;
static bool wrong;

static bool expression(void);

static bool bad(const char *text, const char *why)
{
    if (!wrong)
        complain("test: %s: %s", text, why);
    wrong = true;
    return false;
}

static long long number(const char *text)
{
    char *rest;
    long long value;

    errno = 0;
    value = strtoll(text, &rest, 10);
    rest += strspn(rest, " \t\n");
    if (rest == text || *rest != '\0')
        bad(text, "Illegal number");
    return value;
}

static bool newer(const char *a, const char *b)
{
    struct stat x, y;

    if (stat(a, &x) < 0 || stat(b, &y) < 0)
        return false;
    return x.st_mtim.tv_sec != y.st_mtim.tv_sec ? x.st_mtim.tv_sec > y.st_mtim.tv_sec
                                                : x.st_mtim.tv_nsec > y.st_mtim.tv_nsec;
}

static bool unary(char op, const char *s)
{
    struct stat status;

    switch (op) {
    case 'n': return *s != '\0';
    case 'z': return *s == '\0';
    case 't': return isatty((int)number(s));
    case 'r': return access(s, R_OK) == 0;
    case 'w': return access(s, W_OK) == 0;
    case 'x': return access(s, X_OK) == 0;
    case 'h':
    case 'L': return lstat(s, &status) == 0 && S_ISLNK(status.st_mode);
    }
    if (stat(s, &status) < 0)
        return false;
    switch (op) {
    case 'b': return S_ISBLK(status.st_mode);
    case 'c': return S_ISCHR(status.st_mode);
    case 'd': return S_ISDIR(status.st_mode);
    case 'f': return S_ISREG(status.st_mode);
    case 'g': return status.st_mode & S_ISGID;
    case 'k': return status.st_mode & S_ISVTX;
    case 'p': return S_ISFIFO(status.st_mode);
    case 's': return status.st_size > 0;
    case 'S': return S_ISSOCK(status.st_mode);
    case 'u': return status.st_mode & S_ISUID;
    case 'G': return status.st_gid == getegid();
    case 'O': return status.st_uid == geteuid();
    default: return true; /* e */
    }
}

static const char *const binaries[] = {"=",   "!=",  "<",   ">",   "-eq", "-ne", "-lt",
                                       "-le", "-gt", "-ge", "-nt", "-ot", "-ef"};

/* Which of binaries S is, or -1. */
static int binary_operator(const char *s)
{
    for (int i = 0; i < (int)(sizeof binaries / sizeof binaries[0]); i++)
        if (strcmp(s, binaries[i]) == 0)
            return i;
    return -1;
}

static bool binary(const char *a, int op, const char *b)
{
    struct stat x, y;
    int order = op < 4 ? strcmp(a, b) : 0;
    long long left = 0, right = 0;

    if (op >= 4 && op < 10) {
        left = number(a);
        right = number(b);
    }
    switch (op) {
    case 0: return order == 0;
    case 1: return order != 0;
    case 2: return order < 0;
    case 3: return order > 0;
    case 4: return left == right;
    case 5: return left != right;
    case 6: return left < right;
    case 7: return left <= right;
    case 8: return left > right;
    case 9: return left >= right;
    case 10: return newer(a, b);
    case 11: return newer(b, a);
    default:
        return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
    }
}

static bool term(void)
{
    bool result;

    if (at == end)
        return bad("", "argument expected");
    if (end - at >= 3 && binary_operator(at[1]) >= 0) {
        result = binary(at[0], binary_operator(at[1]), at[2]);
        at += 3;
        return result;
    }
    if (strcmp(*at, "!") == 0 && end - at > 1) {
        at++;
        return !term();
    }
    if (strcmp(*at, "(") == 0 && end - at > 1) {
        at++;
        result = expression();
        if (at == end || strcmp(*at++, ")") != 0)
            return bad("closing paren", "expected");
        return result;
    }
    if (end - at > 1 && at[0][0] == '-' && at[0][1] != '\0' && at[0][2] == '\0' &&
        strchr("nztrwxhLbcdfgkpsSuGOe", at[0][1]) != NULL) {
        at += 2;
        return unary(at[-2][1], at[-1]);
    }
    return *(*at++) != '\0';
}

static bool conjunction(void)
{
    bool result = term();

    while (at < end && strcmp(*at, "-a") == 0) {
        at++;
        result = term() && result;
    }
    return result;
}

static bool expression(void)
{
    bool result = conjunction();

    while (at < end && strcmp(*at, "-o") == 0) {
        at++;
        result = conjunction() || result;
    }
    return result;
}

int builtin_test(int argc, char **argv)
{
    bool result;

    if (strcmp(argv[0], "[") == 0 && strcmp(argv[--argc], "]") != 0)
        return complain("[: missing ]");
    at = argv + 1;
    end = argv + argc;
    wrong = false;
    if (argc < 2)
        return 1;
    result = expression();
    if (at < end)
        bad(*at, "unexpected operator");
    return wrong ? 2 : !result;
}
