/*
 * An array of pointers with few entries and a wide index: a tree of 64-way tables, as high as the
 * largest index needs. A tree that holds only index 0 has no table at all. Nothing here locks.
 */
#pragma once

#include "lib/types.h"

struct radix {
    void *root;      /* the owner's lock: a table, or at height 0 the item with index 0 */
    unsigned height; /* the owner's lock: levels of tables */
};

void radix_init_subsystem(void);

void *radix_get(const struct radix *r, uint64_t index); /* NULL when absent */
/* Add ITEM at INDEX, which must be absent. 0 or -ENOMEM; never sleeps. */
int must_check radix_add(struct radix *r, uint64_t index, void *item);
/* Remove and return the item at INDEX, NULL when absent. Tables left empty are freed. */
void *radix_remove(struct radix *r, uint64_t index);
/* The first item at *INDEX or above, with its index; NULL when there is none. */
void *radix_next(const struct radix *r, uint64_t *index);
