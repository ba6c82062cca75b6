/*
 * The page allocator.
 *
 * Behind: a buddy allocator (Knowlton, 1965). Free memory is kept in blocks of 2^order pages,
 * aligned to their size, one list an order. A block too large is halved until it fits; a block that
 * comes back is joined with its other half (its "buddy": the block number with one bit flipped) as
 * long as that is free and whole. buddy_lock guards all of it.
 *
 * In front: each CPU keeps a handful of single pages, taken and returned a batch at a time, so that
 * the common case needs no lock. Kernel code is never preempted, so only an interrupt handler can
 * get in between; the `busy` flag tells it to go to the buddy allocator instead.
 *
 * A struct page whose PAGE_FREE is set heads a block on a list (order says which) or is in a CPU's
 * cache (order is ORDER_CACHED, which no buddy looks for). The array covers the holes between
 * pieces of RAM, but only the 2^PAGE_MAX_ORDER-aligned blocks that touch RAM are ever looked at,
 * and initialised.
 *
 * ALLOC_USER requests fail while only the reserve is left, so that the kernel can always finish
 * what frees memory: an exit needs a few small objects now and then.
 *
 * Debug builds fill a page with 0x5a when it is freed and check that at the next allocation:
 * whoever wrote to it in between had no right to. They hand out pages filled with 0xa5.
 */
#include "mm/page.h"

#include "lib/assert.h"
#include "lib/string.h"
#include "mm/boot_memory.h"
#include "mm/reclaim.h"
#include "sched/lock.h"
#include "x86/boot_info.h"
#include "x86/cpu.h"

#define MAX_BLOCK (1UL << PAGE_MAX_ORDER)
#define ORDER_CACHED 0xff
#define CACHE_MAX 32
#define CACHE_BATCH 16
#define LOW_MEMORY_END 0x100000
#define TRAMPOLINE 0x8000 /* boot/layout.inc: where a CPU that comes late still looks */

#define POISON_FREE 0x5a5a5a5a5a5a5a5aUL
#define POISON_FRESH 0xa5

struct page *page_array;
#define LEFT_TO_PROGRAMS 32 /* this part of all pages */

pfn_t page_base, page_end;
size_t page_anon_count, page_mapped_count;

static struct spinlock buddy_lock = SPINLOCK_INIT(RANK_PAGE, "page allocator");
static struct list free_blocks[PAGE_MAX_ORDER + 1]; /* buddy_lock */
static size_t buddy_free;                           /* buddy_lock to write */
static size_t reserve;                              /* const after init: pages */
static size_t total;                                /* const after init: pages of RAM */

struct page_cache {
    struct page *head; /* this CPU only: linked through link.next */
    unsigned count;    /* this CPU only; others may read */
    bool busy;         /* this CPU only: the list is being changed */
};
static struct page_cache caches[MAX_CPUS];

#define barrier() asm volatile("" ::: "memory")

/* --- the buddy allocator: buddy_lock held --- */

static void block_insert(struct page *p, unsigned order)
{
    p->flags |= PAGE_FREE;
    p->order = (uint8_t)order;
    list_push_front(&free_blocks[order], &p->link);
}

static void block_remove(struct page *p)
{
    list_remove(&p->link);
    p->flags &= (uint8_t)~PAGE_FREE;
}

static struct page *buddy_take(unsigned order)
{
    unsigned have = order;
    while (list_empty(&free_blocks[have]))
        if (++have > PAGE_MAX_ORDER)
            return NULL;
    struct page *p = list_entry(free_blocks[have].next, struct page, link);
    block_remove(p);
    while (have > order) {
        have--;
        block_insert(p + (1UL << have), have);
    }
    buddy_free -= 1UL << order;
    return p;
}

/* Does P head a free block of ORDER? P may be in use, or in a CPU's cache, and change as we look. */
static bool is_free_block(const struct page *p, unsigned order)
{
    struct page look = {.state = READ_ONCE(p->state)};
    return (look.flags & PAGE_FREE) && look.order == order;
}

static void buddy_give(struct page *p, unsigned order)
{
    buddy_free += 1UL << order;
    pfn_t index = (pfn_t)(p - page_array); /* page_base is aligned to the largest block */
    while (order < PAGE_MAX_ORDER) {
        struct page *buddy = &page_array[index ^ (1UL << order)];
        if (!is_free_block(buddy, order))
            break;
        block_remove(buddy);
        index &= ~(1UL << order);
        order++;
    }
    block_insert(&page_array[index], order);
}

/* --- the per-CPU caches --- */

/*
 * Another CPU, giving back P's buddy, may look at P at any moment, with a lock that we don't hold: it must never
 * see PAGE_FREE together with an order that it could join. It looks at both at once (is_free_block), and the
 * order is stored before the flag here and after it in page_alloc(), so the two never stand together;
 * x86 lets no CPU see two stores in another order.
 */
