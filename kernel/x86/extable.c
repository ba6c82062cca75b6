/*
 * The table of instructions that may fault. It has a few dozen entries and is looked at only after
 * a fault in the kernel, so a walk from the start will do.
 */
#include "x86/extable.h"

extern const struct extable_entry extable_start[], extable_end[];

const struct extable_entry *extable_find(uintptr_t ip)
{
    for (const struct extable_entry *e = extable_start; e < extable_end; e++)
        if (e->insn == ip)
            return e;
    return NULL;
}

bool kernel_read_word(uint64_t *value, uintptr_t addr)
{
    uint64_t v;

    asm goto("1:\tmov (%1), %0\n\t" EXTABLE("1b", "%l2", 1) : "=r"(v) : "r"(addr) : : unreadable);
    *value = v;
    return true;
unreadable:
    return false;
}
