/*
 * The commands that are part of the shell: those that change the shell itself (cd, exit, set) and could not
 * be programs, and those that are used so often that a process each would be slow (echo, test).
 */
#include "sh.h"

/* What a builtin writes is kept until it ends: so an error is noticed in one place, the executor. */
static void print(const char *s)
{
    while (*s != '\0')
        buffer_put(&sh.output, *s++);
}

/* : true false */
static int builtin_true(int argc, char **argv)
{
    return argc > 0 && argv[0][0] == 'f';
}

static int builtin_echo(int argc, char **argv)
{
    static const char letters[] = "abfnrtv\\", bytes[] = "\a\b\f\n\r\t\v\\";
    bool newline = argc < 2 || strcmp(argv[1], "-n") != 0;
    for (int i = newline ? 1 : 2; i < argc; i++) {
        for (const char *s = argv[i], *found; *s != '\0'; s++) {
            if (*s == '\\' && s[1] == 'c')
                return 0;
            found = *s == '\\' && s[1] != '\0' ? strchr(letters, s[1]) : NULL;
            buffer_put(&sh.output, found != NULL ? bytes[found - letters] : *s);
            s += found != NULL;
        }
        print(i + 1 < argc ? " " : "");
    }
    print(newline ? "\n" : "");
    return 0;
}

/* cd pwd */
static int builtin_cd(int argc, char **argv)
{
    const char *to = argc > 1 ? argv[1] : variable_get("HOME");
    bool change = argv[0][0] == 'c', back = to != NULL && strcmp(to, "-") == 0;
    if (back)
        to = variable_get("OLDPWD");
    if (change && (to == NULL || chdir(to) < 0))
        return complain("cd: can't cd to %s", to != NULL ? to : "nowhere");
    char *path = getcwd(NULL, 0);
    if (path == NULL)
        return complain("%s: %s", argv[0], strerror(errno)) - 1;
    if (change)
        variable_set("OLDPWD", variable_get("PWD"));
    if (!change || back)
        print(strcat(strcpy(stack_alloc(strlen(path) + 2), path), "\n"));
    variable_set("PWD", path);
    free(path);
    return 0;
}

/* break continue exit return shift: those that take a number. */
int builtin_exit(int argc, char **argv)
{
    char which = argv[0][0];
    int number = argc > 1 ? atoi(argv[1]) : which == 'e' || which == 'r' ? sh.status : 1;
    if (argc > 1 && (strspn(argv[1], "0123456789") != strlen(argv[1]) ||
                     (number == 0 && (which == 'b' || which == 'c'))))
        fail("%s: Illegal number: %s", argv[0], argv[1]);
    if (which == 's' && number > sh.parameters.count)
        return complain("shift: can't shift that many");
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
    if (sh.option['i'] && find_program(argv[1]) != NULL)
        signals_set(false);
    exec_program(argc - 1, argv + 1);
}

static int builtin_eval(int argc, char **argv)
{
    struct buffer text = {.data = ""};
    for (int i = 1; i < argc; i++, buffer_put(&text, ' '))
        for (const char *s = argv[i]; *s != '\0'; s++)
            buffer_put(&text, *s);
    sh.status = 0;
    return run_string(text.data, false);
}

static int builtin_dot(int argc, char **argv)
{
    char *found = argc > 1 && strchr(argv[1], '/') == NULL ? find_program(argv[1]) : NULL;
    int fd = argc > 1 ? open(found != NULL ? found : argv[1], O_RDONLY) : -1;
    if (fd < 0)
        return complain(".: cannot open %s", argc > 1 ? argv[1] : "nothing");
    struct source source = {.fd = fd = move_high(fd), .line = 1};
    sh.status = 0;
    run_source(&source, false);
    close(fd);
    free(source.text);
    if (sh.unwind == UNWIND_RETURN)
        sh.unwind = UNWIND_NONE;
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
            return complain("%s: %s: bad variable name", argv[0], name);
        const char *value = argv[i][length] == '=' ? argv[i] + length + 1 : variable_get(name);
        name = functions ? function_name(name) : name;
        variable_set(name, export ? value : NULL)->exported = export;
    }
    return 0;
}

static int builtin_set(int argc, char **argv)
{
    int i = take_options(argc, argv, "efnux");
    if (i < argc || (argc > 1 && strcmp(argv[i - 1], "--") == 0))
        parameters_set(argv + i, argc - i);
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
    print(argc < 2 ? text : "");
    return 0;
}

static const struct builtin builtins[] = {
    {":", builtin_true, true},        {".", builtin_dot, true},
    {"[", builtin_test, false},       {"bg", builtin_jobs, false},
    {"break", builtin_exit, true},    {"cd", builtin_cd, false},
    {"continue", builtin_exit, true}, {"echo", builtin_echo, false},
    {"eval", builtin_eval, true},     {"exec", builtin_exec, true},
    {"exit", builtin_exit, true},     {"export", builtin_export, true},
    {"false", builtin_true, false},   {"fg", builtin_jobs, false},
    {"jobs", builtin_jobs, false},    {"kill", builtin_kill, false},
    {"pwd", builtin_cd, false},       {"read", builtin_read, false},
    {"return", builtin_exit, true},   {"set", builtin_set, true},
    {"shift", builtin_exit, true},    {"test", builtin_test, false},
    {"true", builtin_true, false},    {"umask", builtin_umask, false},
    {"unset", builtin_export, true},  {"wait", builtin_wait, false},
};

const struct builtin *builtin_find(const char *name)
{
    for (size_t i = 0; i < sizeof builtins / sizeof builtins[0]; i++)
        if (strcmp(builtins[i].name, name) == 0)
            return &builtins[i];
    return NULL;
}
