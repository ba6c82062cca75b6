/* test and [, of at most four arguments, as POSIX has them: how many there are says what each of them is. */
#include "../signames.h"
#include "sh.h"

static long number(const char *text)
{
    long value = 0;
    return parse_number(text, &value) ? value : complain("test: %s: Illegal number", text);
}

static bool unary(const char *op, const char *s)
{
    static const char types[] = "-pc-d-b-f-L-S---"; /* in the order of their numbers in st_mode */
    struct stat file = {0};
    char letter = op[0] == '-' && op[1] != '\0' && op[2] == '\0' ? op[1] : '?';
    letter = letter == 'h' ? 'L' : letter;
    bool there = (letter == 'L' ? lstat : stat)(s, &file) == 0;
    switch (letter) {
    case 'n': return *s != '\0';
    case 'z': return *s == '\0';
    case 'e': return there;
    case 's': return file.st_size > 0;
    case 'r': return access(s, R_OK) == 0;
    case 'w': return access(s, W_OK) == 0;
    case 'x': return access(s, X_OK) == 0;
    case 't': return isatty((int)number(s));
    }
    if (strchr("bcdfpLS", letter) == NULL)
        return complain("test: %s: unknown operator", op);
    return types[(file.st_mode & S_IFMT) >> 12] == letter;
}

/* Whether it is true; sh.status is not 0 then if it makes no sense. */
static bool evaluate(int count, char **w)
{
    static const char *const operators[] = {"=", "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge"};
    for (size_t i = 0; count == 3 && i < sizeof operators / sizeof operators[0]; i++) {
        if (strcmp(w[1], operators[i]) != 0)
            continue;
        long x = i < 2 ? strcmp(w[0], w[2]) : number(w[0]), y = i < 2 ? 0 : number(w[2]);
        return (bool[]){x == y, x != y, x == y, x != y, x<y, x <= y, x> y, x >= y}[i];
    }
    if (count < 2)
        return count == 1 && *w[0] != '\0';
    if (strcmp(w[0], "!") == 0)
        return !evaluate(count - 1, w + 1);
    return count == 2 ? unary(w[0], w[1]) : complain("test: %s: unexpected operator", w[1]);
}

int builtin_test(int argc, char **argv)
{
    if (strcmp(argv[0], "[") == 0 && strcmp(argv[--argc], "]") != 0)
        return complain("[: missing ]");
    sh.status = 0;
    bool result = evaluate(argc - 1, argv + 1);
    return sh.status != 0 ? sh.status : !result;
}
