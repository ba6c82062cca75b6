/*
 * The commands that are part of the shell: those that change the shell itself (cd, exit, set, export) and
 * could not be programs, and those that are used so often that a process each would be slow (echo, test).
 * What they write is kept until they end, so that an error in writing is noticed in one place.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/times.h>
#include <unistd.h>

#include "sh.h"

void out(const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        fail("Out of space");
    va_end(args);
    buffer_add(&sh.output, text, strlen(text));
    free(text);
}

/* False: it could not be written, errno says why. */
bool flush(void)
{
    size_t done = 0, length = sh.output.length;

    sh.output.length = 0;
    while (done < length) {
        ssize_t written = write(STDOUT_FILENO, sh.output.data + done, length - done);
        if (written < 0 && errno != EINTR)
            return false;
        done += written > 0 ? (size_t)written : 0;
    }
    return true;
}

/* : true false */
static int builtin_true(int argc, char **argv)
{
    return argc > 0 && argv[0][0] == 'f';
}

/* One escape of echo, S behind the backslash; returns the last byte it took, NULL: \c. */
static const char *echo_escape(const char *s)
{
    static const char letters[] = "abfnrtv\\", bytes[] = "\a\b\f\n\r\t\v\\";
    const char *found = *s != '\0' ? strchr(letters, *s) : NULL;
    int value = 0;

    if (*s == 'c')
        return NULL;
    if (found != NULL) {
        buffer_put(&sh.output, bytes[found - letters]);
    } else if (*s == '0') {
        for (int i = 0; i < 3 && s[1] >= '0' && s[1] <= '7'; i++)
            value = value * 8 + *++s - '0';
        buffer_put(&sh.output, (char)value);
    } else {
        buffer_put(&sh.output, '\\');
        return s - 1;
    }
    return s;
}

static int builtin_echo(int argc, char **argv)
{
    bool newline = argc < 2 || strcmp(argv[1], "-n") != 0;

    for (int i = newline ? 1 : 2; i < argc; i++) {
        for (const char *s = argv[i]; *s != '\0'; s++) {
            if (*s != '\\')
                buffer_put(&sh.output, *s);
            else if ((s = echo_escape(s + 1)) == NULL)
                return 0;
        }
        if (i + 1 < argc)
            buffer_put(&sh.output, ' ');
    }
    if (newline)
        buffer_put(&sh.output, '\n');
    return 0;
}

/* --- folders ---------------------------------------------------------------------------------- */

/* Take . and .. out of the absolute PATH, as text: the way back out of a symbolic link is the way in. */
static void clean_path(char *path)
{
    char *to = path, *part, *rest = path;

    while ((part = strsep(&rest, "/")) != NULL) {
        if (strcmp(part, "..") == 0) {
            while (to > path && *--to != '/')
                ;
        } else if (*part != '\0' && strcmp(part, ".") != 0) {
            size_t length = strlen(part);
            *to++ = '/';
            memmove(to, part, length);
            to += length;
        }
    }
    if (to == path)
        *to++ = '/';
    *to = '\0';
}

const char *working_folder(void)
{
    static char path[PATH_MAX];
    const char *pwd = variable_get("PWD");
    struct stat a, b;

    if (pwd != NULL && *pwd == '/' && stat(pwd, &a) == 0 && stat(".", &b) == 0 &&
        a.st_dev == b.st_dev && a.st_ino == b.st_ino)
        return pwd;
    return getcwd(path, sizeof path) != NULL ? path : NULL;
}

int builtin_pwd(int argc, char **argv)
{
    char path[PATH_MAX];
    const char *pwd =
        argc > 1 && strcmp(argv[1], "-P") == 0 ? getcwd(path, sizeof path) : working_folder();

    if (pwd == NULL)
        return complain("pwd: %s", strerror(errno)) - 1;
    out("%s\n", pwd);
    return 0;
}

