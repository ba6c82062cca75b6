/*
 * The boot information of the PVH protocol, as QEMU's -kernel gives it: one structure with
 * pointers. Xen's public/arch-x86/hvm/start_info.h.
 */
#include "lib/log.h"
#include "lib/string.h"
#include "mm/page.h"
#include "x86/boot_parse.h"

#define PVH_MAGIC 0x336ec578
#define MEMMAP_RAM 1

struct pvh_start_info {
    uint32_t magic;
    uint32_t version; /* 1 and up have the memory map */
    uint32_t flags;
    uint32_t nr_modules;
    uint64_t modlist;
    uint64_t cmdline;
    uint64_t rsdp;
    uint64_t memmap;
    uint32_t memmap_entries;
    uint32_t reserved;
};

struct pvh_module {
    uint64_t start;
    uint64_t size;
    uint64_t cmdline;
    uint64_t reserved;
};

struct pvh_memmap_entry {
    uint64_t start;
    uint64_t size;
    uint32_t type;
    uint32_t reserved;
};

void pvh_parse(paddr_t info)
{
    const struct pvh_start_info *s = phys_to_virt(info);

    boot_info.loader = "pvh";
    if (s->magic != PVH_MAGIC || s->version < 1)
        panic("PVH start info of version %u, magic %#x: no memory map", s->version, s->magic);

    const struct pvh_memmap_entry *map = phys_to_virt(s->memmap);
    for (uint32_t i = 0; i < s->memmap_entries; i++) {
        if (map[i].type == MEMMAP_RAM)
            boot_add_ram(map[i].start, map[i].size);
        else
            boot_add_hole(map[i].start, map[i].size);
    }
    const struct pvh_module *module = phys_to_virt(s->modlist);
    for (uint32_t i = 0; i < s->nr_modules; i++)
        boot_set_initrd(module[i].start, module[i].start + module[i].size);
    if (s->cmdline)
        boot_set_cmdline(phys_to_virt(s->cmdline), 2 * BOOT_CMDLINE_MAX);
    boot_info.rsdp = s->rsdp;
    boot_regions_finish();
}
