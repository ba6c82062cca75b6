/*
 * What slab.c and kmalloc.c share: the general caches exist before kmalloc can make room for one.
 */
#pragma once

#include "lib/list.h"
#include "lib/types.h"
#include "sched/lock.h"
#include "x86/cpu.h"

/* Free objects at one CPU's hand. */
struct slab_chain {
    void *head; /* that CPU only, as all here; others may read count */
    unsigned count;
    void *drained; /* atomic: the chain, put aside for slab_drain() to collect */
    bool busy;     /* the chain is being changed: interrupt handlers keep off */
};

struct slab_cache {
    struct spinlock lock;              /* RANK_SLAB */
    unsigned nempty;                   /* lock: empty slabs on `partial` */
    const char *name;                  /* const */
    size_t size;                       /* const: of an object, as asked for */
    size_t stride;                     /* const: from one object to the next */
    size_t align;                      /* const */
    unsigned order;                    /* const: of a slab's pages, when they can be had */
    unsigned chain_max;                /* const */
    struct list partial;               /* lock: slabs with free objects, the empty ones last */
    size_t out;                        /* lock: objects in use or in a chain */
    size_t total;                      /* lock: objects in all slabs */
    size_t pages;                      /* lock */
    struct slab_cache *next;           /* const: the list of all caches */
    struct slab_chain chain[MAX_CPUS]; /* each its CPU's */
};

void slab_cache_setup(struct slab_cache *c, const char *name, size_t size, size_t align);
/* The cache that OBJ, an object of some slab, belongs to. */
struct slab_cache *slab_cache_of(const void *obj);
