/*
 * libc's regular expressions against the host's, with random expressions over a small alphabet, where much collides:
 * both must take or refuse the expression, and find the same match in the same texts. What groups hold is checked for
 * a list of expressions: there the host's answers are not always those of POSIX.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <regex.h>

#include "tests/unit/random.h"

/* Ours under names of their own, but with the host's types. */
#define regcomp our_regcomp
#define regexec our_regexec
#define regfree our_regfree
#define __regex re_dfa_t
#define __program buffer
int regcomp(regex_t *, const char *, int);
int regexec(const regex_t *, const char *, size_t, regmatch_t *, int);
void regfree(regex_t *);
#include "libc/regex/compile.c"
#include "libc/regex/match.c"
#undef regcomp
#undef regexec
#undef regfree

#define ROUNDS 40000
#define TEXTS 12

static const char *const pieces_extended[] = {
    "a",   "b",   "c",   ".",           "[ab]",  "[^a]",  "(", ")", "|",
    "*",   "+",   "?",   "{2}",         "{1,2}", "{0,1}", "^", "$", "\\<",
    "\\>", "\\b", "\\w", "[[:alpha:]]", "[b-c]", " ",     "a", "b",
};
static const char *const pieces_basic[] = {
    "a",           "b",    "c",   ".",       "[ab]",      "[^a]", "\\(", "\\)", "\\|",
    "*",           "\\+",  "\\?", "\\{2\\}", "\\{1,2\\}", "^",    "$",   "\\<", "\\W",
    "[[:space:]]", "[]a]", " ",   "a",       "b",         "(",    "|",   "+",
};

static void make_expression(char *to, bool extended)
{
    unsigned count =
        extended ? sizeof(pieces_extended) / sizeof(char *) : sizeof(pieces_basic) / sizeof(char *);
    *to = '\0';
    for (unsigned n = 1 + draw(9); n > 0; n--)
        strcat(to, (extended ? pieces_extended : pieces_basic)[draw(count)]);
}

/* A newline is in it only where it means something: the host lets $ match before one in any case. */
static void make_text(char *to, int flags)
{
    unsigned n = draw(10);
    for (unsigned i = 0; i < n; i++)
        *to++ = flags & REG_NEWLINE ? draw_char("aaabbbc \nA") : draw_char("aaabbbc A");
    *to = '\0';
}

static void show(const char *who, int result, const regmatch_t *m)
{
    fprintf(stderr, "  %s: %d, %d to %d\n", who, result, result ? -1 : (int)m->rm_so,
            result ? -1 : (int)m->rm_eo);
}

static void compare_match(const char *expression, int flags, const regex_t *host,
                          const regex_t *ours)
{
    char text[32];
    regmatch_t a[1], b[1];
    make_text(text, flags);
    int how = (int)draw(4);
    int want = regexec(host, text, 1, a, how), got = our_regexec(ours, text, 1, b, how);
    if (want == got && (want || (a->rm_so == b->rm_so && a->rm_eo == b->rm_eo)))
        return;
    fprintf(stderr, "/%s/ flags %d in \"%s\" flags %d\n", expression, flags, text, how);
    show("host", want, a);
    show("ours", got, b);
    exit(1);
}

/* POSIX leaves open what a repetition means at the beginning, behind an anchor and behind another. */
static bool is_undefined(const char *s)
{
    static const char *const repeated[] = {"*", "+", "?", "{", "\\{", "\\+", "\\?"};
    static const char *const before[] = {"^", "$", "\\<", "\\>", "\\b", "(",
                                         "|", "*", "+",   "?",   "}"};
    char both[8];
    for (size_t r = 0; r < sizeof(repeated) / sizeof(char *); r++) {
        if (strncmp(s, repeated[r], strlen(repeated[r])) == 0)
            return true;
        for (size_t b = 0; b < sizeof(before) / sizeof(char *); b++) {
            sprintf(both, "%s%s", before[b], repeated[r]);
            if (strstr(s, both))
                return true;
        }
    }
    return false;
}

/* The host tests an anchor once for all repetitions of a group: to it, /(\<a){2}/ is in "aa". */
static bool host_is_wrong(const char *s)
{
    bool anchored = strstr(s, "\\<") || strstr(s, "\\>") || strstr(s, "\\b") || strstr(s, "\\B") ||
                    strpbrk(s, "^$");
    const char *close = s;
    while (anchored && (close = strchr(close, ')'))) {
        close += 1 + (close[1] == '\\');
        if (*close && strchr("*+?{", *close))
            return true;
    }
    return false;
}

