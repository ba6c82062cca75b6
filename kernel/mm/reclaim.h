/*
 * When memory is out: give back what caches hold, then ask for a process to be killed, then wait
 * for it.
 */
#pragma once

#include "lib/types.h"

/*
 * An allocation for a program failed. Frees what it can and returns true when trying again makes
 * sense; false: give up with -ENOMEM. *TRIES starts at 0 and counts the attempts of one request.
 * Sleeps: no lock may be held that a process needs in order to die, an address space's above all.
 */
bool memory_make_room(unsigned *tries);

/*
 * Flags for page_alloc on behalf of the current process: one that is being killed may use the
 * reserve.
 */
unsigned memory_user_flags(void);

/*
 * Give back all that per-CPU caches, empty slabs and unused kernel stacks hold. Interrupts on, no
 * spinlock.
 */
void memory_drain(void);

/*
 * Run fn(arg) on every CPU, this one included, with interrupts off. Interrupts on, no spinlock
 * held.
 */
void memory_on_each_cpu(void (*fn)(void *arg), void *arg);
