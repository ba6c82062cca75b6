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

#define KERNEL_HALF 0xffff800000000000UL

bool kernel_read(void *to, const void *from, size_t size)
{
    uintptr_t addr = (uintptr_t)from;
    uint64_t *words = to;

    if (addr < KERNEL_HALF || addr & 7)
        return false;
    for (size_t i = 0; i < size / 8; i++)
        if (!kernel_read_word(&words[i], addr + 8 * i))
            return false;
    return true;
}

void kernel_read_text(char *to, const char *from, size_t size)
{
    uint64_t word;
    size_t i = 0;

    to[0] = '?';
    for (; i + 1 < size && (uintptr_t)from >= KERNEL_HALF; i++) {
        if (!kernel_read_word(&word, (uintptr_t)from + i))
            break;
        to[i] = (char)word;
        if (!to[i])
            return;
    }
    to[max(i, (size_t)1)] = '\0';
}
