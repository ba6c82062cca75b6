/* ELF programs: the file becomes areas of an address space. */
#pragma once

#include "lib/types.h"

struct file;
struct mm;

/* What exec must know of a loaded program. */
struct elf_image {
    uintptr_t entry;       /* where to begin: the interpreter's entry if there is one */
    bool executable_stack; /* PT_GNU_STACK asks for it */
};

/*
 * Load FILE (a program whose first bytes are ELF's magic), and the interpreter it names, into the empty MM:
 * areas, break, code and data bounds, and mm->auxv but for what args_build_stack adds. Nothing but MM changes,
 * so all errors are harmless: -ENOEXEC (not a program for this machine, or nonsense), -ENOMEM (doesn't fit,
 * also past RLIMIT_AS), -EINVAL, -EIO, -ENOENT and friends for the interpreter. May sleep.
 */
int elf_load(struct mm *mm, struct file *file, struct elf_image *image);
