/*
 * The slab allocator (Bonwick, 1994).
 *
 * A slab is a block of pages cut into objects of one size, with a small header at its start; since
 * the block is aligned to its own size, an object's address leads to the header. A cache holds the
 * slabs of one kind of object: those with some objects free are on its `partial` list, full ones on
 * none, and of the empty ones a few are kept. The cache's lock guards all of that.
 *
 * In front stands, for each CPU, a chain of free objects that needs no lock: kernel code is never
 * preempted, so only an interrupt handler can get in between, and the `busy` flag sends that one to
 * the slabs instead. Objects move between chain and slabs a batch at a time.
 *
 *     slab:  | header | object | object | object | ...        free objects are chained:
 *                ^ free ---------^ ------------------^        the link is in the object itself
 *
 * Debug builds put two words behind each object: the link, and a state that says whether the object
 * is in use. They fill a freed object with 0x5a and look for changes when it is used again.
 */
#include "mm/slab.h"

#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/reclaim.h"
#include "mm/slab_internal.h"
#include "sched/lock.h"
#include "x86/cpu.h"

#define MIN_ALIGN 16
#define MAX_SLAB_ORDER 3
#define EMPTY_KEPT 1 /* empty slabs a cache holds on to */

struct slab {
    struct list link;         /* cache lock: partial list */
    struct slab_cache *cache; /* const */
    void *free;               /* cache lock: chain of free objects */
    unsigned in_use;          /* cache lock: objects not on that chain */
    unsigned total;           /* const */
    unsigned order;           /* const: of the pages */
};

static struct slab_cache
    *all_caches; /* atomic: by ->next; caches are added in front and never removed */

#define barrier() asm volatile("" ::: "memory")

static struct slab *slab_of(const void *obj)
{
    size_t bytes = PAGE_SIZE << virt_to_page(obj)->order;
    return (struct slab *)ALIGN_DOWN((uintptr_t)obj, bytes);
}

#ifdef CONFIG_DEBUG

#define STATE_FREE 0xf4eef4eef4eef4eeUL
#define STATE_USED 0xa110ca7eda110ca7UL
#define POISON_FRESH 0xa5
#define POISON_FREED 0x5a

struct debug_tail {
    void *link;
    uint64_t state;
};

static inline struct debug_tail *tail(const struct slab_cache *c, void *obj)
{
    return (struct debug_tail *)((char *)obj + c->stride - sizeof(struct debug_tail));
}

static inline void **link_of(const struct slab_cache *c, void *obj)
{
    return &tail(c, obj)->link;
}

static void debug_new(struct slab_cache *c, void *obj)
{
    memset(obj, POISON_FREED, c->size);
    tail(c, obj)->state = STATE_FREE;
}

static void debug_alloc(struct slab_cache *c, void *obj)
{
    struct debug_tail *t = tail(c, obj);
    if (t->state != STATE_FREE)
        panic("slab %s: free object %p has a damaged end (%#lx)", c->name, obj, t->state);
    const uint8_t *byte = obj;
    for (size_t i = 0; i < c->size; i++)
        if (byte[i] != POISON_FREED)
            panic("slab %s: object %p was written after it was freed: %#x at offset %zu", c->name,
                  obj, byte[i], i);
    t->state = STATE_USED;
    memset(obj, POISON_FRESH, c->size);
}

static void debug_free(struct slab_cache *c, void *obj)
{
    struct debug_tail *t = tail(c, obj);
    struct page *p = virt_to_page(obj);
    if (!(p->flags & PAGE_SLAB))
        panic("slab %s: %p is no slab object", c->name, obj);
    if (slab_of(obj)->cache != c)
        panic("slab %s: object %p belongs to %s", c->name, obj, slab_of(obj)->cache->name);
    if (t->state == STATE_FREE)
        panic("slab %s: object %p freed twice", c->name, obj);
    if (t->state != STATE_USED)
        panic("slab %s: written past the end of object %p (%#lx)", c->name, obj, t->state);
    t->state = STATE_FREE;
    memset(obj, POISON_FREED, c->size);
}

#define DEBUG_TAIL sizeof(struct debug_tail)

#else

static inline void **link_of(const struct slab_cache *c, void *obj)
{
    (void)c;
    return obj;
}
static inline void debug_new(struct slab_cache *c, void *obj)
{
    (void)c, (void)obj;
}
static inline void debug_alloc(struct slab_cache *c, void *obj)
{
    (void)c, (void)obj;
}
static inline void debug_free(struct slab_cache *c, void *obj)
{
    (void)c, (void)obj;
}
#define DEBUG_TAIL 0

#endif

