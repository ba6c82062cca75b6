/*
 * The radix tree against an array: random additions and removals at indexes near and far, lookups
 * and the walk to the next item compared after each, allocations that fail at random, and nothing
 * left at the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/mm/radix.c"

#define SPREAD 700
#define ROUNDS 40000

static int fail_one_in; /* 0: allocations succeed */
static long tables_live;

struct slab_cache *slab_cache_create(const char *name, size_t size, size_t align)
{
    (void)name, (void)size, (void)align;
    return NULL;
}

void *slab_zalloc(struct slab_cache *c)
{
    (void)c;
    if (fail_one_in && rand() % fail_one_in == 0)
        return NULL;
    tables_live++;
    return calloc(1, sizeof(struct table));
}

void slab_free(struct slab_cache *c, void *obj)
{
    (void)c;
    tables_live--;
    free(obj);
}

_Noreturn void panic(const char *format, ...)
{
    printf("not ok - %s\n", format);
    exit(1);
}

static void need(int condition, const char *what)
{
    if (!condition) {
        printf("not ok - %s\n", what);
        exit(1);
    }
}

/* Indexes come in clusters, some so far up that the tree needs all its levels. */
static uint64_t index_of(unsigned i)
{
    static const uint64_t base[] = {0, 60, 4000, 1UL << 18, 1UL << 40, UINT64_MAX - 99};
    return base[i / 120 % 6] + i % 120 % 100;
}

int main(void)
{
    static char present[SPREAD];
    struct radix r = {0};

    srand(1);
    for (int round = 0; round < ROUNDS; round++) {
        unsigned i = (unsigned)rand() % SPREAD;
        uint64_t index = index_of(i);
        void *item = radix_get(&r, index);
        fail_one_in = round % 3 == 0 ? 4 : 0;
        if (item) {
            need(radix_remove(&r, index) == item, "removal returns the item");
            need(!radix_get(&r, index), "a removed item is gone");
        } else if (radix_add(&r, index, &present[i]) == 0) {
            need(radix_get(&r, index) == &present[i], "an added item is found");
        } else {
            need(fail_one_in != 0, "an addition fails only without memory");
            need(!radix_get(&r, index), "a failed addition leaves nothing");
        }
        uint64_t from = index_of((unsigned)rand() % SPREAD), at = from;
        void *next = radix_next(&r, &at);
        uint64_t best = UINT64_MAX;
        int any = 0;
        for (unsigned j = 0; j < SPREAD; j++)
            if (index_of(j) >= from && radix_get(&r, index_of(j)) && index_of(j) <= best) {
                best = index_of(j);
                any = 1;
            }
        need(any == (next != NULL), "next finds something when there is something");
        need(!next || (at == best && radix_get(&r, at) == next), "next finds the nearest");
    }
    for (unsigned i = 0; i < SPREAD; i++)
        radix_remove(&r, index_of(i));
    need(!r.root && r.height == 0, "an empty tree has no root");
    need(tables_live == 0, "no table is left");
    printf("ok - radix\n");
    return 0;
}
