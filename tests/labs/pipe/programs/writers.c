/*
 * Writers that sleep on a full pipe.
 *
 *     writers COUNT BYTES     COUNT writers of BYTES (at most 64) each
 */
#include "scene.h"

static int ends[2];
static size_t bytes;
static unsigned char buffer[2 * PAGE];

static int writer(void *arg)
{
    (void)arg;
    close(ends[0]);
    count_sigpipes();
    long result = outcome(write(ends[1], buffer, bytes));
    lab_report("wrote", "%ld %d", result, sigpipes);
    return result_code(result);
}

static void note(int number)
{
    (void)number;
}

static int interrupted_writer(void *flags)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = *(int *)flags};

    sigaction(SIGUSR1, &action, NULL);
    return result_code(outcome(write(ends[1], buffer, 2)));
}

/* Fill the pipe with writes of 64 bytes, of which 64 make a page. */
static void fill_up(void)
{
    pipe(ends);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 100000 && write(ends[1], buffer, 64) == 64; i++)
        ;
    fcntl(ends[1], F_SETFL, 0);
}

static int held(void)
{
    int n = -1;

    ioctl(ends[0], FIONREAD, &n);
    return n;
}

static void empty(void)
{
    close(ends[0]);
    close(ends[1]);
}

/* A reader that frees two buffers at once wakes one writer; there is room for all, who wake each other. */
static void room_for_all(int count)
{
    pid_t pids[16];
    char states[17] = "", after[17] = "";

    fill_up();
    lab_report("full", "%d", held());
    for (int i = 0; i < count; i++)
        pids[i] = start(writer, NULL);
    for (int i = 0; i < count; i++)
        states[i] = settle(pids[i]);
    read(ends[0], buffer, PAGE - 1);
    for (int i = 0; i < count; i++)
        after[i] = settle(pids[i]);
    lab_report("states", "%s %s", states, after);
    read(ends[0], buffer, PAGE + 1);
    for (int i = 0; i < count; i++)
        lab_report("fate", "%s", fate(pids[i]));
    lab_report("held", "%d", held());
    empty();
}

/* The reader goes while they sleep: each is told. */
static void nobody_reads(int count)
{
    pid_t pids[16];

    fill_up();
    for (int i = 0; i < count; i++)
        pids[i] = start(writer, NULL);
    for (int i = 0; i < count; i++)
        settle(pids[i]);
    close(ends[0]);
    for (int i = 0; i < count; i++)
        lab_report("told", "%s", fate(pids[i]));
    close(ends[1]);
}

static void signals(void)
{
    static int flags[] = {0, SA_RESTART};

    for (int i = 0; i < 2; i++) {
        fill_up();
        pid_t pid = start(interrupted_writer, &flags[i]);
        settle(pid);
        kill(pid, SIGUSR1);
        char state = settle(pid);
        read(ends[0], buffer, PAGE);
        lab_report(i ? "restarted" : "interrupted", "%s %c", fate(pid), state);
        empty();
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    int count = atoi(argv[1]);

    bytes = (size_t)atoi(argv[2]);
    room_for_all(count);
    nobody_reads(count);
    signals();
    return 0;
}