/* --- slabs: cache lock held --- */

struct slab_cache *slab_cache_of(const void *obj)
{
    return slab_of(obj)->cache;
}

static size_t first_object(const struct slab_cache *c)
{
    return ALIGN_UP(sizeof(struct slab), c->align);
}

static unsigned objects_in(const struct slab_cache *c, unsigned order)
{
    return (unsigned)(((PAGE_SIZE << order) - first_object(c)) / c->stride);
}

/* A fresh slab, on no list, all objects free. A smaller one than usual when memory is in pieces. */
static struct slab *slab_new(struct slab_cache *c)
{
    unsigned order = c->order;
    struct page *p = page_alloc(order, 0);
    while (!p && order > 0 && objects_in(c, order - 1) > 0)
        p = page_alloc(--order, 0);
    if (!p)
        return NULL;
    for (unsigned i = 0; i < 1u << order; i++) {
        p[i].flags |= PAGE_SLAB;
        p[i].order = (uint8_t)order;
    }

    struct slab *s = page_to_virt(p);
    *s = (struct slab){.cache = c, .total = objects_in(c, order), .order = order};
    list_init(&s->link);
    for (unsigned i = s->total; i-- > 0;) {
        void *obj = (char *)s + first_object(c) + i * c->stride;
        debug_new(c, obj);
        *link_of(c, obj) = s->free;
        s->free = obj;
    }
    c->total += s->total;
    c->pages += 1UL << order;
    return s;
}

static void slab_destroy(struct slab_cache *c, struct slab *s)
{
    c->total -= s->total;
    c->pages -= 1UL << s->order;
    struct page *p = virt_to_page(s);
    for (unsigned i = 0; i < 1u << s->order; i++)
        p[i].flags &= (uint8_t)~PAGE_SLAB;
    page_free(p);
}

static void *take_from_slabs(struct slab_cache *c)
{
    struct slab *s;
    if (!list_empty(&c->partial)) {
        s = list_entry(c->partial.next, struct slab, link);
        if (s->in_use == 0)
            c->nempty--;
    } else {
        s = slab_new(c);
        if (!s)
            return NULL;
        list_push_front(&c->partial, &s->link);
    }
    void *obj = s->free;
    s->free = *link_of(c, obj);
    s->in_use++;
    c->out++;
    if (!s->free)
        list_remove(&s->link);
    return obj;
}

static void give_to_slabs(struct slab_cache *c, void *obj)
{
    struct slab *s = slab_of(obj);
    bool was_full = !s->free;
    *link_of(c, obj) = s->free;
    s->free = obj;
    c->out--;
    if (was_full)
        list_push_front(&c->partial, &s->link);
    if (--s->in_use > 0)
        return;
    list_remove(&s->link);
    if (c->nempty >= EMPTY_KEPT) {
        slab_destroy(c, s);
        return;
    }
    c->nempty++;
    list_push_back(&c->partial, &s->link);
}

/* --- the per-CPU chains --- */

static inline void chain_push(struct slab_cache *c, struct slab_chain *ch, void *obj)
{
    *link_of(c, obj) = ch->head;
    ch->head = obj;
    ch->count++;
}

static inline void *chain_pop(struct slab_cache *c, struct slab_chain *ch)
{
    void *obj = ch->head;
    ch->head = *link_of(c, obj);
    ch->count--;
    return obj;
}

/* An object from the slabs, and a batch more for this CPU. */
static noinline void *refill(struct slab_cache *c)
{
    spin_lock(&c->lock); /* interrupts are off from here: the CPU can't change */
    struct slab_chain *ch = &c->chain[cpu_id()];
    void *obj = take_from_slabs(c);
    /* What needs a new slab is left until it is wanted. */
    if (obj && !ch->busy)
        for (unsigned i = 1; i < c->chain_max / 2 && !list_empty(&c->partial); i++)
            chain_push(c, ch, take_from_slabs(c));
    spin_unlock(&c->lock);
    return obj;
}

static noinline void spill(struct slab_cache *c, void *obj)
{
    spin_lock(&c->lock);
    struct slab_chain *ch = &c->chain[cpu_id()];
    if (!ch->busy)
        while (ch->count > c->chain_max / 2)
            give_to_slabs(c, chain_pop(c, ch));
    give_to_slabs(c, obj);
    spin_unlock(&c->lock);
}

void *slab_alloc(struct slab_cache *c)
{
    struct slab_chain *ch = &c->chain[cpu_id()];
    void *obj = NULL;
    if (likely(!ch->busy)) {
        /* Only now look at the head: an interrupt before this may have emptied the chain. */
        ch->busy = true;
        barrier();
        if (likely(ch->head))
            obj = chain_pop(c, ch);
        barrier();
        ch->busy = false;
    }
    if (unlikely(!obj) && !(obj = refill(c)))
        return NULL;
    debug_alloc(c, obj);
    return obj;
}

