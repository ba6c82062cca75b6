/* Files in a file system that is memory: looking one up by name and by descriptor, opening, making. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

#define FILE_NAME "/tmp/bench"

static int make_file(void)
{
    int fd = open(FILE_NAME, O_CREAT | O_RDWR, 0600);

    bench_need(fd >= 0, FILE_NAME);
    return fd;
}

static void stat_row(void)
{
    struct stat info;

    close(make_file());
    MEASURE(5000)
    bench_need(stat(FILE_NAME, &info) == 0, "stat");
    unlink(FILE_NAME);
}

static void fstat_row(void)
{
    struct stat info;
    int fd = make_file();

    MEASURE(10000)
    bench_need(fstat(fd, &info) == 0, "fstat");
    close(fd);
    unlink(FILE_NAME);
}

static void open_close_row(void)
{
    close(make_file());
    MEASURE(5000)
    {
        int fd = open(FILE_NAME, O_RDONLY);
        bench_need(fd >= 0 && close(fd) == 0, "open");
    }
    unlink(FILE_NAME);
}

static void create_unlink_row(void)
{
    MEASURE(2000)
    {
        int fd = open(FILE_NAME, O_CREAT | O_EXCL | O_RDWR, 0600);
        bench_need(fd >= 0 && close(fd) == 0 && unlink(FILE_NAME) == 0, "creating " FILE_NAME);
    }
}

static const struct bench_row rows[] = {
    {"stat", stat_row},
    {"fstat", fstat_row},
    {"open_close", open_close_row},
    {"create_unlink", create_unlink_row},
};

BENCH_MAIN(rows)
