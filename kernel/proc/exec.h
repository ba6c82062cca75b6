/* Becoming another program: the kernel's own way in, for process 1. */
#pragma once

/*
 * The current thread, the only one of its process, becomes the program NAME. 0: the registers at the top of its
 * stack are the program's, arch_enter_user() goes there. -errno: nothing has changed.
 */
int exec_kernel(const char *name, char *const argv[], char *const envp[]);