int builtin_cd(int argc, char **argv)
{
    int i = 1;
    bool physical = false;

    for (; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++)
        physical = strchr(argv[i], 'P') != NULL;
    const char *to = i < argc ? argv[i] : variable_get("HOME"), *old = working_folder();
    bool back = to != NULL && strcmp(to, "-") == 0;
    if (back)
        to = variable_get("OLDPWD");
    if (to == NULL || *to == '\0')
        return 0;
    char *path = arena_alloc(&scratch, strlen(to) + (old != NULL ? strlen(old) : 0) + 2);
    sprintf(path, "%s/%s", *to == '/' || old == NULL ? "" : old, to);
    clean_path(path);
    if (chdir(physical ? to : path) < 0)
        return complain("cd: can't cd to %s", to);
    variable_set("OLDPWD", old != NULL ? old : "");
    variable_set("PWD", physical ? "" : path);
    variable_set("PWD", working_folder());
    if (back)
        out("%s\n", variable_get("PWD"));
    return 0;
}

/* --- control ---------------------------------------------------------------------------------- */

/* The number in argv[1], or OTHERWISE. */
static int number_argument(int argc, char **argv, int otherwise)
{
    if (argc < 2)
        return otherwise;
    if (strspn(argv[1], "0123456789") != strlen(argv[1]) || *argv[1] == '\0')
        fail("%s: Illegal number: %s", argv[0], argv[1]);
    return atoi(argv[1]);
}

static int builtin_break(int argc, char **argv)
{
    int levels = number_argument(argc, argv, 1);

    if (levels < 1)
        fail("%s: Illegal number: %s", argv[0], argv[1]);
    if (sh.loops > 0) {
        sh.levels = levels < sh.loops ? levels : sh.loops;
        sh.unwind = argv[0][0] == 'b' ? UNWIND_BREAK : UNWIND_CONTINUE;
    }
    return 0;
}

static int builtin_return(int argc, char **argv)
{
    int status = number_argument(argc, argv, sh.status);

    sh.unwind = UNWIND_RETURN;
    return status;
}

static int builtin_exit(int argc, char **argv)
{
    leave(number_argument(argc, argv, sh.status) & 255);
}

static int builtin_exec(int argc, char **argv)
{
    if (argc < 2)
        return 0;
    if (find_program(argv[1]) != NULL)
        trap_in_child(); /* what only we ignore, the program shall not */
    exec_program(argv + 1);
}

static int builtin_eval(int argc, char **argv)
{
    struct buffer text = {0};

    buffer_add(&text, "", 0);
    for (int i = 1; i < argc; i++) {
        buffer_add(&text, argv[i], strlen(argv[i]));
        buffer_put(&text, i + 1 < argc ? ' ' : '\n');
    }
    sh.status = 0;
    return run_string(buffer_take(&text));
}

static int builtin_dot(int argc, char **argv)
{
    char *path = argc > 1 ? argv[1] : NULL;
    struct source source = {.line = 1};

    if (path == NULL)
        return complain(".: filename argument required");
    if (strchr(path, '/') == NULL && access(path, R_OK) < 0)
        path = find_program(path);
    source.fd = path != NULL ? open(path, O_RDONLY) : -1;
    if (source.fd < 0)
        return complain(".: cannot open %s", argv[1]);
    source.fd = move_high(source.fd);
    sh.calls++;
    sh.status = 0;
    run_source(&source);
    sh.calls--;
    if (sh.unwind == UNWIND_RETURN)
        sh.unwind = UNWIND_NONE;
    close(source.fd);
    free(source.text.data);
    return sh.status;
}

static int describe(const char *name, bool briefly)
{
    const struct builtin *b = builtin_find(name);
    char *path;

    if (is_reserved(name))
        out(briefly ? "%s\n" : "%s is a shell keyword\n", name);
    else if (function_find(name) != NULL)
        out(briefly ? "%s\n" : "%s is a shell function\n", name);
    else if (b != NULL)
        out(briefly      ? "%s\n"
            : b->special ? "%s is a special shell builtin\n"
                         : "%s is a shell builtin\n",
            name);
    else if ((path = find_program(name)) != NULL)
        out("%s%s%s\n", briefly ? "" : name, briefly ? "" : " is ", path);
    else if (!briefly)
        out("%s: not found\n", name);
    else
        return 127;
    return 0;
}

static int builtin_type(int argc, char **argv)
{
    int status = 0;

    for (int i = 1; i < argc; i++)
        status |= describe(argv[i], false);
    return status;
}

/* `command NAME` is the executor's; here are -v and -V. */
static int builtin_command(int argc, char **argv)
{
    int status = 0;

    for (int i = 2; i < argc; i++)
        status = describe(argv[i], argv[1][1] == 'v');
    return status;
}

/* --- variables -------------------------------------------------------------------------------- */

