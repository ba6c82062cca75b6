/* Run programs one after the other: the measuring programs, when one boot shall do for all. */
#include <unistd.h>

#include "bench.h"

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        char *words[] = {argv[i], NULL};
        pid_t child = fork();
        if (child == 0) {
            execv(argv[i], words);
            bench_need(0, argv[i]);
        }
        bench_reap(child);
    }
    return 0;
}
