/*
 * What the one side hears when the other goes away, and what ends a sleep.
 *
 *     ends N          N: bytes, 1 to 60
 */
#include "scene.h"

static int ends[2];
static unsigned char buffer[256];

static void note(int number)
{
    (void)number;
}

/* Read to the end, and report each result. */
static int read_to_end(void *key)
{
    long n;

    close(ends[1]);
    do {
        n = outcome(read(ends[0], buffer, sizeof(buffer)));
        lab_report(key, "%ld", n);
    } while (n > 0);
    return 7;
}

/* One read, whose sleep a signal ends. */
static int interrupted_read(void *flags)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = *(int *)flags};

    sigaction(SIGUSR1, &action, NULL);
    return result_code(outcome(read(ends[0], buffer, 1)));
}

static void last_words(size_t n)
{
    pipe(ends);
    pid_t pid = start(read_to_end, (void *)"last");
    settle(pid);
    write(ends[1], buffer, n);
    close(ends[1]);
    lab_report("reader", "%s", fate(pid));
    close(ends[0]);
}

/* One description has two descriptors: the first that is closed is not the end. */
static void two_descriptors(void)
{
    pipe(ends);
    int copy = dup(ends[1]);
    close(ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    lab_report("still", "%ld", outcome(read(ends[0], buffer, 1)));
    close(copy);
    lab_report("gone", "%ld", outcome(read(ends[0], buffer, 1)));
    close(ends[0]);
}

static void sleeper_hears_the_end(void)
{
    pipe(ends);
    pid_t pid = start(read_to_end, (void *)"asleep");
    lab_report("state", "%c", settle(pid));
    close(ends[1]);
    lab_report("sleeper", "%s", fate(pid));
    close(ends[0]);
}

static void broken(size_t n)
{
    count_sigpipes();
    sigpipes = 0;
    pipe(ends);
    close(ends[0]);
    long result = outcome(write(ends[1], buffer, n));
    lab_report("broken", "%ld %d", result, sigpipes);
    result = outcome(write(ends[1], BAD, n));
    lab_report("bad_broken", "%ld %d", result, sigpipes);
    close(ends[1]);
}

static void signals(void)
{
    static int flags[] = {0, SA_RESTART};

    for (int i = 0; i < 2; i++) {
        pipe(ends);
        pid_t pid = start(interrupted_read, &flags[i]);
        settle(pid);
        kill(pid, SIGUSR1);
        char state = settle(pid);
        write(ends[1], buffer, 1);
        lab_report(i ? "restarted" : "interrupted", "%s %c", fate(pid), state);
        close(ends[0]);
        close(ends[1]);
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    size_t n = (size_t)atoi(argv[1]);

    last_words(n);
    two_descriptors();
    sleeper_hears_the_end();
    broken(n);
    signals();
    return 0;
}
