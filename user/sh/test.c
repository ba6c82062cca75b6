/*
 * test and [: expressions of files, strings and numbers. -o is of -a, -a is of terms. An argument that could
 * be an operator or a string is what the number of arguments makes it: a binary operator in the middle wins.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sh.h"

static char **at, **end;
static bool wrong;

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
    long long value = strtoll(text, &rest, 10);

    if (rest == text || rest[strspn(rest, " \t\n")] != '\0')
        bad(text, "Illegal number");
    return value;
}

/* How the ages of A and B compare; one that isn't there is the older. */
static long newer(const char *a, const char *b)
{
    struct stat x = {0}, y = {0};

    if (stat(a, &x) < 0 || stat(b, &y) < 0)
        return 0;
    long seconds = x.st_mtim.tv_sec - y.st_mtim.tv_sec;
    return seconds != 0 ? seconds : x.st_mtim.tv_nsec - y.st_mtim.tv_nsec;
}

static bool unary(char op, const char *s)
{
    static const char kinds[] = "bcdfpSLh", bits[] = "ugk", ways[] = "xwr";
    static const mode_t modes[] = {S_IFBLK, S_IFCHR,  S_IFDIR, S_IFREG,
                                   S_IFIFO, S_IFSOCK, S_IFLNK, S_IFLNK};
    const char *found;
    struct stat status;

    if (op == 'n' || op == 'z')
        return (*s == '\0') == (op == 'z');
    if (op == 't')
        return isatty((int)number(s));
    if ((found = strchr(ways, op)) != NULL)
        return access(s, 1 << (found - ways)) == 0;
    if ((op == 'h' || op == 'L' ? lstat : stat)(s, &status) < 0)
        return false;
    if ((found = strchr(kinds, op)) != NULL)
        return (status.st_mode & S_IFMT) == modes[found - kinds];
    if ((found = strchr(bits, op)) != NULL)
        return status.st_mode & (S_ISUID >> (found - bits));
    if (op == 'G' || op == 'O')
        return op == 'G' ? status.st_gid == getegid() : status.st_uid == geteuid();
    return op == 'e' || status.st_size > 0;
}

/* Which binary operator S is, or -1. */
static int binary_operator(const char *s)
{
    static const char *const names[] = {"=",   "!=",  "<",   ">",   "-eq", "-ne", "-lt",
                                        "-gt", "-le", "-ge", "-nt", "-ot", "-ef"};

    for (int i = 0; i < (int)(sizeof names / sizeof names[0]); i++)
        if (strcmp(s, names[i]) == 0)
            return i;
    return -1;
}

static bool binary(const char *a, int op, const char *b)
{
    long long order = op < 4 ? strcmp(a, b) : 0;
    struct stat x, y;

    if (op >= 4 && op < 10) {
        long long left = number(a), right = number(b);
        order = (left > right) - (left < right);
    }
    switch (op < 4 ? op : op - 4) {
    case 0: return order == 0;
    case 1: return order != 0;
    case 2: return order < 0;
    case 3: return order > 0;
    case 4: return order <= 0;
    case 5: return order >= 0;
    case 6: return newer(a, b) > 0;
    case 7: return newer(a, b) < 0;
    default: return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
    }
}

static bool expression(int level);

static bool term(void)
{
    bool result;

    if (end - at >= 3 && binary_operator(at[1]) >= 0) {
        at += 3;
        return binary(at[-3], binary_operator(at[-2]), at[-1]);
    }
    if (end - at > 1 && strcmp(*at, "!") == 0) {
        at++;
        return !term();
    }
    if (end - at > 1 && strcmp(*at, "(") == 0) {
        at++;
        result = expression(0);
        return at < end && strcmp(*at++, ")") == 0 ? result : bad("(", "no closing paren");
    }
    if (end - at > 1 && at[0][0] == '-' && strlen(*at) == 2 &&
        strchr("nztrwxhLbcdfgkpsSuGOe", at[0][1]) != NULL) {
        at += 2;
        return unary(at[-2][1], at[-1]);
    }
    return at < end ? **at++ != '\0' : bad("", "argument expected");
}

/* Level 0: terms of level 1 with -o between them; level 1: with -a. */
static bool expression(int level)
{
    bool result = level == 1 ? term() : expression(1);

    while (at < end && strcmp(*at, level == 1 ? "-a" : "-o") == 0) {
        at++;
        bool next = level == 1 ? term() : expression(1);
        result = level == 1 ? result && next : result || next;
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
    result = expression(0);
    if (at < end)
        bad(*at, "unexpected operator");
    return wrong ? 2 : !result;
}
