/* musl: regcomp(), regexec(), regerror() and regfree(): what POSIX says of basic and extended expressions. */
#include "tap.h"

#include <regex.h>

/* "from-to" of the match and its groups; "none"; "error". */
static const char *find(const char *expression, int flags, const char *text, int how)
{
    static char found[256];
    char *to = found;
    regmatch_t m[10];
    regex_t re;
    if (regcomp(&re, expression, flags) != 0)
        return "error";
    int result = regexec(&re, text, 10, m, how);
    strcpy(found, "none");
    for (size_t i = 0; result == 0 && i <= re.re_nsub; i++)
        to += sprintf(to, "%s%d-%d", i ? " " : "", (int)m[i].rm_so, (int)m[i].rm_eo);
    regfree(&re);
    return found;
}

TEST(leftmost_and_then_longest)
{
    same_text(find("a|ab|abc", REG_EXTENDED, "xabcd", 0), "1-4");
    same_text(find("b*", 0, "abbb", 0), "0-0");
    same_text(find("bb*", 0, "abbb", 0), "1-4");
    same_text(find("xyz", 0, "xyxy", 0), "none");
}

TEST(groups_say_where_they_matched)
{
    same_text(find("(a+)(b+)?(c)", REG_EXTENDED, "xaac", 0), "1-4 1-3 -1--1 3-4");
    same_text(find("\\(a\\)\\(b\\)", 0, "ab", 0), "0-2 0-1 1-2");
    same_text(find("(a|b)*", REG_EXTENDED, "aab", 0), "0-3 2-3");
}

TEST(basic_expressions_have_plain_signs)
{
    same_text(find("a+", 0, "aa+", 0), "1-3");
    same_text(find("(a)", 0, "(a)", 0), "0-3");
    same_text(find("*a", 0, "*a", 0), "0-2");
    same_text(find("a^b$c", 0, "a^b$c", 0), "0-5");
    same_text(find("a\\{2,3\\}", 0, "aaaa", 0), "0-3");
    same_text(find("\\(a*\\)b\\1", 0, "aabaa", 0), "0-5 0-2");
}

TEST(intervals_count)
{
    same_text(find("^a{3}$", REG_EXTENDED, "aaa", 0), "0-3");
    same_text(find("^a{3}$", REG_EXTENDED, "aaaa", 0), "none");
    same_text(find("a{2,}", REG_EXTENDED, "aaaaa", 0), "0-5");
    same_text(find("x{0,2}y", REG_EXTENDED, "xxxy", 0), "1-4");
}

TEST(brackets_have_ranges_classes_and_exceptions)
{
    same_text(find("[]a-c]*", 0, "a]cbd", 0), "0-4");
    same_text(find("[^[:alpha:]]", 0, "ab1", 0), "2-3");
    same_text(find("[[:digit:]][[:space:]]", 0, "a1 ", 0), "1-3");
    same_text(find("[a-]", 0, "-", 0), "0-1");
    same_text(find("[.]", 0, "a.", 0), "1-2");
}

TEST(case_is_ignored_on_demand)
{
    same_text(find("hello", REG_ICASE, "say HeLLo", 0), "4-9");
    same_text(find("[a-c]z", REG_ICASE, "Bz", 0), "0-2");
    same_text(find("hello", 0, "HELLO", 0), "none");
}

TEST(newline_divides_lines_on_demand)
{
    same_text(find("^b$", REG_NEWLINE, "a\nb\nc", 0), "2-3");
    same_text(find("^b$", 0, "a\nb\nc", 0), "none");
    same_text(find("a.b", REG_NEWLINE, "a\nb", 0), "none");
    same_text(find("a[^x]b", REG_NEWLINE, "a\nb", 0), "none");
    same_text(find("a.b", 0, "a\nb", 0), "0-3");
}

TEST(the_text_may_be_a_part_of_a_line)
{
    same_text(find("^a", 0, "a", REG_NOTBOL), "none");
    same_text(find("a$", 0, "a", REG_NOTEOL), "none");
    same_text(find("a", 0, "a", REG_NOTBOL | REG_NOTEOL), "0-1");
}

TEST(nosub_only_answers)
{
    regmatch_t m = {.rm_so = 77};
    regex_t re;
    same(regcomp(&re, "b\\(c\\)", REG_NOSUB), 0);
    same(re.re_nsub, 1);
    same(regexec(&re, "abc", 0, NULL, 0), 0);
    same(regexec(&re, "abc", 1, &m, 0), 0);
    same(regexec(&re, "ab", 0, NULL, 0), REG_NOMATCH);
    regfree(&re);
}

TEST(bad_expressions_are_refused)
{
    static const struct {
        const char *expression;
        int error;
    } bad[] = {{"[a", REG_EBRACK},
               {"(a", REG_EPAREN},
               {"[[:foo:]]", REG_ECTYPE},
               {"[b-a]", REG_ERANGE},
               {"a\\", REG_EESCAPE}};
    regex_t re;
    char text[100], little[4] = "xyz";
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int error = regcomp(&re, bad[i].expression, REG_EXTENDED);
        check(error == bad[i].error, "/%s/: expected %d, got %d", bad[i].expression, bad[i].error,
              error);
        size_t size = regerror(error, &re, text, sizeof(text));
        same(size, strlen(text) + 1);
        same(regerror(error, &re, little, sizeof(little)), size);
        same(strlen(little), 3);
    }
}

int main(void)
{
    return tap_run("libc_regex");
}
