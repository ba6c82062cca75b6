/*
 * Writes of more than one buffer, each scene on a pipe of its own.
 *
 *     long SCENE [-- SCENE]...
 *
 *     long whole SEED TOTAL CHUNK...     one write of TOTAL bytes, read in chunks of these sizes, over and over
 *     long atomic WRITERS ROUNDS SIZE    each writer's records of SIZE bytes (at most PIPE_BUF) stay in one piece
 *     long crossing ROUNDS               three writers, of 1, 4096 and 65536 bytes, and one slow reader
 *     long fault SEED OFFSET             a write that runs into a page which is not there
 *     long broken PAGES                  the reader takes PAGES pages, and goes
 *     long signal                        a handler ends a write that had begun
 */
#include "scene.h"

static int ends[2];
static unsigned char buffer[1 << 20];
static uint32_t seed;
static size_t size;

static int write_all(void *key)
{
    close(ends[0]);
    count_sigpipes();
    fill(buffer, seed, 0, size);
    long result = outcome(write(ends[1], buffer, size));
    lab_report(key, "%ld %d", result, sigpipes);
    return 0;
}

static void whole(int argc, char **argv)
{
    uint32_t seen = HASH_START;
    uint64_t total = 0;
    long n;

    seed = (uint32_t)strtoul(argv[2], NULL, 0);
    size = strtoul(argv[3], NULL, 0);
    pid_t pid = start(write_all, "wrote");
    close(ends[1]);
    char state = settle(pid);
    for (int i = 4;; i = i + 1 < argc ? i + 1 : 4) {
        n = outcome(read(ends[0], buffer, strtoul(argv[i], NULL, 0)));
        if (n <= 0)
            break;
        seen = hash(seen, buffer, (size_t)n);
        total += (uint64_t)n;
    }
    lab_report("writer", "%s %c", fate(pid), state);
    lab_report("read", "%lu %u %ld", (unsigned long)total, seen, n);
}

struct records {
    int id, rounds;
};

static int write_records(void *arg)
{
    struct records *r = arg;

    close(ends[0]);
    memset(buffer, r->id, size);
    for (int i = 0; i < r->rounds; i++)
        if (write(ends[1], buffer, size) != (ssize_t)size)
            return 1;
    return 0;
}

static bool read_whole(void *to, size_t n)
{
    size_t got = 0;

    while (got < n) {
        ssize_t some = read(ends[0], (char *)to + got, n - got);
        if (some <= 0)
            return false;
        got += (size_t)some;
    }
    return true;
}

static void atomic(char **argv)
{
    int writers = atoi(argv[2]), rounds = atoi(argv[3]), count[17] = {0}, mixed = 0, all = 0;
    struct records r[16];
    pid_t pids[16];

    size = strtoul(argv[4], NULL, 0);
    for (int i = 0; i < writers; i++) {
        r[i] = (struct records){.id = i + 1, .rounds = rounds};
        pids[i] = start(write_records, &r[i]);
    }
    close(ends[1]);
    while (read_whole(buffer, size)) {
        int id = buffer[0];
        for (size_t i = 0; i < size; i++)
            if (buffer[i] != id) {
                mixed++;
                break;
            }
        count[id <= 16 ? id : 0]++;
        all++;
    }
    for (int i = 0; i < writers; i++)
        lab_report("records", "%d %s", count[i + 1], fate(pids[i]));
    lab_report("mixed", "%d of %d", mixed, all);
}

static void crossing(char **argv)
{
    static const size_t sizes[] = {1, 4096, 65536};
    static struct records r[3];
    uint64_t count[4] = {0};
    pid_t pids[3];
    long n;

    for (int i = 0; i < 3; i++) {
        r[i] = (struct records){.id = i + 1, .rounds = atoi(argv[2])};
        size = sizes[i];
        pids[i] = start(write_records, &r[i]);
    }
    close(ends[1]);
    while ((n = read(ends[0], buffer, 1999)) > 0) {
        for (long i = 0; i < n; i++)
            count[buffer[i] & 3]++;
        sched_yield();
    }
    for (int i = 0; i < 3; i++)
        lab_report("bytes", "%lu %s", (unsigned long)count[i + 1], fate(pids[i]));
}

static void fault(char **argv)
{
    unsigned char *pages =
        mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t offset = strtoul(argv[3], NULL, 0);

    seed = (uint32_t)strtoul(argv[2], NULL, 0);
    fill(pages + offset, seed, 0, 5 * PAGE - offset);
    munmap(pages + 5 * PAGE, PAGE);
    long result = outcome(write(ends[1], pages + offset, 8 * PAGE - offset));
    long second = outcome(write(ends[1], pages + 5 * PAGE, PAGE));
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    long n = outcome(read(ends[0], buffer, sizeof(buffer)));
    lab_report("fault", "%ld %ld", result, second);
    lab_report("before_fault", "%ld %u", n, hash(HASH_START, buffer, n > 0 ? (size_t)n : 0));
}

static void broken(char **argv)
{
    size = sizeof(buffer);
    pid_t pid = start(write_all, "wrote_in_vain");
    close(ends[1]);
    settle(pid);
    for (int i = atoi(argv[2]); i > 0; i--)
        read_whole(buffer, PAGE);
    lab_report("asleep_again", "%c", settle(pid));
    close(ends[0]);
    lab_report("broken", "%s", fate(pid));
}

static void note(int number)
{
    (void)number;
}

static int interrupted_writer(void *arg)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};

    (void)arg;
    sigaction(SIGUSR1, &action, NULL);
    lab_report("begun", "%ld", outcome(write(ends[1], buffer, sizeof(buffer))));
    return 0;
}

static void interrupted(void)
{
    pid_t pid = start(interrupted_writer, NULL);

    settle(pid);
    kill(pid, SIGUSR1);
    lab_report("signalled", "%s", fate(pid));
}

static void scene(int argc, char **argv)
{
    be_patient(5 * PATIENCE);
    if (pipe(ends) < 0)
        _exit(1);
    switch (argv[1][0]) {
    case 'w': whole(argc, argv); break;
    case 'a': atomic(argv); break;
    case 'c': crossing(argv); break;
    case 'f': fault(argv); break;
    case 'b': broken(argv); break;
    case 's': interrupted(); break;
    }
    close(ends[0]);
    close(ends[1]);
}

int main(int argc, char **argv)
{
    for (int first = 0, last; first < argc - 1; first = last) {
        for (last = first + 1; last < argc && strcmp(argv[last], "--"); last++)
            ;
        scene(last - first, argv + first);
    }
    return 0;
}
