/*
 * The kernel's half of every address space.
 *
 *     DIRECT_MAP      all RAM, writable, never executable; the image's text and constants read only
 *     KSTACK_BASE     kernel stacks (mm/kstack.c)
 *     DEVICE_BASE     device registers, uncached, given out upwards and never taken back
 *     KERNEL_BASE     the image: text executable, constants read only, data writable
 *
 * So nothing is ever both writable and executable. The top-level entries of all four are made at
 * boot and never change; below them tables are added as needed, with a compare-and-exchange,
 * because no lock could be held while the page allocator is asked for the table.
 *
 * Pages are global: they stay in the TLB when another address space is loaded.
 */
#include "x86/paging.h"

#include "lib/assert.h"
#include "lib/string.h"
#include "mm/boot_memory.h"
#include "mm/page.h"
#include "x86/boot_info.h"
#include "x86/io.h"
#include "x86/msr.h"

#define SIZE_2M (1UL << 21)
#define SIZE_1G (1UL << 30)
#define BOOT_MAPPED (4 * SIZE_1G) /* what the boot tables show at DIRECT_MAP */

#define TABLE_BITS (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED)
#define READ_ONLY (PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | PTE_GLOBAL | PTE_NX)
#define READ_WRITE (READ_ONLY | PTE_WRITE)
#define EXECUTE (READ_ONLY & ~PTE_NX)
#define DEVICE (READ_WRITE | PTE_UNCACHED | PTE_WRITE_THROUGH)

/* linker.ld */
extern char kernel_text_start[], kernel_text_end[];
extern char kernel_rodata_start[], kernel_rodata_end[];
extern char kernel_data_start[], kernel_data_end[];
extern char boot_tables_start[], boot_tables_end[], boot_stack_guard[];

static paddr_t kernel_root;                 /* const after init */
static uintptr_t device_next = DEVICE_BASE; /* atomic: first address not given out */

static inline paddr_t image_phys(const char *symbol)
{
    return (uintptr_t)symbol - KERNEL_BASE;
}
static inline pte_t *table_at(uint64_t entry)
{
    return phys_to_virt(entry & PTE_ADDR);
}

/* A zeroed page for a table; 0 when out of memory. */
static paddr_t table_alloc(void)
{
    if (page_array) {
        struct page *p = page_alloc(0, ALLOC_ZERO);
        if (!p)
            return 0;
        p->flags |= PAGE_TABLE;
        return page_to_phys(p);
    }
    paddr_t pa = boot_alloc(PAGE_SIZE, PAGE_SIZE, BOOT_MAPPED);
    memset(phys_to_virt(pa), 0, PAGE_SIZE);
    return pa;
}

/*
 * The entry for ADDR at LEVEL (0: 4 KiB, 1: 2 MiB, 2: 1 GiB, 3: top), tables above it made as
 * needed; NULL.
 */
static pte_t *entry_create(uintptr_t addr, unsigned level)
{
    pte_t *table = phys_to_virt(kernel_root);
    for (unsigned l = 3; l > level; l--) {
        pte_t *entry = &table[(addr >> (PAGE_SHIFT + 9 * l)) & 511];
        pte_t e = READ_ONCE(*entry);
        if (!(e & PTE_PRESENT)) {
            paddr_t pa = table_alloc();
            if (!pa)
                return NULL;
            pte_t expected = 0;
            e = pa | TABLE_BITS;
            if (!__atomic_compare_exchange_n(entry, &expected, e, false, __ATOMIC_ACQ_REL,
                                             __ATOMIC_ACQUIRE)) {
                page_put(pfn_to_page(pa >> PAGE_SHIFT)); /* another CPU was first */
                e = expected;
            }
        }
        assert(!(e & PTE_LARGE));
        table = table_at(e);
    }
    return &table[(addr >> (PAGE_SHIFT + 9 * level)) & 511];
}

/* The entry that translates ADDR, a large one maybe, or NULL. */
static pte_t *entry_find(uintptr_t addr)
{
    pte_t *table = phys_to_virt(kernel_root);
    for (unsigned level = 3;; level--) {
        pte_t *entry = &table[(addr >> (PAGE_SHIFT + 9 * level)) & 511];
        pte_t e = READ_ONCE(*entry);
        if (!(e & PTE_PRESENT))
            return NULL;
        if (level == 0 || (e & PTE_LARGE))
            return entry;
        table = table_at(e);
    }
}

/* --- boot --- */

static void map_at_boot(uintptr_t addr, paddr_t pa, unsigned level, uint64_t bits)
{
    pte_t *entry = entry_create(addr, level);
    if (!entry)
        panic("out of memory for the kernel's page tables");
    *entry = pa | bits | (level > 0 ? PTE_LARGE : 0);
}

/* Is [start, end) within one piece of RAM, or does it at least touch one? */
static bool ram_covers(const struct boot_info *bi, paddr_t start, paddr_t end)
{
    for (unsigned i = 0; i < bi->nregions; i++)
        if (bi->region[i].start <= start && end <= bi->region[i].end)
            return true;
    return false;
}

static bool ram_touches(const struct boot_info *bi, paddr_t start, paddr_t end)
{
    for (unsigned i = 0; i < bi->nregions; i++)
        if (bi->region[i].start < end && start < bi->region[i].end)
            return true;
    return false;
}

/* The part of the image that must not be writable through the direct map either. */
static bool holds_constants(paddr_t start, paddr_t end)
{
    return start < image_phys(kernel_rodata_end) && image_phys(kernel_text_start) < end;
}

