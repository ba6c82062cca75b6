/* What exit and exec need of futexes. */
#pragma once

#include "lib/types.h"

/*
 * The current thread leaves its address space (exit, exec): mark the mutexes of its robust list as left by
 * a dead owner, zero *clear_child_tid, and wake who waits for either. Touches user memory; may sleep.
 */
void futex_leave_mm(void);

void futex_init(void);
