/*
 * The kernel's command line: words between spaces, with double quotes around a value that holds spaces.
 * A word is "name" or "name=value". After "--" all words are process 1's.
 */
#pragma once

#include "lib/types.h"

/* Keep a copy of LINE; call once, before all else here. */
void cmdline_init(const char *line);
const char *cmdline_text(void); /* as the loader gave it, for /proc/cmdline */

/* The value of the last word NAME=value, "" for a bare NAME, NULL when there is none. */
const char *cmdline_get(const char *name);
static inline bool cmdline_has(const char *name)
{
    return cmdline_get(name) != NULL;
}
/* An unsigned number, base by C's prefixes; FALLBACK when the word is missing or not a number. */
uint64_t cmdline_u64(const char *name, uint64_t fallback);

/*
 * Words that the kernel does not know are process 1's, as Linux does it: those with '=' are environment
 * variables, those without are arguments. Words with a '.' before the '=' are a module's: nobody's.
 * Fills at most MAX pointers each and ends both lists with NULL. Returns -E2BIG when there were more.
 */
int cmdline_for_init(char **argv, size_t argc, char **envp, size_t envc, size_t max);
