/*
 * The boot allocator: a list of what is taken, in order of address, and first fit over the gaps
 * that it leaves in the loader's list of RAM. It runs on one CPU, before there are locks, and only
 * a few dozen times, so it is as simple as that.
 */
#include "mm/boot_memory.h"

#include "lib/assert.h"
#include "mm/page.h"
#include "x86/boot_info.h"

#define TAKEN_MAX 64
#define LOW_MEMORY_END 0x100000 /* the first MiB: firmware data, and where other CPUs start */

static const struct boot_info *info; /* boot CPU only, as all here */
static struct boot_region taken[TAKEN_MAX];
static unsigned ntaken;

/* Insert [start, end) in order of address; what it touches or overlaps grows instead. */
static void take(paddr_t start, paddr_t end)
{
    unsigned i = 0;
    while (i < ntaken && taken[i].end < start)
        i++;
    if (i < ntaken && taken[i].start <= end) {
        taken[i].start = min(taken[i].start, start);
        taken[i].end = max(taken[i].end, end);
        while (i + 1 < ntaken && taken[i + 1].start <= taken[i].end) {
            taken[i].end = max(taken[i].end, taken[i + 1].end);
            ntaken--;
            for (unsigned j = i + 1; j < ntaken; j++)
                taken[j] = taken[j + 1];
        }
        return;
    }
    if (ntaken == TAKEN_MAX)
        panic("boot memory: too many pieces taken");
    for (unsigned j = ntaken++; j > i; j--)
        taken[j] = taken[j - 1];
    taken[i] = (struct boot_region){start, end};
}

void boot_memory_init(const struct boot_info *bi)
{
    info = bi;
    ntaken = 0;
    take(0, LOW_MEMORY_END);
    take(ALIGN_DOWN(bi->kernel_start, PAGE_SIZE), ALIGN_UP(bi->kernel_end, PAGE_SIZE));
    if (bi->initrd_start < bi->initrd_end)
        take(ALIGN_DOWN(bi->initrd_start, PAGE_SIZE), ALIGN_UP(bi->initrd_end, PAGE_SIZE));
}

/* The lowest place for SIZE bytes in [start, end) that nothing taken overlaps, or 0. */
static paddr_t first_fit(paddr_t start, paddr_t end, size_t size, size_t align)
{
    paddr_t at = ALIGN_UP(start, align);
    for (unsigned i = 0; i < ntaken; i++)
        if (taken[i].end > at && taken[i].start < at + size)
            at = ALIGN_UP(taken[i].end, align);
    return at < end && size <= end - at ? at : 0;
}

paddr_t boot_alloc(size_t size, size_t align, paddr_t limit)
{
    size = ALIGN_UP(size, PAGE_SIZE);
    for (unsigned i = 0; i < info->nregions; i++) {
        paddr_t end = min(info->region[i].end, limit);
        paddr_t at = first_fit(info->region[i].start, end, size, align);
        if (at) {
            take(at, at + size);
            return at;
        }
    }
    panic("out of memory at boot: no %zu KiB below %#lx", size / 1024, limit);
}

void boot_memory_release(void (*fn)(paddr_t start, paddr_t end))
{
    for (unsigned r = 0; r < info->nregions; r++) {
        paddr_t at = info->region[r].start;
        paddr_t end = info->region[r].end;
        for (unsigned i = 0; i < ntaken && at < end; i++) {
            if (taken[i].end <= at || taken[i].start >= end)
                continue;
            if (at < taken[i].start)
                fn(at, taken[i].start);
            at = taken[i].end;
        }
        if (at < end)
            fn(at, end);
    }
}
