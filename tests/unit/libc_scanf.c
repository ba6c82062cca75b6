/*
 * libc's sscanf against the host's: random formats on random texts must assign as many, store the same bytes and
 * stop at the same character. Texts in which a number breaks off ("1e+", "0x") are left out: glibc takes such a
 * piece for the number before it, C17 (7.21.6.2p10) for a failure; what ours does with them stands in once().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <string.h>
#include <wchar.h>

#include "tests/unit/random.h"

/* Ours under names of their own, beside the host's, on files of ours. */
struct __file;
#define FILE struct __file
#define vfscanf our_vfscanf
#define vsscanf our_vsscanf
#define vscanf our_vscanf
#define fscanf our_fscanf
#define sscanf our_sscanf
#define scanf our_scanf
#define flockfile our_flockfile
#define funlockfile our_funlockfile
#undef stdin
#define stdin NULL
int vfscanf(FILE *, const char *, va_list);
int vsscanf(const char *, const char *, va_list);
int vscanf(const char *, va_list);
int fscanf(FILE *, const char *, ...);
int sscanf(const char *, const char *, ...);
int scanf(const char *, ...);
void flockfile(FILE *);
void funlockfile(FILE *);
#include "libc/stdio/scan.c"
#include "libc/stdio/scanf.c"
#include "libc/stdio/spec.c"
#undef vsscanf
#undef sscanf

#define ROUNDS 1000000

void flockfile(FILE *f)
{
    (void)f;
}
void funlockfile(FILE *f)
{
    (void)f;
}

int __file_getc(FILE *f)
{
    if (f->pos == f->end) {
        f->pos = f->end = f->buf;
        f->end += f->ops->read(f, f->buf, 1 + draw((unsigned)f->size));
    }
    return f->pos == f->end ? EOF : *f->pos++;
}

#define ITEMS 4
#define ITEM_SIZE 400

struct results {
    int assigned;
    _Alignas(16) unsigned char items[ITEMS][ITEM_SIZE];
};

static char format[256], text[600];

static void scan_with(int (*function)(const char *, const char *, va_list), struct results *r, ...)
{
    va_list args;
    va_start(args, r);
    memset(r->items, 0xaa, sizeof(r->items));
    r->assigned = function(text, format, args);
    va_end(args);
}

/* An e without an exponent: perhaps of a hexadecimal number, whose 0x another conversion can take away. */
static bool may_break_off(void)
{
    for (const char *e = text; (e = strpbrk(e, "eE"));) {
        e++;
        if (!strspn(e + strspn(e, "+-"), "0123456789"))
            return true;
    }
    return false;
}

static void check(void)
{
    static struct results got, want;
    scan_with(our_vsscanf, &got, got.items[0], got.items[1], got.items[2], got.items[3]);
    scan_with(vsscanf, &want, want.items[0], want.items[1], want.items[2], want.items[3]);
    if (may_break_off() && strpbrk(format, "aAeEfFgG"))
        return;
    if (got.assigned == want.assigned && memcmp(got.items, want.items, sizeof(got.items)) == 0)
        return;
    printf("sscanf(\"%s\", \"%s\"): got %d, want %d\n", text, format, got.assigned, want.assigned);
    for (int i = 0; i < ITEMS; i++)
        for (int j = 0; j < ITEM_SIZE; j++)
            if (got.items[i][j] != want.items[i][j])
                printf("item %d, byte %d: got %#x, want %#x\n", i, j, got.items[i][j],
                       want.items[i][j]);
    exit(1);
}

/* A conversion, whose text can be of the kinds that make_text knows. */
static void add_conversion(void)
{
    static const char *const lengths[] = {"", "", "hh", "h", "l", "ll", "j", "z", "t"};
    static const char *const sets[] = {"[a-f]",  "[^a-f]", "[]x-]",   "[^] \n]",
                                       "[0-9.]", "[^\n]",  "[-+0-9]", "[a-cx-z,]"};
    char *at = format + strlen(format);
    *at++ = '%';
    if (draw(8) == 0)
        *at++ = '*';
    switch (draw(5)) {
    case 0: /* a float: no width, which could break off an exponent */
        sprintf(at, "%s%c", (const char *[]){"", "l", "L"}[draw(3)], draw_char("aAeEfFgG"));
        break;
    case 1:
    case 2:
        if (draw(3) == 0)
            at += sprintf(at, "%u", 4 + draw(12)); /* "-0x1" fits */
        sprintf(at, "%s%c", lengths[draw(9)], draw_char("diuoxXi"));
        break;
    case 3:
        if (draw(3) == 0)
            at += sprintf(at, "%u", 1 + draw(20));
        strcpy(at, draw(2) ? "s" : sets[draw(8)]);
        break;
    default: strcpy(at, (const char *[]){"c", "1c", "s", "p", "%"}[draw(5)]); break;
    }
}

static void make_format(void)
{
    *format = '\0';
    for (unsigned i = 0, n = 1 + draw(3); i < n; i++) {
        if (i && draw(2))
            strcat(format, (const char *[]){" ", ",", "x", " , "}[draw(4)]);
        add_conversion();
    }
    strcat(format, "%n");
}

