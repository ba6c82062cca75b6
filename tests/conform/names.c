/* musl: patterns, the names of files that match them, users and groups by name. */
#define _GNU_SOURCE
#include "tap.h"

#include <fnmatch.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>

#define matches(pattern, s, flags) same(fnmatch(pattern, s, flags), 0)
#define differs(pattern, s, flags) same(fnmatch(pattern, s, flags), FNM_NOMATCH)

static void make(const char *path)
{
    works(close(works(open(path, O_WRONLY | O_CREAT, 0600))));
}

TEST(star_and_question_mark)
{
    matches("", "", 0);
    matches("*", "", 0);
    matches("a*b*c", "a-b-b-c", 0);
    differs("a*b*c", "a-b-b-d", 0);
    matches("?x?", "axb", 0);
    differs("?", "", 0);
    matches("*?*?", "ab", 0);
    differs("*?*?", "a", 0);
}

TEST(brackets)
{
    matches("[abc]", "b", 0);
    differs("[!abc]", "b", 0);
    matches("[a-c][!a-c]", "bd", 0);
    matches("[]]", "]", 0);
    matches("[!]]", "x", 0);
    matches("[a-]", "-", 0);
    matches("[[:digit:]x]", "7", 0);
    matches("[[:digit:]x]", "x", 0);
    differs("[![:alpha:]]", "x", 0);
    matches("[a", "[a", 0);
}

TEST(backslash_quotes)
{
    matches("\\*", "*", 0);
    differs("\\*", "x", 0);
    matches("\\*", "\\x", FNM_NOESCAPE);
}

TEST(slashes_and_dots_can_be_guarded)
{
    matches("a*c", "a/c", 0);
    differs("a*c", "a/c", FNM_PATHNAME);
    differs("a?c", "a/c", FNM_PATHNAME);
    matches("*/*", "a/c", FNM_PATHNAME);
    differs("*x", ".x", FNM_PERIOD);
    matches(".*", ".x", FNM_PERIOD);
    matches("a/*", "a/.x", FNM_PERIOD);
    differs("a/*", "a/.x", FNM_PERIOD | FNM_PATHNAME);
}

TEST(many_stars_take_no_exponential_time)
{
    char s[2001];

    memset(s, 'a', 2000);
    s[2000] = '\0';
    differs("*a*a*a*a*a*a*a*a*a*a*a*a*b", s, 0);
}

TEST(glob_finds_sorted_names)
{
    glob_t g;

    make("b.c");
    make("a.c");
    make(".hidden.c");
    make("a*");
    works(mkdir("d", 0700));
    make("d/x.c");
    same(glob("*.c", 0, NULL, &g), 0);
    same(g.gl_pathc, 2);
    same_text(g.gl_pathv[0], "a.c");
    same_text(g.gl_pathv[1], "b.c");
    check(g.gl_pathv[2] == NULL, "a NULL ends the list");
    globfree(&g);
    same(glob("*/*.c", 0, NULL, &g), 0);
    same_text(g.gl_pathv[0], "d/x.c");
    globfree(&g);
    same(glob("a\\*", 0, NULL, &g), 0);
    same(g.gl_pathc, 1);
    same_text(g.gl_pathv[0], "a*");
    globfree(&g);
    same(glob("d*", GLOB_MARK, NULL, &g), 0);
    same_text(g.gl_pathv[0], "d/");
    globfree(&g);
    same(glob("*/", 0, NULL, &g), 0);
    same_text(g.gl_pathv[0], "d/");
    globfree(&g);
}

TEST(glob_says_when_nothing_matches)
{
    glob_t g;

    same(glob("no*", 0, NULL, &g), GLOB_NOMATCH);
    globfree(&g);
    same(glob("no*", GLOB_NOCHECK, NULL, &g), 0);
    same(g.gl_pathc, 1);
    same_text(g.gl_pathv[0], "no*");
    globfree(&g);
    same(glob("none", 0, NULL, &g), GLOB_NOMATCH);
    globfree(&g);
}

TEST(glob_appends_and_leaves_room)
{
    glob_t g = {.gl_offs = 2};

    make("1");
    make("2");
    same(glob("2", GLOB_DOOFFS, NULL, &g), 0);
    same(glob("1", GLOB_DOOFFS | GLOB_APPEND, NULL, &g), 0);
    same(g.gl_pathc, 2);
    check(g.gl_pathv[0] == NULL && g.gl_pathv[1] == NULL, "room is left");
    same_text(g.gl_pathv[2], "2");
    same_text(g.gl_pathv[3], "1");
    globfree(&g);
}

TEST(root_is_a_user_and_a_group)
{
    struct passwd *user = getpwnam("root");
    struct group *group;

    check(user != NULL, "there is a root");
    same(user->pw_uid, 0);
    same_text(user->pw_dir, "/root");
    user = getpwuid(0);
    check(user != NULL, "user 0 is known");
    same_text(user->pw_name, "root");
    group = getgrgid(0);
    check(group != NULL, "group 0 is known");
    same_text(group->gr_name, "root");
    check(getgrnam("root") != NULL, "a group is found by name");
    check(getpwnam("no such user") == NULL, "others are not");
    check(getgrgid(4000000) == NULL, "nor other groups");
}

TEST(grouplist_has_the_first_group)
{
    gid_t groups[64];
    int count = 64;

    same(getgrouplist("no such user", 77, groups, &count), 1);
    same(count, 1);
    same(groups[0], 77);
    count = 0;
    same(getgrouplist("no such user", 77, groups, &count), -1);
    same(count, 1);
}

int main(void)
{
    return tap_run("names");
}
