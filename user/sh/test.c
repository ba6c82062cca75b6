/* test and [, of at most four arguments, as POSIX has them: how many there are says what each of them is. */
#include "sh.h"

static bool wrong;

static bool bad(const char *text, const char *why)
{
    complain("test: %s: %s", text, why);
    return !(wrong = true);
}

static long long number(const char *text)
{
    char *end;
    long long value = strtoll(text, &end, 10);
    return end == text || *end != '\0' ? bad(text, "Illegal number") : value;
}

static bool unary(const char *op, const char *s)
{
    struct stat file = {0};
    bool there = (strcmp(op, "-h") == 0 || strcmp(op, "-L") == 0 ? lstat : stat)(s, &file) == 0;
    switch (op[0] == '-' && op[1] != '\0' && op[2] == '\0' ? op[1] : '?') {
    case 'n': return *s != '\0';
    case 'z': return *s == '\0';
    case 'e': return there;
    case 's': return file.st_size > 0;
    case 'f': return S_ISREG(file.st_mode);
    case 'd': return S_ISDIR(file.st_mode);
    case 'p': return S_ISFIFO(file.st_mode);
    case 'c': return S_ISCHR(file.st_mode);
    case 'b': return S_ISBLK(file.st_mode);
    case 'S': return S_ISSOCK(file.st_mode);
    case 'h':
    case 'L': return S_ISLNK(file.st_mode);
    case 'r': return access(s, R_OK) == 0;
    case 'w': return access(s, W_OK) == 0;
    case 'x': return access(s, X_OK) == 0;
    case 't': return isatty((int)number(s));
    default: return bad(op, "unknown operator");
    }
}

static bool evaluate(int count, char **w)
{
    static const char *const operators[] = {"=", "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge"};
    for (size_t i = 0; count == 3 && i < sizeof operators / sizeof operators[0]; i++) {
        if (strcmp(w[1], operators[i]) != 0)
            continue;
        long long x = i < 2 ? strcmp(w[0], w[2]) : number(w[0]), y = i < 2 ? 0 : number(w[2]);
        return (bool[]){x == y, x != y, x == y, x != y, x<y, x <= y, x> y, x >= y}[i];
    }
    if (count < 2)
        return count == 1 && *w[0] != '\0';
    if (strcmp(w[0], "!") == 0)
        return !evaluate(count - 1, w + 1);
    return count == 2 ? unary(w[0], w[1]) : bad(w[1], "unexpected operator");
}

int builtin_test(int argc, char **argv)
{
    if (strcmp(argv[0], "[") == 0 && strcmp(argv[--argc], "]") != 0)
        return complain("[: missing ]");
    wrong = false;
    bool result = evaluate(argc - 1, argv + 1);
    return wrong ? 2 : !result;
}
