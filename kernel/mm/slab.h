/*
 * Small objects. A slab cache holds objects of one type, carved from pages, with a per-CPU stack of
 * free ones in front; kmalloc picks among general caches by size (above 2048 bytes it takes whole
 * pages). Never sleeps; NULL when memory is out. Debug builds poison fresh and freed objects with
 * distinct bytes (0xa5 and 0x5a), and panic on a double free or a write after free found at reuse.
 */
#pragma once

#include "lib/list.h"
#include "lib/types.h"

struct slab_cache;

/* NAME lives for ever. ALIGN is a power of two or 0. For use at boot: panics when out of memory. */
struct slab_cache *slab_cache_create(const char *name, size_t size, size_t align);
void *slab_alloc(struct slab_cache *c);
void *slab_zalloc(struct slab_cache *c);
void slab_free(struct slab_cache *c, void *obj); /* NULL is fine */

void *kmalloc(size_t size);
void *kzalloc(size_t size);
void *kcalloc(size_t n, size_t size); /* NULL on overflow too */
void kfree(const void *p);            /* NULL is fine; only for k*alloc, kstrdup */
char *kstrdup(const char *s);

void slab_init(void);
/* Give every empty slab and every per-CPU stack back. */
void slab_drain(void);

/* For /proc/slabinfo and the leak check. */
struct slab_stats {
    const char *name;
    size_t object_size, objects_in_use, objects_total, pages;
};
void slab_for_each(void (*emit)(void *ctx, const struct slab_stats *s), void *ctx);