static void compare_random(void)
{
    char expression[128];
    unsigned compared = 0;
    for (int round = 0; round < ROUNDS; round++) {
        regex_t host, ours;
        int flags = (int)draw(8);
        make_expression(expression, flags & REG_EXTENDED);
        int want = regcomp(&host, expression, flags), got = our_regcomp(&ours, expression, flags);
        bool undefined = is_undefined(expression) || host_is_wrong(expression);
        if ((want == 0) != (got == 0) && !undefined) {
            fprintf(stderr, "/%s/ flags %d: host %d, ours %d\n", expression, flags, want, got);
            exit(1);
        }
        for (int i = 0; i < TEXTS && want == 0 && got == 0 && !undefined; i++, compared++)
            compare_match(expression, flags, &host, &ours);
        if (want == 0)
            regfree(&host);
        if (got == 0)
            our_regfree(&ours);
    }
    printf("%u matches compared\n", compared);
}

/* An expression, a text, and where the match and its groups are by the rules of POSIX 9.1. */
static const char *const grouped[][3] = {
    {"(a|ab)(c|bcd)(d*)", "abcd", "0-4 0-2 2-3 3-4"},
    {"(a*)(ab)*(b*)", "abb", "0-3 0-1 -1--1 1-3"},
    {"(a)|b", "b", "0-1 -1--1"},
    {"((a)(b))c", "abc", "0-3 0-2 0-1 1-2"},
    {"(a+|b+)*", "aabba", "0-5 4-5"},
    {"x(a*)y", "xy", "0-2 1-1"},
    {"(a*)*", "b", "0-0 0-0"},
    {"(a*)+", "aa", "0-2 0-2"},
    {"(ab|a)(bc)?", "abc", "0-3 0-1 1-3"},
    {"(a{2}){2}", "aaaa", "0-4 2-4"},
    {"(.*)(b)", "abab", "0-4 0-3 3-4"},
    {"(a?)(ab)?", "ab", "0-2 0-0 0-2"},
    {"(a|b)\\1", "abba", "1-3 1-2"},
    {"(.*)-\\1", "ab-ab", "0-5 0-2"},
    {"(a*)b\\1", "aabaaa", "0-5 0-2"},
    {"((a)\\2)*", "aaaa", "0-4 2-4 2-3"},
    {"([^ ]+) ([^ ]+)", "one two", "0-7 0-3 4-7"},
    {"a*\\B", "b bab", "3-4"},
    {"(foo|foobar)(bar|baz)?", "foobarbaz", "0-9 0-6 6-9"},
};

static void check_groups(void)
{
    for (size_t i = 0; i < sizeof(grouped) / sizeof(grouped[0]); i++) {
        char found[256] = "", *to = found;
        regmatch_t m[10];
        regex_t re;
        if (our_regcomp(&re, grouped[i][0], REG_EXTENDED) != 0 ||
            our_regexec(&re, grouped[i][1], 10, m, 0) != 0)
            abort();
        for (size_t g = 0; g <= re.re_nsub; g++)
            to += sprintf(to, "%s%d-%d", g ? " " : "", (int)m[g].rm_so, (int)m[g].rm_eo);
        if (strcmp(found, grouped[i][2]) != 0) {
            fprintf(stderr, "/%s/ in \"%s\": %s instead of %s\n", grouped[i][0], grouped[i][1],
                    found, grouped[i][2]);
            exit(1);
        }
        our_regfree(&re);
    }
}

/* However bad the expression: an answer, soon. */
static void survive_bad_ones(void)
{
    static char text[100001], nested[4001];
    static const char *const bad[] = {"(x{255}){255}{255}",
                                      "((((a{1,99}){1,99}){1,99}){1,99})",
                                      "(",
                                      "[",
                                      "\\",
                                      "a{",
                                      "[[:foo:]]",
                                      "[b-a]",
                                      "a{2,1}",
                                      "\\2",
                                      "(a)\\2"};
    regex_t re;
    regmatch_t m;
    memset(text, 'a', sizeof(text) - 1);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (our_regcomp(&re, bad[i], REG_EXTENDED) == 0)
            abort();
    memset(nested, '(', sizeof(nested) - 1);
    if (our_regcomp(&re, nested, REG_EXTENDED) == 0)
        abort();
    if (our_regcomp(&re, "(a*)*(a*)*b", REG_EXTENDED) ||
        our_regexec(&re, text, 1, &m, 0) != REG_NOMATCH)
        abort();
    our_regfree(&re);
    if (our_regcomp(&re, "((a*)*)*\\2b", REG_EXTENDED) ||
        our_regexec(&re, text, 1, &m, 0) != REG_ESPACE)
        abort();
    our_regfree(&re);
}

int main(int argc, char **argv)
{
    random_begin(argc, argv);
    check_groups();
    survive_bad_ones();
    compare_random();
    return 0;
}
