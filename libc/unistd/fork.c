/*
 * fork(). The child has one thread, the one that called; its id is another. While there are several, the heap is
 * locked meanwhile, so that the child finds it whole.
 */
#include <unistd.h>

#include "internal/lock.h"
#include "internal/syscall.h"
#include "internal/thread.h"

#pragma weak __heap_lock
#pragma weak __heap_unlock

pid_t fork(void)
{
    struct __pthread *self = thread_self();
    if (__run_atfork)
        __run_atfork(FORK_PREPARE);
    bool locked = __heap_lock && __atomic_load_n(&__threads, __ATOMIC_RELAXED) > 1;
    if (locked)
        __heap_lock();
    pid_t pid = (pid_t)__syscall_ret(syscall_raw(SYS_fork));
    if (pid == 0) {
        self->tid = (int)syscall_raw(SYS_set_tid_address, &self->alive);
        self->robust = (struct robust_list_head){0};
        __threads = 1;
    }
    if (locked)
        __heap_unlock();
    if (__run_atfork)
        __run_atfork(pid == 0 ? FORK_CHILD : FORK_PARENT);
    return pid;
}
