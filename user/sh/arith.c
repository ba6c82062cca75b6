/*
 * $((...)): the integer arithmetic of C, in long long, by precedence climbing. A name is a variable, whose
 * value must be a number. What && || ?: leave out is read but not evaluated: then names count as 0, nothing
 * is assigned and a division by zero is no error. Overflow wraps.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sh.h"

static const struct {
    const char *text;
    int precedence;
} operators[] = {
    /* a longer one before its beginning */
    {"<<", 8}, {">>", 8}, {"<=", 7}, {">=", 7}, {"==", 6}, {"!=", 6},
    {"&&", 2}, {"||", 1}, {"<", 7},  {">", 7},  {"&", 5},  {"^", 4},
    {"|", 3},  {"+", 9},  {"-", 9},  {"*", 10}, {"/", 10}, {"%", 10},
};

static const char *at; /* what comes next */
static const char *whole;
static int skipping;

static long long assignment(void);

static _Noreturn void bad(const char *why)
{
    fail("arithmetic expression: %s: \"%s\"", why, whole);
}

static bool accept(const char *text)
{
    size_t length = strlen(text);

    at += strspn(at, " \t\n");
    if (strncmp(at, text, length) != 0)
        return false;
    at += length;
    return true;
}

static long long apply(char op, char second, long long a, long long b)
{
    unsigned long long x = (unsigned long long)a, y = (unsigned long long)b;

    if ((op == '/' || op == '%') && b == 0) {
        if (skipping > 0)
            return 0;
        bad("division by zero");
    }
    switch (op) {
    case '+': return (long long)(x + y);
    case '-': return (long long)(x - y);
    case '*': return (long long)(x * y);
    case '/': return b == -1 ? (long long)-x : a / b;
    case '%': return b == -1 ? 0 : a % b;
    case '<': return second == '<' ? (long long)(x << (y & 63)) : second == '=' ? a <= b : a < b;
    case '>': return second == '>' ? a >> (y & 63) : second == '=' ? a >= b : a > b;
    case '=': return a == b;
    case '!': return a != b;
    case '&': return a & b;
    case '^': return a ^ b;
    default: return a | b;
    }
}

static long long number(const char *text)
{
    char *end;
    long long value = strtoll(text, &end, 0);

    end += strspn(end, " \t\n");
    if (*end != '\0')
        fail("Illegal number: %s", text);
    return value;
}

/* A name, and what is assigned to it by = or OP=. */
static long long variable(void)
{
    size_t length = name_length(at);
    char *name = arena_string(&scratch, at, length);
    const char *value;
    char digits[24];
    long long result;

    at += length;
    at += strspn(at, " \t\n");
    value = skipping > 0 ? NULL : variable_get(name);
    bool shift = (at[0] == '<' || at[0] == '>') && at[1] == at[0] && at[2] == '=';
    bool compound = shift || (*at != '\0' && strchr("+-*/%&^|", *at) != NULL && at[1] == '=');
    if (!compound && !(at[0] == '=' && at[1] != '=')) {
        if (value == NULL && sh.option['u'] && skipping == 0)
            fail("%s: parameter not set", name);
        return value != NULL && *value != '\0' ? number(value) : 0;
    }
    char op = *at;
    at += shift ? 3 : compound ? 2 : 1;
    result = assignment();
    if (compound)
        result = apply(op, op, value != NULL && *value != '\0' ? number(value) : 0, result);
    snprintf(digits, sizeof digits, "%lld", result);
    if (skipping == 0 && !variable_set(name, digits))
        abandon(2);
    return result;
}

static long long primary(void)
{
    long long value;
    char *end;

    check_stack();
    if (accept("(")) {
        value = assignment();
        if (!accept(")"))
            bad("expecting ')'");
        return value;
    }
    if (accept("-"))
        return (long long)-(unsigned long long)primary();
    if (accept("+"))
        return primary();
    if (accept("~"))
        return ~primary();
    if (accept("!"))
        return !primary();
    if (isalpha((unsigned char)*at) || *at == '_')
        return variable();
    if (!isdigit((unsigned char)*at))
        bad("expecting primary");
    value = strtoll(at, &end, 0);
    at = end;
    return value;
}

static long long binary(int minimum)
{
    long long left = primary();

    for (;;) {
        size_t i = 0, count = sizeof operators / sizeof operators[0];
        at += strspn(at, " \t\n");
        while (i < count && strncmp(at, operators[i].text, strlen(operators[i].text)) != 0)
            i++;
        if (i == count || operators[i].precedence < minimum)
            return left;
        const char *op = operators[i].text;
        at += strlen(op);
        bool decided = operators[i].precedence == 2   ? !left
                       : operators[i].precedence == 1 ? left != 0
                                                      : false;
        skipping += decided;
        long long right = binary(operators[i].precedence + 1);
        skipping -= decided;
        if (operators[i].precedence > 2)
            left = apply(op[0], op[1], left, right);
        else
            left = operators[i].precedence == 2 ? left && right : left || right;
    }
}

/* a ? b : c, and what variable() left: the assignment itself is found where the name is. */
static long long assignment(void)
{
    long long condition = binary(1), yes, no;

    if (!accept("?"))
        return condition;
    skipping += condition == 0;
    yes = assignment();
    skipping -= condition == 0;
    if (!accept(":"))
        bad("expecting ':'");
    skipping += condition != 0;
    no = assignment();
    skipping -= condition != 0;
    return condition != 0 ? yes : no;
}

long long arithmetic(const char *text)
{
    const char *outer_at = at, *outer_whole = whole;
    long long value;

    at = whole = text;
    skipping = 0;
    at += strspn(at, " \t\n");
    value = *at != '\0' ? assignment() : 0;
    at += strspn(at, " \t\n");
    if (*at != '\0')
        bad("expecting EOF");
    at = outer_at;
    whole = outer_whole;
    return value;
}
