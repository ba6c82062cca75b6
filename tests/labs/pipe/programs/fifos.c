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

/*
 * Who gives up waiting is not counted any more. Another one goes on waiting, since a FIFO that nobody has open
 * forgets all counters.
 */
static void reader_gives_up(void)
{
    pid_t pid = start(reader, "reader_gave_up"), other = start(reader, "other_reader");

    settle(pid);
    settle(other);
    kill(pid, SIGUSR1);
    lab_report("fate", "%s", fate(pid));
    int fd = open(NAME, O_WRONLY | O_NONBLOCK);
    settle(other);
    kill(other, SIGKILL);
    lab_report("other", "%s", fate(other));
    lab_report("no_reader", "%ld", outcome(write(fd, buffer, 1)));
    close(fd);
}

/* Another writer waits; then a reader reads what it writes, to the end of the file. */
static void read_after(const char *key, pid_t other)
{
    int fd = open(NAME, O_RDONLY | O_NONBLOCK);

    lab_report("other", "%s", fate(other));
    long n = outcome(read(fd, buffer, sizeof(buffer)));
    lab_report(key, "%ld %ld", n, outcome(read(fd, buffer, sizeof(buffer))));
    close(fd);
}

static void writer_gives_up(void)
{
    pid_t pid = start(writer, "writer_gave_up"), other = start(writer, "other_writer");

    settle(pid);
    settle(other);
    kill(pid, SIGUSR1);
    lab_report("fate", "%s", fate(pid));
    read_after("no_writer", other);
}

/* An open that fails has changed nothing. */
static void refused(void)
{
    pid_t other = start(writer, "third_writer");

    settle(other);
    int fd = open(NAME, O_WRONLY | O_NONBLOCK);
    lab_report("refused", "%ld", fd < 0 ? outcome(fd) : 0);
    close(fd);
    read_after("after_refusal", other);
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
    reader_gives_up();
    writer_gives_up();
    refused();
    two_writers();
    both_ways();
    return 0;
}
