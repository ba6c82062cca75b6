/*
 * Memory before there is an allocator. The page array and the kernel's page tables must stand
 * somewhere before anything can hand out pages; boot_alloc carves them from the RAM that the loader
 * reported, and remembers what it took, until page_init() frees the rest.
 */
#pragma once

#include "lib/types.h"

struct boot_info;

/* Take note of what is in use: the kernel, the initrd, the first MiB. */
void boot_memory_init(const struct boot_info *bi);

/*
 * SIZE bytes, ALIGN a power of two >= PAGE_SIZE, all below LIMIT, contents undefined. Panics when
 * out.
 */
paddr_t boot_alloc(size_t size, size_t align, paddr_t limit);

/* Call fn for each range of RAM that nobody has taken. boot_alloc must not be used any more. */
void boot_memory_release(void (*fn)(paddr_t start, paddr_t end));
