/*
 * The kernel's own symbol table.
 *
 * The kernel is linked twice. The first link has no table; its function names and addresses are read
 * by `nm`, tools/gensymbols turns them into an object, and the second link puts that object behind
 * everything else of .rodata, where it moves no function. In the first link the names below are weak
 * and undefined, so the table is simply empty.
 *
 * The kernel stands in the highest 2 GiB of the address space: the low 32 bits of an address, sign
 * extended, are the whole address, so an entry is 8 bytes. Entries are sorted by address; the last
 * one is the end of the text and has an empty name. All of it is constant, so nothing here locks and
 * a panic may come here from anywhere.
 */
#include "lib/symbols.h"

struct symbol {
    int32_t address;   /* const: the low half of the address */
    uint32_t name_off; /* const: the name's place in symbol_names */
};

extern const struct symbol symbol_table[] __attribute__((weak));
extern const uint32_t symbol_count __attribute__((weak));
extern const char symbol_names[] __attribute__((weak));

const char *symbol_lookup(uintptr_t addr, uintptr_t *offset)
{
    if (&symbol_count == NULL || symbol_count == 0)
        return NULL;

    /* The last entry not above addr, by bisection: table[low] <= addr < table[high]. */
    uint32_t low = 0;
    uint32_t high = symbol_count - 1;
    if (addr < (uintptr_t)(intptr_t)symbol_table[low].address ||
        addr >= (uintptr_t)(intptr_t)symbol_table[high].address)
        return NULL;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if ((uintptr_t)(intptr_t)symbol_table[middle].address <= addr)
            low = middle;
        else
            high = middle;
    }
    *offset = addr - (uintptr_t)(intptr_t)symbol_table[low].address;
    return symbol_names + symbol_table[low].name_off;
}
