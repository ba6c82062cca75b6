/*
 * Instructions that may fault on purpose, and where to go on when they do. The table is section
 * .extable; assembly writes it with the macro EXTABLE (regs.inc), C with the macro here.
 */
#pragma once

#include "lib/types.h"

enum extable_kind {
    EXTABLE_USER, /* an access to user memory: mm_fault() gets its chance first */
    EXTABLE_ANY,  /* a look at an address that may be anything: any fault ends at the fixup */
};

struct extable_entry {
    uintptr_t insn;
    uintptr_t fixup;
    uint64_t kind;
};

/*
 * For inline assembly: when the instruction at label INSN faults, go on at FIXUP. KIND is a number.
 */
#define EXTABLE(insn, fixup, kind)             \
    ".pushsection .extable, \"a\"\n\t"         \
    ".balign 8\n\t"                            \
    ".quad " insn ", " fixup ", " #kind "\n\t" \
    ".popsection\n\t"

/* stac and clac: see smap_patch(). */
#define SMAP_SITE(insn)                   \
    "771:\t" insn "\n\t"                  \
    ".pushsection .smap_sites, \"a\"\n\t" \
    ".balign 8\n\t"                       \
    ".quad 771b\n\t"                      \
    ".popsection\n\t"
#define STAC SMAP_SITE("stac")
#define CLAC SMAP_SITE("clac")

/* The entry for the instruction at IP, or NULL. */
const struct extable_entry *extable_find(uintptr_t ip);

/* One word from an address that may be anything: for backtraces. False when it can't be read. */
bool kernel_read_word(uint64_t *value, uintptr_t addr);
/*
 * SIZE bytes, a multiple of 8, from an address in the kernel's half that should be aligned to 8; a text,
 * cut at SIZE, with "?" for what can't be read. For reports of what may be broken.
 */
bool kernel_read(void *to, const void *from, size_t size);
void kernel_read_text(char *to, const char *from, size_t size);
