/*
 * grep's regular expressions against the host's, with random expressions over a small alphabet, where much collides:
 * both must take or refuse the expression, and find the same match in the same texts, from the same place on.
 */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/random.h"
#include "user/grep/compile.c"
#include "user/grep/match.c"

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

static size_t make_text(char *to)
{
    size_t n = draw(10);
    for (size_t i = 0; i < n; i++)
        to[i] = draw_char("aaabbbc A");
    to[n] = '\0';
    return n;
}

/* The same text, from the same place on; and whether there is a match must not depend on who asks where. */
static void compare_match(const char *expression, int flags, const regex_t *host,
                          const struct regex *ours)
{
    char text[32];
    size_t length = make_text(text), from = draw((unsigned)length + 1);
    regmatch_t want = {.rm_so = (regoff_t)from, .rm_eo = (regoff_t)length};
    struct regex_match got = {0};
    bool expected = regexec(host, text, 1, &want, REG_STARTEND) == 0,
         found = regex_find(ours, text, length, from, length, &got) == FOUND,
         known = regex_find(ours, text, length, from, length, NULL) == FOUND;
    if (expected == found && found == known &&
        (!found || (want.rm_so == (regoff_t)got.from && want.rm_eo == (regoff_t)got.to)))
        return;
    fprintf(stderr,
            "/%s/ flags %d in \"%s\" from %zu\n  host: %d, %d to %d\n  ours: %d %d, %zu to %zu\n",
            expression, flags, text, from, expected, (int)want.rm_so, (int)want.rm_eo, found, known,
            got.from, got.to);
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
        regex_t host;
        const char *error;
        int flags = (int)draw(4);
        make_expression(expression, flags & REGEX_EXTENDED);
        /* Nor is the host asked then: to compile /b?{1,2}{2}+{1,2}{2}/ takes it hours. */
        bool undefined = is_undefined(expression) || host_is_wrong(expression);
        bool taken = !undefined && regcomp(&host, expression,
                                           (flags & REGEX_EXTENDED ? REG_EXTENDED : 0) |
                                               (flags & REGEX_IGNORE_CASE ? REG_ICASE : 0)) == 0;
        struct regex *ours = regex_compile(expression, flags, &error);
        if (taken != (ours != NULL) && !undefined) {
            fprintf(stderr, "/%s/ flags %d: host %d, ours: %s\n", expression, flags, taken,
                    ours ? "taken" : error);
            exit(1);
        }
        for (int i = 0; i < TEXTS && taken && ours; i++, compared++)
            compare_match(expression, flags, &host, ours);
        if (taken)
            regfree(&host);
        if (ours)
            regex_free(ours);
    }
    printf("%u matches compared\n", compared);
}

/* The match of an extended expression, by the rules of POSIX 9.1, between two places of a text. */
static const struct {
    const char *expression, *text;
    size_t begin, end;
    int from, to; /* -1: none */
} known[] = {
    {"(a|ab)(c|bcd)(d*)", "abcd", 0, 4, 0, 4},
    {"(a|b)\\1", "abba", 0, 4, 1, 3},
    {"(.*)-\\1", "ab-ab", 0, 5, 0, 5},
    {"(a*)b\\1", "aabaaa", 0, 6, 0, 5},
    {"((a)\\2)*", "aaaa", 0, 4, 0, 4},
    {"a*\\B", "b bab", 0, 5, 3, 4},
    {"(foo|foobar)(bar|baz)?", "foobarbaz", 0, 9, 0, 9},
    {"a+", "aaaa", 1, 3, 1, 3},
    {"^a", "aaaa", 1, 3, -1, -1},
    {"a$", "aaaa", 1, 3, -1, -1},
    {"a$", "aaaa", 1, 4, 3, 4},
    {"\\<a+\\>", "aaaa", 1, 4, -1, -1},
    {"a+\\>", "aaaa", 0, 3, -1, -1},
    {"(a)\\1", "aaaa", 1, 3, 1, 3},
};

static void check_known(void)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const char *error;
        struct regex_match m = {0};
        struct regex *re = regex_compile(known[i].expression, REGEX_EXTENDED, &error);
        if (!re)
            abort();
        bool found = regex_find(re, known[i].text, strlen(known[i].text), known[i].begin,
                                known[i].end, &m) == FOUND;
        if (found ? (int)m.from != known[i].from || (int)m.to != known[i].to : known[i].from >= 0) {
            fprintf(stderr, "/%s/ in \"%s\" from %zu to %zu: %d, %zu to %zu\n", known[i].expression,
                    known[i].text, known[i].begin, known[i].end, found, m.from, m.to);
            exit(1);
        }
        regex_free(re);
    }
}

/* Any byte may be in the text. */
static void check_nul(void)
{
    const char *error;
    struct regex_match m;
    struct regex *re = regex_compile("^a.b$", 0, &error);
    if (!re || regex_find(re, "a\0b", 3, 0, 3, &m) != FOUND || m.to != 3)
        abort();
    regex_free(re);
}

static void is_refused(const char *expression)
{
    const char *error;
    if (regex_compile(expression, REGEX_EXTENDED, &error) || !*error)
        abort();
}

static void ends_with(const char *expression, const char *text, enum regex_result expected)
{
    const char *error;
    struct regex_match m;
    struct regex *re = regex_compile(expression, REGEX_EXTENDED, &error);
    if (!re || regex_find(re, text, strlen(text), 0, strlen(text), &m) != expected)
        abort();
    regex_free(re);
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
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        is_refused(bad[i]);
    memset(nested, '(', sizeof(nested) - 1);
    is_refused(nested);
    memset(text, 'a', sizeof(text) - 1);
    ends_with("(a*)*(a*)*b", text, NOT_FOUND);
    ends_with("((a*)*)*\\2b", text, GIVEN_UP);
}

int main(int argc, char **argv)
{
    random_begin(argc, argv);
    check_known();
    check_nul();
    survive_bad_ones();
    compare_random();
    return 0;
}
