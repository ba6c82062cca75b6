/*
 * May a handler be interrupted? By its own signal not, unless SA_NODEFER says so; by others yes, unless the
 * action's mask forbids it. See nested.txt.
 */
#include <signal.h>
#include <string.h>

#include "demo.h"

static int depth;
static char depths[10]; /* at which each handler began, as digits */

static void enter(const char *name)
{
    depth++;
    if (strlen(depths) < sizeof depths - 1)
        depths[strlen(depths)] = (char)('0' + depth);
    printf("%*s%s begins\n", 4 * depth, "", name);
}

static void leave(const char *name)
{
    printf("%*s%s ends\n", 4 * depth, "", name);
    depth--;
}

/* printf is not for handlers; here nothing else runs that it could disturb, because all signals are raise()d. */
static void on_usr2(int number)
{
    (void)number;
    enter("USR2");
    leave("USR2");
}

static void on_usr1(int number)
{
    static int again;

    (void)number;
    enter("USR1");
    if (again++ % 2 == 0)
        raise(SIGUSR1);
    raise(SIGUSR2);
    leave("USR1");
}

static void try(const char *what, int flags, int masked, const char *expected)
{
    struct sigaction action = {.sa_handler = on_usr1, .sa_flags = flags};

    sigemptyset(&action.sa_mask);
    if (masked)
        sigaddset(&action.sa_mask, SIGUSR2);
    need(sigaction(SIGUSR1, &action, NULL));
    printf("%s:\n", what);
    memset(depths, 0, sizeof depths);
    raise(SIGUSR1);
    claim(strcmp(depths, expected) == 0);
}

int main(void)
{
    struct sigaction usr2 = {.sa_handler = on_usr2};

    need(sigaction(SIGUSR2, &usr2, NULL));
    try("USR1's handler raises USR1 and USR2", 0, 0, "1212");
    try("the same with USR2 in its mask", 0, 1, "111");
    try("the same with SA_NODEFER", SA_NODEFER, 0, "1232");
    return shown();
}
