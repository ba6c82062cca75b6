/*
 * The kernel's own symbol table, which the build appends to the image: it makes every backtrace
 * readable without a debugger.
 */
#pragma once

#include "lib/types.h"

/* The function that ADDR lies in and ADDR's offset from its start, or NULL outside the kernel's text. */
const char *symbol_lookup(uintptr_t addr, uintptr_t *offset);
