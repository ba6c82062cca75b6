/*
 * A read that waits, and a signal that comes: with SA_RESTART the read goes on as if nothing had been, without it
 * ends with EINTR. See restart.txt.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "demo.h"

static volatile sig_atomic_t handled;

static void on_signal(int number)
{
    (void)number;
    handled++;
}

/* In the child: wait until PARENT sleeps, in read we hope, and send it the signal; then let it read something. */
static _Noreturn void disturb(pid_t parent, int fd)
{
    char path[40], line[256];

    sprintf(path, "/proc/%d/stat", (int)parent);
    for (int tries = 0; tries < 5000; tries++) {
        FILE *file = fopen(path, "r");
        if (file != NULL && fgets(line, sizeof line, file) != NULL && strstr(line, ") S ") != NULL)
            break;
        if (file != NULL)
            fclose(file);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    need(kill(parent, SIGUSR1));
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    need(write(fd, "data", 4));
    _exit(0);
}

static void try(const char *what, int flags, ssize_t expected)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
    pid_t child, parent = getpid();
    char buffer[10];
    int ends[2];
    ssize_t n;

    need(pipe(ends));
    need(sigaction(SIGUSR1, &action, NULL));
    handled = 0;
    child = fork_clean();
    if (child == 0)
        disturb(parent, ends[1]);
    n = read(ends[0], buffer, sizeof buffer);
    if (n < 0)
        printf("%s: read gave %zd, %s; the handler had run %d time\n", what, n, strerror(errno),
               (int)handled);
    else
        printf("%s: read gave %zd bytes; the handler had run %d time\n", what, n, (int)handled);
    claim(n == expected && handled == 1 && end_of(child) == 0);
    need(close(ends[0]));
    need(close(ends[1]));
}

int main(void)
{
    try("without SA_RESTART", 0, -1);
    try("with SA_RESTART", SA_RESTART, 4);
    return shown();
}
