/*
 * time [-p] COMMAND [ARGUMENT...]: run the command and say, on standard error, how long it took.
 *
 *     -p  as POSIX has it, in seconds, for programs to read
 *
 * Three clocks: what a clock on the wall shows, and what wait4(2) says of the CPU time that the command
 * and all it waited for spent in user mode and in the kernel. Exit status: the command's; 127 it wasn't
 * found, 126 it couldn't be run, 128+n signal n killed it.
 */
#include "command.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define USAGE "time [-p] command [argument...]"

static void print(bool portable, const char *name, long long microseconds)
{
    long long seconds = microseconds / 1000000, rest = microseconds % 1000000;
    if (portable)
        fprintf(stderr, "%s %lld.%02lld\n", name, seconds, rest / 10000);
    else
        fprintf(stderr, "%s\t%lldm%02lld.%03llds\n", name, seconds / 60, seconds % 60, rest / 1000);
}

static long long microseconds_of(const struct timeval *t)
{
    return t->tv_sec * 1000000LL + t->tv_usec;
}

int main(int argc, char **argv)
{
    struct timespec before, after;
    struct rusage usage_of_it;
    bool portable = false;
    int c, status;

    command_begin();
    while ((c = getopt(argc, argv, "+p")) != -1) {
        if (c == '?')
            usage(125, USAGE);
        portable = true;
    }
    if (optind == argc)
        usage(125, USAGE);
    clock_gettime(CLOCK_MONOTONIC, &before);
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[optind], argv + optind);
        int failure = errno == ENOENT ? 127 : 126;
        warn("%s", argv[optind]);
        _exit(failure);
    }
    if (pid < 0)
        err(125, "fork");
    /* What the terminal's keys do is for the command; we report its end. */
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    while (wait4(pid, &status, 0, &usage_of_it) < 0)
        if (errno != EINTR)
            err(125, "wait4");
    clock_gettime(CLOCK_MONOTONIC, &after);
    print(portable, "real",
          (after.tv_sec - before.tv_sec) * 1000000LL + (after.tv_nsec - before.tv_nsec) / 1000);
    print(portable, "user", microseconds_of(&usage_of_it.ru_utime));
    print(portable, "sys", microseconds_of(&usage_of_it.ru_stime));
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
