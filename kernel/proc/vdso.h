/* The page of code that programs ask for the time without a system call: kernel/x86/vdso/. */
#pragma once

#include "lib/types.h"

struct mm;

/* Before the first exec, once all CPUs are running. */
void vdso_init(void);

/* Map it into the new address space MM; *AT is where its ELF header lies, for AT_SYSINFO_EHDR. 0 or -errno. */
int vdso_map(struct mm *mm, uintptr_t *at);
