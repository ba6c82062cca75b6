/*
 * What the loader told us. GRUB (multiboot2) and QEMU's -kernel (PVH) say the same things in two
 * shapes; boot/ calls one parser each, and both fill this. Everything above reads only this.
 */
#pragma once

#include "lib/types.h"

#define BOOT_CMDLINE_MAX 4096
#define BOOT_REGIONS_MAX 128

/* One piece of usable RAM, [start, end), page aligned inwards, sorted, not overlapping. */
struct boot_region {
    paddr_t start;
    paddr_t end;
};

struct boot_info {
    const char *loader;                          /* "multiboot2" or "pvh", for the log */
    char cmdline[BOOT_CMDLINE_MAX];              /* cut, with a warning, when longer */
    struct boot_region region[BOOT_REGIONS_MAX]; /* RAM; kernel and initrd are not taken out */
    unsigned nregions;
    paddr_t kernel_start, kernel_end; /* the image, symbols and .bss included */
    paddr_t initrd_start, initrd_end; /* equal when there is none */
    paddr_t rsdp;                     /* ACPI root pointer; 0: search the BIOS area */
};

extern struct boot_info boot_info; /* const after init */
