/*
 * Signals. A handler only notes that its signal came; the action of `trap` runs between two commands, where
 * the shell's state is whole. Actions are for this process: a child starts without them, but what was
 * ignored stays ignored.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "sh.h"

#define SIGNALS 65

static const char *const names[] = {
    "EXIT", "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1",
    "SEGV", "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN",
    "TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS",
};

static char *actions[SIGNALS]; /* NULL: the default; "": ignored */
static volatile sig_atomic_t pending[SIGNALS];
static volatile sig_atomic_t any_pending;

int signal_number(const char *name)
{
    if (isdigit((unsigned char)*name))
        return strspn(name, "0123456789") == strlen(name) && atoi(name) < SIGNALS ? atoi(name) : -1;
    for (int i = 0; i < (int)(sizeof names / sizeof names[0]); i++)
        if (strcasecmp(name, names[i]) == 0 ||
            (strncasecmp(name, "SIG", 3) == 0 && strcasecmp(name + 3, names[i]) == 0))
            return i;
    return -1;
}

const char *signal_name(int number)
{
    static char text[16];

    if (number >= 0 && number < (int)(sizeof names / sizeof names[0]))
        return names[number];
    snprintf(text, sizeof text, "%d", number);
    return text;
}

void trap_catch(int number)
{
    pending[number] = 1;
    any_pending = 1;
}

static void set_handler(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};

    sigaction(number, &action, NULL); /* no SA_RESTART: read and wait must notice */
}

int trap_pending(void)
{
    for (int i = 1; i < SIGNALS; i++)
        if (pending[i] && (actions[i] != NULL || (i == SIGINT && sh.top != NULL)))
            return i;
    return 0;
}

bool traps_are_set(void)
{
    for (int i = 0; i < SIGNALS; i++)
        if (actions[i] != NULL && *actions[i] != '\0')
            return true;
    return false;
}

/* Run the actions of what came since the last call. */
void trap_run(void)
{
    while (any_pending) {
        any_pending = 0;
        for (int i = 1; i < SIGNALS; i++) {
            int status = sh.status;
            if (!pending[i])
                continue;
            pending[i] = 0;
            if (actions[i] != NULL && *actions[i] != '\0') {
                run_string(actions[i]);
                if (sh.unwind == UNWIND_NONE)
                    sh.status = status;
            } else if (i == SIGINT && sh.top != NULL) {
                dprintf(STDERR_FILENO, "\n");
                abandon(128 + SIGINT);
            }
        }
    }
}

void trap_exit(void)
{
    char *action = actions[0];

    actions[0] = NULL;
    if (action != NULL && *action != '\0')
        run_string(action);
}

/* What an interactive shell does about a signal without a trap. */
static void set_default(int number)
{
    bool interactive = sh.option['i'];

    if (interactive && number == SIGINT)
        set_handler(number, trap_catch);
    else if (interactive &&
             (number == SIGQUIT || number == SIGTERM ||
              (sh.option['m'] && (number == SIGTSTP || number == SIGTTIN || number == SIGTTOU))))
        set_handler(number, SIG_IGN);
    else
        set_handler(number, SIG_DFL);
}

void signals_interactive(void)
{
    set_default(SIGINT);
    set_default(SIGQUIT);
    set_default(SIGTERM);
}

void trap_in_child(void)
{
    static const int shells[] = {SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU};

    for (size_t i = 0; sh.option['i'] && i < sizeof shells / sizeof shells[0]; i++)
        if (actions[shells[i]] == NULL)
            set_handler(shells[i], SIG_DFL);
    for (int i = 0; i < SIGNALS; i++) {
        pending[i] = 0;
        if (actions[i] == NULL || *actions[i] == '\0')
            continue;
        free(actions[i]);
        actions[i] = NULL;
        if (i > 0)
            set_handler(i, SIG_DFL);
    }
}

static void set_action(int number, const char *action)
{
    struct sigaction old;

    if (number > 0 && actions[number] == NULL && !sh.option['i'] &&
        sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
        return; /* ignored when we started: stays so */
    free(actions[number]);
    actions[number] = action != NULL ? copy_string(action) : NULL;
    if (number == 0)
        return;
    if (action == NULL)
        set_default(number);
    else
        set_handler(number, *action == '\0' ? SIG_IGN : trap_catch);
}

int builtin_trap(int argc, char **argv)
{
    int i = 1 + (argc > 1 && strcmp(argv[1], "--") == 0), status = 0;
    const char *action = NULL;

    for (int n = 0; i == argc && n < SIGNALS; n++) {
        if (actions[n] == NULL)
            continue;
        out("trap -- ");
        print_quoted(actions[n]);
        out(" %s\n", signal_name(n));
    }
    if (i < argc && signal_number(argv[i]) < 0)
        action = argv[i++];
    if (action != NULL && strcmp(action, "-") == 0)
        action = NULL;
    for (; i < argc; i++) {
        int number = signal_number(argv[i]);
        if (number < 0) {
            complain("trap: %s: bad trap", argv[i]);
            sh.complained = false;
            status = 1;
        } else {
            set_action(number, action);
        }
    }
    return status;
}
