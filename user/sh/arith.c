/*
 * $((...)): whole numbers and variables with + - * / % and parentheses, by precedence climbing: an operator takes
 * what binds tighter to its right. Unsigned, since what is beyond 64 bits is to be cut off.
 */
#include "sh.h"

/* At *S an operand and every operator that binds tighter than LEVEL, with what belongs to it. */
static unsigned long long climb(const char **s, int level)
{
    unsigned long long value, right;
    const char first = *(*s += strspn(*s, " \t\n"));
    check_stack();
    if (first == '-') {
        ++*s;
        value = -climb(s, 2);
    } else if (first == '(') {
        ++*s;
        value = climb(s, 0);
        if (*(*s)++ != ')')
            fail("arithmetic expression: expecting ')'");
    } else {
        char *end, *word = stack_string(*s, strcspn(*s, " \t\n+-*/%()"));
        const char *text = is_name(word, strlen(word)) ? variable_get(word) : word;
        value = (unsigned long long)strtoll(text != NULL ? text : "0", &end, 0);
        if (*word == '\0' || *end != '\0')
            fail("arithmetic expression: no number: \"%s\"", *s);
        *s += strlen(word);
    }
    for (;;) {
        char op = *(*s += strspn(*s, " \t\n"));
        int binds = op == '+' || op == '-' ? 1 : op == '*' || op == '/' || op == '%' ? 2 : 0;
        if (binds <= level)
            return value;
        ++*s;
        right = climb(s, binds);
        if (binds == 1)
            value += op == '+' ? right : -right;
        else if (op == '*' || right + 1 == 0) /* -1: the quotient may be beyond 64 bits too */
            value = op == '%' ? 0 : value * right;
        else if (right == 0)
            fail("arithmetic expression: division by zero");
        else
            value = (unsigned long long)(op == '/' ? (long long)value / (long long)right
                                                   : (long long)value % (long long)right);
    }
}

long long arithmetic(const char *expression)
{
    long long value = (long long)climb(&expression, 0);
    if (*expression != '\0')
        fail("arithmetic expression: expecting end: \"%s\"", expression);
    return value;
}
