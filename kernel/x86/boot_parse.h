/*
 * Between boot/ and boot_info: the two loaders' parsers, and what they share. For kernel/x86 alone.
 * Everything here runs once, on the boot page tables, where physical memory below 4 GiB is mapped.
 */
#pragma once

#include "x86/boot_info.h"

/* boot/entry.asm says the same. */
enum boot_loader { LOADER_MULTIBOOT2, LOADER_PVH };

void multiboot2_parse(paddr_t info);
void pvh_parse(paddr_t info);

/*
 * A piece of the loader's memory map: RAM, or something that is not. In any order, overlapping at
 * will.
 */
void boot_add_ram(uint64_t start, uint64_t len);
void boot_add_hole(uint64_t start, uint64_t len);
/* Take the holes out of the RAM; sort, merge, cut to whole pages. */
void boot_regions_finish(void);

void boot_set_cmdline(const char *text, size_t max);
void boot_set_initrd(uint64_t start, uint64_t end);
/* A copy of ACPI's root pointer, which the loader's memory holds only until it is reused. */
void boot_set_rsdp_copy(const void *rsdp, size_t len);