static void map_direct_2m(paddr_t pa)
{
    if (!holds_constants(pa, pa + SIZE_2M)) {
        map_at_boot(DIRECT_MAP + pa, pa, 1, READ_WRITE);
        return;
    }
    for (paddr_t p = pa; p < pa + SIZE_2M; p += PAGE_SIZE)
        map_at_boot(DIRECT_MAP + p, p, 0,
                    holds_constants(p, p + PAGE_SIZE) ? READ_ONLY : READ_WRITE);
}

/* All RAM, in the largest pages that fit it; what shares 2 MiB with RAM comes along. */
static void map_direct(const struct boot_info *bi)
{
    bool has_1g = cpuid(0x80000000, 0).eax >= 0x80000001 && (cpuid(0x80000001, 0).edx & (1u << 26));
    paddr_t end = bi->region[bi->nregions - 1].end;
    for (paddr_t pa = 0; pa < end;) {
        paddr_t next = ALIGN_DOWN(pa, SIZE_1G) + SIZE_1G;
        if (has_1g && ram_covers(bi, pa, next) && !holds_constants(pa, next)) {
            map_at_boot(DIRECT_MAP + pa, pa, 2, READ_WRITE);
            pa = next;
            continue;
        }
        for (; pa < next && pa < end; pa += SIZE_2M)
            if (ram_touches(bi, pa, pa + SIZE_2M))
                map_direct_2m(pa);
        pa = next;
    }
}

static void map_image_part(const char *start, const char *end, uint64_t bits)
{
    uintptr_t stop = ALIGN_UP((uintptr_t)end, PAGE_SIZE);
    for (uintptr_t a = ALIGN_DOWN((uintptr_t)start, PAGE_SIZE); a < stop; a += PAGE_SIZE)
        if (a != (uintptr_t)boot_stack_guard)
            map_at_boot(a, a - KERNEL_BASE, 0, bits);
}

/* Load the tables and forget even the global pages of those before. */
static void load_kernel_root(void)
{
    write_cr3(kernel_root);
    uint64_t cr4 = read_cr4();
    if (cr4 & CR4_PGE) {
        write_cr4(cr4 & ~CR4_PGE);
        write_cr4(cr4);
    }
}

void paging_init(const struct boot_info *bi)
{
    boot_memory_init(bi);
    kernel_root = table_alloc();
    map_direct(bi);
    map_image_part(kernel_text_start, kernel_text_end, EXECUTE);
    map_image_part(kernel_rodata_start, kernel_rodata_end, READ_ONLY);
    map_image_part(kernel_data_start, kernel_data_end, READ_WRITE);

    /* The top-level entries that every address space will copy. */
    if (!entry_create(KSTACK_BASE, 2) || !entry_create(DEVICE_BASE, 2))
        panic("out of memory for the kernel's page tables");
    load_kernel_root();
}

paddr_t paging_kernel_root(void)
{
    return kernel_root;
}

void paging_free_boot_tables(void)
{
    page_free_range(image_phys(boot_tables_start), image_phys(boot_tables_end));
}

/* --- mappings made later --- */

int paging_map_kernel_page(uintptr_t addr, struct page *p)
{
    pte_t *entry = entry_create(addr, 0);
    if (!entry)
        return -ENOMEM;
    assert(pte_is_empty(*entry));
    WRITE_ONCE(*entry, page_to_phys(p) | READ_WRITE);
    return 0;
}

struct page *paging_unmap_kernel_page(uintptr_t addr)
{
    pte_t *entry = entry_find(addr);
    if (!entry)
        return NULL;
    struct page *p = pte_page(*entry);
    WRITE_ONCE(*entry, 0);
    return p;
}

struct page *paging_detach_kernel_table(uintptr_t addr)
{
    pte_t *entry = entry_create(addr, 1);
    if (!entry || !(*entry & PTE_PRESENT))
        return NULL;
    struct page *p = pte_page(*entry);
    WRITE_ONCE(*entry, 0);
    return p;
}

/* Map [PA, PA+SIZE) in the device region for good. NULL when out of addresses or memory. */
static void *map_device_region(paddr_t pa, size_t size, uint64_t bits)
{
    size_t offset = pa & (PAGE_SIZE - 1);
    size_t bytes = ALIGN_UP(offset + size, PAGE_SIZE);
    uintptr_t start = __atomic_fetch_add(&device_next, bytes, __ATOMIC_RELAXED);
    if (size == 0 || bytes < size || start + bytes > DEVICE_END)
        return NULL;
    for (size_t done = 0; done < bytes; done += PAGE_SIZE) {
        pte_t *entry = entry_create(start + done, 0);
        if (!entry)
            return NULL;
        WRITE_ONCE(*entry, ((pa - offset + done) & PTE_ADDR) | bits);
    }
    return (void *)(start + offset);
}

volatile void *mmio_map(paddr_t pa, size_t size)
{
    return map_device_region(pa, size, DEVICE);
}

const void *paging_map_firmware(paddr_t pa, size_t size)
{
    uintptr_t end = DIRECT_MAP + pa + size;
    for (uintptr_t a = DIRECT_MAP + ALIGN_DOWN(pa, PAGE_SIZE); a < end; a += PAGE_SIZE)
        if (!entry_find(a))
            return map_device_region(pa, size, READ_ONLY);
    return phys_to_virt(pa);
}
