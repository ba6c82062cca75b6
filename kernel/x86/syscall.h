/*
 * The system call table that tools/gensyscalls makes from abi/syscalls.tbl: one row a call.
 */
#pragma once

#include "lib/types.h"
#include <syscall_nr.h>

struct syscall_info {
    const char *name; /* "read" */
    const char *file; /* where it is implemented, below kernel/; NULL when it is not */
    const char *args; /* the row's argument formats, for a tracer */
};

typedef long (*syscall_fn)(long, long, long, long, long, long);

extern const syscall_fn
    syscall_table[NR_SYSCALLS]; /* calls not implemented point at syscall_missing */
extern const struct syscall_info syscall_info[NR_SYSCALLS];

/* -ENOSYS, naming the call once in the log. Finds the number in the current thread's registers. */
long syscall_missing(long, long, long, long, long, long);

/* The calling thread's registers, for calls that need all of them (clone, execve, rt_sigreturn). */
struct regs *syscall_regs(void);
