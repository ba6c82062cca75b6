/*
 * The radix tree of radix.h. Each table resolves 6 bits of the index, the root's the highest:
 *
 *     height 2:   root[index >> 6] -> table[index & 63] -> item
 *
 * The tree grows upwards: when an index does not fit, a new root is put above the old one, which
 * becomes its entry 0. It shrinks again when only that entry is left.
 */
#include "mm/radix.h"

#include "lib/assert.h"
#include "mm/slab.h"

#define BITS 6
#define FANOUT (1u << BITS)
#define MAX_HEIGHT 11 /* 66 bits: all of a 64-bit index */

struct table {
    unsigned used; /* the tree's owner's lock: entries that are not NULL */
    void *slot[FANOUT];
};

static struct slab_cache *table_cache; /* const after init */

void radix_init_subsystem(void)
{
    table_cache = slab_cache_create("radix_table", sizeof(struct table), 0);
}

/* Is INDEX beyond what a tree of this height can hold? */
static bool too_wide(uint64_t index, unsigned height)
{
    return height * BITS < 64 && index >> (height * BITS) != 0;
}

/* The place of INDEX in a table that has BELOW levels of tables under it. */
static unsigned digit(uint64_t index, unsigned below)
{
    return (unsigned)(index >> (below * BITS)) & (FANOUT - 1);
}

void *radix_get(const struct radix *r, uint64_t index)
{
    if (too_wide(index, r->height))
        return NULL;
    void *node = r->root;
    for (unsigned level = r->height; level > 0 && node; level--)
        node = ((struct table *)node)->slot[digit(index, level - 1)];
    return node;
}

static int grow(struct radix *r, uint64_t index)
{
    while (too_wide(index, r->height)) {
        if (r->root) {
            struct table *t = slab_zalloc(table_cache);
            if (!t)
                return -ENOMEM;
            t->slot[0] = r->root;
            t->used = 1;
            r->root = t;
        }
        r->height++;
    }
    return 0;
}

/* Take levels away from the top while they only lead to entry 0. */
static void shrink(struct radix *r)
{
    if (!r->root)
        r->height = 0;
    while (r->height > 0) {
        struct table *t = r->root;
        if (t->used > 1 || !t->slot[0])
            return;
        r->root = t->slot[0];
        r->height--;
        slab_free(table_cache, t);
    }
}

/* Free the empty tables on the way to INDEX, lowest first. PATH holds the way's tables by level. */
static void prune(struct radix *r, uint64_t index, struct table *const path[])
{
    for (unsigned level = 0; level < r->height; level++) {
        if (!path[level])
            continue;
        if (path[level]->used > 0)
            break;
        slab_free(table_cache, path[level]);
        if (level + 1 == r->height)
            r->root = NULL;
        else {
            path[level + 1]->slot[digit(index, level + 1)] = NULL;
            path[level + 1]->used--;
        }
    }
    shrink(r);
}

int radix_add(struct radix *r, uint64_t index, void *item)
{
    struct table *path[MAX_HEIGHT] = {NULL};

    if (grow(r, index) != 0) {
        shrink(r);
        return -ENOMEM;
    }
    void **link = &r->root;
    for (unsigned level = r->height; level-- > 0;) {
        if (!*link) {
            struct table *t = slab_zalloc(table_cache);
            if (!t) {
                prune(r, index, path);
                return -ENOMEM;
            }
            *link = t;
            if (level + 1 < r->height)
                path[level + 1]->used++;
        }
        path[level] = *link;
        link = &path[level]->slot[digit(index, level)];
    }
    assert(!*link);
    *link = item;
    if (r->height > 0)
        path[0]->used++;
    return 0;
}

void *radix_remove(struct radix *r, uint64_t index)
{
    struct table *path[MAX_HEIGHT] = {NULL};

    if (too_wide(index, r->height))
        return NULL;
    void **link = &r->root;
    for (unsigned level = r->height; level-- > 0;) {
        if (!*link)
            return NULL;
        path[level] = *link;
        link = &path[level]->slot[digit(index, level)];
    }
    void *item = *link;
    if (!item)
        return NULL;
    *link = NULL;
    if (r->height > 0)
        path[0]->used--;
    prune(r, index, path);
    return item;
}

/* radix_next below one node, whose first index is BASE: *INDEX is at or above BASE. */
static void *next_below(void *node, unsigned level, uint64_t base, uint64_t *index)
{
    if (level == 0) {
        *index = base;
        return node;
    }
    const struct table *t = node;
    unsigned shift = (level - 1) * BITS;
    for (unsigned i = *index > base ? digit(*index, level - 1) : 0; i < FANOUT; i++) {
        uint64_t start = base + ((uint64_t)i << shift);
        if (!t->slot[i])
            continue;
        void *item = next_below(t->slot[i], level - 1, start, index);
        if (item)
            return item;
    }
    return NULL;
}

void *radix_next(const struct radix *r, uint64_t *index)
{
    if (!r->root || too_wide(*index, r->height))
        return NULL;
    return next_below(r->root, r->height, 0, index);
}
