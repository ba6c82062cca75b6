/*
 * What both loaders' parsers share: cleaning up the memory map, and keeping what lies in memory
 * that will be given away.
 *
 * A firmware's map may be unsorted, may overlap and may contradict itself. RAM here is what some
 * entry calls RAM and none calls anything else, in whole pages. First all entries are collected,
 * then every hole is cut out of every piece of RAM, then the pieces are sorted and neighbours
 * joined.
 */
#include "x86/boot_parse.h"

#include "lib/log.h"
#include "lib/string.h"
#include "mm/page.h"

#define PHYS_LIMIT (1UL << 46) /* the direct map has room for no more */
#define RSDP_MAX 64

struct boot_info boot_info; /* const after init */

extern const char kernel_image_start[], kernel_image_end[];
#define KERNEL_BASE 0xffffffff80000000UL

static struct boot_region hole[BOOT_REGIONS_MAX]; /* boot CPU only, until init is over */
static unsigned nholes;
static bool map_was_cut;
static uint8_t rsdp_copy[RSDP_MAX] aligned(16); /* const after init */

static void add(struct boot_region *list, unsigned *n, uint64_t start, uint64_t end)
{
    if (start >= end)
        return;
    if (*n == BOOT_REGIONS_MAX) {
        map_was_cut = true;
        return;
    }
    list[(*n)++] = (struct boot_region){start, end};
}

/* The end of a piece, kept below the limit and free of overflow. */
static uint64_t piece_end(uint64_t start, uint64_t len)
{
    uint64_t end = start + len;
    return end < start || end > PHYS_LIMIT ? PHYS_LIMIT : end;
}

void boot_add_ram(uint64_t start, uint64_t len)
{
    add(boot_info.region, &boot_info.nregions, ALIGN_UP(min(start, PHYS_LIMIT), PAGE_SIZE),
        ALIGN_DOWN(piece_end(start, len), PAGE_SIZE));
}

void boot_add_hole(uint64_t start, uint64_t len)
{
    if (len)
        add(hole, &nholes, ALIGN_DOWN(start, PAGE_SIZE),
            ALIGN_UP(piece_end(start, len), PAGE_SIZE));
}

/* Cut H out of region I; the part above it, if any, becomes a new region. */
static void cut(unsigned i, const struct boot_region *h)
{
    struct boot_region *r = &boot_info.region[i];

    if (h->end <= r->start || h->start >= r->end)
        return;
    if (h->end < r->end)
        add(boot_info.region, &boot_info.nregions, h->end, r->end);
    r->end = max(h->start, r->start);
}

static void sort_regions(void)
{
    struct boot_region *r = boot_info.region;

    for (unsigned i = 1; i < boot_info.nregions; i++) {
        struct boot_region x = r[i];
        unsigned j = i;
        for (; j > 0 && r[j - 1].start > x.start; j--)
            r[j] = r[j - 1];
        r[j] = x;
    }
}

/* Join what touches or overlaps, drop what is empty. The list is sorted. */
static void join_regions(void)
{
    struct boot_region *r = boot_info.region;
    unsigned n = 0;

    for (unsigned i = 0; i < boot_info.nregions; i++) {
        if (r[i].start >= r[i].end)
            continue;
        if (n && r[i].start <= r[n - 1].end)
            r[n - 1].end = max(r[n - 1].end, r[i].end);
        else
            r[n++] = r[i];
    }
    boot_info.nregions = n;
}

void boot_regions_finish(void)
{
    sort_regions();
    join_regions(); /* fewer pieces to cut */
    for (unsigned h = 0; h < nholes; h++)
        for (unsigned i = 0; i < boot_info.nregions; i++)
            cut(i, &hole[h]);
    sort_regions();
    join_regions();
    if (map_was_cut)
        log_warn("memory map: more than %d entries, the rest is not used", BOOT_REGIONS_MAX);
    boot_info.kernel_start = (uintptr_t)kernel_image_start - KERNEL_BASE;
    boot_info.kernel_end = (uintptr_t)kernel_image_end - KERNEL_BASE;
}

void boot_set_cmdline(const char *text, size_t max)
{
    size_t len = strnlen(text, max);

    if (len >= BOOT_CMDLINE_MAX) {
        log_warn("command line of %zu bytes cut to %d", len, BOOT_CMDLINE_MAX - 1);
        len = BOOT_CMDLINE_MAX - 1;
    }
    memcpy(boot_info.cmdline, text, len);
    boot_info.cmdline[len] = '\0';
}

void boot_set_initrd(uint64_t start, uint64_t end)
{
    if (boot_info.initrd_end) {
        log_warn("more than one module: only the first is the initrd");
        return;
    }
    if (start >= end || end > PHYS_LIMIT)
        return;
    boot_info.initrd_start = start;
    boot_info.initrd_end = end;
}

void boot_set_rsdp_copy(const void *rsdp, size_t len)
{
    memcpy(rsdp_copy, rsdp, min(len, sizeof(rsdp_copy)));
    boot_info.rsdp = (uintptr_t)rsdp_copy - KERNEL_BASE;
}
