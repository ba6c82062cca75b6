/*
 * Objects and address spaces, from inside: pages go where they should, and all of them come back.
 */
#include "tests/kernel/ktest.h"

#include <abi/mman.h>

#include "lib/string.h"
#include "mm/mm.h"
#include "mm/reclaim.h"
#include "mm/vmobject.h"
#include "x86/uaccess.h"

#define RW (PROT_READ | PROT_WRITE)
#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)

static size_t settled_free_pages(void)
{
    memory_drain();
    return page_free_count();
}

static long map(struct mm *mm, uintptr_t addr, size_t pages, unsigned flags, struct vmobject *o)
{
    return mm_map(mm, addr, pages * PAGE_SIZE, RW, RWX, flags, o, 0, NULL, NULL);
}

static int peek(struct mm *mm, uintptr_t addr)
{
    uint8_t byte;
    return mm_read(mm, addr, &byte, 1) == 1 ? byte : -1;
}

static bool poke(struct mm *mm, uintptr_t addr, uint8_t byte)
{
    return mm_write(mm, addr, &byte, 1) == 1;
}

KTEST(vmobject, pages_come_zeroed_and_go)
{
    size_t before = settled_free_pages(), shared = vmobject_total_pages();
    struct vmobject *o = vmobject_create(1UL << 30);
    KEXPECT(vmobject_page(o, 5, false) == NULL);
    static const uint64_t index[] = {0, 63, 64, 5000, (1UL << 18) - 1};
    for (size_t i = 0; i < ARRAY_SIZE(index); i++) {
        struct page *p = vmobject_page(o, index[i], true);
        KEXPECT(!is_err(p) && *(uint64_t *)page_to_virt(p) == 0);
        memset(page_to_virt(p), 1, PAGE_SIZE);
        page_put(p);
    }
    KEXPECT_EQ(vmobject_total_pages(), shared + 5);
    KEXPECT_EQ(vmobject_seek(o, 1, true), 1);
    KEXPECT_EQ(vmobject_seek(o, PAGE_SIZE, true), 63 * PAGE_SIZE);
    KEXPECT_EQ(vmobject_seek(o, 63 * PAGE_SIZE, false), 65 * PAGE_SIZE);
    vmobject_punch(o, 63 * PAGE_SIZE + 100, 65 * PAGE_SIZE);
    struct page *p = vmobject_page(o, 63, false);
    KEXPECT(p && ((uint8_t *)page_to_virt(p))[99] == 1 && ((uint8_t *)page_to_virt(p))[100] == 0);
    if (p)
        page_put(p);
    KEXPECT(vmobject_page(o, 64, false) == NULL);
    vmobject_truncate(o, 10);
    KEXPECT_EQ(o->npages, 1);
    p = vmobject_page(o, 0, false);
    KEXPECT(p && ((uint8_t *)page_to_virt(p))[9] == 1 && ((uint8_t *)page_to_virt(p))[10] == 0);
    if (p)
        page_put(p);
    vmobject_put(o);
    KEXPECT_EQ(vmobject_total_pages(), shared);
    KEXPECT_EQ(settled_free_pages(), before);
}

