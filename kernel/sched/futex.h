/* What exit and exec need of futexes. */
#pragma once

#include "lib/types.h"

struct thread;

/*
 * The current thread leaves its address space (exec; DYING: exit): mark the mutexes of its robust list as
 * left by a dead owner, pass on the locks that others wait for, zero *clear_child_tid, and wake who waits
 * for it. Touches user memory; may sleep.
 */
void futex_leave_mm(bool dying);
/* The locks that the current thread holds and others wait for go to these. DYING: it gets no more. */
void futex_pass_on(bool dying);
/* T's own priority has changed: who holds the lock that it waits for has it, too. No lock is held. */
void futex_priority_changed(struct thread *t);

void futex_init(void);
