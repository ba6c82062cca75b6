/*
 * Physical memory by the page. Every frame of RAM has a struct page; a buddy allocator hands them
 * out in blocks of 2^order, with a small cache of single pages per CPU in front. A page in use has
 * a reference count; page_put() of the last reference frees it. All RAM is mapped at one constant
 * distance (the direct map), so a page always has a kernel address.
 */
#pragma once

#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/types.h"

struct boot_info;

#define PAGE_MAX_ORDER 10

enum page_flags {
    PAGE_FREE = 1,      /* in the buddy allocator or a per-CPU cache */
    PAGE_SLAB = 2,      /* belongs to a slab: ->slab */
    PAGE_RESERVED = 4,  /* never allocatable: firmware holes, kernel image */
    PAGE_TABLE = 8,     /* a page table */
    PAGE_POISONED = 16, /* free, and filled with the free poison (debug builds) */
    PAGE_ANON = 32,     /* a program's own memory, of no object: counted until it is freed */
};

struct page {
    struct refcount ref; /* atomic; 0 when free */
    union {
        struct {
            uint8_t flags; /* owner; the allocator's lock while free */
            uint8_t order; /* of the block this page heads */
        };
        uint16_t state; /* both, for one look at a page that may be another CPU's: page.c */
    };
    /* Owner's use. Slab: objects in use. Page table: entries in use. An object's page: how often mapped. */
    uint16_t users;
    union {
        struct list link; /* allocator's lock while free; the owner's lock after */
        struct {
            void *owner;    /* the owner's lock */
            uint64_t index; /* the owner's lock */
        };
    };
};
_Static_assert(sizeof(struct page) <= 32, "a page descriptor costs a 128th of memory");

#define DIRECT_MAP 0xffff888000000000UL /* kernel address of physical 0 */

static inline void *phys_to_virt(paddr_t pa)
{
    return (void *)(DIRECT_MAP + pa);
}
static inline paddr_t virt_to_phys(const void *va)
{
    return (uintptr_t)va - DIRECT_MAP;
} /* direct map only */

extern struct page *page_array;   /* const after init: indexed by pfn - page_base */
extern pfn_t page_base, page_end; /* const after init */
static inline struct page *pfn_to_page(pfn_t pfn)
{
    return &page_array[pfn - page_base];
}
static inline pfn_t page_to_pfn(const struct page *p)
{
    return (pfn_t)(p - page_array) + page_base;
}
static inline paddr_t page_to_phys(const struct page *p)
{
    return page_to_pfn(p) << PAGE_SHIFT;
}
static inline void *page_to_virt(const struct page *p)
{
    return phys_to_virt(page_to_phys(p));
}
static inline struct page *virt_to_page(const void *va)
{
    return pfn_to_page(virt_to_phys(va) >> PAGE_SHIFT);
}

/*
 * Build the page array and free all RAM above 1 MiB that neither the kernel nor the initrd
 * occupies.
 */
void page_init(const struct boot_info *bi);
/*
 * Give a physical range (the initrd, boot-only code) to the allocator: the pages wholly inside it.
 */
void page_free_range(paddr_t start, paddr_t end);
/* The RAM below 1 MiB too, once all processors have started: nothing in it is needed any more. */
void page_free_low(const struct boot_info *bi);

enum alloc_flags {
    ALLOC_ZERO = 1, /* filled with zeroes */
    ALLOC_USER = 2, /* for a program: fails while the kernel's small reserve is all that is left */
};

/*
 * A block of 2^order pages, count 1, contents undefined (poisoned in debug builds). NULL when out.
 * Never sleeps.
 */
struct page *page_alloc(unsigned order, unsigned flags);
static inline void page_get(struct page *p)
{
    ref_get(&p->ref);
}
/*
 * Is there room to begin something that will want more, a process above all? It is refused while
 * there is still enough for those that run.
 */
bool page_has_room(void);
/*
 * Is there more than the part that programs are left with? Killing processes doesn't get back what outlives
 * who took it, files and messages above all: who makes more of that asks first.
 */
bool page_has_room_to_keep(void);
void page_free(struct page *p); /* the count must have reached 0 or be the caller's 1 */
static inline void page_put(struct page *p)
{
    if (ref_put(&p->ref))
        page_free(p);
}

extern size_t page_anon_count; /* atomic: pages that are PAGE_ANON, for /proc/meminfo */
/* P, fresh, is a program's own memory; or, taken over by an object, is that no more. */
static inline void page_set_anon(struct page *p)
{
    p->flags |= PAGE_ANON;
    atomic_add(&page_anon_count, 1);
}
static inline void page_clear_anon(struct page *p)
{
    if (p->flags & PAGE_ANON)
        atomic_sub(&page_anon_count, 1);
    p->flags &= (uint8_t)~PAGE_ANON;
}

extern size_t page_mapped_count; /* atomic: pages of objects that are mapped anywhere */
/* P, a page of an object, is mapped once more; or once less. */
static inline void page_add_mapping(struct page *p)
{
    if (__atomic_fetch_add(&p->users, 1, __ATOMIC_RELAXED) == 0)
        atomic_add(&page_mapped_count, 1);
}
static inline void page_remove_mapping(struct page *p)
{
    if (__atomic_fetch_sub(&p->users, 1, __ATOMIC_RELAXED) == 1)
        atomic_sub(&page_mapped_count, 1);
}

/* const after init: all zeroes, for all who read what was never written. Page tables don't count it. */
extern struct page *zero_page;

/*
 * Totals for /proc/meminfo, sysinfo and leak checks. page_total is all RAM, what the kernel's image
 * and the page array take included; page_free_count includes what the per-CPU caches hold.
 * page_drain gives those caches back, so that blocks can merge: interrupts on, no spinlock held.
 */
size_t page_total(void);
size_t page_free_count(void);
void page_drain(void);
