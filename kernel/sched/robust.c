/*
 * What a thread leaves behind in user memory when it exits or execs: mutexes that it holds, and the word
 * that says it lives.
 *
 * The robust list is a ring in user memory that the thread's libc keeps: every robust mutex it holds, and,
 * apart, the one that it is just taking or giving back. All of it is the program's to get wrong: a ring
 * that never closes ends after ROBUST_LIST_LIMIT entries, and one that leads to bad memory ends there.
 */
#include <abi/futex.h>

#include "mm/mm.h"
#include "proc/proc.h"
#include "sched/futex.h"
#include "sched/thread.h"
#include "x86/cpu.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

/* Where a mutex's futex word is, and whether it inherits priority (the low bit of a link says so). */
static uint32_t __user *entry_word(uintptr_t entry, long offset)
{
    return (uint32_t __user *)((entry & ~1UL) + (uintptr_t)offset);
}

/* Wake one who waits for WORD, wherever else it is mapped. An address that means nothing is no matter. */
static void wake_waiter(uint32_t __user *word)
{
    (void)sys_futex(word, FUTEX_WAKE, 1, 0, NULL, 0);
}

/* The thread dies; if it holds the mutex at ENTRY, say so there. False when the memory isn't any. */
static bool mutex_owner_died(uintptr_t entry, long offset, bool pending)
{
    uint32_t __user *word = entry_word(entry, offset);
    uint32_t value, seen;

    if ((uintptr_t)word % sizeof(*word) || get_user(value, word))
        return false;
    for (;;) {
        if ((value & FUTEX_TID_MASK) != (uint32_t)current->pid->nr) {
            /*
             * Given back, but the waiter was not yet told; or told to take it, and killed before it could. Then
             * whoever took it instead may not know of the others that sleep: let one of them look.
             */
            if (pending && !(entry & 1))
                wake_waiter(word);
            return true;
        }
        uint32_t died = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
        if (cmpxchg_user_u32(word, value, died, &seen)) {
            if (user_fault_in(word, true))
                return false;
            continue;
        }
        if (seen == value)
            break;
        value = seen;
    }
    if (value & FUTEX_WAITERS && !(entry & 1))
        wake_waiter(word);
    return true;
}

static void walk_robust_list(struct robust_list_head __user *head)
{
    struct robust_list_head h;
    uintptr_t entry, next;

    if (copy_from_user(&h, head, sizeof(h)))
        return;
    entry = (uintptr_t)h.list.next;
    uintptr_t pending = (uintptr_t)h.list_op_pending;
    for (int n = 0; entry != (uintptr_t)&head->list && n < ROBUST_LIST_LIMIT; n++) {
        /* The next first: once a mutex is marked, its memory may be anybody's. */
        bool more = !get_user(next, (uintptr_t __user *)(entry & ~1UL));
        if ((entry & ~1UL) != (pending & ~1UL) && !mutex_owner_died(entry, h.futex_offset, false))
            return;
        if (!more)
            break;
        entry = next;
    }
    if (pending & ~1UL)
        mutex_owner_died(pending, h.futex_offset, true);
}

void futex_leave_mm(bool dying)
{
    struct thread *t = current;

    if (t->robust_list) {
        walk_robust_list(t->robust_list);
        t->robust_list = NULL;
    }
    futex_pass_on(dying);
    if (t->clear_child_tid) {
        int __user *word = t->clear_child_tid;
        t->clear_child_tid = NULL;
        /* The only one to see it would be ourselves. */
        if (ref_read(&t->mm->ref) > 1 || t->proc->nthreads > 1) {
            if (!put_user(0, word))
                wake_waiter((uint32_t __user *)word);
        }
    }
}
