/* Small calls: getppid (nothing but the way in and out), open and close, stat. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

#define FILE_NAME "/tmp/bench"

static void one_getppid(void)
{
    getppid();
}

static void one_open_close(void)
{
    int fd = open(FILE_NAME, O_RDONLY);

    bench_need(fd >= 0, "open");
    close(fd);
}

static void one_stat(void)
{
    struct stat info;

    bench_need(stat(FILE_NAME, &info) == 0, "stat");
}

int main(void)
{
    int fd = open(FILE_NAME, O_CREAT | O_RDWR, 0600);

    bench_need(fd >= 0, "creating " FILE_NAME);
    bench("getppid", 20000, one_getppid);
    bench("open_close", 5000, one_open_close);
    bench("stat", 5000, one_stat);
    close(fd);
    unlink(FILE_NAME);
    return 0;
}
