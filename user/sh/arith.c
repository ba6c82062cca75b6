/* $((...)): the arithmetic of C by precedence climbing: an operator takes what binds tighter to its right. */
#include "sh.h"

static const struct {
    const char *text;
    int level;
} operators[] = {
    /* a longer one before its beginning */
    {"<<", 8}, {">>", 8}, {"<=", 7}, {">=", 7}, {"==", 6}, {"!=", 6},
    {"&&", 2}, {"||", 1}, {"<", 7},  {">", 7},  {"&", 5},  {"^", 4},
    {"|", 3},  {"+", 9},  {"-", 9},  {"*", 10}, {"/", 10}, {"%", 10},
};

static long long apply(const char *op, unsigned long long x, unsigned long long y)
{
    long long a = (long long)x, b = (long long)y;
    switch (op[0]) {
    case '+': return (long long)(x + y);
    case '-': return (long long)(x - y);
    case '*': return (long long)(x * y);
    case '<': return op[1] == '<' ? (long long)(x << (y & 63)) : op[1] == '=' ? a <= b : a < b;
    case '>': return op[1] == '>' ? a >> (y & 63) : op[1] == '=' ? a >= b : a > b;
    case '=': return a == b;
    case '!': return a != b;
    case '&': return op[1] == '&' ? a && b : a & b;
    case '|': return op[1] == '|' ? a || b : a | b;
    case '^': return a ^ b;
    }
    if (b == 0)
        fail("arithmetic expression: division by zero");
    return b == -1 ? (op[0] == '/' ? (long long)-x : 0) : op[0] == '/' ? a / b : a % b;
}

/* At *S an operand and every operator that binds tighter than LEVEL, with what belongs to it. */
static long long climb(const char **s, int level)
{
    size_t count = sizeof operators / sizeof operators[0], i, length;
    long long value;
    char *end = "";
    check_stack();
    *s += strspn(*s, " \t\n");
    if (**s != '\0' && strchr("+-~!", **s) != NULL) {
        char op = *(*s)++;
        value = climb(s, 10);
        value = op == '-'   ? apply("-", 0, (unsigned long long)value)
                : op == '~' ? ~value
                : op == '!' ? !value
                            : value;
    } else if (**s == '(') {
        ++*s;
        value = climb(s, 0);
        if (*(*s)++ != ')')
            fail("arithmetic expression: expecting ')'");
    } else if ((length = name_length(*s)) > 0 && is_name(*s, length)) {
        const char *text = variable_get(stack_string(*s, length));
        value = text != NULL ? strtoll(text, &end, 0) : 0;
        if (*end != '\0')
            fail("Illegal number: %s", text);
        *s += length;
    } else {
        value = strtoll(*s, &end, 0);
        if (end == *s)
            fail("arithmetic expression: expecting primary: \"%s\"", *s);
        *s = end;
    }
    for (;; value = apply(operators[i].text, (unsigned long long)value,
                          (unsigned long long)climb(s, operators[i].level))) {
        *s += strspn(*s, " \t\n");
        for (i = 0; i < count && strncmp(*s, operators[i].text, strlen(operators[i].text)) != 0;)
            i++;
        if (i == count || operators[i].level <= level)
            return value;
        *s += strlen(operators[i].text);
    }
}

/* The result as text. */
char *arithmetic(const char *expression)
{
    char *text = stack_alloc(24);
    snprintf(text, 24, "%lld", climb(&expression, 0));
    if (*expression != '\0')
        fail("arithmetic expression: expecting end: \"%s\"", expression);
    return text;
}
