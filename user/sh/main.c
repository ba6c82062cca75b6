/*
 * The shell starts here: sh [-efinux] [-c command | -s | file] [argument ...]. In a script an error of the
 * shell's own ends it; at a terminal it leads back to the prompt, and everything half done is undone.
 */
#include <stdarg.h>

#include "sh.h"

#define STACK_MAX (6 << 20) /* of the 8 MiB that there are */

struct shell sh = {.name = "sh"};
extern char **environ;

int complain(const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    dprintf(STDERR_FILENO, "%s: %d: %s\n", sh.name, sh.line, text);
    sh.complained = true;
    return 2;
}

/* To the prompt if there is one, else exit. */
void abandon(int status)
{
    sh.status = status;
    if (sh.top != NULL)
        longjmp(*sh.top, 1);
    _exit(status);
}

/* Fail before recursion overruns the stack. */
void check_stack(void)
{
    static char *start;
    char here;
    start = start != NULL ? start : &here;
    if (start - &here > STACK_MAX)
        fail("nested too deeply");
}

/* Options as + or - and letters of ALLOWED; returns where the operands begin. */
int take_options(int argc, char **argv, const char *allowed)
{
    int i = 1;
    for (; i < argc && strchr("+-", argv[i][0]) != NULL && argv[i][0] != '\0' && argv[i][1] != '\0';
         i++) {
        if (strcmp(argv[i], "--") == 0)
            return i + 1;
        for (const char *letter = argv[i] + 1; *letter != '\0'; letter++) {
            if (strchr(allowed, *letter) == NULL)
                fail("Illegal option %c%c", argv[i][0], *letter);
            sh.option[(int)*letter] = argv[i][0] == '-';
        }
    }
    return i;
}

int main(int argc, char **argv)
{
    struct source source = {.line = 1};
    char *path = getcwd(NULL, 0);
    jmp_buf top;
    check_stack();
    sh.pid = getpid();
    sh.name = argv[0];
    for (char **e = environ; *e != NULL; e++) {
        size_t length = strcspn(*e, "=");
        if ((*e)[length] == '=' && is_name(*e, length))
            variable_set(stack_string(*e, length), *e + length + 1)->exported = true;
    }
    variable_set("IFS", " \t\n");
    variable_set("PWD", path);
    free(path);
    if (variable_get("PS1") == NULL)
        variable_set("PS1", geteuid() == 0 ? "# " : "$ ");
    int i = take_options(argc, argv, "cefinsux");
    if (sh.option['c'] && i < argc) {
        source = (struct source){.fd = -1, .text = argv[i], .length = strlen(argv[i]), .line = 1};
        i++;
    } else if (!sh.option['s'] && i < argc) {
        source.fd = open(argv[i], O_RDONLY);
        if (source.fd < 0)
            abandon((complain("cannot open %s", argv[i]), 127));
        source.fd = move_high(source.fd);
    } else {
        source.by_byte = true;
        sh.option['i'] |= isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
        source.edited = sh.option['i'] && isatty(STDIN_FILENO);
    }
    if (!sh.option['s'] && i < argc)
        sh.name = argv[i++];
    parameters_set(argv + i, argc - i);
    if (argv[0][0] == '-' && access("/etc/profile", R_OK) == 0)
        run_string(". /etc/profile", false);
    if (source.edited) {
        job_control();
        setjmp(top);
        sh.top = &top;
        undo_to(NULL);
        stack_release(NULL);
        sh.loops = sh.tested = sh.interrupted = 0;
        sh.unwind = UNWIND_NONE;
        source.at = source.length;
    }
    run_source(&source, !source.edited);
    sh.top = NULL;
    abandon(sh.status);
}
