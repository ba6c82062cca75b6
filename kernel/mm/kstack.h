/*
 * Kernel stacks: KSTACK_SIZE bytes each in a region of kernel address space of their own, with an
 * unmapped guard page below, so that overrunning one is a double fault with a name and not silent
 * damage. Freed stacks are kept, mapped, for the next thread, until there are too many or memory is
 * short.
 */
#pragma once

#include "lib/types.h"

#define KSTACK_SIZE (4 * PAGE_SIZE)

void *kstack_alloc(void);             /* lowest address; NULL when out of memory */
void kstack_free(void *stack);        /* not the stack we stand on */
bool kstack_is_guard(uintptr_t addr); /* ADDR lies in a guard page: a stack overflow */

/* Give back the stacks that are kept. Interrupts on, no spinlock held. */
void kstack_drain(void);
