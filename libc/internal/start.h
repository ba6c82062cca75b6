/* What the start of the program learns from the kernel, for the rest of libc. */
#pragma once

#include <abi/elf.h>

extern const Elf64_auxv_t *__auxv; /* ends with AT_NULL */
extern const char *__progname;

/* Called at exit, in this order: atexit() functions, then stdio's buffers. */
void __run_atexit(void);
void __flush_all(void);
