/*
 * Many readers and writers on one pipe and several CPUs, none of which may be forgotten, and no byte lost.
 *
 *     storm SEED READERS WRITERS BYTES     each writer writes BYTES in pieces of random sizes
 */
#include "scene.h"

struct shared {
    volatile uint64_t read, sum_read, written, sum_written;
};

static struct shared *all;
static int ends[2];
static uint32_t seed;
static size_t total;
static unsigned char buffer[20000];

static uint32_t next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 12;
}

static size_t piece(uint32_t *state)
{
    static const size_t most[] = {3, 64, 700, 4096, 20000};

    return 1 + next(state) % most[next(state) % 5];
}

static int reader(void *arg)
{
    uint32_t state = seed + (uint32_t)(uintptr_t)arg;
    uint64_t bytes = 0, sum = 0;
    ssize_t n;

    be_patient(60000);
    close(ends[1]);
    while ((n = read(ends[0], buffer, piece(&state))) > 0) {
        bytes += (uint64_t)n;
        for (ssize_t i = 0; i < n; i++)
            sum += buffer[i];
    }
    __sync_fetch_and_add(&all->read, bytes);
    __sync_fetch_and_add(&all->sum_read, sum);
    return n < 0;
}

static int writer(void *arg)
{
    uint32_t state = seed + 77 * (uint32_t)(uintptr_t)arg;
    uint64_t sum = 0;
    size_t done = 0;

    be_patient(60000);
    close(ends[0]);
    while (done < total) {
        size_t n = piece(&state);
        n = n < total - done ? n : total - done;
        fill(buffer, state, 0, n);
        for (size_t i = 0; i < n; i++)
            sum += buffer[i];
        if (write(ends[1], buffer, n) != (ssize_t)n)
            return 1;
        done += n;
    }
    __sync_fetch_and_add(&all->written, done);
    __sync_fetch_and_add(&all->sum_written, sum);
    return 0;
}

int main(int argc, char **argv)
{
    (void)argc;
    int readers = atoi(argv[2]), writers = atoi(argv[3]), well = 0;
    pid_t pids[64];

    seed = (uint32_t)strtoul(argv[1], NULL, 0);
    total = strtoul(argv[4], NULL, 0);
    all = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (pipe(ends) < 0)
        return 1;
    for (int i = 0; i < readers + writers; i++)
        pids[i] = start(i < readers ? reader : writer, (void *)(uintptr_t)i);
    close(ends[0]);
    close(ends[1]);
    for (int i = 0; i < readers + writers; i++)
        well += !strcmp(fate(pids[i]), "exit 0");
    lab_report("well", "%d", well);
    lab_report("bytes", "%lu %lu", (unsigned long)all->written, (unsigned long)all->read);
    lab_report("same", "%d", all->sum_written == all->sum_read);
    return 0;
}
