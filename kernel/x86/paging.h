/*
 * Page tables. Four levels of 512 entries translate a virtual address; an entry of the lowest level
 * (a pte_t here) maps one page. This header is all that mm/ knows of them: a pte is a page, a
 * protection and one mark of ours, and what bits those are is this folder's business.
 *
 * A pte is empty; or it holds a page and grants what its protection says; or it holds a page and
 * grants nothing (PROT_NONE): the page is kept, every access faults.
 *
 * The upper half of every address space is the kernel's and is shared: its top-level entries are
 * made at boot and never change, so that a new address space only copies them.
 *
 * Tables of user space: the owner's mm->lock guards the upper levels, and mm->pt_lock the leaf
 * entries. page->users of a table counts its entries that are not empty, so an empty table is known
 * at once.
 */
#pragma once

#include <abi/mman.h>

#include "lib/list.h"
#include "lib/types.h"
#include "mm/page.h"

struct boot_info;

typedef uint64_t pte_t;

#define PTE_PRESENT 0x001UL /* Intel SDM volume 3, 4.5.4 */
#define PTE_WRITE 0x002UL
#define PTE_USER 0x004UL
#define PTE_WRITE_THROUGH 0x008UL
#define PTE_UNCACHED 0x010UL
#define PTE_ACCESSED 0x020UL
#define PTE_DIRTY 0x040UL
#define PTE_LARGE 0x080UL
#define PTE_GLOBAL 0x100UL
#define PTE_PRIVATE \
    0x200UL /* ignored by the CPU: the page belongs to address spaces alone, not to an object */
#define PTE_NX (1UL << 63)
#define PTE_ADDR 0x000ffffffffff000UL

static inline bool pte_is_empty(pte_t e)
{
    return e == 0;
}
static inline bool pte_is_present(pte_t e)
{
    return e & PTE_PRESENT;
}
static inline bool pte_is_writable(pte_t e)
{
    return (e & (PTE_PRESENT | PTE_WRITE)) == (PTE_PRESENT | PTE_WRITE);
}
static inline bool pte_is_private(pte_t e)
{
    return e & PTE_PRIVATE;
}
static inline struct page *pte_page(pte_t e)
{
    return pfn_to_page((e & PTE_ADDR) >> PAGE_SHIFT);
}

/* The bits that grant PROT_*. x86 can't grant writing or executing without reading. */
static inline pte_t pte_prot_bits(unsigned prot)
{
    if (!(prot & (PROT_READ | PROT_WRITE | PROT_EXEC)))
        return PTE_NX;
    return PTE_PRESENT | (prot & PROT_WRITE ? PTE_WRITE : 0) | (prot & PROT_EXEC ? 0 : PTE_NX);
}

/*
 * Accessed and dirty are set at once: nothing here looks at them, and the CPU need not write them
 * back.
 */
static inline pte_t pte_make(struct page *p, unsigned prot, bool is_private)
{
    return page_to_phys(p) | PTE_USER | PTE_ACCESSED | PTE_DIRTY | (is_private ? PTE_PRIVATE : 0) |
           pte_prot_bits(prot);
}

static inline pte_t pte_change_prot(pte_t e, unsigned prot)
{
    return (e & ~(PTE_PRESENT | PTE_WRITE | PTE_NX)) | pte_prot_bits(prot);
}

static inline pte_t pte_write_protect(pte_t e)
{
    return e & ~PTE_WRITE;
}

/* Store E in a user table's slot; the table's count of entries stays right. pt_lock held. */
static inline void pt_set(pte_t *slot, pte_t e)
{
    struct page *table = virt_to_page(slot);
    table->users = (uint16_t)(table->users + !pte_is_empty(e) - !pte_is_empty(*slot));
    WRITE_ONCE(*slot, e);
}

/* No entry is left in the table that SLOT lies in. */
static inline bool pt_table_is_empty(const pte_t *slot)
{
    return virt_to_page(slot)->users == 0;
}

/* The end of the range that the leaf table of ADDR covers. */
static inline uintptr_t pt_table_end(uintptr_t addr)
{
    return ALIGN_DOWN(addr, PAGE_SIZE * 512) + PAGE_SIZE * 512;
}

paddr_t pt_create(void);       /* a top-level table with the kernel's half; 0 when out of memory */
void pt_destroy(paddr_t root); /* no page is mapped and no CPU has it loaded any more */
size_t pt_count(paddr_t root); /* how many tables it consists of: the top one's page->index */
pte_t *pt_slot(paddr_t root, uintptr_t addr);        /* NULL when there is no table for it */
pte_t *pt_slot_create(paddr_t root, uintptr_t addr); /* NULL when out of memory */

/*
 * The slot of the first address in [*ADDR, END) that has a leaf table, with *ADDR moved there; NULL
 * when there is none. The way to visit a range without looking at what is empty.
 */
pte_t *pt_next(paddr_t root, uintptr_t *addr, uintptr_t end);

/*
 * Unlink the tables on the way to ADDR that are empty, and put them on FREED (by page->link), to be
 * freed after the TLBs that may remember them have been flushed. pt_lock held.
 */
void pt_prune(paddr_t root, uintptr_t addr, struct list *freed);

/* --- the kernel's own half --- */

#define KERNEL_BASE 0xffffffff80000000UL /* where the image's physical 0 is linked */
#define KSTACK_BASE 0xffffc90000000000UL /* kernel stacks */
#define KSTACK_END 0xffffc98000000000UL
#define DEVICE_BASE 0xffffd00000000000UL /* device registers */
#define DEVICE_END 0xffffd08000000000UL

/*
 * Build the kernel's final tables and load them: all RAM at DIRECT_MAP, the image with each
 * section's own rights, nothing at the low addresses any more. The boot CPU, once, with boot_info
 * parsed and before page_init(). Until then the boot tables must map RAM below 1 GiB at DIRECT_MAP.
 */
void paging_init(const struct boot_info *bi);
/* What every other CPU loads. Constant after paging_init(). */
paddr_t paging_kernel_root(void);

/*
 * Memory that firmware wrote and that may be no RAM in boot_info's eyes (ACPI tables), cached, read
 * only. NULL.
 */
const void *paging_map_firmware(paddr_t pa, size_t size);

/* Map a page for reading and writing in the kernel's half (stacks). 0 or -ENOMEM. No lock held. */
int paging_map_kernel_page(uintptr_t addr, struct page *p);
/* Take it out again; the caller flushes. NULL when nothing was mapped there. */
struct page *paging_unmap_kernel_page(uintptr_t addr);
/*
 * Unlink the leaf table of the 2 MiB around ADDR, whose entries the caller knows to be empty and
 * keeps so. The caller flushes, then frees it. NULL when there is none.
 */
struct page *paging_detach_kernel_table(uintptr_t addr);

/* The tables that the boot used, once all CPUs have started: give them to the page allocator. */
void paging_free_boot_tables(void);
