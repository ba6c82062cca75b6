/*
 * The commands that are part of the shell: those that change the shell itself (cd, exit, set) and could not
 * be programs, and those that are used so often that a process each would be slow (echo, test).
 */
#include <limits.h>

#include "sh.h"

/* What a builtin writes is written at once, when it ends: so an error is noticed here. */
static int print(const char *name, const char *text)
{
    size_t length = strlen(text);
    if (length > 0 && write(STDOUT_FILENO, text, length) < (ssize_t)length)
        return complain("%s: %s", name, strerror(errno)) - 1;
    return 0;
}

/* : true false */
static int builtin_true(int argc, char **argv)
{
    return argc > 0 && argv[0][0] == 'f';
}

static int builtin_echo(int argc, char **argv)
{
    static const char letters[] = "abfnrtv\\", bytes[] = "\a\b\f\n\r\t\v\\";
    struct buffer text = {.data = ""};
    bool newline = argc < 2 || strcmp(argv[1], "-n") != 0;
    for (int i = newline ? 1 : 2; i < argc; i++) {
        for (const char *s = argv[i], *found; *s != '\0'; s++) {
            if (*s == '\\' && s[1] == 'c')
                return print(argv[0], text.data);
            found = *s == '\\' && s[1] != '\0' ? strchr(letters, s[1]) : NULL;
            buffer_put(&text, found != NULL ? bytes[found - letters] : *s);
            s += found != NULL;
        }
        if (i + 1 < argc)
            buffer_put(&text, ' ');
    }
    if (newline)
        buffer_put(&text, '\n');
    return print(argv[0], text.data);
}

static int builtin_cd(int argc, char **argv)
{
    const char *to = argc > 1 ? argv[1] : variable_get("HOME");
    bool back = to != NULL && strcmp(to, "-") == 0;
    char path[PATH_MAX + 1];
    to = back ? variable_get("OLDPWD") : to;
    if (to == NULL || chdir(to) < 0 || getcwd(path, PATH_MAX) == NULL)
        return complain("cd: can't cd to %s", to != NULL ? to : "nowhere");
    variable_set("OLDPWD", variable_get("PWD"));
    variable_set("PWD", path);
    return back ? print(argv[0], strcat(path, "\n")) : 0;
}

/* break continue exit return shift: those that take a number. */
int builtin_exit(int argc, char **argv)
{
    char which = argv[0][0];
    int number = argc > 1 ? atoi(argv[1]) : which == 'e' || which == 'r' ? sh.status : 1;
    if (argc > 1 && strspn(argv[1], "0123456789") != strlen(argv[1]))
        fail("%s: Illegal number: %s", argv[0], argv[1]);
    if (which == 's' && number > sh.parameters.count)
        fail("shift: can't shift that many");
    switch (which) {
    case 's':
        sh.parameters.values += number;
        sh.parameters.count -= number;
        return 0;
    case 'e': sh.top = NULL; abandon(number & 255);
    case 'r': sh.unwind = UNWIND_RETURN; return number & 255;
    default:
        if (sh.loops > 0)
            sh.unwind = which == 'b' ? UNWIND_BREAK : UNWIND_CONTINUE;
        sh.levels = number < sh.loops ? number : sh.loops;
        return 0;
    }
}

static int builtin_exec(int argc, char **argv)
{
    if (argc < 2)
        return 0;
    if (sh.top != NULL)
        signals_set(false);
    exec_program(argv + 1);
}

static int builtin_dot(int argc, char **argv)
{
    int fd = argc > 1 ? open(argv[1], O_RDONLY) : -1;
    if (fd < 0)
        fail(".: cannot open %s", argc > 1 ? argv[1] : "nothing");
    struct source source = {.fd = fd = move_high(fd), .line = 1};
    sh.status = 0;
    run_source(&source, false);
    close(fd);
    free(source.text);
    return sh.status;
}

/* export NAME NAME=value; unset NAME; unset -f FUNCTION */
static int builtin_export(int argc, char **argv)
{
    bool export = argv[0][0] == 'e', functions = argc > 1 && strcmp(argv[1], "-f") == 0;
    for (int i = 1 + functions; i < argc; i++) {
        size_t length = strcspn(argv[i], "=");
        char *name = stack_string(argv[i], length);
        if (!is_name(name, length))
            fail("%s: %s: bad variable name", argv[0], name);
        const char *value = argv[i][length] == '=' ? argv[i] + length + 1 : variable_get(name);
        name = functions ? function_name(name) : name;
        variable_export(variable_set(name, export ? value : NULL), export);
    }
    return 0;
}

static int builtin_set(int argc, char **argv)
{
    int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;
    if (first == 1 && argc > 1 && strchr("+-", argv[1][0]) != NULL)
        fail("set: Illegal option %s", argv[1]);
    if (argc > 1)
        parameters_set(argv + first, argc - first);
    return 0;
}

/* A line of standard input, byte by byte: the bytes behind it are the next reader's. */
static int builtin_read(int argc, char **argv)
{
    bool raw = argc > 1 && strcmp(argv[1], "-r") == 0;
    struct buffer text = {.data = ""};
    ssize_t got;
    char c;
    while ((got = read(STDIN_FILENO, &c, 1)) == 1) {
        if (c == '\n' && !raw && text.length > 0 && text.data[text.length - 1] == '\\')
            text.data[--text.length] = '\0';
        else if (c == '\n')
            break;
        else if (c != '\0')
            buffer_put(&text, c);
    }
    struct word *field = split_fields(text.data, raw, argc - 1 - raw);
    for (int i = 1 + raw; i < argc; i++, field = field != NULL ? field->next : NULL)
        variable_set(argv[i], field != NULL ? field->text : "");
    return got != 1;
}

static int builtin_umask(int argc, char **argv)
{
    mode_t old = umask(0);
    umask(argc > 1 ? (mode_t)strtol(argv[1], NULL, 8) & 0777 : old);
    char text[8];
    snprintf(text, sizeof text, "%04o\n", old);
    return argc < 2 ? print(argv[0], text) : 0;
}

builtin *builtin_find(const char *name)
{
    static const struct {
        const char *name;
        builtin *run;
    } builtins[] = {{":", builtin_true},        {".", builtin_dot},         {"[", builtin_test},
                    {"bg", builtin_jobs},       {"break", builtin_exit},    {"cd", builtin_cd},
                    {"continue", builtin_exit}, {"echo", builtin_echo},     {"exec", builtin_exec},
                    {"exit", builtin_exit},     {"export", builtin_export}, {"false", builtin_true},
                    {"fg", builtin_jobs},       {"jobs", builtin_jobs},     {"kill", builtin_kill},
                    {"read", builtin_read},     {"return", builtin_exit},   {"set", builtin_set},
                    {"shift", builtin_exit},    {"test", builtin_test},     {"true", builtin_true},
                    {"umask", builtin_umask},   {"unset", builtin_export},  {"wait", builtin_wait}};
    for (size_t i = 0; i < sizeof builtins / sizeof builtins[0]; i++)
        if (strcmp(builtins[i].name, name) == 0)
            return builtins[i].run;
    return NULL;
}