static inline void cache_push(struct page_cache *c, struct page *p)
{
    WRITE_ONCE(p->order, ORDER_CACHED);
    WRITE_ONCE(p->flags, p->flags | PAGE_FREE);
    p->link.next = (struct list *)c->head;
    c->head = p;
    c->count++;
}

static inline struct page *cache_pop(struct page_cache *c)
{
    struct page *p = c->head;
    c->head = (struct page *)p->link.next;
    c->count--;
    return p;
}

/* One page from behind, and a batch more for this CPU's cache. */
static noinline struct page *cache_refill(void)
{
    spin_lock(&buddy_lock); /* interrupts are off from here: the CPU can't change */
    struct page_cache *c = &caches[cpu_id()];
    struct page *p = buddy_take(0);
    if (p && !c->busy)
        for (int i = 0; i < CACHE_BATCH; i++) {
            struct page *extra = buddy_take(0);
            if (!extra)
                break;
            cache_push(c, extra);
        }
    spin_unlock(&buddy_lock);
    return p;
}

/* P to behind, and all but BATCH of this CPU's cache. */
static noinline void cache_spill(struct page *p)
{
    spin_lock(&buddy_lock);
    struct page_cache *c = &caches[cpu_id()];
    if (!c->busy)
        while (c->count > CACHE_BATCH)
            buddy_give(cache_pop(c), 0);
    buddy_give(p, 0);
    spin_unlock(&buddy_lock);
}

static inline struct page *cache_alloc(void)
{
    struct page_cache *c = &caches[cpu_id()];
    struct page *p = NULL;

    if (likely(!c->busy)) {
        /* Only now look at the head: an interrupt before this may have emptied the cache. */
        c->busy = true;
        barrier();
        if (likely(c->head))
            p = cache_pop(c);
        barrier();
        c->busy = false;
    }
    return likely(p) ? p : cache_refill();
}

static inline void cache_free(struct page *p)
{
    struct page_cache *c = &caches[cpu_id()];
    if (unlikely(c->busy || c->count >= CACHE_MAX)) {
        cache_spill(p);
        return;
    }
    c->busy = true;
    barrier();
    cache_push(c, p);
    barrier();
    c->busy = false;
}

/* --- poison --- */

#ifdef CONFIG_DEBUG
static void poison_freed(struct page *p, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        memset(page_to_virt(&p[i]), POISON_FREE & 0xff, PAGE_SIZE);
        p[i].flags |= PAGE_POISONED;
    }
}

static void poison_check(struct page *p, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!(p[i].flags & PAGE_POISONED))
            continue;
        const uint64_t *word = page_to_virt(&p[i]);
        for (size_t w = 0; w < PAGE_SIZE / sizeof(*word); w++)
            if (word[w] != POISON_FREE)
                panic("page %#lx was written after it was freed: %#lx at offset %#zx",
                      page_to_phys(&p[i]), word[w], w * sizeof(*word));
        p[i].flags &= (uint8_t)~PAGE_POISONED;
    }
}
#else
static inline void poison_freed(struct page *p, size_t count)
{
    (void)p;
    (void)count;
}
static inline void poison_check(struct page *p, size_t count)
{
    (void)p;
    (void)count;
}
#endif

/* --- the allocator --- */

static noinline struct page *block_alloc(unsigned order)
{
    spin_lock(&buddy_lock);
    struct page *p = buddy_take(order);
    spin_unlock(&buddy_lock);
    return p;
}

struct page *page_alloc(unsigned order, unsigned flags)
{
    assert(order <= PAGE_MAX_ORDER);
    if ((flags & ALLOC_USER) && unlikely(READ_ONCE(buddy_free) <= reserve))
        return NULL;
    struct page *p = order == 0 ? cache_alloc() : block_alloc(order);
    if (unlikely(!p))
        return NULL;

    poison_check(p, 1UL << order);
    ref_init(&p->ref, 1);
    WRITE_ONCE(p->flags, 0);
    WRITE_ONCE(p->order, (uint8_t)order); /* after the flag: see cache_push() */
    p->users = 0;
    if (flags & ALLOC_ZERO)
        memset(page_to_virt(p), 0, PAGE_SIZE << order);
#ifdef CONFIG_DEBUG
    else
        memset(page_to_virt(p), POISON_FRESH, PAGE_SIZE << order);
#endif
    return p;
}

bool page_has_room(void)
{
    return READ_ONCE(buddy_free) > 3 * reserve;
}

bool page_has_room_to_keep(void)
{
    return page_free_count() >= page_total() / LEFT_TO_PROGRAMS;
}

