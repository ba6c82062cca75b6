/*
 * What a shell does for `ls | grep quack`, by hand: two children, one pipe, dup2 and exec. See grepquack.txt.
 */
#include <fcntl.h>
#include <string.h>

#include "demo.h"

static const char *const names[] = {"cow", "duck-quack", "quack", "sheep"};
#define NAMES (sizeof names / sizeof names[0])

/* A child that runs ARGV with descriptor FROM as its TO, and nothing of the pipe left besides. */
static pid_t start(char *const argv[], const int ends[2], int from, int to)
{
    pid_t child = fork_clean();

    if (child != 0)
        return child;
    need(dup2(from, to));
    need(close(ends[0]));
    need(close(ends[1]));
    execvp(argv[0], argv);
    perror(argv[0]);
    _exit(127);
}

int main(void)
{
    char folder[] = "/tmp/grepquack-XXXXXX";
    char *ls[] = {"ls", NULL}, *grep[] = {"grep", "quack", NULL};
    pid_t children[2];
    int ends[2], ls_end, grep_end;

    if (mkdtemp(folder) == NULL || chdir(folder) < 0) {
        perror(folder);
        return 1;
    }
    for (size_t i = 0; i < NAMES; i++)
        need(close((int)need(open(names[i], O_WRONLY | O_CREAT, 0600))));
    need(pipe(ends));
    printf("ls | grep quack, without a shell:\n");
    children[0] = start(ls, ends, ends[1], STDOUT_FILENO);
    children[1] = start(grep, ends, ends[0], STDIN_FILENO);
    need(close(ends[0]));
    need(close(ends[1])); /* while we hold this end, grep never sees the end of its input */
    ls_end = end_of(children[0]);
    grep_end = end_of(children[1]);
    printf("grep ended with %d, ls with %d\n", grep_end, ls_end);
    claim(grep_end == 0 && ls_end == 0);
    for (size_t i = 0; i < NAMES; i++)
        unlink(names[i]);
    rmdir(folder);
    return shown();
}
