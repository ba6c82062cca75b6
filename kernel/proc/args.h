/*
 * The strings that exec passes: arguments and environment, gathered from the old program's memory before that
 * goes, and laid out on the new program's stack.
 */
#pragma once

#include "lib/list.h"
#include "lib/types.h"

struct mm;

#define ARGS_FRONT_MAX 16 /* strings that #! lines may put in front: three a level, see exec.c */

struct exec_args {
    struct list pages;   /* struct page: the strings one after the other, each with its NUL */
    size_t used;         /* bytes in them */
    size_t skip;         /* bytes of them that were popped from the front */
    unsigned argc, envc; /* strings in the pages */
    char *front[ARGS_FRONT_MAX]; /* arguments before those, the first one last */
    unsigned nfront;
    size_t limit; /* bytes that strings and pointers may take */
    size_t size;  /* bytes they take so far */
};

void args_init(struct exec_args *a);
void args_destroy(struct exec_args *a);

/*
 * Gather from NULL-ended vectors, in user memory or in the kernel's. 0, -EFAULT, -ENOMEM, or -E2BIG when a string
 * is over 128 KiB or all of it is over a quarter of the stack limit (execve(2)).
 */
int args_copy_user(struct exec_args *a, const char __user *const __user *argv,
                   const char __user *const __user *envp);
int args_copy_kernel(struct exec_args *a, char *const argv[], char *const envp[]);

/* The first argument goes, or another comes before it (copied). */
void args_pop(struct exec_args *a);
int args_push(struct exec_args *a, const char *s);

/* Room on the stack for all of A and the fixed parts. */
size_t args_stack_size(const struct exec_args *a, const char *execfn);

/*
 * Lay out MM's initial stack below mm->stack_top as the System V ABI (x86-64 psABI 3.4.1) has it and Linux fills
 * it; sets mm->arg_start and its like. mm->auxv, ended by AT_NULL, gets AT_RANDOM, AT_EXECFN and AT_PLATFORM
 * added. *SP points at argc. 0, -EFAULT or -ENOMEM.
 */
int args_build_stack(struct exec_args *a, struct mm *mm, const char *execfn, uintptr_t *sp);
