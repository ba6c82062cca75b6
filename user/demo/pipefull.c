/*
 * A fast writer and a reader that doesn't read: the pipe fills up, the writer sleeps, and /proc tells so. See
 * pipefull.txt.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "demo.h"

#define CHUNK 4096
#define CHUNKS 40 /* more than a pipe holds */

static _Noreturn void write_all(int fd)
{
    char chunk[CHUNK];

    memset(chunk, 'x', sizeof chunk);
    for (int i = 0; i < CHUNKS; i++)
        need(write(fd, chunk, sizeof chunk));
    _exit(0);
}

/* The letter behind the name in /proc/PID/stat: R running, S sleeping, Z ended. */
static char state_of(pid_t pid)
{
    char path[40], line[256] = "";
    FILE *file;

    sprintf(path, "/proc/%d/stat", (int)pid);
    file = fopen(path, "r");
    if (file == NULL || fgets(line, sizeof line, file) == NULL || strrchr(line, ')') == NULL) {
        perror(path);
        exit(1);
    }
    fclose(file);
    return strrchr(line, ')')[2];
}

static int waiting_in(int fd)
{
    int n;

    need(ioctl(fd, FIONREAD, &n));
    return n;
}

int main(void)
{
    char buffer[CHUNK];
    long total = 0;
    int ends[2], status;
    pid_t child;
    ssize_t n;

    need(pipe(ends));
    child = fork_clean();
    if (child == 0)
        write_all(ends[1]);
    need(close(ends[1]));
    /* Nobody reads. The writer gets as far as the pipe is large, and then it sleeps. */
    for (int tries = 0; waiting_in(ends[0]) < 65536 || state_of(child) != 'S'; tries++) {
        if (tries == 5000) {
            fprintf(stderr, "the pipe did not fill up\n");
            return 1;
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    printf("the writer wants to write %d bytes\n", CHUNK * CHUNKS);
    printf("%d bytes are in the pipe, and the writer's state is %c\n", waiting_in(ends[0]),
           state_of(child));
    while ((n = need(read(ends[0], buffer, sizeof buffer))) > 0)
        total += n;
    status = end_of(child);
    printf("we read %ld bytes; the writer ended with %d\n", total, status);
    claim(total == CHUNK * CHUNKS && status == 0);
    return shown();
}
