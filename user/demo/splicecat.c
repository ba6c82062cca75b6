/*
 * Two ways to bring a file through a pipe: read and write, which copy the bytes into the program and out again,
 * and splice, which hands the file's pages on. See splicecat.txt.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>

#include "demo.h"

#define SIZE (256 * 1024)

static unsigned long through_us; /* bytes that were in this program's memory */

static void copy_by_buffer(int from, int to)
{
    static char buffer[16384];
    ssize_t n;

    while ((n = need(read(from, buffer, sizeof buffer))) > 0) {
        need(write(to, buffer, (size_t)n));
        through_us += (unsigned long)n;
    }
}

static void copy_by_splice(int from, int to)
{
    while (need(splice(from, NULL, to, NULL, SIZE, SPLICE_F_MOVE)) > 0)
        ;
}

/* The other end of the pipe: adds up what arrives, and says whether it is right. */
static _Noreturn void check(int fd)
{
    unsigned char buffer[4096];
    unsigned long total = 0, wrong = 0;
    ssize_t n;

    while ((n = need(read(fd, buffer, sizeof buffer))) > 0) {
        for (ssize_t i = 0; i < n; i++)
            wrong += buffer[i] != (unsigned char)((total + (unsigned long)i) * 7);
        total += (unsigned long)n;
    }
    printf("  %lu bytes arrived, %lu of them wrong\n", total, wrong);
    claim(total == SIZE && wrong == 0);
    _exit(shown());
}

static void bring(const char *how, void (*copy)(int from, int to), int file, unsigned long expected)
{
    int ends[2];
    pid_t child;

    printf("%s:\n", how);
    need(pipe(ends));
    child = fork_clean();
    if (child == 0) {
        need(close(ends[1]));
        check(ends[0]);
    }
    need(close(ends[0]));
    need(lseek(file, 0, SEEK_SET));
    through_us = 0;
    copy(file, ends[1]);
    need(close(ends[1]));
    claim(end_of(child) == 0);
    printf("  %lu bytes went through this program's memory\n", through_us);
    claim(through_us == expected);
}

int main(void)
{
    char path[] = "/tmp/splicecat-XXXXXX";
    unsigned char *data = malloc(SIZE);
    int file = (int)need(mkstemp(path));

    need(unlink(path));
    for (unsigned long i = 0; data != NULL && i < SIZE; i++)
        data[i] = (unsigned char)(i * 7);
    need(data == NULL ? -1 : write(file, data, SIZE));
    bring("read and write", copy_by_buffer, file, SIZE);
    bring("splice", copy_by_splice, file, 0);
    free(data);
    return shown();
}
