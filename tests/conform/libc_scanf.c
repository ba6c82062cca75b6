/* musl: the scanf family: conversions, widths, sets, and the two ways to fail. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>

#include "tap.h"

TEST(integers)
{
    int a, b, c;
    unsigned x, o, u;
    same(sscanf(" 12 -7 +5", "%d%d%d", &a, &b, &c), 3);
    check(a == 12 && b == -7 && c == 5, "%d %d %d", a, b, c);
    same(sscanf("ff 0x1F 17 3000000000", "%x%x%o%u", &x, (unsigned *)&a, &o, &u), 4);
    check(x == 255 && a == 31 && o == 15 && u == 3000000000U, "%u %d %u %u", x, a, o, u);
    same(sscanf("0x10 010 10", "%i %i %i", &a, &b, &c), 3);
    check(a == 16 && b == 8 && c == 10, "%d %d %d", a, b, c);
    same(sscanf("12345", "%2d%3d", &a, &b), 2);
    check(a == 12 && b == 345, "%d %d", a, b);
}

TEST(lengths)
{
    struct {
        signed char hh, after;
        short h;
        long l;
        long long ll;
        intmax_t j;
        size_t z;
        ptrdiff_t t;
    } n = {.after = 77};
    same(sscanf("-1 2 3 4 5 6 7", "%hhd%hd%ld%lld%jd%zu%td", &n.hh, &n.h, &n.l, &n.ll, &n.j, &n.z,
                &n.t),
         7);
    check(n.hh == -1 && n.after == 77 && n.h == 2 && n.l == 3 && n.ll == 4 && n.j == 5 &&
              n.z == 6 && n.t == 7,
          "a length");
    int64_t d;
    uint16_t u;
    same(sscanf("-5 6", "%" SCNd64 " %" SCNu16, &d, &u), 2);
    check(d == -5 && u == 6, "SCN");
}

TEST(floats)
{
    float f;
    double d;
    long double l;
    same(sscanf("1.5 -2e3 0x1.8p1", "%f%lf%Lf", &f, &d, &l), 3);
    check(f == 1.5F && d == -2000 && l == 3, "%g %g %Lg", f, d, l);
    same(sscanf("inf nan", "%lf%f", &d, &f), 2);
    check(__builtin_isinf(d) && __builtin_isnan(f), "%g %g", d, f);
    same(sscanf("1.25abc", "%4lf", &d), 1);
    check(d == 1.25, "%g", d);
}

TEST(texts)
{
    char s[16], t[16], c[4] = "...";
    same(sscanf("  word another", "%s%3s", s, t), 2);
    same_text(s, "word");
    same_text(t, "ano");
    same(sscanf(" xyz", "%c%2c", c, c + 1), 2);
    same_text(c, " xy");
    same(sscanf("abc123", "%[a-c]%[^a-c]", s, t), 2);
    same_text(s, "abc");
    same_text(t, "123");
    same(sscanf("]-x", "%[]-]", s), 1);
    same_text(s, "]-");
    same(sscanf("x", "%[0-9]", s), 0);
    wchar_t wide[8];
    same(sscanf("wide", "%ls", wide), 1);
    same(memcmp(wide, L"wide", sizeof(L"wide")), 0);
    void *p;
    same(sscanf("0x1234", "%p", &p), 1);
    same(p, 0x1234);
}

TEST(allocating)
{
    char *s = NULL, *t = NULL;
    same(sscanf("some words", "%ms %m[a-z]", &s, &t), 2);
    same_text(s, "some");
    same_text(t, "words");
    free(s);
    free(t);
}

TEST(other_text)
{
    int a, b, n = -1;
    same(sscanf("3 , 4%", "%d ,%d%%%n", &a, &b, &n), 2);
    same(n, 6);
    same(sscanf("1:2", "%d,%d", &a, &b), 1);
    same(sscanf("1 2", "%*d%d", &b), 1);
    same(b, 2);
    same(sscanf("5 6", "%2$d%1$d", &a, &b), 2);
    check(a == 6 && b == 5, "%d %d", a, b);
}

TEST(two_ways_to_fail)
{
    int a;
    char c;
    same(sscanf("", "%d", &a), EOF);
    same(sscanf("  ", "%d", &a), EOF);
    same(sscanf("x", "%d", &a), 0);
    same(sscanf("-", "%d", &a), 0);
    same(sscanf("1", "%d%c", &a, &c), 1);
    same(sscanf("", "x"), EOF);
}

TEST(from_files)
{
    char word[8];
    int n;
    make_file("f", "12 apples\n0x9 z");
    FILE *f = fopen("f", "r");
    same(fscanf(f, "%d", &n), 1);
    same(fgetc(f), ' ');
    same(fscanf(f, "%7s", word), 1);
    same_text(word, "apples");
    same(fscanf(f, "%i", &n), 1);
    same(n, 9);
    same(fscanf(f, "%d", &n), 0);
    same(fgetc(f), 'z');
    same(fscanf(f, "%d", &n), EOF);
    check(feof(f), "the end");
    fclose(f);
}

TEST(from_standard_input)
{
    int a = 0;
    make_file("f", "17");
    check(freopen("f", "r", stdin) == stdin, "freopen");
    same(scanf("%d", &a), 1);
    same(a, 17);
}

static int forward(int way, FILE *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = way == 0   ? vsscanf("42", format, args)
            : way == 1 ? vfscanf(f, format, args)
                       : vscanf(format, args);
    va_end(args);
    return n;
}

TEST(argument_lists)
{
    make_file("f", "42");
    FILE *f = fopen("f", "r");
    check(freopen("f", "r", stdin) == stdin, "freopen");
    for (int way = 0; way < 3; way++) {
        int n = 0;
        same(forward(way, f, "%d", &n), 1);
        same(n, 42);
    }
}

int main(void)
{
    return tap_run("libc_scanf");
}
