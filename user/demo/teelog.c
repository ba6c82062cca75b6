/*
 * A stream that goes two ways without being copied: tee duplicates what is in one pipe into another, splice then
 * moves the original into a file. See teelog.txt.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>

#include "demo.h"

static const char *const lines[] = {"one\n", "two\n", "three\n"};

int main(void)
{
    char path[] = "/tmp/teelog-XXXXXX", buffer[100];
    int in[2], out[2], log = (int)need(mkstemp(path));
    ssize_t n, moved;

    need(unlink(path));
    need(pipe(in));
    need(pipe(out));
    for (int i = 0; i < 3; i++) {
        need(write(in[1], lines[i], strlen(lines[i])));
        n = need(tee(in[0], out[1], 100, 0)); /* what is in the first pipe is in both now */
        moved = need(splice(in[0], NULL, log, NULL, (size_t)n, 0));
        printf("tee gave %zd bytes, splice moved %zd into the log\n", n, moved);
        claim(n == (ssize_t)strlen(lines[i]) && moved == n);
    }
    n = need(read(out[0], buffer, sizeof buffer));
    printf("the second pipe has:\n%.*s", (int)n, buffer);
    claim(n == 14);
    n = need(pread(log, buffer, sizeof buffer, 0));
    printf("the log has:\n%.*s", (int)n, buffer);
    claim(n == 14);
    return shown();
}
