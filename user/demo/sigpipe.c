/* Writing to a pipe that nobody reads: SIGPIPE kills, and who doesn't want that gets EPIPE. See sigpipe.txt. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "demo.h"

static volatile sig_atomic_t caught;

static void on_sigpipe(int signal)
{
    (void)signal;
    caught++;
}

/* Write to a pipe without a reader. */
static void write_in_vain(void)
{
    int ends[2];
    ssize_t n;

    need(pipe(ends));
    need(close(ends[0]));
    n = write(ends[1], "x", 1);
    printf("  write gave %zd: %s; the handler ran %d times\n", n, strerror(errno), (int)caught);
    claim(n == -1 && errno == EPIPE);
}

static void in_a_child(const char *what, void (*action)(int))
{
    pid_t child;
    int status;

    printf("%s\n", what);
    child = fork_clean();
    if (child == 0) {
        signal(SIGPIPE, action);
        write_in_vain();
        _exit(shown());
    }
    status = wait_for(child);
    if (WIFSIGNALED(status))
        printf("  killed by %s\n", WTERMSIG(status) == SIGPIPE ? "SIGPIPE" : "something else");
    else
        printf("  ended with %d\n", WEXITSTATUS(status));
    if (action == SIG_DFL)
        claim(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
    else
        claim(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    in_a_child("by default:", SIG_DFL);
    in_a_child("ignored:", SIG_IGN);
    in_a_child("with a handler:", on_sigpipe);
    return shown();
}