/* export, readonly, local: NAME or NAME=value. */
static int builtin_declare(int argc, char **argv)
{
    bool list = argc < 2 || strcmp(argv[1], "-p") == 0;
    char what = argv[0][0];

    if (list && what != 'l')
        variables_print(what == 'e' ? "export " : "readonly ", what);
    if (what == 'l' && sh.calls == 0)
        fail("local: not in a function");
    for (int i = 1; !list && i < argc; i++) {
        size_t length = strcspn(argv[i], "=");
        char *name = arena_string(&scratch, argv[i], length);
        if (!is_name(name, length))
            return complain("%s: %s: bad variable name", argv[0], name);
        if (what == 'l')
            scope_local(name);
        if (argv[i][length] == '=' && !variable_set(name, argv[i] + length + 1))
            return 2;
        variable_find(name)->exported |= what == 'e';
        variable_find(name)->readonly |= what == 'r';
    }
    return 0;
}

static int builtin_unset(int argc, char **argv)
{
    bool is_function = argc > 1 && strcmp(argv[1], "-f") == 0;

    for (int i = 1; i < argc; i++) {
        if (i == 1 && argv[1][0] == '-')
            continue;
        if (is_function)
            function_remove(argv[i]);
        else if (!variable_set(argv[i], NULL))
            return 2;
    }
    return 0;
}

static const struct {
    char letter;
    const char *name;
} options[] = {
    {'e', "errexit"}, {'f', "noglob"},    {'m', "monitor"},   {'n', "noexec"}, {'x', "xtrace"},
    {'v', "verbose"}, {'C', "noclobber"}, {'a', "allexport"}, {'b', "notify"}, {'u', "nounset"},
};

bool option_set(char letter, bool on)
{
    if (letter == '\0' || strchr(OPTIONS, letter) == NULL)
        return false;
    if (letter == 'm' && on != sh.option['m'])
        job_control(on);
    sh.option[(int)letter] = on;
    return true;
}

static bool long_option_set(const char *name, bool on)
{
    if (strcmp(name, "pipefail") == 0) {
        sh.pipefail = on;
        return true;
    }
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (strcmp(options[i].name, name) == 0)
            return option_set(options[i].letter, on);
    return false;
}

static int builtin_set(int argc, char **argv)
{
    int i = 1;

    if (argc == 1)
        variables_print("", 's');
    for (; i < argc && (argv[i][0] == '-' || argv[i][0] == '+') && argv[i][1] != '\0'; i++) {
        bool on = argv[i][0] == '-';
        if (strcmp(argv[i], "--") == 0)
            break;
        for (const char *letter = argv[i] + 1; *letter != '\0'; letter++) {
            if (*letter == 'o' && i + 1 < argc) {
                if (!long_option_set(argv[++i], on))
                    return complain("set: Illegal option -o %s", argv[i]);
                break;
            } else if (*letter == 'o') {
                for (size_t o = 0; o < sizeof options / sizeof options[0]; o++)
                    out("%-15s %s\n", options[o].name,
                        sh.option[(int)options[o].letter] ? "on" : "off");
            } else if (!option_set(*letter, on)) {
                return complain("set: Illegal option %c%c", argv[i][0], *letter);
            }
        }
    }
    if (i < argc) {
        i += strcmp(argv[i], "--") == 0 || strcmp(argv[i], "-") == 0;
        parameters_set(argv + i, argc - i);
    }
    return 0;
}

static int builtin_shift(int argc, char **argv)
{
    int count = number_argument(argc, argv, 1);

    if (count > sh.parameters.count)
        return complain("shift: can't shift that many");
    sh.parameters.values += count;
    sh.parameters.count -= count;
    return 0;
}

/* A line of standard input, byte by byte: the bytes behind it are the next reader's. */
static bool read_line(struct buffer *line, bool raw)
{
    char c;

    buffer_add(line, "", 0);
    for (;;) {
        ssize_t got = read(STDIN_FILENO, &c, 1);
        if (got < 0 && errno == EINTR && trap_pending() == 0)
            continue;
        if (got <= 0)
            return false;
        if (c == '\\' && !raw) {
            if (read(STDIN_FILENO, &c, 1) != 1)
                return false;
            if (c == '\n')
                continue;
            buffer_put(line, MARK);
        } else if (c == '\n') {
            return true;
        } else if (c == MARK) {
            buffer_put(line, MARK);
        }
        if (c != '\0')
            buffer_put(line, c);
    }
}

