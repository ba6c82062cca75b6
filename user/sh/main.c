/*
 * The shell starts here: its arguments, where commands come from, and what an error does. In a script an
 * error of the shell's own (bad syntax, ${x?}) ends it; at a terminal it leads back to the prompt, from any
 * depth, and everything half done is undone: redirections, scopes, arenas.
 *
 *     sh [-abCefimnuvx] [-o option] [-c command | -s | file] [argument ...]
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sh.h"

#define STACK_MARGIN (256 * 1024)

struct shell sh = {.name = "sh"};

static char *stack_start;
extern char **environ;

static void say(const char *format, va_list args)
{
    char text[1024];
    int length = snprintf(text, sizeof text, "%s: %d: ", sh.name, sh.line);

    length += vsnprintf(text + length, sizeof text - (size_t)length - 1, format, args);
    if (length > (int)sizeof text - 2)
        length = (int)sizeof text - 2;
    text[length] = '\n';
    (void)!write(STDERR_FILENO, text, (size_t)length + 1);
}

int complain(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(format, args);
    va_end(args);
    sh.complained = true;
    return 2;
}

_Noreturn void fail(const char *format, ...)
{
    va_list args;

    if (lexer.source != NULL)
        sh.line = lexer.source->line;
    va_start(args, format);
    say(format, args);
    va_end(args);
    abandon(2);
}

_Noreturn void abandon(int status)
{
    sh.status = status;
    if (sh.top != NULL)
        longjmp(*sh.top, 1);
    leave(status);
}

_Noreturn void leave(int status)
{
    sh.status = status;
    sh.top = NULL;
    sh.unwind = UNWIND_NONE;
    trap_exit();
    flush();
    _exit(status);
}

void check_stack(void)
{
    static size_t size = 8 << 20;
    struct rlimit limit;
    char here;

    if (stack_start == NULL && getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < size)
        size = limit.rlim_cur;
    if (stack_start == NULL)
        stack_start = &here;
    if ((size_t)(stack_start - &here) + STACK_MARGIN > size)
        fail("nested too deeply");
}

/* Options before the operands; returns how many words they took. COMMAND: there was -c. */
static int take_options(int argc, char **argv, bool *command, bool *standard_input)
{
    int i = 1;

    for (; i < argc && (argv[i][0] == '-' || argv[i][0] == '+') && argv[i][1] != '\0'; i++) {
        if (strcmp(argv[i], "--") == 0)
            return i + 1;
        for (const char *letter = argv[i] + 1; *letter != '\0'; letter++) {
            if (*letter == 'c')
                *command = true;
            else if (*letter == 's')
                *standard_input = true;
            else if (*letter == 'm' || *letter == 'i')
                sh.option[(int)*letter] = argv[i][0] == '-';
            else if (*letter != 'l' && !option_set(*letter, argv[i][0] == '-'))
                fail("Illegal option %c%c", argv[i][0], *letter);
        }
    }
    return i;
}

static void set_up_variables(void)
{
    char text[24];

    variables_import(environ);
    snprintf(text, sizeof text, "%d", getppid());
    variable_set("PPID", text);
    variable_set("IFS", " \t\n");
    if (variable_get("PS1") == NULL)
        variable_set("PS1", geteuid() == 0 ? "# " : "$ ");
    variable_set("PS2", "> ");
    variable_set("OPTIND", "1");
    variable_set("PWD", working_folder());
}

static void run_interactively(struct source *source)
{
    jmp_buf top;

    signals_interactive();
    job_control(true);
    setjmp(top);
    sh.top = &top;
    lexer = (struct lexer){0};
    redirect_undo(0);
    scope_leave(0);
    arena_release(&scratch, (struct mark){NULL, 0});
    sh.loops = sh.calls = sh.tested = 0;
    sh.unwind = UNWIND_NONE;
    sh.output.length = 0;
    source->at = source->text.length;
    run_source(source);
    dprintf(STDERR_FILENO, "exit\n");
}

static void run_profile(void)
{
    if (access("/etc/profile", R_OK) == 0)
        run_string(". /etc/profile");
}

int main(int argc, char **argv)
{
    bool command = false, standard_input = false;
    struct source source = {.line = 1};
    int i;

    check_stack();
    sh.pid = getpid();
    sh.name = argv[0];
    set_up_variables();
    i = take_options(argc, argv, &command, &standard_input);
    if (command) {
        if (i == argc)
            fail("-c requires an argument");
        source = source_of_string(argv[i++]);
        source.line = 1;
    } else if (!standard_input && i < argc) {
        source.fd = open(argv[i], O_RDONLY | O_CLOEXEC);
        if (source.fd < 0) {
            complain("cannot open %s", argv[i]);
            leave(errno == ENOENT ? 127 : 126);
        }
        source.fd = move_high(source.fd);
    } else {
        source.by_byte = true;
        sh.option['i'] |= i == argc && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
        source.edited = sh.option['i'] && isatty(STDIN_FILENO);
    }
    if ((command || !standard_input) && i < argc)
        sh.name = argv[i++];
    parameters_set(argv + i, argc - i);
    if (argv[0][0] == '-')
        run_profile();
    if (source.edited)
        run_interactively(&source);
    else
        run_source(&source);
    leave(sh.status);
}
