/*
 * Opening a FIFO: who waits for whom.
 *
 *     fifos N     N: bytes that a writer leaves behind, 1 to 60
 */
#include "scene.h"

#define NAME "/tmp/named"

static unsigned char buffer[64];

static void note(int number)
{
    (void)number;
}

/* Opens, and reports what it read until the end, or the error. */
static int reader(void *key)
{
    struct sigaction action = {.sa_handler = note};
    long total = 0, n;

    sigaction(SIGUSR1, &action, NULL);
    int fd = open(NAME, O_RDONLY);
    if (fd < 0) {
        lab_report(key, "%ld", outcome(fd));
        return 1;
    }
    while ((n = outcome(read(fd, buffer, sizeof(buffer)))) > 0)
        total += n;
    lab_report(key, "%ld %ld", total, n);
    return 0;
}

static int writer(void *key)
{
    struct sigaction action = {.sa_handler = note};

    sigaction(SIGUSR1, &action, NULL);
    int fd = open(NAME, O_WRONLY);
    if (fd < 0) {
        lab_report(key, "%ld", outcome(fd));
        return 1;
    }
    lab_report(key, "%ld", outcome(write(fd, buffer, 3)));
    return 0;
}

/* The writer opens, writes and goes before the reader runs again. */
static void hasty_writer(int n)
{
    pid_t first = start(reader, "first"), second = start(reader, "second");
    char states[] = {settle(first), settle(second), 0};
    int fd = open(NAME, O_WRONLY | O_NONBLOCK);
    long result = fd < 0 ? outcome(fd) : outcome(write(fd, buffer, (size_t)n));

    close(fd);
    lab_report("hasty", "%s %ld", states, result);
    lab_report("fate", "%s", fate(first));
    lab_report("fate", "%s", fate(second));
}

static void patient_writer(void)
{
    pid_t pid = start(writer, "writer");
    char state = settle(pid);
    int fd = open(NAME, O_RDONLY);

    lab_report("patient", "%c %s", state, fate(pid));
    lab_report("left", "%ld", outcome(read(fd, buffer, sizeof(buffer))));
    lab_report("left", "%ld", outcome(read(fd, buffer, sizeof(buffer))));
    close(fd);
}

/* Who gives up waiting is not counted any more. */
static void given_up(void)
{
    pid_t pid = start(reader, "reader_gave_up");

    settle(pid);
    kill(pid, SIGUSR1);
    lab_report("fate", "%s", fate(pid));
    int fd = open(NAME, O_WRONLY | O_NONBLOCK);
    lab_report("no_reader", "%ld", fd < 0 ? outcome(fd) : 0);
    close(fd);

    pid = start(writer, "writer_gave_up");
    settle(pid);
    kill(pid, SIGUSR1);
    lab_report("fate", "%s", fate(pid));
    fd = open(NAME, O_RDONLY | O_NONBLOCK);
    lab_report("no_writer", "%ld", outcome(read(fd, buffer, 1)));
    close(fd);
}

/* An open that fails has changed nothing: a reader who comes afterwards waits. */
static void refused(void)
{
    int fd = open(NAME, O_WRONLY | O_NONBLOCK);

    lab_report("refused", "%ld", fd < 0 ? outcome(fd) : 0);
    close(fd);
    pid_t pid = start(reader, "late");
    char state = settle(pid);
    fd = open(NAME, O_WRONLY);
    close(fd);
    lab_report("late_state", "%c %s", state, fate(pid));
}

/* The end of the file comes with the last of several writers. */
static void two_writers(void)
{
    int in = open(NAME, O_RDONLY | O_NONBLOCK);
    int one = open(NAME, O_WRONLY), two = open(NAME, O_WRONLY);

    close(one);
    long between = outcome(read(in, buffer, 1));
    close(two);
    lab_report("two_writers", "%ld %ld", between, outcome(read(in, buffer, 1)));
    close(in);
}

static void both_ways(void)
{
    int fd = open(NAME, O_RDWR);

    write(fd, buffer, 5);
    lab_report("both", "%ld", outcome(read(fd, buffer, sizeof(buffer))));
    close(fd);
}

int main(int argc, char **argv)
{
    (void)argc;
    be_patient(10 * PATIENCE);
    signal(SIGPIPE, SIG_IGN);
    mkfifo(NAME, 0600);
    hasty_writer(atoi(argv[1]));
    patient_writer();
    given_up();
    refused();
    two_writers();
    both_ways();
    return 0;
}
