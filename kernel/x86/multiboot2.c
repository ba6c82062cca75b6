/*
 * GRUB's boot information: a size, then tags one after another, each with a type and a size, on
 * 8-byte boundaries. Multiboot2 Specification 2.0, section 3.6.
 */
#include "lib/log.h"
#include "mm/page.h"
#include "x86/boot_parse.h"

enum {
    TAG_END = 0,
    TAG_CMDLINE = 1,
    TAG_MODULE = 3,
    TAG_MMAP = 6,
    TAG_ACPI_OLD = 14,
    TAG_ACPI_NEW = 15,
};

#define MMAP_RAM 1

struct tag {
    uint32_t type;
    uint32_t size; /* of the header too */
};

struct tag_module {
    struct tag tag;
    uint32_t start, end;
    char cmdline[];
};

struct mmap_entry {
    uint64_t base, length;
    uint32_t type, reserved;
};

struct tag_mmap {
    struct tag tag;
    uint32_t entry_size, entry_version;
    uint8_t entries[];
};

static void parse_mmap(const struct tag_mmap *m)
{
    if (m->entry_size < sizeof(struct mmap_entry))
        return;
    const uint8_t *end = (const uint8_t *)m + m->tag.size;
    for (const uint8_t *p = m->entries; p + m->entry_size <= end; p += m->entry_size) {
        const struct mmap_entry *e = (const struct mmap_entry *)p;
        if (e->type == MMAP_RAM)
            boot_add_ram(e->base, e->length);
        else
            boot_add_hole(e->base, e->length);
    }
}

static void parse_tag(const struct tag *t)
{
    size_t body = t->size - sizeof(*t);
    const struct tag_module *module = (const struct tag_module *)t;

    switch (t->type) {
    case TAG_CMDLINE: boot_set_cmdline((const char *)(t + 1), body); break;
    case TAG_MODULE:
        if (t->size >= sizeof(*module))
            boot_set_initrd(module->start, module->end);
        break;
    case TAG_MMAP:
        if (t->size >= sizeof(struct tag_mmap))
            parse_mmap((const struct tag_mmap *)t);
        break;
    case TAG_ACPI_OLD:
        if (boot_info.rsdp)
            break; /* the new one says more */
        boot_set_rsdp_copy(t + 1, body);
        break;
    case TAG_ACPI_NEW: boot_set_rsdp_copy(t + 1, body); break;
    default: break;
    }
}

void multiboot2_parse(paddr_t info)
{
    const uint8_t *base = phys_to_virt(info);
    uint32_t total = *(const uint32_t *)base;

    boot_info.loader = "multiboot2";
    for (uint32_t off = 8; off + sizeof(struct tag) <= total;) {
        const struct tag *t = (const struct tag *)(base + off);
        if (t->type == TAG_END || t->size < sizeof(*t) || t->size > total - off)
            break;
        parse_tag(t);
        off = ALIGN_UP(off + t->size, 8u);
    }
    boot_regions_finish();
}