KTEST(vmobject, truncation_reaches_every_mapping)
{
    size_t before = settled_free_pages();
    struct vmobject *o = vmobject_create(8 * PAGE_SIZE);
    struct mm *a = mm_create(), *b = mm_create();
    uintptr_t shared = 0x10000000, copy = 0x20000000;
    KEXPECT_EQ(map(a, shared, 8, MAP_SHARED | MAP_FIXED, o), (long)shared);
    KEXPECT_EQ(map(b, copy, 8, MAP_PRIVATE | MAP_FIXED, o), (long)copy);
    for (unsigned i = 0; i < 8; i++)
        KEXPECT(poke(a, shared + i * PAGE_SIZE, 10 + i));
    KEXPECT_EQ(peek(b, copy + 6 * PAGE_SIZE), 16);
    KEXPECT(poke(b, copy + 7 * PAGE_SIZE, 77)); /* a private copy */
    KEXPECT_EQ(peek(a, shared + 7 * PAGE_SIZE), 17);
    vmobject_truncate(o, 3 * PAGE_SIZE);
    KEXPECT_EQ(o->npages, 3);
    KEXPECT_EQ(peek(a, shared + 2 * PAGE_SIZE), 12);
    KEXPECT_EQ(peek(a, shared + 3 * PAGE_SIZE), -1);
    KEXPECT_EQ(peek(b, copy + 7 * PAGE_SIZE), -1);
    vmobject_truncate(o, 8 * PAGE_SIZE);
    KEXPECT_EQ(peek(b, copy + 7 * PAGE_SIZE), 0);
    mm_put(b);
    mm_put(a);
    KEXPECT(list_empty(&o->areas));
    vmobject_put(o);
    KEXPECT_EQ(settled_free_pages(), before);
}

KTEST(mm, fork_copies_on_write)
{
    size_t before = settled_free_pages();
    struct mm *parent = mm_create();
    long at = map(parent, 0, 1000, PRIVATE, NULL);
    KEXPECT(at > 0);
    uintptr_t addr = (uintptr_t)at;
    for (unsigned i = 0; i < 1000; i += 3)
        KEXPECT(poke(parent, addr + i * PAGE_SIZE, (uint8_t)i));
    KEXPECT_EQ(parent->rss_anon, 334);
    struct mm *child = mm_fork(parent);
    KEXPECT(!is_err(child));
    KEXPECT_EQ(child->rss_anon, 334);
    KEXPECT(poke(child, addr + 3 * PAGE_SIZE, 200));
    KEXPECT(poke(parent, addr + 6 * PAGE_SIZE, 201));
    KEXPECT_EQ(peek(parent, addr + 3 * PAGE_SIZE), 3);
    KEXPECT_EQ(peek(child, addr + 3 * PAGE_SIZE), 200);
    KEXPECT_EQ(peek(child, addr + 6 * PAGE_SIZE), 6);
    KEXPECT_EQ(peek(child, addr + PAGE_SIZE), 0);
    mm_put(parent);
    KEXPECT_EQ(peek(child, addr + 9 * PAGE_SIZE), 9);
    mm_put(child);
    KEXPECT_EQ(settled_free_pages(), before);
}

KTEST(mm, protection_splits_and_merges)
{
    size_t before = settled_free_pages();
    struct mm *mm = mm_create();
    uintptr_t addr = (uintptr_t)map(mm, 0, 16, PRIVATE, NULL);
    unsigned areas = mm->nareas;
    KEXPECT(poke(mm, addr + 5 * PAGE_SIZE, 55));
    KEXPECT_EQ(mm_protect(mm, addr + 4 * PAGE_SIZE, 4 * PAGE_SIZE, PROT_NONE), 0);
    KEXPECT_EQ(mm->nareas, areas + 2);
    KEXPECT_EQ(mm_protect(mm, addr + 4 * PAGE_SIZE, 4 * PAGE_SIZE, RW), 0);
    KEXPECT_EQ(mm->nareas, areas);
    KEXPECT_EQ(peek(mm, addr + 5 * PAGE_SIZE), 55);
    KEXPECT_EQ(mm_protect(mm, addr + 15 * PAGE_SIZE, 2 * PAGE_SIZE, PROT_READ), -ENOMEM);
    KEXPECT_EQ(mm_unmap(mm, addr + PAGE_SIZE, PAGE_SIZE), 0);
    KEXPECT_EQ(peek(mm, addr + PAGE_SIZE), -1);
    KEXPECT_EQ(map(mm, addr + PAGE_SIZE, 1, PRIVATE | MAP_FIXED_NOREPLACE, NULL),
               (long)(addr + PAGE_SIZE));
    KEXPECT_EQ(map(mm, addr + PAGE_SIZE, 1, PRIVATE | MAP_FIXED_NOREPLACE, NULL), -EEXIST);
    mm_put(mm);
    KEXPECT_EQ(settled_free_pages(), before);
}

