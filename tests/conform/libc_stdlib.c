/* musl: <stdlib.h> and <inttypes.h> without memory: numbers, sorting, the environment, ends, temporary names. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>

#include "tap.h"

extern char **environ;

/* FUNCTION on TEXT: its value, how many characters it took, and errno. */
#define number(function, text, base, value, taken, error)                                     \
    do {                                                                                      \
        char *end_ = NULL;                                                                    \
        errno = 0;                                                                            \
        same(function(text, &end_, base), value);                                             \
        check(errno == (error), "%s(\"%s\"): errno %d", #function, text, errno);              \
        check(end_ - text == (taken), "%s(\"%s\"): %td taken", #function, text, end_ - text); \
    } while (0)

TEST(integers_in_text)
{
    static const char plain[] = " \t-123x", hex[] = "0x7fz", octal[] = "0178", base36[] = "Zz!",
                      nothing[] = "  +", prefix[] = "0xg", big[] = "9223372036854775808",
                      bigger[] = "-99999999999999999999", huge[] = "18446744073709551616",
                      most[] = "18446744073709551615", minus[] = "-1";
    number(strtol, plain, 10, -123, 6, 0);
    number(strtol, hex, 0, 127, 4, 0);
    number(strtol, hex, 16, 127, 4, 0);
    number(strtol, octal, 0, 15, 3, 0);
    number(strtol, base36, 36, 35 * 36 + 35, 2, 0);
    char *end = NULL;
    same(strtol(nothing, &end, 10), 0);
    check(end == nothing, "no digits"); /* errno may be EINVAL (POSIX) */
    number(strtol, prefix, 16, 0, 1, 0);
    number(strtol, big, 10, LONG_MAX, 19, ERANGE);
    number(strtol, bigger, 10, LONG_MIN, 21, ERANGE);
    number(strtoll, big, 10, LLONG_MAX, 19, ERANGE);
    number(strtoimax, big, 10, INTMAX_MAX, 19, ERANGE);
    number(strtoul, big, 10, 1UL << 63, 19, 0);
    number(strtoul, huge, 10, ULONG_MAX, 20, ERANGE);
    number(strtoul, minus, 10, ULONG_MAX, 2, 0);
    number(strtoull, most, 10, ULLONG_MAX, 20, 0);
    number(strtoumax, most, 10, UINTMAX_MAX, 20, 0);
    errno = 0;
    same(strtol(hex, NULL, 1), 0);
    same(errno, EINVAL);
    same(atoi(" -7x"), -7);
    same(atol("123456789012"), 123456789012);
    same(atoll("x"), 0);
}

TEST(floats_in_text)
{
    char *end;
    const char *text = " -1.5e3x";
    check(strtod(text, &end) == -1500 && *end == 'x', "strtod");
    check(strtof("0x1.8p1", &end) == 3 && !*end, "strtof");
    check(strtold("1e4000", &end) > 1e308L && !*end, "strtold");
    check(strtod("infinity", NULL) == __builtin_inf() && __builtin_isnan(strtod("nan", NULL)),
          "words");
    check(strtod("0.1", NULL) == 0.1 && strtod("5e-324", NULL) > 0, "as the compiler reads them");
    text = "e5";
    check(strtod(text, &end) == 0 && end == text, "no number");
    errno = 0;
    check(strtod("1e999", NULL) == __builtin_inf() && errno == ERANGE, "too large");
    errno = 0;
    check(strtod("1e-999", NULL) == 0 && errno == ERANGE, "too small");
    check(atof("2.5") == 2.5, "atof");
}

TEST(arithmetic)
{
    volatile int minus = -7;
    same(abs(minus), 7);
    same(labs(minus), 7);
    same(llabs(minus), 7);
    same(imaxabs(minus), 7);
    div_t d = div(minus, 2);
    ldiv_t l = ldiv(minus, 2);
    lldiv_t ll = lldiv(minus, -2);
    imaxdiv_t m = imaxdiv(7, minus);
    check(d.quot == -3 && d.rem == -1 && l.quot == -3 && l.rem == -1, "towards zero");
    check(ll.quot == 3 && ll.rem == -1 && m.quot == -1 && m.rem == 0, "with both signs");
}

static int by_value(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

TEST(sorting_and_searching)
{
    static int numbers[1000];
    srand(1);
    for (int n = 0; n < 1000; n += 1 + n / 3) {
        long sum = 0;
        for (int i = 0; i < n; i++)
            sum += numbers[i] = rand() % 500;
        qsort(numbers, (size_t)n, sizeof(int), by_value);
        for (int i = 0; i < n; i++) {
            sum -= numbers[i];
            check(i == 0 || numbers[i - 1] <= numbers[i], "order at %d of %d", i, n);
        }
        same(sum, 0);
    }
    for (int i = 0; i < 1000; i++)
        numbers[i] = 2 * i;
    for (int key = -1; key < 2001; key++) {
        int *found = bsearch(&key, numbers, 1000, sizeof(int), by_value);
        check(found ? *found == key : key < 0 || key % 2 || key >= 2000, "key %d", key);
    }
}

TEST(random_numbers_repeat)
{
    srand(5);
    int a = rand(), b = rand();
    srand(5);
    check(a == rand() && b == rand() && a != b && a >= 0, "rand");
    unsigned seed = 1, again = 1;
    check(rand_r(&seed) == rand_r(&again) && seed == again, "rand_r");
}

TEST(environment)
{
    static char assignment[] = "PUT=1";
    same(setenv("A", "1", 0), 0);
    same(setenv("A", "2", 0), 0);
    same_text(getenv("A"), "1");
    same(setenv("A", "2", 1), 0);
    same_text(getenv("A"), "2");
    fails(setenv("A=B", "", 1), EINVAL);
    fails(setenv("", "", 1), EINVAL);
    same(putenv(assignment), 0);
    assignment[4] = '7';
    same_text(getenv("PUT"), "7");
    same(unsetenv("A"), 0);
    check(!getenv("A"), "unset");
    fails(unsetenv("A=B"), EINVAL);
    same(clearenv(), 0);
    check(!getenv("PUT") && (!environ || !*environ), "cleared");
    same(setenv("B", "3", 1), 0);
    same_text(environ[0], "B=3");
}

static void say_a(void)
{
    printf("a");
}
static void say_b(void)
{
    printf("b");
    atexit(say_a);
}
static void say_quick(void)
{
    (void)!write(1, "q", 1);
}

static const char *said(pid_t pid, int fd)
{
    static char text[16];
    tap_reap(pid);
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    text[n] = '\0';
    return text;
}

TEST(ends)
{
    int fd = works(open("out", O_RDWR | O_CREAT, 0600));
    pid_t pid;
    fflush(stdout);
    setvbuf(stdout, NULL, _IOFBF, 0);
    CHILD (pid) {
        dup2(fd, 1);
        atexit(say_a);
        atexit(say_b);
        exit(0);
    }
    same_text(said(pid, fd), "baa");
    works(ftruncate(fd, 0));
    CHILD (pid) {
        dup2(fd, 1);
        works(lseek(fd, 0, SEEK_SET));
        atexit(say_a);
        at_quick_exit(say_quick);
        printf("lost");
        quick_exit(0);
    }
    same_text(said(pid, fd), "q");
    CHILD (pid)
        _Exit(5);
    exits(pid, 5);
}

static void come_back(int sig)
{
    (void)sig;
}

TEST(abort_can_not_be_ignored)
{
    pid_t pid;
    CHILD (pid) {
        signal(SIGABRT, come_back);
        abort();
    }
    dies(pid, SIGABRT);
}

TEST(temporary_names)
{
    char file[] = "fXXXXXX", other[] = "fXXXXXX", dir[] = "dXXXXXX", bad[] = "fXXXX";
    int fd = works(mkstemp(file));
    check(strcmp(file, "fXXXXXX") != 0, "filled in");
    struct stat st;
    works(fstat(fd, &st));
    same(st.st_mode, S_IFREG | 0600);
    fd = works(mkostemp(other, O_CLOEXEC | O_APPEND));
    same(fcntl(fd, F_GETFD), FD_CLOEXEC);
    check(mkdtemp(dir) == dir, "mkdtemp");
    works(stat(dir, &st));
    same(st.st_mode, S_IFDIR | 0700);
    fails(mkstemp(bad), EINVAL);
}

TEST(characters_of_one_byte)
{
    wchar_t c;
    char bytes[8];
    check(MB_CUR_MAX >= 1, "MB_CUR_MAX");
    same(mbtowc(&c, "a", 1), 1);
    same(c, 'a');
    same(mbtowc(&c, "", 1), 0);
    same(wctomb(bytes, L'z'), 1);
    same(bytes[0], 'z');
}

int main(void)
{
    return tap_run("libc_stdlib");
}
