/*
 * The page tables of programs: making them, finding a slot in them, visiting a range and pruning
 * what has become empty. Everything here works on one address space, whose mm->lock the caller
 * holds; the leaf entries themselves are read and written by mm/, under mm->pt_lock.
 *
 * An upper-level entry is stored with one write after the table it names is complete, because the
 * CPU and vmobject_truncate (which holds only pt_lock) walk the tables at any time. An upper level
 * only loses an entry in pt_prune, under both locks.
 */
#include "lib/assert.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/reclaim.h"
#include "x86/paging.h"
#include "x86/uaccess.h"

#define FANOUT 512u
#define USER_TOP_ENTRIES 256u /* of the top level: the rest is the kernel's */
#define TABLE_BITS (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED)

static inline pte_t *table_at(uint64_t entry)
{
    return phys_to_virt(entry & PTE_ADDR);
}

/* What one entry of each level covers, from the leaf (0) to the top (3). */
static inline unsigned level_shift(unsigned level)
{
    return PAGE_SHIFT + 9 * level;
}
static inline unsigned level_index(uintptr_t addr, unsigned level)
{
    return (addr >> level_shift(level)) & (FANOUT - 1);
}

static struct page *table_alloc(void)
{
    struct page *p = page_alloc(0, ALLOC_ZERO | memory_user_flags());
    if (p)
        p->flags |= PAGE_TABLE;
    return p;
}

paddr_t pt_create(void)
{
    struct page *p = page_alloc(0, memory_user_flags());
    if (!p)
        return 0;
    p->flags |= PAGE_TABLE;
    p->index = 1;
    pte_t *root = page_to_virt(p);
    const pte_t *kernel = phys_to_virt(paging_kernel_root());
    memset(root, 0, USER_TOP_ENTRIES * sizeof(pte_t));
    memcpy(root + USER_TOP_ENTRIES, kernel + USER_TOP_ENTRIES,
           (FANOUT - USER_TOP_ENTRIES) * sizeof(pte_t));
    return page_to_phys(p);
}

/*
 * Free what is left below the first ENTRIES of TABLE: tables that were made on the way to one for
 * which there was no memory.
 */
static void free_below(struct page *table, unsigned entries, unsigned level)
{
    if (table->users == 0)
        return;
    assert(level > 0); /* a leaf table with pages in it */
    pte_t *entry = page_to_virt(table);
    for (unsigned i = 0; i < entries; i++) {
        if (!(entry[i] & PTE_PRESENT))
            continue;
        free_below(pte_page(entry[i]), FANOUT, level - 1);
        page_put(pte_page(entry[i]));
    }
}

void pt_destroy(paddr_t root)
{
    struct page *p = pfn_to_page(root >> PAGE_SHIFT);
    free_below(p, USER_TOP_ENTRIES, 3);
    page_put(p);
}

size_t pt_count(paddr_t root)
{
    return READ_ONCE(pfn_to_page(root >> PAGE_SHIFT)->index);
}

pte_t *pt_slot(paddr_t root, uintptr_t addr)
{
    pte_t *table = phys_to_virt(root);
    for (unsigned level = 3; level > 0; level--) {
        pte_t e = READ_ONCE(table[level_index(addr, level)]);
        if (!(e & PTE_PRESENT))
            return NULL;
        table = table_at(e);
    }
    return &table[level_index(addr, 0)];
}

pte_t *pt_slot_create(paddr_t root, uintptr_t addr)
{
    assert(addr < USER_END);
    pte_t *table = phys_to_virt(root);
    for (unsigned level = 3; level > 0; level--) {
        pte_t *entry = &table[level_index(addr, level)];
        if (unlikely(!(*entry & PTE_PRESENT))) {
            struct page *p = table_alloc();
            if (!p)
                return NULL;
            virt_to_page(table)->users++;
            pfn_to_page(root >> PAGE_SHIFT)->index++;
            __atomic_store_n(entry, page_to_phys(p) | TABLE_BITS, __ATOMIC_RELEASE);
        }
        table = table_at(*entry);
    }
    return &table[level_index(addr, 0)];
}

pte_t *pt_next(paddr_t root, uintptr_t *addr, uintptr_t end)
{
    while (*addr < end) {
        pte_t *table = phys_to_virt(root);
        unsigned level = 3;
        for (; level > 0; level--) {
            pte_t e = READ_ONCE(table[level_index(*addr, level)]);
            if (!(e & PTE_PRESENT))
                break;
            table = table_at(e);
        }
        if (level == 0)
            return &table[level_index(*addr, 0)];
        /*
         * Nothing below this entry: on to what the next one in this table covers that isn't empty.
         */
        uintptr_t step = 1UL << level_shift(level);
        unsigned i = level_index(*addr, level);
        *addr = ALIGN_DOWN(*addr, step);
        do
            *addr += step;
        while (++i < FANOUT && *addr < end && !(READ_ONCE(table[i]) & PTE_PRESENT));
    }
    return NULL;
}

void pt_prune(paddr_t root, uintptr_t addr, struct list *freed)
{
    pte_t *path[4]; /* the tables on the way, by level */
    path[3] = phys_to_virt(root);
    for (unsigned level = 3; level > 0; level--) {
        pte_t e = path[level][level_index(addr, level)];
        if (!(e & PTE_PRESENT))
            return;
        path[level - 1] = table_at(e);
    }
    for (unsigned level = 0; level < 3; level++) {
        struct page *p = virt_to_page(path[level]);
        if (p->users > 0)
            return;
        WRITE_ONCE(path[level + 1][level_index(addr, level + 1)], 0);
        virt_to_page(path[level + 1])->users--;
        virt_to_page(path[3])->index--;
        list_push_back(freed, &p->link);
    }
}
