/*
 * Memory: the first touch of a page, the first write to one that is shared since a fork, and the calls
 * that map, unmap, protect and grow.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define PAGE 4096L
#define PAGES 256

static char *map(long pages)
{
    char *area = mmap(NULL, (size_t)(pages * PAGE), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    bench_need(area != MAP_FAILED, "mmap");
    return area;
}

/* Many pages; Linux would take one huge page for all of them. */
static char *map_many(void)
{
    char *area = map(PAGES);

    madvise(area, PAGES * PAGE, MADV_NOHUGEPAGE);
    return area;
}

static void touch(char *area, long pages)
{
    for (long page = 0; page < pages; page++)
        *(volatile char *)(area + page * PAGE) = 1;
}

static void fault_row(void)
{
    for (int round = 0; round < 20; round++) {
        char *area = map_many();
        bench_start();
        touch(area, PAGES);
        bench_stop(PAGES);
        munmap(area, PAGES * PAGE);
    }
}

static char *map_shared(int fd)
{
    int flags = MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0);
    char *area = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

    bench_need(area != MAP_FAILED, "mmap");
    return area;
}

/* What a child would share: each page is made. */
static void shared_row(void)
{
    for (int round = 0; round < 20; round++) {
        char *area = map_shared(-1);
        bench_start();
        touch(area, PAGES);
        bench_stop(PAGES);
        munmap(area, PAGES * PAGE);
    }
}

/* A file's pages that are there already, made by another mapping: they are only entered here. */
static void file_row(void)
{
    int fd = memfd_create("shared", 0);

    bench_need(fd >= 0 && ftruncate(fd, PAGES * PAGE) == 0, "memfd_create");
    char *maker = map_shared(fd);
    touch(maker, PAGES);
    for (int round = 0; round < 20; round++) {
        char *area = map_shared(fd);
        bench_start();
        touch(area, PAGES);
        bench_stop(PAGES);
        munmap(area, PAGES * PAGE);
    }
    munmap(maker, PAGES * PAGE);
    close(fd);
}

/* The child holds the other reference to each page while we write. */
static void cow_row(void)
{
    char *area = map_many();

    for (int round = 0; round < 20; round++) {
        int go[2];
        char byte;
        pid_t child;

        touch(area, PAGES);
        bench_need(pipe(go) == 0, "pipe");
        child = fork();
        if (child == 0) {
            close(go[1]);
            _exit(read(go[0], &byte, 1) != 0);
        }
        bench_start();
        touch(area, PAGES);
        bench_stop(PAGES);
        close(go[0]);
        close(go[1]);
        bench_reap(child);
    }
    munmap(area, PAGES * PAGE);
}

static void mmap_row(void)
{
    MEASURE(2000)
    {
        char *area = map(1);
        touch(area, 1);
        munmap(area, PAGE);
    }
}

static void brk_row(void)
{
    MEASURE(2000)
    {
        char *area = sbrk(PAGE);
        bench_need(area != (char *)-1, "sbrk");
        touch(area, 1);
        sbrk(-PAGE);
    }
}

/* A page's share of unmapping many that were touched. */
static void munmap_row(void)
{
    for (int round = 0; round < 20; round++) {
        char *area = map_many();
        touch(area, PAGES);
        bench_start();
        munmap(area, PAGES * PAGE);
        bench_stop(PAGES);
    }
}

static void mprotect_row(void)
{
    char *area = map(1);

    touch(area, 1);
    MEASURE(10000)
    {
        mprotect(area, PAGE, PROT_READ);
        mprotect(area, PAGE, PROT_READ | PROT_WRITE);
    }
    bench.operations *= 2;
    munmap(area, PAGE);
}

static const struct bench_row rows[] = {
    {"page_fault", fault_row},   {"shared_fault", shared_row},    {"shared_file_fault", file_row},
    {"cow_fault", cow_row},      {"mmap_touch_munmap", mmap_row}, {"brk_touch_shrink", brk_row},
    {"munmap_page", munmap_row}, {"mprotect_page", mprotect_row},
};

BENCH_MAIN(rows)
