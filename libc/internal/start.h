/* What the start of the program learns from the kernel, for the rest of libc. */
#pragma once

#include <abi/elf.h>

extern const Elf64_auxv_t *__auxv; /* ends with AT_NULL */
extern const char *__progname;

/* Called at exit, behind the atexit() functions: stdio's buffers are written. */
void __flush_all(void);
