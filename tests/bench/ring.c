/* A byte handed round a ring of eight processes by pipes: what one hop costs. */
#include <signal.h>
#include <unistd.h>

#include "bench.h"

#define MEMBERS 8
#define ROUNDS 500

static int ends[MEMBERS][2]; /* pipe i leads to member i */

static _Noreturn void pass_on(int from, int to)
{
    char byte;

    for (int i = 0; i < MEMBERS; i++) {
        if (i != from)
            close(ends[i][0]);
        if (i != to)
            close(ends[i][1]);
    }
    while (read(ends[from][0], &byte, 1) == 1)
        if (write(ends[to][1], &byte, 1) != 1)
            break;
    _exit(0);
}

static void hop_row(void)
{
    pid_t members[MEMBERS];

    for (int i = 0; i < MEMBERS; i++)
        bench_need(pipe(ends[i]) == 0, "pipe");
    for (int i = 1; i < MEMBERS; i++) {
        members[i] = fork();
        bench_need(members[i] >= 0, "fork");
        if (members[i] == 0)
            pass_on(i, (i + 1) % MEMBERS);
    }
    MEASURE(ROUNDS)
    {
        char byte = 'x';
        bench_need(write(ends[1][1], &byte, 1) == 1, "write");
        bench_need(read(ends[0][0], &byte, 1) == 1, "read");
    }
    bench.operations *= MEMBERS;
    for (int i = 1; i < MEMBERS; i++) {
        kill(members[i], SIGKILL);
        waitpid(members[i], NULL, 0);
    }
}

static const struct bench_row rows[] = {
    {"pipe_hop", hop_row},
};

BENCH_MAIN(rows)
