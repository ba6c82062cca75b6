/* A pipe within one process: bytes go in at one end, wait in the kernel, come out at the other. See pipe1.txt. */
#include <string.h>
#include <sys/ioctl.h>

#include "demo.h"

static void show_waiting(int fd, int expected)
{
    int waiting;

    need(ioctl(fd, FIONREAD, &waiting));
    printf("  %d bytes wait in the pipe\n", waiting);
    claim(waiting == expected);
}

int main(void)
{
    const char *words[] = {"first ", "second ", "third"};
    char buffer[100];
    ssize_t n;
    int ends[2];

    need(pipe(ends));
    printf("descriptor %d reads, descriptor %d writes\n", ends[0], ends[1]);
    for (int i = 0; i < 3; i++) {
        n = need(write(ends[1], words[i], strlen(words[i])));
        printf("write gave %zd\n", n);
    }
    show_waiting(ends[0], 18);
    n = need(read(ends[0], buffer, 8));
    printf("read of 8 gave %zd: \"%.*s\"\n", n, (int)n, buffer);
    n = need(read(ends[0], buffer, sizeof buffer));
    printf("read of %zu gave %zd: \"%.*s\"\n", sizeof buffer, n, (int)n, buffer);
    show_waiting(ends[0], 0);
    need(close(ends[1]));
    n = need(read(ends[0], buffer, sizeof buffer));
    claim(n == 0);
    printf("with no writer left read gives %zd: the end of the file\n", n);
    return shown();
}