void *slab_zalloc(struct slab_cache *c)
{
    void *obj = slab_alloc(c);
    if (obj)
        memset(obj, 0, c->size);
    return obj;
}

void slab_free(struct slab_cache *c, void *obj)
{
    if (unlikely(!obj))
        return;
    debug_free(c, obj);
    struct slab_chain *ch = &c->chain[cpu_id()];
    if (unlikely(ch->busy || ch->count >= c->chain_max)) {
        spill(c, obj);
        return;
    }
    ch->busy = true;
    barrier();
    chain_push(c, ch, obj);
    barrier();
    ch->busy = false;
}

/* --- caches --- */

/* The smallest block that wastes at most an eighth of itself. */
static unsigned choose_order(const struct slab_cache *c)
{
    for (unsigned order = 0; order < MAX_SLAB_ORDER; order++) {
        size_t bytes = PAGE_SIZE << order;
        unsigned n = objects_in(c, order);
        if (n > 0 && bytes - n * c->stride <= bytes / 8)
            return order;
    }
    return MAX_SLAB_ORDER;
}

void slab_cache_setup(struct slab_cache *c, const char *name, size_t size, size_t align)
{
    memset(c, 0, sizeof(*c));
    spin_init(&c->lock, RANK_SLAB, name);
    list_init(&c->partial);
    c->name = name;
    c->size = ALIGN_UP(size, sizeof(void *));
    c->align = max(align, (size_t)(size >= MIN_ALIGN ? MIN_ALIGN : sizeof(void *)));
    c->stride = ALIGN_UP(c->size + DEBUG_TAIL, c->align);
    c->chain_max = c->size <= 256 ? 32 : c->size <= 1024 ? 16 : 8;
    c->order = choose_order(c);
    assert(objects_in(c, c->order) > 0);
    c->next = atomic_load(&all_caches);
    while (!__atomic_compare_exchange_n(&all_caches, &c->next, c, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
        ;
}

struct slab_cache *slab_cache_create(const char *name, size_t size, size_t align)
{
    struct slab_cache *c = kmalloc(sizeof(*c));
    if (!c)
        panic("out of memory at boot: slab cache %s", name);
    slab_cache_setup(c, name, size, align);
    return c;
}

static inline struct slab_cache *next_cache(const struct slab_cache *c)
{
    return atomic_load(c ? &c->next : &all_caches);
}

/* Takes no lock: it may run on a CPU that waits for one. */
static void drain_this_cpu(void *arg)
{
    (void)arg;
    for (struct slab_cache *c = next_cache(NULL); c; c = next_cache(c)) {
        struct slab_chain *ch = &c->chain[cpu_id()];
        if (ch->busy || ch->drained)
            continue;
        ch->drained = ch->head;
        ch->head = NULL;
        ch->count = 0;
    }
}

/* The chains that CPUs have put aside, and the slabs that are empty with them. */
static void drain_cache(struct slab_cache *c)
{
    spin_lock(&c->lock);
    for (int cpu = 0; cpu < MAX_CPUS; cpu++)
        for (void *obj = atomic_xchg(&c->chain[cpu].drained, NULL), *next; obj; obj = next) {
            next = *link_of(c, obj);
            give_to_slabs(c, obj);
        }
    struct slab *s, *tmp;
    list_for_each_safe (s, tmp, &c->partial, link)
        if (s->in_use == 0) {
            list_remove(&s->link);
            c->nempty--;
            slab_destroy(c, s);
        }
    spin_unlock(&c->lock);
}

void slab_drain(void)
{
    memory_on_each_cpu(drain_this_cpu, NULL);
    for (struct slab_cache *c = next_cache(NULL); c; c = next_cache(c))
        drain_cache(c);
}

void slab_for_each(void (*emit)(void *ctx, const struct slab_stats *s), void *ctx)
{
    for (struct slab_cache *c = next_cache(NULL); c; c = next_cache(c)) {
        size_t chained = 0;
        for (int i = 0; i < MAX_CPUS; i++)
            chained += READ_ONCE(c->chain[i].count);
        spin_lock(&c->lock);
        struct slab_stats s = {
            .name = c->name,
            .object_size = c->size,
            .objects_in_use = c->out > chained ? c->out - chained : 0,
            .objects_total = c->total,
            .pages = c->pages,
        };
        spin_unlock(&c->lock);
        emit(ctx, &s);
    }
}
