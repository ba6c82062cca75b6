/* A page fault on fresh private memory: touch each page of a mapping once, in mappings of 1 MiB. */
#include <sys/mman.h>

#include "bench.h"

#define PAGES 256
#define PAGE_SIZE 4096
#define ROUNDS 20

static char *map(void)
{
    char *area = mmap(NULL, (size_t)PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    bench_need(area != MAP_FAILED, "mmap");
    /* Linux would take one huge page for all of it. */
    madvise(area, (size_t)PAGES * PAGE_SIZE, MADV_NOHUGEPAGE);
    return area;
}

static long long touch_all(void)
{
    char *area = map();
    long long start = bench_now();

    for (int page = 0; page < PAGES; page++)
        *(volatile char *)(area + (size_t)page * PAGE_SIZE) = 1;
    start = bench_now() - start;
    munmap(area, (size_t)PAGES * PAGE_SIZE);
    return start;
}

int main(void)
{
    long long sum = 0;

    touch_all();
    for (int round = 0; round < ROUNDS; round++)
        sum += touch_all();
    bench_report("page_fault", sum, (long)ROUNDS * PAGES);
    return 0;
}