static void add_number(void)
{
    static const char *const words[] = {"inf",
                                        "-INFINITY",
                                        "nan",
                                        "+NaN",
                                        "0",
                                        "-0",
                                        "00",
                                        "0x0",

                                        "99999999999999999999999",
                                        "0x123456789abcdef01",
                                        "-9223372036854775809",
                                        "1e400",
                                        "1e-400",
                                        "0x1p-1074"};
    char *at = text + strlen(text);
    switch (draw(7)) {
    case 0: sprintf(at, "%s", words[draw(sizeof(words) / sizeof(*words))]); break;
    case 1: sprintf(at, "%ld", (long)random_bits() >> draw(64)); break;
    case 2: sprintf(at, "%#lx", random_bits() >> draw(64)); break;
    case 3: sprintf(at, "%#lo", random_bits() >> draw(64)); break;
    case 4:
        sprintf(at, "%.*g", (int)draw(20),
                (double)(int64_t)random_bits() / (double)(1 + draw(1000)));
        break;
    case 5: sprintf(at, "%.*e", (int)draw(80), (double)random_bits() * 1e-30); break;
    default: sprintf(at, "%c%u.%u", draw_char(" +-"), draw(1000), draw(100000)); break;
    }
}

/* Letters that could go on with a number that ends before them (e, p, x, i, n) are in none of these. */
static void make_text(void)
{
    *text = '\0';
    for (unsigned i = 0, n = draw(6); i < n; i++) {
        switch (draw(5)) {
        case 0:
        case 1: add_number(); break;
        case 2: strcat(text, (const char *[]){" ", "\n", " \t ", ","}[draw(4)]); break;
        case 3:
            strcat(text, (const char *[]){"abc", "word", "fff", "]-]", "%", "z,y", "a-b"}[draw(7)]);
            break;
        default:
            strncat(text, (char[]){draw_char(" ,abcdfghoqrstuvwz0123456789-+.]\x80\xff")}, 1);
            break;
        }
    }
}

static void expect(bool holds, const char *what)
{
    if (!holds) {
        printf("%s\n", what);
        exit(1);
    }
}

/* What only the standard says, or what needs memory. */
static void once(void)
{
    double d = 7;
    int i = 7, j = 7, n = 0;
    char c[8] = "", *s = NULL, *set = NULL;
    wchar_t wide[8] = {0}, *allocated = NULL;
    expect(our_sscanf("1e+x", "%lf%n", &d, &n) == 0 && d == 7, "1e+ is no number");
    expect(our_sscanf("0xg", "%x", (unsigned *)&i) == 0 && i == 7, "0x is no number");
    expect(our_sscanf("12e5", "%3lf%n", &d, &n) == 0, "12e is no number");
    expect(our_sscanf("infix", "%lf", &d) == 0, "infi is no number");
    expect(our_sscanf("nan(a_1)x", "%lf%c", &d, c) == 2 && *c == 'x' && d != d, "nan(...)");
    expect(our_sscanf("", "%d", &i) == EOF && our_sscanf("  ", "%c%c%d", c, c, &i) == 2,
           "no input");
    expect(our_sscanf("", "%n", &i) == 0 && i == 0, "%n needs no input");
    expect(our_sscanf("ab", "%3c", c) == 0, "too few characters");
    expect(our_sscanf("(nil)", "%p", (void **)&s) == 1 && !s, "what printf makes of NULL");
    expect(our_sscanf("5 6", "%2$d %1$d", &i, &j) == 2 && i == 6 && j == 5, "positions");
    expect(our_sscanf("hello, world", "%ms%m[, a-w]", &s, &set) == 2 && strcmp(s, "hello,") == 0 &&
               strcmp(set, " world") == 0,
           "%m allocates");
    free(s);
    free(set);
    memset(text, 'x', 500);
    text[500] = '\0';
    expect(our_sscanf(text, "%ms", &s) == 1 && strlen(s) == 500, "%m grows");
    free(s);
    expect(our_sscanf("h\xc3\xa9\xe2\x82\xacy z", "%3ls%lc", wide, wide + 5) == 2 &&
               wcscmp(wide, L"h\u00e9\u20ac") == 0 && wide[5] == 'y',
           "%ls and %lc");
    expect(our_sscanf("\xc3\xa9!", "%mls", &allocated) == 1 && wcscmp(allocated, L"\u00e9!") == 0,
           "%mls");
    free(allocated);
    expect(our_sscanf("a\xff", "%ls", wide) == EOF, "an illegal sequence");
    expect(our_sscanf("1", "%y", &i) == 0 && our_sscanf("1", "%[a", c) == 0, "no conversion");
    memset(text, '0', 500);
    strcpy(text + 500, "12");
    expect(our_sscanf(text, "%d", &i) == 1 && i == 12, "leading zeroes");
}

int main(int argc, char **argv)
{
    random_begin(argc, argv);
    if (!setlocale(LC_ALL, "C.UTF-8"))
        abort();
    once();
    for (int i = 0; i < ROUNDS; i++) {
        make_format();
        make_text();
        check();
    }
    printf("%d texts: scanned as the host does\n", ROUNDS);
    return 0;
}