static bool is_separator(const char *ifs, char c, bool white)
{
    return c != '\0' && strchr(ifs, c) != NULL && (isspace((unsigned char)c) != 0) == white;
}

/* The next field of *S, of which the last takes all the rest. */
static char *next_field(char **s, const char *ifs, bool last)
{
    char *start, *end, *content;

    while (is_separator(ifs, **s, true))
        ++*s;
    start = end = content = *s;
    for (; *end != '\0' && (last || strchr(ifs, *end) == NULL); end++) {
        if (*end == MARK)
            end++;
        if (*end != '\0' && !is_separator(ifs, *end, true))
            content = end + 1;
    }
    content = last ? content : end;
    *s = end;
    while (is_separator(ifs, **s, true))
        ++*s;
    if (is_separator(ifs, **s, false))
        ++*s;
    return unmark(arena_string(&scratch, start, (size_t)(content - start)));
}

int builtin_read(int argc, char **argv)
{
    struct buffer line = {0};
    bool raw = false, complete;
    const char *ifs = variable_get("IFS");
    int i = 1;

    for (; i < argc && argv[i][0] == '-'; i++) {
        raw = raw || strchr(argv[i], 'r') != NULL;
        if (strchr(argv[i], 'p') != NULL && i + 1 < argc)
            dprintf(STDERR_FILENO, "%s", argv[++i]);
    }
    if (i >= argc)
        return complain("read: arg count");
    complete = read_line(&line, raw);
    char *rest = buffer_take(&line);
    ifs = ifs != NULL ? ifs : " \t\n";
    for (; i < argc; i++)
        if (!variable_set(argv[i], next_field(&rest, ifs, i + 1 == argc)))
            return 2;
    return !complete;
}

/* --- the rest --------------------------------------------------------------------------------- */

static int builtin_umask(int argc, char **argv)
{
    mode_t old = umask(0);
    char *end;

    umask(old);
    if (argc < 2) {
        out("%04o\n", old);
        return 0;
    }
    long mask = strtol(argv[1], &end, 8);
    if (*end != '\0' || mask < 0 || mask > 0777)
        return complain("umask: Illegal number: %s", argv[1]);
    umask((mode_t)mask);
    return 0;
}

static int builtin_times(int argc, char **argv)
{
    struct tms t;
    long ticks = sysconf(_SC_CLK_TCK);
    const clock_t *all[] = {&t.tms_utime, &t.tms_stime, &t.tms_cutime, &t.tms_cstime};

    (void)argc;
    (void)argv;
    times(&t);
    for (int i = 0; i < 4; i++) {
        long centi = *all[i] * 100 / ticks;
        out("%ldm%ld.%02lds%c", centi / 6000, centi / 100 % 60, centi % 100, i % 2 ? '\n' : ' ');
    }
    return 0;
}

static const struct builtin builtins[] = {
    {":", builtin_true, true},           {".", builtin_dot, true},
    {"[", builtin_test, false},          {"bg", builtin_bg, false},
    {"break", builtin_break, true},      {"cd", builtin_cd, false},
    {"command", builtin_command, false}, {"continue", builtin_break, true},
    {"echo", builtin_echo, false},       {"eval", builtin_eval, true},
    {"exec", builtin_exec, true},        {"exit", builtin_exit, true},
    {"export", builtin_declare, true},   {"false", builtin_true, false},
    {"fg", builtin_fg, false},           {"jobs", builtin_jobs, false},
    {"kill", builtin_kill, false},       {"local", builtin_declare, true},
    {"pwd", builtin_pwd, false},         {"read", builtin_read, false},
    {"readonly", builtin_declare, true}, {"return", builtin_return, true},
    {"set", builtin_set, true},          {"shift", builtin_shift, true},
    {"test", builtin_test, false},       {"times", builtin_times, true},
    {"trap", builtin_trap, true},        {"true", builtin_true, false},
    {"type", builtin_type, false},       {"umask", builtin_umask, false},
    {"unset", builtin_unset, true},      {"wait", builtin_wait, false},
};

const struct builtin *builtin_find(const char *name)
{
    for (size_t i = 0; i < sizeof builtins / sizeof builtins[0]; i++)
        if (strcmp(builtins[i].name, name) == 0)
            return &builtins[i];
    return NULL;
}