KTEST(mm, remap_carries_the_pages)
{
    size_t before = settled_free_pages();
    struct mm *mm = mm_create();
    uintptr_t addr = (uintptr_t)map(mm, 0x40000000, 700, PRIVATE | MAP_FIXED, NULL);
    for (unsigned i = 0; i < 700; i += 7)
        KEXPECT(poke(mm, addr + i * PAGE_SIZE, (uint8_t)(i / 7)));
    KEXPECT_EQ(map(mm, addr + 700 * PAGE_SIZE, 1, PRIVATE | MAP_FIXED, NULL),
               (long)(addr + 700 * PAGE_SIZE)); /* a merged neighbour: grow by moving only */
    KEXPECT_EQ(mm_protect(mm, addr + 700 * PAGE_SIZE, PAGE_SIZE, PROT_READ), 0);
    KEXPECT_EQ(mm_remap(mm, addr, 700 * PAGE_SIZE, 900 * PAGE_SIZE, 0, 0), -ENOMEM);
    long to = mm_remap(mm, addr, 700 * PAGE_SIZE, 900 * PAGE_SIZE, MREMAP_MAYMOVE, 0);
    KEXPECT(to > 0 && to != (long)addr);
    for (unsigned i = 0; i < 700; i += 7)
        KEXPECT_EQ(peek(mm, (uintptr_t)to + i * PAGE_SIZE), (uint8_t)(i / 7));
    KEXPECT_EQ(peek(mm, addr), -1);
    KEXPECT_EQ(peek(mm, (uintptr_t)to + 899 * PAGE_SIZE), 0);
    KEXPECT_EQ(mm_remap(mm, (uintptr_t)to, 900 * PAGE_SIZE, PAGE_SIZE, 0, 0), to);
    KEXPECT_EQ(mm->rss_anon, 1);
    mm_put(mm);
    KEXPECT_EQ(settled_free_pages(), before);
}

KTEST(mm, hostile_arguments_are_refused)
{
    struct mm *mm = mm_create();
    KEXPECT_EQ(mm_map(mm, 0, 0, RW, RWX, PRIVATE, NULL, 0, NULL, NULL), -EINVAL);
    KEXPECT_EQ(mm_map(mm, 0, SIZE_MAX, RW, RWX, PRIVATE, NULL, 0, NULL, NULL), -ENOMEM);
    KEXPECT_EQ(mm_map(mm, 0, USER_END + PAGE_SIZE, RW, RWX, PRIVATE, NULL, 0, NULL, NULL), -ENOMEM);
    KEXPECT_EQ(map(mm, USER_END, 1, PRIVATE | MAP_FIXED, NULL), -ENOMEM);
    KEXPECT_EQ(map(mm, 0x400001, 1, PRIVATE | MAP_FIXED, NULL), -EINVAL);
    KEXPECT_EQ(mm_unmap(mm, 0x400000, 0), -EINVAL);
    KEXPECT_EQ(mm_unmap(mm, USER_END - PAGE_SIZE, 2 * PAGE_SIZE), -EINVAL);
    KEXPECT_EQ(mm_unmap(mm, 0x400000, SIZE_MAX), -EINVAL);
    KEXPECT_EQ(mm_protect(mm, 0x400000, SIZE_MAX - PAGE_SIZE, PROT_READ), -ENOMEM);
    KEXPECT_EQ(mm_remap(mm, 0x400000, PAGE_SIZE, SIZE_MAX, MREMAP_MAYMOVE, 0), -EINVAL);
    KEXPECT_EQ(mm_advise(mm, 0x400000, SIZE_MAX, MADV_DONTNEED), -EINVAL);
    KEXPECT_EQ(mm_advise(mm, 0x400000, PAGE_SIZE, 12345), -EINVAL);
    KEXPECT(peek(mm, USER_END) == -1 && peek(mm, UINTPTR_MAX) == -1);
    mm_put(mm);
}
