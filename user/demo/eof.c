/*
 * The forgotten write end: a reader waits for ever although the writer has ended, because somebody else, here
 * the reader itself, could still write. See eof.txt.
 */
#include <signal.h>
#include <string.h>

#include "demo.h"

static void on_alarm(int signal)
{
    (void)signal;
    alarm(1); /* again: the first could have come just before the read */
}

/* Read all there is, but for a second at most: the bytes, or -1 when the end did not come. */
static long read_to_the_end(int fd)
{
    struct sigaction action = {.sa_handler = on_alarm}; /* without SA_RESTART: it ends the read */
    char buffer[100];
    long total = 0;
    ssize_t n;

    need(sigaction(SIGALRM, &action, NULL));
    alarm(1);
    while ((n = read(fd, buffer, sizeof buffer)) > 0)
        total += n;
    alarm(0);
    return n == 0 ? total : -1;
}

static void try(const char *what, int close_it, long expected)
{
    int ends[2];
    pid_t child;
    long n;

    need(pipe(ends));
    child = fork_clean();
    if (child == 0) {
        need(write(ends[1], "all I have to say", 17));
        _exit(0);
    }
    if (close_it)
        need(close(ends[1]));
    claim(end_of(child) == 0);
    n = read_to_the_end(ends[0]);
    claim(n == expected);
    if (n < 0)
        printf("%s: the writer is gone, and the reader still waits\n", what);
    else
        printf("%s: %ld bytes, and then the end of the file\n", what, n);
    need(close(ends[0]));
    if (!close_it)
        need(close(ends[1]));
}

int main(void)
{
    try("write end forgotten", 0, -1);
    try("write end closed", 1, 17);
    return shown();
}
