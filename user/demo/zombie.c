/*
 * A child that has ended stays as a zombie until its parent asks how. Three ways to do it: not at all, by a
 * handler for SIGCHLD, wrong and right, and by telling the kernel that nobody will ask. See zombie.txt.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "demo.h"

#define CHILDREN 5

static volatile sig_atomic_t reaped, calls;

/* Wrong: several children that end together can make one signal. */
static void reap_one(int number)
{
    (void)number;
    calls++;
    if (waitpid(-1, NULL, WNOHANG) > 0)
        reaped++;
}

/* Right: one signal, as many as there are. */
static void reap_all(int number)
{
    int saved = errno; /* the program's, which waitpid changes */

    (void)number;
    calls++;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        reaped++;
    errno = saved;
}

static char state_of(pid_t pid)
{
    char path[40], line[256] = "";
    FILE *file;

    sprintf(path, "/proc/%d/stat", (int)pid);
    file = fopen(path, "r");
    if (file == NULL)
        return '-';
    if (fgets(line, sizeof line, file) == NULL || strrchr(line, ')') == NULL)
        line[0] = '\0';
    fclose(file);
    return line[0] ? strrchr(line, ')')[2] : '-';
}

/* Wait until CHILD has ended, without reaping it. */
static void until_ended(pid_t child)
{
    siginfo_t info;

    waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
}

/* All children end while SIGCHLD is blocked, so that one signal stands for all of them. */
static void with_handler(const char *what, void (*handler)(int), int expected)
{
    struct sigaction action = {.sa_handler = handler};
    sigset_t chld, before;
    pid_t children[CHILDREN];

    reaped = calls = 0;
    need(sigaction(SIGCHLD, &action, NULL));
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    need(sigprocmask(SIG_BLOCK, &chld, &before));
    for (int i = 0; i < CHILDREN; i++)
        if ((children[i] = fork_clean()) == 0)
            _exit(0);
    for (int i = 0; i < CHILDREN; i++)
        until_ended(children[i]);
    need(sigprocmask(SIG_SETMASK, &before, NULL));
    printf("%s: %d children, the handler ran %d time and reaped %d\n", what, CHILDREN, (int)calls,
           (int)reaped);
    claim(calls == 1 && reaped == expected);
    signal(SIGCHLD, SIG_DFL);
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

int main(void)
{
    pid_t child = fork_clean();
    int status;
    char state;

    if (child == 0)
        _exit(9);
    until_ended(child);
    state = state_of(child);
    printf("ended and not asked: state %c\n", state);
    claim(state == 'Z');
    status = end_of(child);
    state = state_of(child);
    printf("its status is %d, and then it is gone: state %c\n", status, state);
    claim(status == 9 && state == '-');
    with_handler("wrong", reap_one, 1);
    with_handler("right", reap_all, CHILDREN);
    signal(SIGCHLD, SIG_IGN);
    child = fork_clean();
    if (child == 0)
        _exit(9);
    printf("ignored: waitpid says %s\n",
           claim(waitpid(child, NULL, 0) < 0) ? strerror(errno) : "yes");
    return shown();
}
