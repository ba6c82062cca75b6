/*
 * A parked thread waits until somebody else has done its work for it: performed its semaphore operations, or
 * handed it a message. So it need not look again when it wakes, nobody can be quicker than the one that has
 * waited longest, and a wakeup is spent on nobody in vain.
 *
 * It lies on its thread's stack and in a list under a spinlock, with which everything here is called. The
 * thread takes that lock once more before it goes on, so who finishes it need not care how soon it wakes.
 */
#pragma once

#include "lib/atomic.h"
#include "lib/list.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "sched/wait.h"

struct parked {
    struct list link;      /* the lock */
    struct thread *thread; /* const */
    int error;             /* the lock, until done */
    bool done;             /* atomic; set under the lock */
};

static inline void park(struct parked *p, struct list *list)
{
    p->thread = current;
    p->done = false;
    list_push_back(list, &p->link);
}

static inline void parked_finish(struct parked *p, int error)
{
    list_remove(&p->link);
    p->error = error;
    atomic_store(&p->done, true);
    sched_wake(p->thread, WAKE_EVENT);
}

/*
 * Sleep until P is finished; LOCK is held before and after, and free meanwhile. What it was finished with,
 * or -ETIMEDOUT, -ERESTARTSYS: P is off the list in any case.
 */
static inline int parked_wait(struct parked *p, struct spinlock *lock, nsec_t deadline)
{
    spin_unlock(lock);
    int error = wait_flag(&p->done, deadline, WAIT_INTERRUPTIBLE);
    spin_lock(lock);
    if (p->done)
        return p->error;
    list_remove(&p->link);
    return error;
}
