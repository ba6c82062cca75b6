/*
 * kmalloc: memory of any size. Up to 2048 bytes it is an object of the smallest general cache that
 * fits; above, a block of whole pages, whose size the page's descriptor remembers. kfree tells the
 * two apart by the page's flags, so it needs no size.
 */
#include "lib/assert.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/slab_internal.h"

#define SMALL_MAX 2048
#define CLASS_STEP 16

static const struct {
    uint16_t size;
    const char *name;
} classes[] = {
    {16, "kmalloc-16"},     {32, "kmalloc-32"},     {64, "kmalloc-64"},   {96, "kmalloc-96"},
    {128, "kmalloc-128"},   {192, "kmalloc-192"},   {256, "kmalloc-256"}, {512, "kmalloc-512"},
    {1024, "kmalloc-1024"}, {2048, "kmalloc-2048"},
};

static struct slab_cache general[ARRAY_SIZE(classes)];
static uint8_t
    class_of[SMALL_MAX / CLASS_STEP + 1]; /* const after init: by size in steps, rounded up */

void slab_init(void)
{
    unsigned step = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(classes); i++) {
        slab_cache_setup(&general[i], classes[i].name, classes[i].size, 0);
        while (step < ARRAY_SIZE(class_of) && step * CLASS_STEP <= classes[i].size)
            class_of[step++] = (uint8_t)i;
    }
}

static noinline void *large_alloc(size_t size)
{
    unsigned order = 0;
    while (order <= PAGE_MAX_ORDER && (PAGE_SIZE << order) < size)
        order++;
    if (order > PAGE_MAX_ORDER)
        return NULL;
    struct page *p = page_alloc(order, 0);
    return p ? page_to_virt(p) : NULL;
}

void *kmalloc(size_t size)
{
    if (unlikely(size > SMALL_MAX))
        return large_alloc(size);
    return slab_alloc(&general[class_of[(size + CLASS_STEP - 1) / CLASS_STEP]]);
}

void *kzalloc(size_t size)
{
    void *p = kmalloc(size);
    if (p)
        memset(p, 0, size);
    return p;
}

void *kcalloc(size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        return NULL;
    return kzalloc(bytes);
}

void kfree(const void *p)
{
    if (!p)
        return;
    struct page *page = virt_to_page(p);
    if (page->flags & PAGE_SLAB) {
        slab_free(slab_cache_of(p), (void *)p);
        return;
    }
    assert(((uintptr_t)p & (PAGE_SIZE - 1)) == 0 && ref_read(&page->ref) == 1);
    page_free(page);
}

char *kstrdup(const char *s)
{
    size_t size = strlen(s) + 1;
    char *copy = kmalloc(size);
    if (copy)
        memcpy(copy, s, size);
    return copy;
}
