/*
 * The memory map's cleaning against a map of single pages: random pieces of RAM and holes, unsorted,
 * overlapping and beyond all limits, must come out as exactly the pages that are RAM and no hole, sorted,
 * joined, with the ends of each piece cut to whole pages.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/x86/boot_info.c"

#define ROUNDS 20000
#define SPREAD 200 /* pages */

const char kernel_image_start[1], kernel_image_end[1];

void log_at(enum log_level level, const char *format, ...)
{
    (void)level;
    (void)format;
}

static uint64_t state = 88172645463325252;

static uint64_t draw(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 7) % below;
}

static void fail(const char *what, unsigned round)
{
    printf("not ok - boot_info/%s in round %u\n", what, round);
    exit(1);
}

/* Is the page wholly (RAM) or partly (a hole) in [start, start + len)? */
static bool covers(uint64_t start, uint64_t len, uint64_t page)
{
    return start <= page * PAGE_SIZE && start + len >= (page + 1) * PAGE_SIZE;
}

static bool touches(uint64_t start, uint64_t len, uint64_t page)
{
    return len && start < (page + 1) * PAGE_SIZE && start + len > page * PAGE_SIZE;
}

static void check(const bool *want, unsigned round)
{
    bool got[SPREAD + 8] = {false};

    for (unsigned i = 0; i < boot_info.nregions; i++) {
        const struct boot_region *r = &boot_info.region[i];
        if (r->start >= r->end || (r->start | r->end) % PAGE_SIZE)
            fail("pieces_are_whole_pages", round);
        if (i && r->start <= r[-1].end)
            fail("pieces_are_sorted_and_joined", round);
        for (uint64_t p = r->start / PAGE_SIZE; p < r->end / PAGE_SIZE; p++)
            got[p] = true;
    }
    for (unsigned p = 0; p < SPREAD + 8; p++)
        if (got[p] != want[p])
            fail("pieces_are_ram_without_holes", round);
}

static void one_round(unsigned round)
{
    bool ram[SPREAD + 8] = {false}, want[SPREAD + 8];

    memset(&boot_info, 0, sizeof(boot_info));
    nholes = 0;
    for (uint64_t n = draw(12) + 1; n; n--) {
        uint64_t start = draw(SPREAD * PAGE_SIZE), len = draw(SPREAD * PAGE_SIZE - start + 1);
        boot_add_ram(start, len);
        /* Two pieces that share a page own neither half of it: each is cut to whole pages alone. */
        for (unsigned p = 0; p < SPREAD; p++)
            ram[p] |= covers(start, len, p);
    }
    memcpy(want, ram, sizeof(want));
    for (uint64_t n = draw(12); n; n--) {
        uint64_t start = draw(SPREAD * PAGE_SIZE), len = draw(20 * PAGE_SIZE);
        boot_add_hole(start, len);
        for (unsigned p = 0; p < SPREAD; p++)
            if (touches(start, len, p))
                want[p] = false;
    }
    boot_regions_finish();
    check(want, round);
}

static void hostile_numbers(void)
{
    memset(&boot_info, 0, sizeof(boot_info));
    nholes = 0;
    boot_add_ram(0, 1 << 20);
    boot_add_ram(UINT64_MAX - 100, 200);
    boot_add_ram(1UL << 60, 1UL << 62);
    boot_add_ram(UINT64_MAX, UINT64_MAX);
    boot_add_ram(1 << 20, UINT64_MAX);
    boot_add_hole(UINT64_MAX - 5, 10);
    boot_add_hole(2 << 20, UINT64_MAX);
    for (unsigned i = 0; i < 3 * BOOT_REGIONS_MAX; i++)
        boot_add_ram((uint64_t)i << 32, 123);
    boot_regions_finish();
    if (boot_info.nregions != 1 || boot_info.region[0].start != 0 ||
        boot_info.region[0].end != 2 << 20)
        fail("numbers_that_overflow_do_no_harm", 0);
}

static void long_command_lines(void)
{
    static char text[3 * BOOT_CMDLINE_MAX];

    memset(text, 'w', sizeof(text) - 1);
    boot_set_cmdline(text, sizeof(text));
    if (strlen(boot_info.cmdline) != BOOT_CMDLINE_MAX - 1)
        fail("long_command_line_is_cut", 0);
    boot_set_cmdline("short", 3); /* a tag without its NUL */
    if (strcmp(boot_info.cmdline, "sho"))
        fail("command_line_ends_with_its_tag", 0);
}

int main(void)
{
    for (unsigned round = 0; round < ROUNDS; round++)
        one_round(round);
    printf("ok 1 - boot_info/ram_minus_holes\n");
    hostile_numbers();
    printf("ok 2 - boot_info/numbers_that_overflow_do_no_harm\n");
    long_command_lines();
    printf("ok 3 - boot_info/command_line_is_cut\n1..3\n");
    return 0;
}
