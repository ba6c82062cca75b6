/*
 * Buffers: the pieces that queues are made of (ipc/queue.h). A pipe that passes one byte at a time would
 * allocate a page and free it again for every byte, so each CPU keeps a few buffers with their pages ready.
 * The store of a CPU is touched by that CPU alone and with interrupts off, hence needs no lock.
 */
#include "ipc/queue.h"
#include "mm/page.h"
#include "mm/reclaim.h"
#include "mm/slab.h"
#include "x86/cpu.h"

#define SPARE_MAX \
    16 /* what one full pipe holds: a long write and its reader then hand the same ones round */
#define SMALL_MAX 1024

struct buf_store {
    unsigned count;               /* this CPU only */
    struct buf *spare[SPARE_MAX]; /* this CPU only: each with an unshared page */
} aligned(64);

static struct buf_store stores[MAX_CPUS];
static struct slab_cache *buf_cache; /* const after init */

void queue_init_subsystem(void)
{
    buf_cache = slab_cache_create("buf", sizeof(struct buf), 0);
}

static struct buf *buf_for_page(struct page *p)
{
    struct buf *b = slab_alloc(buf_cache);

    if (!b)
        return NULL;
    b->page = p;
    b->base = page_to_virt(p);
    b->off = b->len = 0;
    b->room = PAGE_SIZE;
    b->flags = 0;
    b->cargo = NULL;
    return b;
}

static struct buf *take_spare(void)
{
    struct buf *b = NULL;

    irq_push_off();
    struct buf_store *s = &stores[cpu_id()];
    if (s->count)
        b = s->spare[--s->count];
    irq_pop_off();
    return b;
}

/* False when this CPU's store is full. */
static bool keep_spare(struct buf *b)
{
    bool kept = false;

    irq_push_off();
    struct buf_store *s = &stores[cpu_id()];
    if (s->count < SPARE_MAX) {
        s->spare[s->count++] = b;
        kept = true;
    }
    irq_pop_off();
    return kept;
}

struct buf *buf_alloc(void)
{
    struct buf *b = take_spare();

    if (b) {
        b->off = b->len = b->flags = 0;
        return b;
    }
    struct page *p = page_alloc(0, ALLOC_USER);
    if (!p)
        return NULL;
    b = buf_for_page(p);
    if (!b)
        page_put(p);
    return b;
}

struct buf *buf_alloc_small(size_t room)
{
    if (room > SMALL_MAX)
        return buf_alloc();
    struct buf *b = kmalloc(sizeof(*b) + room);
    if (!b)
        return NULL;
    b->page = NULL;
    b->base = (char *)(b + 1);
    b->off = b->len = 0;
    b->room = (uint32_t)room;
    b->flags = 0;
    b->cargo = NULL;
    return b;
}

struct buf *buf_from_page(struct page *p, uint32_t off, uint32_t len)
{
    struct buf *b = buf_for_page(p);

    if (!b)
        return NULL;
    page_get(p);
    b->off = off;
    b->len = len;
    b->flags = BUF_SHARED;
    return b;
}

static void buf_release(struct buf *b)
{
    page_put(b->page);
    slab_free(buf_cache, b);
}

void buf_free(struct buf *b)
{
    if (unlikely(b->cargo)) {
        cargo_put(b->cargo);
        b->cargo = NULL;
    }
    if (!b->page)
        kfree(b);
    else if (b->flags & BUF_SHARED || ref_read(&b->page->ref) != 1 || !keep_spare(b))
        buf_release(b);
}

static void drain_this_cpu(void *arg)
{
    struct buf *b;

    (void)arg;
    while ((b = take_spare()))
        buf_release(b);
}

void buf_drain(void)
{
    memory_on_each_cpu(drain_this_cpu, NULL);
}
