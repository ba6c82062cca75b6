/* The smallest calls: nothing but the way in and out (getppid), one byte to and from a device, the time. */
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <abi/auxv.h>

#include "bench.h"

static void getppid_row(void)
{
    MEASURE(20000)
    getppid();
}

static void write_null_row(void)
{
    int fd = open("/dev/null", O_WRONLY);

    bench_need(fd >= 0, "/dev/null");
    MEASURE(20000)
    bench_need(write(fd, "x", 1) == 1, "write");
    close(fd);
}

static void read_zero_row(void)
{
    int fd = open("/dev/zero", O_RDONLY);
    char byte;

    bench_need(fd >= 0, "/dev/zero");
    MEASURE(20000)
    bench_need(read(fd, &byte, 1) == 1, "read");
    close(fd);
}

/* The library asks the page of code that the kernel lends to every program, where there is one. */
static void clock_vdso_row(void)
{
    struct timespec now;

    if (getauxval(AT_SYSINFO_EHDR) == 0)
        return;
    MEASURE(20000)
    clock_gettime(CLOCK_MONOTONIC, &now);
}

static void clock_call_row(void)
{
    struct timespec now;

    MEASURE(20000)
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
}

static const struct bench_row rows[] = {
    {"getppid", getppid_row},
    {"write_null", write_null_row},
    {"read_zero", read_zero_row},
    {"clock_gettime_vdso", clock_vdso_row},
    {"clock_gettime_call", clock_call_row},
};

BENCH_MAIN(rows)
