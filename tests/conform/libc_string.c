/* musl: <string.h>, <strings.h> and <ctype.h>. */
#define _GNU_SOURCE
#include <ctype.h>
#include <strings.h>

#include "tap.h"

/* S, of which the compiler then knows nothing: it would do the work itself. */
static char *hide(const char *s)
{
    char *volatile hidden = (char *)s;
    return hidden;
}
#define S(s) hide(s)

static char buf[512];
static volatile size_t n8 = 8, n2 = 2;

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

TEST(copying)
{
    same(strlen(S("hello")), 5);
    same(strnlen(S("hello"), n2), 2);
    same(strnlen(S("hello"), n8), 5);
    same_text(strcpy(buf, S("abc")), "abc");
    same(stpcpy(buf, S("xyz")) - buf, 3);
    memset(buf, '#', n8);
    same(memcmp(strncpy(buf, S("ab"), n8), "ab\0\0\0\0\0", n8), 0);
    memset(buf, '#', n8);
    same(stpncpy(buf, S("abcd"), n2) - buf, 2);
    same(buf[2], '#');
    strcpy(buf, S("ab"));
    same_text(strcat(buf, S("cd")), "abcd");
    same_text(strncat(buf, S("efgh"), n2), "abcdef");
    same(strlcpy(buf, S("hello"), n2 + 2), 5);
    same_text(buf, "hel");
    same(strlcat(buf, S("world"), n8), 8);
    same_text(buf, "helworl");
    same(strlcat(buf, S("x"), n2), 3);
}

TEST(memory)
{
    static unsigned char a[300], b[300];
    for (size_t offset = 0; offset < 9; offset++)
        for (size_t n = 0; n < 200; n += 1 + n / 8) {
            for (int i = 0; i < 300; i++)
                a[i] = (unsigned char)i, b[i] = 0xee;
            check(memcpy(b + offset, a, n) == b + offset, "memcpy's value");
            same(memcmp(b + offset, a, n), 0);
            check(b[offset + n] == 0xee, "memcpy of %zu wrote on", n);
            memmove(a + offset, a, n);
            same(memcmp(a + offset, b + offset, n), 0);
            check(memset(b + offset, 'x', n) == b + offset, "memset's value");
            check(n == 0 || (b[offset] == 'x' && b[offset + n - 1] == 'x'), "memset of %zu", n);
            check(b[offset + n] == 0xee, "memset of %zu wrote on", n);
        }
    for (int i = 0; i < 300; i++)
        a[i] = (unsigned char)i;
    memmove(a, a + 3, 200 + n8);
    check(a[0] == 3 && a[207] == 210 && a[208] == 208, "memmove down");
    check(mempcpy(buf, S("abc"), n2) == buf + 2, "mempcpy");
    check(memccpy(buf, S("a:bc"), ':', n8) == buf + 2 && !memccpy(buf, S("abcdefgh"), 'z', n8),
          "memccpy");
    same(sign(memcmp(S("a\xff"), S("a\x01"), n2)), 1);
    strcpy(buf, "secret!");
    explicit_bzero(buf, n8);
    same(buf[0] | buf[6], 0);
    strcpy(buf, "again!!");
    bzero(buf, n2);
    check(!buf[0] && !buf[1] && buf[2] == 'a', "bzero");
}

TEST(comparing)
{
    same(sign(strcmp(S("abc"), S("abd"))), -1);
    same(sign(strcmp(S("ab"), S("abd"))), -1);
    same(sign(strcmp(S("\xff"), S("a"))), 1);
    same(strcmp(S(""), S("")), 0);
    same(strncmp(S("abc"), S("abd"), n2), 0);
    same(sign(strncmp(S("b"), S("abd"), n8)), 1);
    same(strcoll(S("a"), S("a")), 0);
    same(strxfrm(buf, S("abc"), n8), 3);
    same_text(buf, "abc");
    same(strcasecmp(S("HeLLo"), S("hEllO")), 0);
    same(sign(strcasecmp(S("a"), S("B"))), -1);
    same(strncasecmp(S("ABx"), S("aby"), n2), 0);
}

