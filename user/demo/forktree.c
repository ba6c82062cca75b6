/*
 * fork() in a loop: every process goes on with the loop, so their number doubles in each round. A process is
 * named by the rounds in which it and its ancestors were made. See forktree.txt.
 */
#include "demo.h"

#define ROUNDS 3
#define MOST_ROUNDS 6 /* an exit status counts to 255 */

static char name[16] = "P";
static int depth;

/* In the child: it has its own copy of these, nobody else sees the change. */
static void become_child(int round)
{
    depth++;
    sprintf(name + depth, "%d", round);
    printf("%*s%s\n", 4 * depth, "", name);
}

/* Wait for the child and return how many processes it says there are in its part of the tree; none, so that
 * the sum is wrong, when something failed. */
static int count_of(pid_t child)
{
    int status;

    if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
        perror("forktree: waitpid");
        return 0;
    }
    return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : ROUNDS;
    int count = 1; /* processes from here on down, this one included */

    if (rounds < 0 || rounds > MOST_ROUNDS) {
        fprintf(stderr, "usage: forktree [ROUNDS, at most %d]\n", MOST_ROUNDS);
        return 2;
    }
    printf("%s\n", name);
    for (int round = 1; round <= rounds; round++) {
        fflush(
            stdout); /* or the child would inherit, and print again, what is still in the buffer */
        pid_t child = fork();
        if (child < 0) {
            perror("forktree: fork");
            break;
        }
        if (child == 0) {
            become_child(round);
            count = 1;
        } else {
            count += count_of(child);
        }
    }
    fflush(stdout);
    if (depth > 0)
        _exit(count); /* the only thing that a child tells its parent */
    printf("%d processes after %d rounds\n", count, rounds);
    claim(count == 1 << rounds);
    return shown();
}
