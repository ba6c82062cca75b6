/*
 * Two programs that are not related meet by the name of a FIFO. `fifo read PATH` and `fifo write PATH TEXT` are
 * the two; without words the demo starts both, each by exec, so that they share nothing but the name. See
 * fifo.txt.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "demo.h"

static int read_from(const char *path)
{
    char buffer[100];
    long total = 0;
    ssize_t n;
    int fd = (int)need(open(path, O_RDONLY)); /* waits until somebody opens it for writing */

    while ((n = need(read(fd, buffer, sizeof buffer))) > 0) {
        printf("reader: got \"%.*s\"\n", (int)n, buffer);
        total += n;
    }
    claim(total > 0);
    printf("reader: the last writer has closed it\n");
    return shown();
}

static int write_to(const char *path, const char *text)
{
    int fd = (int)need(open(path, O_WRONLY)); /* waits until somebody opens it for reading */

    need(write(fd, text, strlen(text)));
    return 0;
}

static pid_t start(char *program, char *what, char *path, char *text)
{
    pid_t child = fork_clean();

    if (child == 0) {
        execl(program, program, what, path, text, (char *)NULL);
        perror(program);
        _exit(127);
    }
    return child;
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/fifo-XXXXXX", path[40];
    struct stat st;
    pid_t reader;

    if (argc == 3 && strcmp(argv[1], "read") == 0)
        return read_from(argv[2]);
    if (argc == 4 && strcmp(argv[1], "write") == 0)
        return write_to(argv[2], argv[3]);
    if (argc != 1) {
        fprintf(stderr, "usage: fifo [read PATH | write PATH TEXT]\n");
        return 2;
    }
    alarm(10); /* if one doesn't come the other would wait for ever */
    need(mkdtemp(folder) == NULL ? -1 : 0);
    sprintf(path, "%s/meet", folder);
    need(mkfifo(path, 0600));
    need(stat(path, &st));
    printf("a FIFO is %s of %ld bytes\n", claim(S_ISFIFO(st.st_mode)) ? "a file" : "no file",
           (long)st.st_size);
    printf("opened for writing when nobody reads, without waiting: %s\n",
           claim(open(path, O_WRONLY | O_NONBLOCK) < 0) ? strerror(errno) : "a descriptor");
    reader = start("/proc/self/exe", "read", path, NULL);
    claim(end_of(start("/proc/self/exe", "write", path, "we never met before")) == 0);
    claim(end_of(reader) == 0);
    need(unlink(path));
    need(rmdir(folder));
    return shown();
}
