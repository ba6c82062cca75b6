/*
 * The shell starts here: sh [-i] [-c command | file] [argument ...]. In a script an error of the shell's own
 * ends it; at a terminal it leads back to the prompt, and everything half done is undone.
 */
#include "sh.h"

#define STACK_MAX (6 << 20) /* of the 8 MiB that there are */

struct shell sh = {.name = "sh"};

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

int main(int argc, char **argv)
{
    struct source source = {.fd = STDIN_FILENO, .line = 1};
    char *path = getcwd(NULL, 0);
    jmp_buf top;
    check_stack();
    sh.pid = getpid();
    sh.name = argv[0];
    variable_set("IFS", " \t\n");
    variable_set("PWD", path);
    free(path);
    int i = 1 + (argc > 1 && strcmp(argv[1], "-i") == 0);
    bool interactive = i >= argc && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    if (i + 1 < argc && strcmp(argv[i], "-c") == 0) {
        source.fd = -1;
        source.text = argv[i + 1];
        source.length = strlen(source.text);
        i += 2;
    } else if (i < argc) {
        source.fd = open(argv[i], O_RDONLY);
        if (source.fd < 0)
            abandon((complain("cannot open %s", argv[i]), 127));
        source.fd = move_high(source.fd);
    }
    if (i < argc)
        sh.name = argv[i++];
    parameters_set(argv + i, argc - i);
    if (argv[0][0] == '-' && access("/etc/profile", R_OK) == 0)
        run_string(". /etc/profile", false);
    if (interactive) {
        job_control();
        setjmp(top);
        sh.top = &top;
        signals_set(true); /* a failed exec has set them otherwise */
        undo_to(NULL);
        stack_release(NULL);
        sh.loops = sh.interrupted = 0;
        sh.unwind = UNWIND_NONE;
        source.at = source.length;
    }
    run_source(&source, !interactive);
    sh.top = NULL;
    abandon(sh.status);
}