void page_free(struct page *p)
{
    assert(ref_read(&p->ref) == 0 || ref_read(&p->ref) == 1);
    assert(!(p->flags & (PAGE_FREE | PAGE_RESERVED)));
    unsigned order = p->order;
    ref_init(&p->ref, 0);
    page_clear_anon(p);
    p->flags = 0;
    poison_freed(p, 1UL << order);
    if (order == 0) {
        cache_free(p);
        return;
    }
    spin_lock(&buddy_lock);
    buddy_give(p, order);
    spin_unlock(&buddy_lock);
}

/* --- the start --- */

void page_free_range(paddr_t start, paddr_t end)
{
    pfn_t pfn = ALIGN_UP(start, PAGE_SIZE) >> PAGE_SHIFT;
    pfn_t stop = end >> PAGE_SHIFT;

    while (pfn < stop) {
        unsigned order = 0;
        while (order < PAGE_MAX_ORDER && !(pfn & (1UL << order)) && pfn + (2UL << order) <= stop)
            order++;
        struct page *p = pfn_to_page(pfn);
        for (size_t i = 0; i < 1UL << order; i++) {
            assert(p[i].flags == PAGE_RESERVED);
            p[i].flags = 0;
        }
        spin_lock(&buddy_lock);
        buddy_give(p, order);
        spin_unlock(&buddy_lock);
        pfn += 1UL << order;
    }
}

/* Describe the largest-order blocks that [start, end) touches as not allocatable. */
static void describe_region(paddr_t start, paddr_t end)
{
    pfn_t first = ALIGN_DOWN(start >> PAGE_SHIFT, MAX_BLOCK);
    pfn_t stop = ALIGN_UP(end >> PAGE_SHIFT, MAX_BLOCK);
    memset(pfn_to_page(first), 0, (stop - first) * sizeof(struct page));
    for (struct page *p = pfn_to_page(first); p < pfn_to_page(stop); p++)
        p->flags = PAGE_RESERVED;
}

void page_init(const struct boot_info *bi)
{
    if (bi->nregions == 0)
        panic("the loader reports no memory");
    for (unsigned i = 0; i <= PAGE_MAX_ORDER; i++)
        list_init(&free_blocks[i]);

    page_base = ALIGN_DOWN(bi->region[0].start >> PAGE_SHIFT, MAX_BLOCK);
    page_end = ALIGN_UP(bi->region[bi->nregions - 1].end >> PAGE_SHIFT, MAX_BLOCK);
    size_t size = (page_end - page_base) * sizeof(struct page);
    page_array = phys_to_virt(boot_alloc(size, PAGE_SIZE, UINT64_MAX));
    for (unsigned i = 0; i < bi->nregions; i++) {
        describe_region(bi->region[i].start, bi->region[i].end);
        total += (bi->region[i].end - bi->region[i].start) >> PAGE_SHIFT;
    }
    boot_memory_release(page_free_range);
    reserve = min(max(total / 128, (size_t)64), (size_t)1024);
}

void page_free_low(const struct boot_info *bi)
{
    for (unsigned i = 0; i < bi->nregions; i++) {
        /* Physical page 0 stays out: a stray null must not be somebody's data. */
        paddr_t start = max(bi->region[i].start, (paddr_t)PAGE_SIZE);
        paddr_t end = min(bi->region[i].end, (paddr_t)LOW_MEMORY_END);
        if (start < min(end, (paddr_t)TRAMPOLINE))
            page_free_range(start, min(end, (paddr_t)TRAMPOLINE));
        start = max(start, (paddr_t)(TRAMPOLINE + PAGE_SIZE));
        if (start < end)
            page_free_range(start, end);
    }
}

/* --- totals --- */

size_t page_total(void)
{
    return total;
}

size_t page_free_count(void)
{
    size_t n = READ_ONCE(buddy_free);
    for (int i = 0; i < MAX_CPUS; i++)
        n += READ_ONCE(caches[i].count);
    return n;
}

/* The pages each CPU gave back: its own element, written before it answers. */
struct drained {
    struct page *head[MAX_CPUS];
};

/* Takes no lock: it may run on a CPU that waits for one. */
static void drain_this_cpu(void *arg)
{
    struct drained *d = arg;
    struct page_cache *c = &caches[cpu_id()];
    if (c->busy)
        return;
    d->head[cpu_id()] = c->head;
    c->head = NULL;
    c->count = 0;
}

void page_drain(void)
{
    struct drained d = {0};
    memory_on_each_cpu(drain_this_cpu, &d);
    for (int cpu = 0; cpu < MAX_CPUS; cpu++)
        for (struct page *p = d.head[cpu], *next; p; p = next) {
            next = (struct page *)p->link.next;
            spin_lock(&buddy_lock);
            buddy_give(p, 0);
            spin_unlock(&buddy_lock);
        }
}