TEST(finding)
{
    char *s = S("hello world");
    same(strchr(s, 'o') - s, 4);
    same(strrchr(s, 'o') - s, 7);
    check(!strchr(s, 'z') && !strrchr(s, 'z'), "nothing there");
    same(strchr(s, '\0') - s, 11);
    same(strchrnul(s, 'z') - s, 11);
    same(strstr(s, S("o w")) - s, 4);
    check(strstr(s, S("")) == s && !strstr(s, S("worlds")), "strstr");
    same(strcasestr(s, S("WORLD")) - s, 6);
    check(!strcasestr(s, S("WORLDS")), "strcasestr");
    same((char *)memchr(s, 'w', n8) - s, 6);
    check(!memchr(s, 'w', n2), "memchr looks no further");
    same((char *)memrchr(s, 'l', n8) - s, 3);
    same((char *)memmem(s, 11, S("lo w"), 4) - s, 3);
    check(!memmem(s, 4, S("lo"), 2), "memmem looks no further");
    same(strspn(s, S("ehl")), 4);
    same(strcspn(s, S("wxyz")), 6);
    same(strspn(s, S("")), 0);
    same(strpbrk(s, S("dw")) - s, 6);
    check(!strpbrk(s, S("xyz")), "strpbrk");
}

TEST(splitting)
{
    char *state, *rest = buf;
    strcpy(buf, S(",one,,two;"));
    same_text(strtok(buf, S(",;")), "one");
    same_text(strtok(NULL, S(",;")), "two");
    check(!strtok(NULL, S(",;")), "the end");
    strcpy(buf, S("a b"));
    same_text(strtok_r(buf, S(" "), &state), "a");
    same_text(strtok_r(NULL, S(" "), &state), "b");
    check(!strtok_r(NULL, S(" "), &state), "the end");
    strcpy(buf, S("x::y"));
    same_text(strsep(&rest, S(":")), "x");
    same_text(strsep(&rest, S(":")), "");
    same_text(strsep(&rest, S(":")), "y");
    check(!strsep(&rest, S(":")), "the end");
}

TEST(duplicating)
{
    char *a = strdup(S("text")), *b = strndup(S("text"), n2), *c = strndup(S("text"), n8);
    same_text(a, "text");
    same_text(b, "te");
    same_text(c, "text");
    free(a);
    free(b);
    free(c);
}

TEST(words_for_numbers)
{
    same_text(strerror(ENOENT), "No such file or directory");
    check(*strerror(99999), "an unknown error has words too");
    check(*strsignal(SIGINT), "strsignal");
}

TEST(first_bit)
{
    volatile int i = 0x50;
    volatile long l = 1L << 40, none = 0;
    same(ffs(i), 5);
    same(ffsl(l), 41);
    same(ffsll(l), 41);
    same(ffsl(none), 0);
}

/* How many characters of 0 to 255 are of a class, and the sum of their codes. */
static void counts(const char *name, int (*is)(int), int count, int sum)
{
    int n = 0, total = 0;
    for (int c = 0; c < 256; c++)
        if (is(c)) {
            n++;
            total += c;
        }
    check(n == count && total == sum, "%s: %d characters, sum %d", name, n, total);
    check(!is(EOF), "%s(EOF)", name);
}
#define COUNTS(is, count, sum) counts(#is, is, count, sum)

TEST(classes_of_characters)
{
    COUNTS(isdigit, 10, 525);
    COUNTS(isupper, 26, 2015);
    COUNTS(islower, 26, 2847);
    COUNTS(isalpha, 52, 4862);
    COUNTS(isalnum, 62, 5387);
    COUNTS(isxdigit, 22, 525 + 405 + 597);
    COUNTS(isblank, 2, 41);
    COUNTS(isspace, 6, 32 + 9 + 10 + 11 + 12 + 13);
    COUNTS(isprint, 95, 7505);
    COUNTS(isgraph, 94, 7473);
    COUNTS(ispunct, 32, 2086);
    COUNTS(iscntrl, 33, 496 + 127);
    volatile int high = 0x1c1;
    check(isascii(high & 0x7f) && !isascii(high), "isascii");
    same(toascii(high), 'A');
}

TEST(letters_change_case)
{
    for (volatile int c = 0; c < 256; c++) {
        same(tolower(c), c >= 'A' && c <= 'Z' ? c + 32 : c);
        same(toupper(c), c >= 'a' && c <= 'z' ? c - 32 : c);
    }
    volatile int end = EOF;
    same(tolower(end), EOF);
    same(toupper(end), EOF);
}

int main(void)
{
    return tap_run("libc_string");
}
